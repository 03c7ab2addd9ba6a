"""Takes back what a module made. In: its Maker, once its requests and its lifespan have ended. Out: what would not go, in words.

What lies with shared libraries on the module's behalf (a connection in the base's pool) is theirs and stays.
"""

import asyncio
import contextlib
import ctypes
import gc
import logging
import subprocess
import threading
import time
import types
import weakref
from functools import partial
from typing import Any

from arkwright.arklet.asgi.words import frames
from arkwright.arklet.leftovers import Leftover
from arkwright.arklet.shared import logs, registries, timers
from arkwright.arklet.shared.exits import run_exits
from arkwright.arklet.shared.ownership import Maker, ModuleUnloaded
from arkwright.arklet.shared.watching import is_over

GRACE_SECONDS = 2.0
LOOK_SECONDS = 0.01
REFERRERS_SHOWN = 3


async def take_back(owner: Maker, grace_seconds: float = GRACE_SECONDS) -> list[Leftover]:
    """Before the code goes: exit callbacks run; tasks, children, handlers and servers end. Returns what did not."""
    failed = await asyncio.to_thread(run_exits, owner)
    owner.is_going = True
    registries.take_out(owner)
    timers.stop(owner)
    await _let_clients_go(owner)
    left = await _cancel_tasks(owner, grace_seconds)
    await _close_transports(owner, grace_seconds)
    await _close_loops(timers.own_loops(owner), grace_seconds)
    _close_sockets(owner)
    await asyncio.to_thread(_end_children, owner, grace_seconds)
    return failed + left


async def end_threads(owner: Maker, grace_seconds: float = GRACE_SECONDS) -> list[Leftover]:
    """After the code has gone: its threads have half of `grace_seconds` to end by themselves, then an exception is
    raised in those that it started, which a thread gets as soon as it runs Python code again. Returns those that go on.
    """
    for thread in await _alive_after(owner, grace_seconds / 2):
        if thread.ident is not None and (thread in owner.threads or _is_in_its_pool(thread, owner)):
            _raise_in(thread.ident)
    left = await _alive_after(owner, grace_seconds / 2)
    return [Leftover(f"thread {one.name} goes on", one.is_alive) for one in left]


async def _alive_after(owner: Maker, seconds: float) -> list[threading.Thread]:
    end = time.monotonic() + seconds
    while (alive := timers.threads_of(owner)) and time.monotonic() < end:  # noqa: ASYNC110 (a thread sends no Event)
        await asyncio.sleep(LOOK_SECONDS)
    return alive


def renew_hooks(owner: Maker) -> None:
    """A thread keeps the hook for exceptions that there was when it was made."""
    for thread in threading.enumerate():
        cells = getattr(getattr(thread, "_invoke_excepthook", None), "__closure__", None) or ()
        if any(owner.has_part_in(cell.cell_contents) for cell in cells):
            thread._invoke_excepthook = threading._make_invoke_excepthook()  # type: ignore[attr-defined]


def _is_in_its_pool(thread: threading.Thread, owner: Maker) -> bool:
    return any(thread in getattr(pool, "_threads", ()) for pool in owner.pools)


def still_referenced(objects: "list[weakref.ref[Any]]") -> list[Leftover]:
    """Which functions and classes are alive, and what holds them."""
    alive = [one for ref in objects if (one := ref()) is not None]
    return [
        Leftover(f"{_name(one)} is held by {_holders(one, alive)}", partial(_is_alive, weakref.ref(one)))
        for one in alive
    ]


def _name(one: Any) -> str:
    return f"{one.__module__}.{one.__qualname__}"


def _is_alive(ref: "weakref.ref[Any]") -> bool:
    return ref() is not None


def _holders(one: Any, ignored: list[Any]) -> str:
    """By type; what a class or function holds of itself does not count. A loop: a comprehension would hold it too."""
    names = set()
    for held in gc.get_referrers(one):
        if held is not ignored and not _is_part_of(held, one):
            names.add(type(held).__qualname__)
    return ", ".join(sorted(names)[:REFERRERS_SHOWN]) or "something outside Python"


def _is_part_of(held: Any, one: Any) -> bool:
    is_own = held is getattr(one, "__mro__", None) or getattr(held, "__objclass__", None) is one
    return is_own or isinstance(held, types.FrameType)


