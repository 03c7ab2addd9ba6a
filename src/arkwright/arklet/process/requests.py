"""One request to the process of a module. In: what its client sends, frames of the process. Out: frames to it, and ASGI messages to the client."""

import asyncio
from collections import deque
from functools import cached_property
from typing import Any

from arkwright.arklet.asgi.words import Message, Receive, RemoteFailure, Scope, Send
from arkwright.arklet.bridge.flow import EACH_BYTES, PIECE_BYTES, WINDOW_BYTES, Flow, size_of
from arkwright.arklet.bridge.frames import (
    BODY_COMES,
    BODY_ON_DEMAND,
    MESSAGE_BYTES,
    NO_BODY,
    BadFrame,
    Body,
    Cancel,
    Credit,
    Done,
    Event,
    Open,
    Pull,
    Response,
    SendFailed,
)
from arkwright.arklet.bridge.outlet import Outlet

IN_FRAME = frozenset(
    ("type", "http_version", "method", "scheme", "path", "raw_path", "query_string", "root_path", "headers", "client")
) | {"server", "asgi", "state"}
NOTHING: dict[str, Any] = {}
UNREAD_BYTES = (
    4 * WINDOW_BYTES + MESSAGE_BYTES
)  # of one request: its window, what is around the content, and one large message


class ProcessLost(Exception):
    """The process of the module has ended, or its connection has, while a request was under way; `has_begun`: its answer had begun."""

    def __init__(self, why: str, has_begun: bool) -> None:
        super().__init__(why)
        self.has_begun = has_begun


class ModuleError(Exception):
    """The application has raised; the message is its exception's type and words."""


