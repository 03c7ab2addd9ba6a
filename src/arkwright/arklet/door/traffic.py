"""Lets requests into one module and counts them. In: ASGI calls. Out: the same, or a refusal, and figures.

Keeps the module's limits (requests at once, seconds a request) and knows how to end: no WebSocket is let in any more, those
that are open are told to close, requests under way are waited for.
"""

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import Awaitable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from arkwright.arklet.asgi.words import (
    SERVICE_RESTART,
    Application,
    Message,
    Receive,
    Scope,
    Send,
    frames,
    refuse,
)
from arkwright.arklet.owners import Owner, enter, leave, told
from arkwright.arklet.settings import ModuleSettings

REMEMBERED = 1024  # latencies, of which percentiles are told
SERVER_ERROR = 500
CUT_OFF = "this module is going, and has not answered in the time that it was given"
GOING = {"type": "websocket.disconnect", "code": SERVICE_RESTART, "reason": "the module is going"}


@dataclass
class Figures:
    """Of one loaded version since it was loaded. Latencies in seconds, to the end of the response; WebSockets count as
    requests, but not their length."""

    requests: int = 0
    failed: int = 0
    refused: int = 0
    timed_out: int = 0
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))

    def told(self) -> dict[str, Any]:
        """As `queryAllBiz` and `health` show them."""
        ordered = sorted(self.latencies)
        return {
            "failed": self.failed,
            "latencyMs": {f"p{percent}": percentile_ms(ordered, percent) for percent in (50, 99)} if ordered else {},
            "refused": self.refused,
            "requests": self.requests,
            "timedOut": self.timed_out,
        }


def percentile_ms(ordered: list[float], percent: int) -> float:
    """Nearest rank, in milliseconds.

    >>> percentile_ms([0.001, 0.002, 0.003, 0.1], 50), percentile_ms([0.001, 0.002, 0.003, 0.1], 99)
    (2.0, 100.0)
    """
    rank = max(1, math.ceil(percent / 100 * len(ordered)))
    return round(ordered[rank - 1] * 1000, 3)


class _Response:
    """Watches what goes out of one request that may have to be ended from here."""

    def __init__(self, send: Send, limit: asyncio.Timeout | None = None) -> None:
        self._send, self._limit = send, limit
        self.has_begun = self.is_closed = False

    async def __call__(self, message: Message) -> None:
        self.has_begun = True
        self.is_closed = self.is_closed or message["type"] == "websocket.close"
        await self._send(message)
        if self._limit and message["type"] == "http.response.body" and not message.get("more_body"):
            self._limit.reschedule(None)  # what the application does afterwards holds up nobody


class Traffic:
    """The door of one loaded module. Every request to it comes through here: no copy, no frame and no call more than needed."""

    def __init__(self, application: Application, owner: Owner, settings: ModuleSettings) -> None:
        self._application, self._owner, self._settings = application, owner, settings
        self._closing, self._is_cutting = asyncio.Event(), False
        self._listening: set[asyncio.Task[Any]] = set()  # to clients of WebSockets
        self._idle: asyncio.Event | None = None  # made by who waits for it
        self._http = self._within if settings.timeout_seconds else application
        self._limit = settings.concurrency
        self.figures = Figures()
        self._ended = 0

    @property
    def in_flight(self) -> int:
        return self.figures.requests - self._ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        figures, status = self.figures, 0
        if self._limit and self.in_flight >= self._limit:
            await self._turn_away(scope, receive, send)
            return

        def watched(message: Message) -> Awaitable[None]:  # hands on: a coroutine would be a frame for each message
            nonlocal status
            if "status" in message:
                status = message["status"]
            return send(message)

        figures.requests += 1
        is_http, began, before = scope["type"] == "http", perf_counter(), enter((self._owner, scope))
        try:
            await (self._http if is_http else self._websocket)(scope, receive, watched)
        except BaseException as error:
            has_begun, status = status > 0, SERVER_ERROR  # many frameworks answer 500 and raise all the same
            told(error, self._owner, scope)
            if has_begun or not is_http or not self._cuts_off(error):
                raise
            await refuse(scope, receive, send, 503, CUT_OFF)
        finally:
            leave(before)
            self._count_end(status, perf_counter() - began if is_http else None)

    def _count_end(self, status: int, seconds: float | None) -> None:
        self._ended += 1
        if status >= SERVER_ERROR:
            self.figures.failed += 1
        if seconds is not None:
            self.figures.latencies.append(seconds)
        if self._idle and not self.in_flight:
            self._idle.set()

    async def _turn_away(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.figures.refused += 1
        said = f"this module answers {self._limit} requests at once, and does so already"
        await refuse(scope, receive, send, 503, said)

    async def _within(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A request that has said nothing by then gets a 504; one that has is broken off, so that nobody takes it for whole."""
        seconds = self._settings.timeout_seconds
        try:
            async with asyncio.timeout(seconds) as limit:
                response = _Response(send, limit)
                await self._application(scope, receive, response)
        except TimeoutError:
            if not limit.expired():
                raise
            self.figures.timed_out += 1
            if response.has_begun:
                raise
            await refuse(scope, receive, send, 504, f"this module has not answered after {seconds:g} s")

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ends like any other if the client does; if the module goes, it hears of a disconnect, the client of a restart."""

        async def receive_or_close() -> Message:
            """Who waits here is woken by a cancellation when the module goes: to wait for two things would cost two tasks a message."""
            if self._closing.is_set():
                return dict(GOING)
            task = asyncio.current_task()
            assert task
            self._listening.add(task)
            try:
                return await receive()
            except asyncio.CancelledError:
                if task in self._listening or task.uncancel():  # somebody else's cancellation
                    raise
                return dict(GOING)
            finally:
                self._listening.discard(task)

        response = _Response(send)
        try:
            await self._application(scope, receive_or_close, response)
        except (
            BaseException
        ) as error:  # many end by an exception when they hear of a disconnect: their clients are there still
            await self._say_restart(response)
            if not response.has_begun or not self._cuts_off(error):
                raise
        await self._say_restart(response)

    async def _say_restart(self, response: "_Response") -> None:
        """To the client of a WebSocket that ends because the module goes."""
        if self._closing.is_set() and response.has_begun and not response.is_closed:
            with contextlib.suppress(OSError):
                await response({"type": "websocket.close", "code": SERVICE_RESTART, "reason": "the module is going"})

    async def drain(self, seconds: float) -> int:
        """Wait for the requests under way. Returns how many were cut off after `seconds`."""
        self._closing.set()
        while self._listening:
            self._listening.pop().cancel()
        await self._wait_until_idle(seconds)
        if cut_off := self.in_flight:
            self._is_cutting = True
            for task in self._tasks():
                task.cancel()
            await self._wait_until_idle(1)
        return cut_off

    async def _wait_until_idle(self, seconds: float) -> None:
        if self.in_flight:
            self._idle = asyncio.Event()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), seconds)

    def _cuts_off(self, error: BaseException) -> bool:
        """Whether it is our own way to end what has not ended in time."""
        task = asyncio.current_task()
        return (
            self._is_cutting and isinstance(error, asyncio.CancelledError) and task is not None and not task.uncancel()
        )

    def _tasks(self) -> "list[asyncio.Task[Any]]":
        """Those with a request in here: looked for when they are needed, for to note each would cost every request."""
        here = Traffic.__call__.__code__
        return [
            task
            for task in asyncio.all_tasks()
            if any(frame.f_code is here and frame.f_locals["self"] is self for frame in frames(task))
        ]
