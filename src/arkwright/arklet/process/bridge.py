"""The base's end of the bridge to one process. In: ASGI calls. Out: frames to the process, and its answers as ASGI messages.

Every request has a window in each direction, so that a slow client, a huge body or a hanging application holds up no other. The
process is not trusted: a frame about no request of ours is passed over, one that cannot be read fails its request, one that is about none
at all ends the connection.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from arkwright.arklet.asgi.words import Message, Receive, RemoteFailure, Scope, Send
from arkwright.arklet.bridge.flow import EACH_BYTES, PIECE_BYTES, Flow, size_of
from arkwright.arklet.bridge.frames import (
    BODY_COMES,
    BODY_ON_DEMAND,
    NO_BODY,
    BadFrame,
    Body,
    Cancel,
    Credit,
    Done,
    Ended,
    Event,
    Frame,
    Frames,
    FromModule,
    Open,
    Pull,
    Response,
    SendFailed,
    Shutdown,
    Started,
    encoded,
    request_of,
)

IN_FRAME = frozenset(
    ("type", "http_version", "method", "scheme", "path", "raw_path", "query_string", "root_path", "headers", "client")
) | {"server", "asgi", "state"}
NOTHING: dict[str, Any] = {}


class ProcessLost(ConnectionError):
    """The process of the module has ended, or its connection has, while a request was under way; `has_begun`: its answer had begun."""

    def __init__(self, why: str, has_begun: bool) -> None:
        super().__init__(why)
        self.has_begun = has_begun


class ModuleError(Exception):
    """The application has raised; the message is its exception's type and words."""


class Bridge(asyncio.Protocol):
    """To one process, until it ends. `started` is set once it has told how its start went; `on_lost` is called when it has gone."""

    def __init__(self, on_lost: Callable[[], object]) -> None:
        self._loop = asyncio.get_running_loop()
        self._frames = Frames(FromModule)
        self._requests: dict[int, _Request] = {}
        self._next = 0
        self._out: list[bytes] = []
        self._is_due = False
        self._transport: asyncio.Transport | None = None
        self._on_lost = on_lost
        self.is_open = True
        self.writable = asyncio.Event()
        self.writable.set()
        self.started: asyncio.Future[Started] = self._loop.create_future()
        self.ended: asyncio.Future[str] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        self.writable.set()
        for one in list(self._requests.values()):
            one.take(None)
        for future, said in ((self.started, Started(GONE_AT_START)), (self.ended, "")):
            if not future.done():
                future.set_result(said)  # type: ignore[arg-type]
        self._on_lost()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        try:
            for payload in self._frames.feed(data):
                self._take(payload)
        except BadFrame as error:
            self.break_off(f"its process says what cannot be: {error}")

    def _take(self, payload: bytes) -> None:
        try:
            frame = self._frames.decoded(payload)
        except BadFrame as error:
            one = self._requests.get(request_of(payload))  # type: ignore[arg-type]
            if one is None:
                raise
            frame = Done(one.id, f"TypeError: what it sends is no ASGI message: {error}")
        if type(frame) is Started:
            self._tell(self.started, frame)
        elif type(frame) is Ended:
            self._tell(self.ended, frame.error)
        elif one := self._requests.get(frame.id):
            one.take(frame)

    def _tell(self, future: "asyncio.Future[Any]", said: object) -> None:
        if not future.done():
            future.set_result(said)

    def break_off(self, why: str) -> None:
        """Whoever is under way hears that the process is lost."""
        self.why_lost = why
        if self._transport:
            self._transport.abort()

    why_lost = "its process has ended"

    def write(self, frame: Frame) -> None:
        """With all else that this round of the event loop says. Raises TypeError for what MessagePack cannot say."""
        self._out.append(encoded(frame))
        if not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._is_due = False
        if self._transport and not self._transport.is_closing():
            self._transport.write(b"".join(self._out))
        self._out.clear()

    def scope_of(self, number: int) -> Scope | None:
        """Of a request that is under way."""
        one = self._requests.get(number)
        return one.scope if one else None

    def shut_down(self) -> None:
        """The application may begin its shutdown; `ended` tells of its end."""
        self.write(Shutdown())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises ProcessLost, ModuleError, and what `send` does."""
        if not self.writable.is_set():
            await self.writable.wait()
        self._next += 1
        one = _Request(self, self._next, scope, receive)
        body = body_of(scope)
        self.write(opening(self._next, scope, body))
        self._requests[one.id] = one
        try:
            if body == BODY_COMES:
                one.pump()
            await one.answer(send)
        finally:
            del self._requests[one.id]
            one.close()


GONE_AT_START = "its process ended before it had started; the base's log has what it said"


class _Request:
    """One under way: what the process says of it, in turn, and what the client sends."""

    def __init__(self, bridge: Bridge, number: int, scope: Scope, receive: Receive) -> None:
        self.id, self._bridge, self.scope, self._receive = number, bridge, scope, receive
        self._frames: deque[Any] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self._flow = Flow()
        self._pumping: asyncio.Task[None] | None = None
        self._is_over = self._has_begun = False

    def take(self, frame: Any) -> None:
        """None: the process is lost."""
        if type(frame) is Credit:
            self._flow.give(max(frame.bytes, 0))
            return
        if type(frame) is Pull:
            self.pump()
            return
        self._frames.append(frame)
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(None)

    async def answer(self, send: Send) -> None:
        """Pass on what the application sends, until it has returned."""
        can_send = True
        while not self._is_over:
            while not self._frames:
                self._waiting = self._bridge._loop.create_future()
                await self._waiting
            frame = self._frames.popleft()
            if type(frame) is Done:
                self._end(frame)
            elif frame is None:
                self._is_over = True
                raise ProcessLost(self._bridge.why_lost, self._has_begun)
            elif can_send:
                can_send = await self._pass_on(frame, send)
            else:
                self._is_over = getattr(frame, "is_done", False)

    async def _pass_on(self, frame: Response | Body | Event, send: Send) -> bool:
        """False once nobody is there to have it."""
        try:
            if type(frame) is Response:
                await send({"type": "http.response.start", "status": frame.status, "headers": frame.headers})
                self._has_begun = True
                await send({"type": "http.response.body", "body": frame.body, "more_body": frame.more_body})
                self._count(EACH_BYTES + len(frame.body))
                self._is_over = frame.is_done
            elif type(frame) is Body:
                await send({"type": "http.response.body", "body": frame.body, "more_body": frame.more_body})
                self._count(EACH_BYTES + len(frame.body))
            elif type(frame) is Event:
                await send(frame.message)
                self._count(size_of(frame.message))
            self._has_begun = True
        except OSError as error:
            self._bridge.write(SendFailed(self.id, str(error) or type(error).__name__))
            return False
        return True

    def _count(self, size: int) -> None:
        if told := self._flow.use(size):
            self._bridge.write(Credit(self.id, told))

    def _end(self, frame: Done) -> None:
        self._is_over = True
        if frame.error:
            raise ModuleError(frame.error) from (RemoteFailure(frame.trace, frame.error) if frame.trace else None)

    def pump(self) -> None:
        """Hand on what the client sends, from now on."""
        if self._pumping is None or self._pumping.done():
            self._pumping = self._bridge._loop.create_task(self._pump())

    async def _pump(self) -> None:
        """Until its body is whole, or it has gone; a further call waits for it to go."""
        while True:
            message = await self._receive()
            await self._hand_on(message)
            kind = message["type"]
            is_last = kind == "http.request" and not message.get("more_body")
            if is_last or kind.endswith(".disconnect"):
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
