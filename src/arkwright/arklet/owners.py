"""For whom the present code works. In: a context. Out: an Owner, or None for the base itself.

Light: every process of a module has it loaded.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar


class Owner:
    """A loaded version of a module, as whatever works for it knows it. `is_active`: whether it is the version that answers."""

    def __init__(self, identity: str) -> None:
        self.identity, self.is_active = identity, False

    @property
    def name(self) -> str:
        return self.identity.partition(":")[0]

    @property
    def version(self) -> str:
        return self.identity.partition(":")[2]


_running: ContextVar[Owner | None] = ContextVar("arkwright_module", default=None)


def running() -> Owner | None:
    """The module for which the present task or thread works; None: the base itself."""
    return _running.get()


enter, leave = _running.set, _running.reset  # `works_for` where every microsecond counts


@contextlib.contextmanager
def works_for(owner: Owner | None) -> Iterator[None]:
    """What runs inside the block runs for that module; None: for the base."""
    token = _running.set(owner)
    try:
        yield
    finally:
        _running.reset(token)
