"""Imports a module's application as a server does before it serves, without holding up the base. In: its namespace. Out: Imported.

The code runs in a thread of its own, for the base goes on answering; what would show that is made right: the thread has the base's
event loop, what is set in context variables (decimal's context too) and in `threading.local`s of the module is there for its requests,
and SQLite connections may be used by other threads than the one that has made them.
"""

import asyncio
import contextlib
import contextvars
import decimal
import sys
import threading
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from arkwright.arklet.asgi.words import Application
from arkwright.arklet.shared.facades import is_facade, when_imported
from arkwright.arklet.shared.ownership import starter

ABSENT: Any = object()
CHECKS_THREAD = 4  # the place of check_same_thread among the arguments of sqlite3.connect


@dataclass(frozen=True)
class Imported:
    """`context`: the variables that its import has set, and what to. `unseen`: `threading.local`s of libraries that it has set: they
    are not set where its requests run."""

    application: Application
    context: tuple[tuple[contextvars.ContextVar[Any], Any], ...]
    unseen: tuple[str, ...]


@dataclass(frozen=True)
class _Local:
    holder: str
    name: str
    local: threading.local
    values: dict[str, Any]


async def imported(root: str, find: Callable[[], Application], seconds: float) -> Imported:
    """What `find` returns, which runs in a thread. Raises what it raises, TimeoutError after `seconds`."""
    before, context, loop = contextvars.copy_context(), contextvars.copy_context(), asyncio.get_running_loop()
    done: asyncio.Future[tuple[Application, list[_Local]]] = loop.create_future()

    context.run(decimal.setcontext, decimal.DefaultContext)  # its own: the base's would be changed in place

    def run() -> None:
        asyncio.set_event_loop(loop)
        try:
            found = context.run(find), _locals()
        except BaseException as error:  # to whoever waits
            _settle(loop, done, done.set_exception, error)
        else:
            _settle(loop, done, done.set_result, found)

    threading.Thread(target=run, name=f"import of {root}", daemon=True).start()
    application, found = await asyncio.wait_for(done, seconds)
    own = [one for one in found if one.holder.startswith(f"{root}.")]
    for one in own:
        vars(one.local).update({**one.values, **vars(one.local)})
    unseen = tuple(f"{one.holder}.{one.name}" for one in found if one not in own)
    return Imported(application, _set_since(before, context), unseen)


def _settle(loop: asyncio.AbstractEventLoop, done: Any, settle: Callable[[Any], None], value: Any) -> None:
    with contextlib.suppress(RuntimeError):  # it was given up, and the base has ended since
        loop.call_soon_threadsafe(lambda: None if done.done() else settle(value))


def _locals() -> list[_Local]:
    """Those that modules have among their globals and that are set in this thread, which is new. One that sets itself says nothing."""
    modules = [
        one for one in list(sys.modules.items()) if issubclass(type(one[1]), types.ModuleType) and not is_facade(one[1])
    ]
    found = [(holder, *one) for holder, module in modules for one in list(vars(module).items())]
    locals_ = [
        one for one in found if issubclass(type(one[2]), threading.local) and type(one[2]).__init__ is object.__init__
    ]
    return [_Local(holder, name, one, dict(vars(one))) for holder, name, one in locals_ if vars(one)]


def _set_since(before: contextvars.Context, after: contextvars.Context) -> Any:
    changed = ((var, value) for var, value in after.items() if before.get(var, ABSENT) is not value)
    return tuple((var, value) for var, value in changed if not _is_plain(value))


def _is_plain(value: Any) -> bool:
    """A context of decimal that has only been looked at."""
    return isinstance(value, decimal.Context) and str(value) == str(decimal.Context())


def let_connections_move() -> None:
    """Once a process."""
    when_imported("sqlite3", _move_connections)


def _move_connections(sqlite: Any) -> None:
    connect = sqlite.connect

    def connecting(*args: Any, **more: Any) -> Any:
        if len(args) <= CHECKS_THREAD and asyncio._get_running_loop() is None and starter():
            more.setdefault("check_same_thread", False)
        return connect(*args, **more)

    sqlite.connect = sqlite.dbapi2.connect = connecting
