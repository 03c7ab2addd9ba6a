"""The process of one module. In: an Order, a socket to the base. Out: its application, served over that socket until it ends.

The module is imported in the main thread, outside of any event loop, as servers do it. Ends when the base says so or has gone:
requests, then the application's shutdown, then the interpreter, exit callbacks and all.
"""

import asyncio
import contextlib
import faulthandler
import importlib
import itertools
import os
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from arkwright.arklet.asgi.applications import application_named
from arkwright.arklet.asgi.lifespan import Lifespan
from arkwright.arklet.asgi.words import Application, StartFailure
from arkwright.arklet.bridge.frames import Started, encoded
from arkwright.arklet.bridge.orders import Order
from arkwright.arklet.bridge.records import say_records
from arkwright.arklet.runner.bridge import Bridge
from arkwright.arklet.runner.services import ServicesOfTheBase
from arkwright.arklet.services import connect

ORPHAN_SECONDS = 5.0  # what requests get once the base has gone: nobody can have their answers any more
NAME_BYTES = 15  # of a process, as the system keeps it
NEEDED = {"arkwright", "msgspec"}  # by this process itself
ENDING = (signal.SIGTERM, signal.SIGINT)


def run(order: Order) -> None:
    """Until the module has ended; the interpreter's own end is the caller's. Raises SystemExit(1) where it does not start."""
    connection, loaded = socket.socket(fileno=order.bridge), len(sys.modules)
    offered = ServicesOfTheBase(socket.socket(fileno=order.services), order.identity.partition(":")[2])
    connect(offered)
    _prepare(order)
    try:
        application = application_named(order.application, threads=order.threads)
    except StartFailure as error:
        _fail(connection, error)
    except BaseException as error:  # KeyboardInterrupt and the like
        _fail(connection, StartFailure(f"{type(error).__name__}: {error}"))
    signals = [one for one in ENDING if signal.getsignal(one) in (signal.SIG_DFL, signal.default_int_handler)]
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        loop = runner.get_loop()
        offered.serve_from(loop)
        ending = asyncio.Event()
        for one in signals:  # the module's own are left alone
            loop.add_signal_handler(one, ending.set)
        runner.run(serve(order, application, Base(connection, ending, loaded)))
    for one in signals:  # what is left to do may take too long
        signal.signal(one, signal.SIG_DFL)


class Base:
    """What leads to the base: its socket, the word that all is to end, and how much was loaded before."""

    def __init__(self, connection: socket.socket, ending: asyncio.Event, loaded: int) -> None:
        self.connection, self.ending, self.loaded = connection, ending, loaded


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The loop that servers choose where it is installed."""
    with contextlib.suppress(ImportError):
        factory: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
        return factory
    return None


def _prepare(order: Order) -> None:
    """What a process has before its first line of the module's code."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    faulthandler.enable()
    _give_way()
    _limit(order)
    _name(order.identity)
    sys.argv[:] = [order.application]
    known = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [*order.directories, *([known] if known else [])]
    )  # for its own children
    sys.path[:] = [*order.directories, *order.path]
    _make_way(order.directories)
    say_records(order.log_level)


def _make_way(directories: list[str]) -> None:
    """What this process has loaded for itself, the module may bring along in another version."""
    brought = {name.removesuffix(".py") for one in directories for name in os.listdir(one)} - NEEDED
    there = {one for one in brought if one in sys.modules}
    for name in [one for one in sys.modules if one.partition(".")[0] in there] if there else ():
        del sys.modules[name]


def _give_way() -> None:
    """A process that is woken does not interrupt its base then: what the base says meanwhile comes together, at less cost for each."""
    with contextlib.suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _limit(order: Order) -> None:
    """RLIMIT_DATA counts what is written to, threads' stacks included, and not what is merely mapped."""
    if order.memory_bytes:
        resource.setrlimit(resource.RLIMIT_DATA, (order.memory_bytes, order.memory_bytes))
    if order.cpus:
        allowed: Any = sorted(os.sched_getaffinity(0))
        first = os.getpid() % len(allowed)
        os.sched_setaffinity(0, (allowed[first:] + allowed[:first])[: order.cpus])


def _name(identity: str) -> None:
    """As `ps` and `top` show it."""
    with contextlib.suppress(OSError), open("/proc/self/comm", "w") as file:
        file.write(identity[:NAME_BYTES])


async def serve(order: Order, application: Application, base: Base) -> None:
    lifespan = Lifespan(application)
    try:
        await lifespan.startup()
    except StartFailure as error:
        _fail(base.connection, error)
    bridge = Bridge(application, lifespan.state, base.ending.set)
    _say(base.connection, Started(pid=os.getpid(), imported=_imported(order, base.loaded)))
    base.connection.setblocking(False)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_unix_connection(lambda: bridge, sock=base.connection)
    await base.ending.wait()
    await bridge.end(ORPHAN_SECONDS)
    bridge.say_ended(await lifespan.shutdown(order.shutdown_seconds))
    transport.close()
    await asyncio.sleep(0)


def _imported(order: Order, loaded: int) -> list[str]:
    """What came from the base's environment, in order: the next process may have it from the start. Looks at what is new only: a look at
    the rest would make it this process's own memory."""
    own = tuple(f"{one}{os.sep}" for one in order.directories)
    new = list(itertools.islice(reversed(sys.modules.items()), max(0, len(sys.modules) - loaded)))
    return [name for name, module in reversed(new) if (file := _file(module)) and not file.startswith(own)]


def _file(module: Any) -> str:
    """type() and vars(): lazy modules must stay so."""
    found = vars(module).get("__file__") if issubclass(type(module), type(sys)) else None
    return found if isinstance(found, str) else ""


def _fail(connection: socket.socket, error: StartFailure) -> NoReturn:
    root: BaseException = error.__cause__ or error
    trace = "".join(traceback.format_exception(root)) if error.__cause__ else ""
    while root.__cause__ is not None:
        root = root.__cause__
    _say(connection, Started(str(error), trace, str(error) if root is error else f"{type(root).__name__}: {root}"))
    raise SystemExit(1)


def _say(connection: socket.socket, started: Started) -> None:
    """Nobody reads it where the base has given up waiting."""
    connection.setblocking(True)
    with contextlib.suppress(OSError):
        connection.sendall(encoded(started))
