"""For whom, and for which request, the present code works. In: a context. Out: an Owner, or None for the base itself; a request's id.

Light: every process of a module has it loaded.
"""

import contextlib
import itertools
import os
from collections.abc import Iterator, MutableMapping
from contextvars import ContextVar
from typing import Any


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


Scope = MutableMapping[str, Any]
Work = tuple[Owner | None, Scope | None]  # for whom, and in answer to which request
_work: ContextVar[Work] = ContextVar("arkwright_work", default=(None, None))
_numbers = itertools.count(1)
_process = os.urandom(4).hex()
NUMBER = "arkwright.request"  # in the scope of a request that somebody has asked the id of


def running() -> Owner | None:
    """The module for which the present task or thread works; None: the base itself."""
    return _work.get()[0]


enter, leave = _work.set, _work.reset  # `works_for` where every microsecond counts


@contextlib.contextmanager
def works_for(owner: Owner | None) -> Iterator[None]:
    """What runs inside the block runs for that module, in answer to the same request; None: for the base."""
    token = _work.set((owner, _work.get()[1]))
    try:
        yield
    finally:
        _work.reset(token)


def told(error: BaseException, owner: Owner, scope: Scope) -> None:
    """Whoever logs the exception, once it has left the module, finds of whose request it came."""
    with contextlib.suppress(AttributeError):
        error.arkwright_work = (owner, scope)  # type: ignore[attr-defined]


def work_of(error: BaseException | None) -> Work:
    """Of whose request an exception came, or for whom the present code works."""
    work: Work = getattr(error, "arkwright_work", None) or _work.get()
    return work


def request_id(scope: Scope | None) -> str:
    """How logs name it: as its X-Request-ID says, or the trace id of its traceparent, or else a number of our own; "" for none."""
    if scope is None:
        return ""
    headers = dict(scope["headers"])
    if given := headers.get(b"x-request-id"):
        return str(given.decode("latin-1"))
    trace = headers.get(b"traceparent", b"").split(b"-")
    if len(trace) == 4:
        return str(trace[1].decode("latin-1"))
    if NUMBER not in scope:
        scope[NUMBER] = f"{_process}-{next(_numbers)}"
    return str(scope[NUMBER])