class Request:
    """One under way: what the process says of it, in turn, and what the client sends."""

    # of the class, for most requests never need more: to set them would cost each
    _waiting: asyncio.Future[None] | None = None
    _pumping: asyncio.Task[None] | None = None
    _is_over = _has_begun = False
    _unread_bytes = _used_bytes = 0

    def __init__(self, bridge: Outlet, frame: Open, scope: Scope, receive: Receive) -> None:
        self.id, self._bridge, self.scope, self._receive = frame.id, bridge, scope, receive
        self._frames: deque[tuple[Any, int]] = deque()  # and their bytes
        self._is_whole = frame.body == NO_BODY  # what its client sends

    @cached_property
    def _flow(self) -> Flow:
        """Of what its client sends."""
        return Flow()

    def take(self, frame: Any, size: int) -> None:
        """A text: the process is lost, and why. Raises BadFrame for more than may be on its way."""
        kind = type(frame)
        if kind is Credit:
            self._flow.give(max(frame.bytes, 0))
        elif kind is Pull:
            self.pump()
        else:
            self._unread_bytes += size
            if self._unread_bytes > UNREAD_BYTES:
                raise BadFrame(f"more than {UNREAD_BYTES} bytes that its client has not taken")
            self._frames.append((frame, size))
            if self._waiting and not self._waiting.done():
                self._waiting.set_result(None)

    async def answer(self, send: Send) -> None:
        """Pass on what the application sends, until it has returned. Raises ProcessLost, ModuleError, and what `send` does, but for
        OSError: that nobody is there to hear it is told to the application."""
        try:
            while not self._is_over:
                while not self._frames:
                    await self._arrival()
                frame = self._taken()
                if type(frame) is Response:  # most requests consist of one: a call less for each
                    await send({"type": "http.response.start", "status": frame.status, "headers": frame.headers})
                    self._has_begun = True
                    await send({"type": "http.response.body", "body": frame.body, "more_body": frame.more_body})
                    self._is_over = frame.is_done
                    self._count(EACH_BYTES + len(frame.body))
                else:
                    await self._pass_on(frame, send)
        except OSError as error:
            self._bridge.write(SendFailed(self.id, str(error) or type(error).__name__))
            await self._outlast()

    def _arrival(self) -> "asyncio.Future[None]":
        """Of a frame; no coroutine, for each request waits for one."""
        self._waiting = self._bridge.new_future()
        return self._waiting

    def _taken(self) -> Any:
        """The frame that is next."""
        frame, size = self._frames.popleft()
        self._unread_bytes -= size
        return frame

    async def _pass_on(self, frame: Body | Event | Done | str, send: Send) -> None:
        if type(frame) is Body:
            await send({"type": "http.response.body", "body": frame.body, "more_body": frame.more_body})
            self._count(EACH_BYTES + len(frame.body))
        elif type(frame) is Event:
            await send(frame.message)
            self._count(size_of(frame.message))
        elif isinstance(frame, Done):
            self._end(frame)
        else:
            self._is_over = True
            raise ProcessLost(str(frame), self._has_begun)
        self._has_begun = True

    async def _outlast(self) -> None:
        """The application may go on: its request is over when it has returned."""
        while not self._is_over:
            while not self._frames:
                await self._arrival()
            frame = self._taken()
            self._is_over = type(frame) in (str, Done) or getattr(frame, "is_done", False)

    def _count(self, size: int) -> None:
        """So many bytes have been passed on."""
        self._used_bytes += size
        if self._used_bytes >= WINDOW_BYTES // 2:
            self._bridge.write(Credit(self.id, self._used_bytes))
            self._used_bytes = 0

    def _end(self, frame: Done) -> None:
        self._is_over = True
        if frame.error:
            raise ModuleError(frame.error) from (RemoteFailure(frame.trace, frame.error) if frame.trace else None)

    def pump(self) -> None:
        """Hand on what the client sends, from now on."""
        if self._pumping is None or self._pumping.done():
            self._pumping = asyncio.get_running_loop().create_task(self._pump())

    async def _pump(self) -> None:
        """Until its body is whole, or it has gone; a further call waits for it to go."""
        while True:
            message = await self._receive()
            if message["type"] == "http.request" and self._is_whole:  # the empty one of a request without body
                await asyncio.sleep(0)
                continue
            await self._hand_on(message)
            self._is_whole = message["type"] == "http.request" and not message.get("more_body")
            if self._is_whole or message["type"].endswith(".disconnect"):
                return

    async def _hand_on(self, message: Message) -> None:
        body = message.get("body", b"")
        while len(body) > PIECE_BYTES:
            await self._say({"type": "http.request", "body": body[:PIECE_BYTES], "more_body": True})
            body = body[PIECE_BYTES:]
        if message["type"] == "http.request":
            message = {**message, "body": body}
        await self._say(message)

    async def _say(self, message: Message) -> None:
        if self._flow.room <= 0:
            await self._flow.wait()
        if not self._bridge.writable.is_set():
            await self._bridge.writable.wait()
        self._flow.room -= size_of(message)
        self._bridge.write(Event(self.id, dict(message)))

    def close(self) -> None:
        """Whatever ends it: the process hears of it, unless it has said so itself."""
        if self._pumping:
            self._pumping.cancel()
        if not self._is_over and self._bridge.is_open:
            self._bridge.write(Cancel(self.id))


def body_of(scope: Scope) -> int:
    """Whether something comes with the request, and whether it may be asked for before the application does: a client that waits to be
    told to continue must not be told by us."""
    if scope["type"] == "websocket":
        return BODY_COMES
    body = NO_BODY
    for name, _ in scope["headers"]:
        if name == b"content-length" or name == b"transfer-encoding":
            body = body or BODY_COMES
        elif name == b"expect":
            body = BODY_ON_DEMAND
    return body


def opening(number: int, scope: Scope, body: int) -> Open:
    return Open(
        number,
        scope["type"],
        scope["http_version"],
        scope.get("method", ""),
        scope.get("scheme", "http"),
        scope["path"],
        scope.get("raw_path"),
        scope["query_string"],
        scope.get("root_path", ""),
        scope["headers"],
        scope.get("client"),
        scope.get("server"),
        scope["asgi"],
        body,
        NOTHING if len(scope) == len(IN_FRAME) else {name: scope[name] for name in scope if name not in IN_FRAME},
    )
