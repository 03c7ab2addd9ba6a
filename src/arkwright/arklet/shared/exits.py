"""What a module wants called at the end of the process. In: `atexit`, finalizers, exits of threads. Out: called when the module goes.

For a module its own uninstall is the end. Not done here: what it is told of its end otherwise (its lifespan).
"""

import atexit
import functools
import logging
import threading
import traceback
import weakref
from collections.abc import Callable
from typing import Any

from arkwright.arklet.leftovers import Leftover, note
from arkwright.arklet.owners import works_for
from arkwright.arklet.shared.ownership import Exit, Maker, maker

log = logging.getLogger(__name__)
_finalize: Any = weakref.finalize


def keep_exits() -> None:
    """Once a process."""
    register, unregister = atexit.register, atexit.unregister

    def unregistering(func: Callable[..., Any], /) -> None:
        if owner := maker():
            owner.exits[:] = [one for one in owner.exits if one[0] != func]
        unregister(func)

    atexit.register, atexit.unregister = _kept(register), unregistering
    threading._register_atexit = _kept(threading._register_atexit)  # type: ignore[attr-defined]
    _finalize._Info = _named(_finalize._Info)


def _kept(register: Any) -> Any:
    @functools.wraps(register)
    def registering(func: Callable[..., Any], /, *args: Any, **more: Any) -> Any:
        if owner := maker():
            owner.exits.append((func, args, more))
            return func
        return register(func, *args, **more)

    return registering


def _named(info: Any) -> Any:
    """What `weakref` keeps of a finalizer, and whose it is: a module's may be for a function of the standard library."""

    class Named(info):  # type: ignore[misc]
        __slots__ = ("owner",)

        def __init__(self) -> None:
            self.owner = maker()

    return Named


def run_exits(owner: Maker) -> list[Leftover]:
    """Last registered, first called, as the interpreter does it; finalizers after the others. Returns what failed."""
    failed = []
    with works_for(owner):
        while owner.exits:
            failed += _called(owner, owner.exits.pop())
        for one in _finalizers(owner):
            if one.atexit:
                failed += _called(owner, (one, (), {}))
            one.detach()
    return failed


def _finalizers(owner: Maker) -> list[Any]:
    found = [(one, info) for one, info in list(_finalize._registry.items()) if _is_its(info, owner)]
    return [one for one, _ in sorted(found, key=lambda pair: -pair[1].index)]


def _is_its(info: Any, owner: Maker) -> bool:
    return getattr(info, "owner", None) is owner or owner.has_part_in(info.func)


def _called(owner: Maker, exit_: Exit) -> list[Leftover]:
    func, args, more = exit_
    name = getattr(func, "__qualname__", func)
    try:
        func(*args, **more)
    except (Exception, SystemExit) as error:
        # as text: a record that is kept somewhere must not keep the module's frames
        log.warning("an exit callback of %s failed: %s", owner.identity, traceback.format_exc())
        return [note(f"its exit callback {name} failed: {error!r}")]
    return []
