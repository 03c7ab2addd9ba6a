"""The process of a module with isolation `process`. In: one line of JSON on standard input. Out: its application on a unix socket.

Says on the pipe that it is given how the start went, and ends when its standard input does: then the base has gone. Loads
nothing of the agent: what this process imports is the module's memory.
"""

import asyncio
import contextlib
import logging
import os
import resource
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from typing import Any

import msgspec
import uvicorn

from arkwright.arklet.asgi.applications import application_named
from arkwright.arklet.asgi.lifespan import Lifespan
from arkwright.arklet.asgi.words import Application, Receive, Scope, Send, StartFailure

ORIGIN_HEADER = b"x-arkwright-origin"
END_SECONDS = 5
PATIENCE_SECONDS = END_SECONDS + 2  # from SIGTERM to SIGKILL
KEEP_ALIVE_SECONDS = 60


class Order(msgspec.Struct, frozen=True):
    """What to run. `directories` come first in the import path; `memory_bytes` and `cpus`: 0 is no limit."""

    socket: str
    status: int
    application: str
    directories: list[str]
    memory_bytes: int = 0
    cpus: int = 0


class Origin(msgspec.Struct, frozen=True):
    """What the base saw of a request that its own socket does not tell the child."""

    scheme: str
    client: tuple[str, int | None] | None
    root_path: str


class Started(msgspec.Struct, frozen=True):
    """How the start went; `error` is empty if it went well."""

    error: str = ""
    trace: str = ""


class _Front:
    """ASGI: gives the application its lifespan's state, and the request as the base saw it."""

    def __init__(self, application: Application, lifespan: Lifespan) -> None:
        self._application, self._lifespan = application, lifespan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        told = next(value for name, value in scope["headers"] if name == ORIGIN_HEADER)
        origin = msgspec.json.decode(told, type=Origin)
        scope["scheme"], scope["client"], scope["root_path"] = origin.scheme, origin.client, origin.root_path
        scope["headers"] = [one for one in scope["headers"] if one[0] != ORIGIN_HEADER]
        scope["state"] = dict(self._lifespan.state)
        await self._application(scope, receive, send)


class _Server(uvicorn.Server):
    """Leaves the signal handlers to the module, but for the one that ends it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def end(self) -> None:
        self.should_exit = True


def main() -> None:
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.INFO, stream=sys.stdout)
    _limit(order)
    threading.Thread(target=_end_with_the_base, daemon=True).start()
    try:
        sys.path[:0] = order.directories
        application = application_named(order.application)
        asyncio.run(_serve(order, application))
    except BaseException as error:
        said = str(error) if isinstance(error, StartFailure) else f"{type(error).__name__}: {error}"
        _say(order, Started(said, traceback.format_exc()))
        raise SystemExit(1) from error


async def _serve(order: Order, application: Application) -> None:
    lifespan = Lifespan(application)
    await lifespan.startup()
    config = uvicorn.Config(
        _Front(application, lifespan),
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=END_SECONDS,
    )
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(order.socket)
        os.chmod(order.socket, 0o600)
        listening.listen(2048)
        server = _Server(config)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.end)  # before anybody knows that it is up
        _say(order, Started())
        await server.serve(sockets=[listening])
    await lifespan.shutdown()


def _say(order: Order, started: Started) -> None:
    """Once; later calls say nothing any more, for the base has stopped listening."""
    with contextlib.suppress(OSError):
        os.write(order.status, msgspec.json.encode(started) + b"\n")
        os.close(order.status)


def _limit(order: Order) -> None:
    """RLIMIT_DATA counts what is written to, threads' stacks included, and not what is merely mapped."""
    if order.memory_bytes:
        resource.setrlimit(resource.RLIMIT_DATA, (order.memory_bytes, order.memory_bytes))
    if order.cpus:
        allowed: Any = sorted(os.sched_getaffinity(0))
        first = os.getpid() % len(allowed)
        os.sched_setaffinity(0, (allowed[first:] + allowed[:first])[: order.cpus])


def _end_with_the_base() -> None:
    """As the base would have ended it: asked first, then made to."""
    os.read(sys.stdin.fileno(), 1)  # not the buffer: its lock would be this thread's when the process ends
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