async def _cancel_tasks(owner: Maker, grace_seconds: float) -> list[Leftover]:
    """The module's own tasks. One of the base's that is inside the module's code is named, and left alone."""
    pending = {task for task in list(owner.tasks) if not task.done()} | _tasks_in(owner, outermost_only=True)
    for task in pending:
        task.cancel(f"{owner.identity} is uninstalled")
    if pending:
        _, pending = await asyncio.wait(pending, timeout=grace_seconds)
    borrowed = _tasks_in(owner) - pending
    return [
        *(Leftover(f"task {_described(task)} goes on", partial(_is_pending, task)) for task in pending),
        *(
            Leftover(f"task {_described(task)} of the base runs its code", partial(_is_pending, task))
            for task in borrowed
        ),
    ]


def _tasks_in(owner: Maker, outermost_only: bool = False) -> "set[asyncio.Task[Any]]":
    """Tasks that are in code of the module; `outermost_only`: that began in it."""
    found = {task: frames(task)[: 1 if outermost_only else None] for task in asyncio.all_tasks()}
    return {task for task, stack in found.items() if any(owner.runs_in(frame) for frame in stack)}


def _is_pending(task: "asyncio.Task[Any]") -> bool:
    return not task.done()


def _described(task: "asyncio.Task[Any]") -> str:
    return f"{task.get_name()} ({getattr(task.get_coro(), '__qualname__', '?')})"


def close_handlers(owner: Maker) -> None:
    """Log handlers that the module added, to loggers of the base too; then its own loggers go."""
    while owner.handlers:
        handler = owner.handlers.pop()
        for logger in [logging.root, *logging.root.manager.loggerDict.values()]:
            if isinstance(logger, logging.Logger):
                logger.removeHandler(handler)
        with contextlib.suppress(Exception):
            handler.close()
    logs.forget(owner)


async def _let_clients_go(owner: Maker) -> None:
    """Those that its own servers have taken: what answers them hears of it, and ends by itself."""
    for server in [one for one in owner.transports if hasattr(one, "is_serving")]:
        server.close()
    if clients := _accepted(owner):
        for one in clients:
            one.abort()
        await asyncio.sleep(LOOK_SECONDS)


async def _close_transports(owner: Maker, grace_seconds: float) -> None:
    """What it made through the event loop: servers, connections, pipes, children."""
    made, owner.transports = owner.transports, []
    for one in made:
        _end(one)
    children = [one for one in made if hasattr(one, "get_returncode")]
    end = time.monotonic() + grace_seconds
    while not all(map(is_over, children)) and time.monotonic() < end:  # noqa: ASYNC110 (a transport sends no Event)
        await asyncio.sleep(LOOK_SECONDS)
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        child.close()
    if made:
        await asyncio.sleep(LOOK_SECONDS)  # a loop closes what is aborted in its next rounds


def _end(one: Any) -> None:
    """The quickest way that a child, a connection, a pipe or a server has."""
    for way in ("terminate", "abort", "close"):
        with contextlib.suppress(AttributeError, NotImplementedError, ProcessLookupError):
            getattr(one, way)()
            return


def _accepted(owner: Maker) -> list[Any]:
    """Transports of connections to its servers. A loop that does not tell of its transports has them where all objects are."""
    if not owner.protocols:
        return []
    known = getattr(asyncio.get_running_loop(), "_transports", None)
    transports = [one for one in gc.get_objects() if _is_transport(one)] if known is None else list(known.values())
    return [one for one in transports if one.get_protocol() in owner.protocols]


def _is_transport(one: Any) -> bool:
    return type(one).__module__ == "uvloop.loop" and hasattr(type(one), "get_protocol") and hasattr(type(one), "abort")


async def _close_loops(loops: list[Any], grace_seconds: float) -> None:
    """Its own event loops, which have been stopped where they ran."""
    end = time.monotonic() + grace_seconds
    while any(one.is_running() for one in loops) and time.monotonic() < end:  # noqa: ASYNC110 (another thread's)
        await asyncio.sleep(LOOK_SECONDS)
    for one in loops:
        if not one.is_running():
            one.close()


def _close_sockets(owner: Maker) -> None:
    """Through the loop where it knows them: a descriptor closed behind its back would be taken for the next one of that number."""
    loop: Any = asyncio.get_running_loop()
    for one in list(owner.sockets):
        if (number := one.fileno()) < 0:
            continue
        if transport := getattr(loop, "_transports", {}).get(number):
            transport.abort()
        else:
            with contextlib.suppress(RuntimeError):  # a transport has it: somebody else's, who closes it
                loop.remove_reader(number)
                loop.remove_writer(number)
            one.close()


def _end_children(owner: Maker, grace_seconds: float) -> None:
    running = [one for one in list(owner.children) if one.poll() is None]
    for child in running:
        child.terminate()
    for child in running:
        try:
            child.wait(timeout=grace_seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _raise_in(ident: int) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(ModuleUnloaded))
