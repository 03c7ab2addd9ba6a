"""Calls of services between two processes. In: questions, from any thread. Out: answers, which another thread of ours waits for.

A thread with an event loop of its own (`exchange`) carries them: who calls may block, be it the thread of an event loop, and the answer
comes all the same. Both ends are alike; what a question means is for who listens on the line.
"""

import asyncio
import concurrent.futures
import contextlib
import functools
import itertools
import socket
import threading
import traceback
from collections.abc import Awaitable, Callable

import msgspec

from arkwright.arklet.bridge.frames import BadFrame, Frame, Frames, encoded
from arkwright.arklet.bridge.values import CannotCross

VALUES_BYTES = 16 << 20  # of one call's arguments, or its result
CALL_SECONDS = 30.0
QUESTIONS_AT_ONCE = 1000  # from one process: one more is refused


class LineLost(ConnectionError):
    """The other process has ended."""


class Publish(Frame, frozen=True, tag="publish"):
    """A service that this process offers, and the number by which it is asked for."""

    name: str
    version: str
    provider: int


class OfService(Frame, frozen=True, tag="service"):
    """An attribute of a service that the base knows: called with `arguments`; without them, its kind is asked, and its value if it is one."""

    name: str
    versions: str
    attribute: str
    arguments: bytes | None = None


class OfProvider(Frame, frozen=True, tag="provider"):
    """The same of a provider in the process that is asked, by its number."""

    provider: int
    attribute: str
    arguments: bytes | None = None


Question = Publish | OfService | OfProvider
VALUE, SYNC, ASYNC = "value", "sync", "async"  # kinds of attributes


class Failure(msgspec.Struct, frozen=True, array_like=True):
    """What a provider has raised: its type's name, its words, its trace."""

    type: str
    message: str
    trace: str = ""


class Asked(Frame, frozen=True, tag=1):
    id: int
    question: Question


class Answered(Frame, frozen=True, tag=2):
    id: int
    kind: str = ""
    value: bytes = b""
    failure: Failure | None = None


Listener = Callable[[Question], Awaitable[tuple[str, bytes]]]


@functools.cache
def exchange() -> asyncio.AbstractEventLoop:
    """The event loop of the thread that carries calls; started when it is first wanted."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="arkwright services", daemon=True).start()
    return loop


class Line(asyncio.Protocol):
    """To one other process. `listener` answers its questions, on the exchange's loop; `on_lost` is called there when it has gone."""

    def __init__(self, listener: Listener, on_lost: Callable[[], object]) -> None:
        self._listener, self._on_lost = listener, on_lost
        self._frames = Frames(Asked | Answered, VALUES_BYTES)
        self._numbers = itertools.count(1)
        self._waiting: dict[int, concurrent.futures.Future[Answered]] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._transport: asyncio.Transport | None = None
        self._is_lost = False

    @classmethod
    def open(cls, connection: socket.socket, listener: Listener, on_lost: Callable[[], object]) -> "Line":
        """From any thread but the exchange's own."""
        line = cls(listener, on_lost)
        connection.setblocking(False)

        async def connect() -> None:
            await asyncio.get_running_loop().create_unix_connection(lambda: line, sock=connection)

        asyncio.run_coroutine_threadsafe(connect(), exchange()).result()
        return line

    def ask(self, question: Question) -> "concurrent.futures.Future[Answered]":
        """From any thread. The future raises LineLost if the other process ends. Raises CannotCross."""
        number, future = next(self._numbers), concurrent.futures.Future[Answered]()
        said = encoded(Asked(number, question))
        if len(said) > VALUES_BYTES:
            raise CannotCross(f"{len(said)} bytes are too many for one call, {VALUES_BYTES} at most")
        self._waiting[number] = future
        future.add_done_callback(lambda _: self._waiting.pop(number, None))
        exchange().call_soon_threadsafe(self._send, said)
        if self._is_lost:
            self._fail()
        return future

    def close(self) -> None:
        """From any thread."""
        exchange().call_soon_threadsafe(self._close)

    def _close(self) -> None:
        if self._transport:
            self._transport.abort()

    def _send(self, said: bytes) -> None:
        if self._transport and not self._is_lost:
            self._transport.write(said)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, error: Exception | None) -> None:
        self._is_lost = True
        self._fail()
        for task in self._answering:
            task.cancel()
        self._on_lost()

    def _fail(self) -> None:
        for future in list(self._waiting.values()):
            with contextlib.suppress(concurrent.futures.InvalidStateError):
                future.set_exception(LineLost("the process that offers it has ended"))

    def data_received(self, data: bytes) -> None:
        try:
            for payload in self._frames.feed(data):
                self._take(self._frames.decoded(payload))
        except BadFrame:
            assert self._transport
            self._transport.abort()

    def _take(self, frame: Asked | Answered) -> None:
        if isinstance(frame, Answered):
            future = self._waiting.get(frame.id)
            if future and not future.done():
                future.set_result(frame)
        elif len(self._answering) >= QUESTIONS_AT_ONCE:
            said = f"{QUESTIONS_AT_ONCE} calls of one process are under way: no more are taken"
            self._send(encoded(Answered(frame.id, failure=Failure("ServiceError", said))))
        else:
            task = asyncio.get_running_loop().create_task(self._answer(frame))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _answer(self, asked: Asked) -> None:
        try:
            kind, value = await self._listener(asked.question)
            answered = Answered(asked.id, kind, value)
        except Exception as error:
            answered = Answered(asked.id, failure=failure_of(error))
        self._send(encoded(answered))


def failure_of(error: BaseException) -> Failure:
    """A failure that came from a third process goes on as it came."""
    known = getattr(error, "failure", None)
    if isinstance(known, Failure):
        return known
    return Failure(type(error).__name__, str(error), "".join(traceback.format_exception(error)))
