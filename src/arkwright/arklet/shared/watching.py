"""Notes what modules make. In: calls that their code makes of the interpreter. Out: an Maker's belongings, or a refusal.

`watch` puts a thin layer over the few calls of the standard library and of event loops that leave something behind (threads, tasks,
sockets, connections, child processes, log handlers, exit callbacks) or that only a process of its own may make (signal handlers, forks,
exits). Where no module's code makes the call, it goes straight through. The layer is the process's, as what it covers is; it is put
there once and stays. Not done here: taking back (`residue`).
"""

import asyncio
import concurrent.futures
import contextlib
import functools
import importlib
import logging
import multiprocessing.process
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from arkwright.arklet.owners import works_for
from arkwright.arklet.shared import state
from arkwright.arklet.shared.exits import keep_exits
from arkwright.arklet.shared.facades import redirect_lookups, when_imported
from arkwright.arklet.shared.importing import let_connections_move
from arkwright.arklet.shared.logs import own_logging
from arkwright.arklet.shared.ownership import Maker, ModuleUnloaded, at_work, maker, someone, starter
from arkwright.arklet.shared.registries import watch_registries

# What makes servers, connections, pipes and children through an event loop.
MAKING = (
    "connect_accepted_socket",
    "connect_read_pipe",
    "connect_write_pipe",
    "create_connection",
    "create_datagram_endpoint",
    "create_server",
    "create_unix_connection",
    "create_unix_server",
    "start_tls",
    "subprocess_exec",
    "subprocess_shell",
)
SERVING = ("create_server", "create_unix_server")
A_SIGNAL_HANDLER = "set a signal handler: signals are the base's"


class ModuleRefused(RuntimeError):
    """A module in the base's process did what only one in a process of its own may do."""


def is_pool_worker(thread: threading.Thread) -> bool:
    """Threads of pools outlive what they are started for; the pool, not a module, decides when they end."""
    target = getattr(thread, "_target", None)
    return getattr(target, "__module__", "") == "concurrent.futures.thread" or type(thread).__module__.startswith(
        "anyio"
    )


@functools.cache
def watch() -> None:
    """Once a process."""
    _notes(threading.Thread, "start", _note_thread)
    _notes(concurrent.futures.ThreadPoolExecutor, "__init__", _note_pool, with_libraries=True)
    _notes_led_threads()
    _notes(socket.socket, "__init__", lambda owner, one, *_, **__: owner.sockets.add(one))
    _notes(subprocess.Popen, "__init__", lambda owner, one, *_, **__: owner.children.add(one))
    _notes(logging.Logger, "addHandler", lambda owner, _, handler: owner.handlers.append(handler))
    for holder in (asyncio, asyncio.tasks):
        _notes_result(holder, "create_task")
        _notes_result(holder, "ensure_future")
    _notes_result(asyncio.TaskGroup, "create_task")
    for loop in _loops():
        for name in MAKING:
            if name in vars(loop) or loop.__module__ == "uvloop":
                _notes_transports(loop, name)
        _notes(loop, "set_exception_handler", _remember_exceptions)
        _refuses(loop, "add_signal_handler", A_SIGNAL_HANDLER)
    _refuse()
    keep_exits()
    _remember_states()
    redirect_lookups()
    own_logging()
    watch_registries()
    let_connections_move()


def _notes(holder: Any, name: str, note: Callable[..., object], with_libraries: bool = False) -> None:
    """`with_libraries`: while the module starts, also what these do for it."""
    original = getattr(holder, name)

    @functools.wraps(original)
    def noting(*args: Any, **more: Any) -> Any:
        if owner := maker() or (starter() if with_libraries else None):
            note(owner, *args, **more)
        return original(*args, **more)

    setattr(holder, name, noting)


def _notes_result(holder: Any, name: str) -> None:
    """What it makes is a task, unless it is given one: that may be somebody else's. The loop's own `create_task` is left
    alone, for servers call it for each request."""
    original = getattr(holder, name)

    @functools.wraps(original)
    def noting(*args: Any, **more: Any) -> Any:
        made = original(*args, **more)
        if isinstance(made, asyncio.Task) and made not in args and (owner := maker()):
            owner.tasks.add(made)
        return made

    setattr(holder, name, noting)


def _loops() -> Iterator[Any]:
    """The classes of event loops: the interpreter's own, and the one that servers choose where it is installed."""
    yield from (asyncio.BaseEventLoop, asyncio.SelectorEventLoop)
    with contextlib.suppress(ImportError):
        yield importlib.import_module("uvloop").Loop


def _notes_transports(loop: Any, name: str) -> None:
    original = getattr(loop, name)

    @functools.wraps(original)
    def noting(*args: Any, **more: Any) -> Any:
        # a connection that a library opens may be its pool's; a server that it starts for a module is nobody else's
        if not (owner := maker() or (at_work() if name in SERVING else None)):
            return original(*args, **more)
        if name in SERVING:
            self, factory, *rest = args if len(args) > 1 else (*args, more.pop("protocol_factory"))
            args = (self, _noting_protocols(owner, factory), *rest)
        return _noted(owner, original(*args, **more))

    setattr(loop, name, noting)


def _noting_protocols(owner: Maker, factory: Callable[[], Any]) -> Callable[[], Any]:
    def made() -> Any:
        protocol = factory()
        with contextlib.suppress(TypeError):  # not every object can be held weakly
            owner.protocols.add(protocol)
        return protocol

    return made


async def _noted(owner: Maker, making: Any) -> Any:
    made = await making
    owner.transports = [one for one in owner.transports if not is_over(one)]
    owner.transports.append(made[0] if isinstance(made, tuple) else made)
    return made


def is_over(one: Any) -> bool:
    """Whether a transport is closing, a child has ended, a server serves no more."""
    if hasattr(one, "get_returncode"):
        return one.get_returncode() is not None
    return bool(one.is_closing() if hasattr(one, "is_closing") else not one.is_serving())


def _refuses(holder: Any, name: str, deed: str, whose: Callable[[], Maker | None] = maker) -> None:
    original = getattr(holder, name)

    @functools.wraps(original)
    def refusing(*args: Any, **more: Any) -> Any:
        if owner := whose():
            raise ModuleRefused(f"{owner.identity} must not {deed}; isolation process lets it")
        return original(*args, **more)

    setattr(holder, name, refusing)


def _refuse() -> None:
    """What cannot be, or not be taken back, in a process that is not the module's."""
    _refuses(signal, "signal", A_SIGNAL_HANDLER)
    _refuses(multiprocessing.process.BaseProcess, "start", "start processes that would import it anew")
    _refuses(os, "fork", "fork the base")
    _refuses(os, "register_at_fork", "hook into the base's forks, for good")
    _refuses(sys, "addaudithook", "audit the base, for good")
    _refuse_exits()
    when_imported("django.conf", _refuse_django)


def _refuse_django(conf: Any) -> None:
    """Where the base has settings of it, a module may use these."""
    for name in ("configure", "_setup"):
        _refuses(
            conf.LazySettings, name, "have settings of Django: a process has them, and what they install, once", someone
        )


def _refuse_exits() -> None:
    """SystemExit ends the event loop it is raised in, and with it the base; elsewhere it ends a thread or fails an import."""
    leave = sys.exit

    @functools.wraps(leave)
    def refusing(status: Any = None, /) -> None:
        if asyncio._get_running_loop() is not None and (owner := maker()):
            raise ModuleRefused(
                f"{owner.identity} must not end the base, as by sys.exit({status!r}); isolation process lets it"
            )
        leave(status)

    sys.exit = refusing  # type: ignore[assignment]


def _notes_led_threads() -> None:
    """Those that libraries start while the module is at work: they may be the library's, or run its code."""
    start = threading.Thread.start

    @functools.wraps(start)
    def starting(thread: threading.Thread) -> None:
        if owner := at_work():
            owner.led.add(thread)
        start(thread)

    setattr(threading.Thread, "start", starting)  # noqa: B010 (mypy knows the method)


def _remember_states() -> None:
    """Before the module's code changes what the process has but once."""
    for one in state.STATES:
        _remember_calls(one)
    for library, made in state.OF_LIBRARIES.items():
        when_imported(library, partial(_remember_calls_of, made))
    for name in ("setLevel", "addHandler", "removeHandler", "addFilter", "removeFilter"):
        _notes(logging.Logger, name, _remember_logger)
    for name in (
        "__setitem__",
        "__delitem__",
        "pop",
        "setdefault",
    ):  # the last two also say what is to be, where it is so
        _notes(os._Environ, name, _remember_variable, with_libraries=True)


def _remember_calls_of(made: Callable[[Any], state.State], library: Any) -> None:
    _remember_calls(made(library))


def _remember_calls(one: state.State) -> None:
    for holder, name in one.calls:
        _notes(holder, name, partial(_remember, one), with_libraries=True)


def _remember(one: state.State, owner: Maker, *_: Any, **__: Any) -> None:
    state.remember(owner, one)


def _remember_exceptions(owner: Maker, loop: Any, *_: Any) -> None:
    if loop is owner.loop:  # else one of its own
        state.remember(owner, state.exceptions_of(loop))


def _remember_logger(owner: Maker, logger: logging.Logger, *_: Any) -> None:
    if logger.manager is logging.Logger.manager:  # else one of its own
        state.remember(owner, state.logger(logger))


def _remember_variable(owner: Maker, _: Any, key: str | bytes, *__: Any) -> None:
    state.remember(owner, state.variable(key))


def _note_pool(owner: Maker, pool: Any, *_: Any, **__: Any) -> None:
    owner.pools.add(pool)


def _note_thread(owner: Maker, thread: threading.Thread) -> None:
    if owner.is_going:
        raise ModuleUnloaded(f"{owner.identity} is uninstalled")
    if is_pool_worker(thread) or thread.ident is not None:
        return
    owner.threads.add(thread)
    thread.daemon = True  # it ends with its module, and must not keep the process
    run = thread.run

    def run_for_owner() -> None:
        del thread.run  # else the thread would hold itself
        with works_for(owner), contextlib.suppress(ModuleUnloaded):
            run()

    thread.run = run_for_owner  # type: ignore[method-assign]
