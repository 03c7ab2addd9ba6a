"""One request in the process of its module. In: what the base passes on, and what the application sends. Out: ASGI both ways, and frames.

An application that says its words out of turn is told so where it says them, as a server does it.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from arkwright.arklet.asgi.words import SERVICE_RESTART, Message
from arkwright.arklet.bridge.flow import EACH_BYTES, PIECE_BYTES, Flow, size_of
from arkwright.arklet.bridge.frames import (
    BODY_COMES,
    MESSAGE_BYTES,
    NO_BODY,
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

EVERYTHING = 1 << 62
ABNORMAL = 1006  # close code of a WebSocket whose other side has vanished
DISCONNECT = {"type": "http.disconnect"}
PLAIN_START = {"type", "status", "headers"}
NOTHING, BEGUN, COMPLETE, CONNECTING, TALKING, DENYING = (
    "not begun",
    "begun",
    "complete",
    "connecting",
    "open",
    "being denied",
)
# (state, what is sent) -> the state then; what ends a response says so itself (`more_body`, `more_trailers`)
TURNS = {
    (NOTHING, "http.response.start"): BEGUN,
    (BEGUN, "http.response.body"): BEGUN,
    (BEGUN, "http.response.trailers"): BEGUN,
    (CONNECTING, "websocket.accept"): TALKING,
    (CONNECTING, "websocket.close"): COMPLETE,
    (CONNECTING, "websocket.http.response.start"): DENYING,
    (DENYING, "websocket.http.response.body"): DENYING,
    (TALKING, "websocket.send"): TALKING,
    (TALKING, "websocket.close"): COMPLETE,
}
LAST = {"http.response.trailers": "more_trailers", "websocket.http.response.body": "more_body"}
IN_TURN = {kind for _, kind in TURNS}  # any other message is an extension's: the server knows


class Request:
    """One request or WebSocket: what the application receives and sends."""

    # of the class, for most requests never need more: to set them would cost each
    task: asyncio.Task[None] | None = None
    _arrived: asyncio.Event | None = None
    _start: tuple[int, Any] | None = None
    _first: tuple[int, Any, bytes, bool] | None = None
    _has_trailers = _is_gone = False
    _failure = ""

    def __init__(self, bridge: Outlet, frame: Open, hold: Callable[["Request"], None]) -> None:
        """`hold` is called with a request whose `release` is to be called when this round of the event loop is over."""
        self.id, self._bridge, self._hold = frame.id, bridge, hold
        self._is_http = frame.type == "http"
        self._state = NOTHING if self._is_http else CONNECTING
        self._events: deque[Message] = deque()
        self._owes_empty = (
            frame.body == NO_BODY
        )  # nothing comes of such a request but a disconnect: the first message is ours
        self._must_pull = frame.body != BODY_COMES
        self._flow = Flow()

    def take(self, frame: Event | Credit | Cancel | SendFailed) -> None:
        if type(frame) is Event:
            self._arrive(frame.message)
        elif type(frame) is Credit:
            self._flow.give(frame.bytes)
        elif type(frame) is Cancel:
            assert self.task
            self.task.cancel()
        elif type(frame) is SendFailed:
            self._failure = frame.error
            self._flow.give(EVERYTHING)  # who waits for room shall hear of it

    def _arrive(self, message: Message) -> None:
        self._events.append(message)
        if message["type"] == "http.request" and not message.get("more_body"):
            self._must_pull = True
        elif message["type"] == "websocket.disconnect":
            self._is_gone = message.get("code") != SERVICE_RESTART  # then it is us who go, and the client may hear more
        self._wake()

    def _wake(self) -> None:
        """Whoever waits to receive: there may be several."""
        if self._arrived:
            self._arrived.set()
            self._arrived = None

    def disconnect(self) -> None:
        """The base has gone, and every client with it."""
        self._arrive(dict(DISCONNECT) if self._is_http else {"type": "websocket.disconnect", "code": ABNORMAL})
        self._flow.give(EVERYTHING)

    async def receive(self) -> Message:
        while not self._events or self._is_over:
            if self._is_over or (self._is_http and self._is_gone):
                return dict(DISCONNECT)
            if self._owes_empty:
                self._owes_empty = False
                return {"type": "http.request", "body": b"", "more_body": False}
            if self._must_pull:
                self._must_pull = False
                self._bridge.write(Pull(self.id))
            if self._arrived is None:
                self._arrived = asyncio.Event()
            await self._arrived.wait()
        message = self._events.popleft()
        if message["type"] == "http.disconnect":
            self._is_gone = True
        elif told := self._flow.use(size_of(message)):
            self._bridge.write(Credit(self.id, told))
        return message

    @property
    def _is_over(self) -> bool:
        """Whether the response is out: an application that goes on may hear nothing but that."""
        return self._is_http and self._state == COMPLETE

    async def send(self, message: Message) -> None:
        """As a server takes it. Raises RuntimeError where it does not come in turn, OSError where nobody can have it any more."""
        if self._failure or (self._is_gone and not self._is_http):
            raise OSError(self._failure or "the client has gone")
        kind = message["type"]
        self._turn(kind)
        if kind == "http.response.body":
            await self._send_any_body(message.get("body", b""), bool(message.get("more_body", False)))
        elif kind == "http.response.start" and message.keys() <= PLAIN_START:
            self._start = (int(message["status"]), headers_of(message.get("headers", ())))
            self._hold(self)
        else:
            await self._send_event(message)

    def _turn(self, kind: str) -> None:
        after = TURNS.get((self._state, kind))
        if after:
            self._state = after
        elif kind in IN_TURN or self._state == COMPLETE:
            raise RuntimeError(f"{kind!r} is out of turn: what is answered is {self._state}")

    async def _send_any_body(self, body: Any, more: bool) -> None:
        """The first goes together with the start, if both come in one round of the loop."""
        if self._start and len(body) <= PIECE_BYTES:
            self._first, self._start = (*self._start, bytes(body), more), None
            self._flow.room -= EACH_BYTES + len(body)
            if not more:
                self._complete()
            return
        self.release()
        await self._send_body(body, more)

    async def _send_body(self, body: Any, more: bool) -> None:
        view = memoryview(body)
        while len(view) > PIECE_BYTES:
            await self._send_piece(bytes(view[:PIECE_BYTES]), True)
            view = view[PIECE_BYTES:]
        await self._send_piece(bytes(view), more)

    async def _send_piece(self, body: bytes, more: bool) -> None:
        await self._wait_for_room()
        self._flow.room -= EACH_BYTES + len(body)
        self._bridge.write(Body(self.id, body, more))
        if not more:
            self._complete()

    async def _send_event(self, message: Message) -> None:
        self.release()
        size = size_of(message)
        if size > MESSAGE_BYTES:
            raise ValueError(
                f"a message of {size} bytes is more than {MESSAGE_BYTES}, the most that crosses to the base"
            )
        await self._wait_for_room()
        self._flow.room -= size
        self._bridge.write(Event(self.id, plain(message)))
        self._has_trailers = self._has_trailers or bool(message.get("trailers"))
        if message["type"] in LAST and not message.get(LAST[message["type"]]):
            self._state = COMPLETE
            self._wake()

    async def _wait_for_room(self) -> None:
        """Until the client and the base have taken enough of what was sent."""
        if self._flow.room <= 0:
            self.release()
            await self._flow.wait()
        if not self._bridge.writable.is_set():
            await self._bridge.writable.wait()
        if self._failure:
            raise OSError(self._failure)

    def _complete(self) -> None:
        """Its body is out; trailers may be to come."""
        if not self._has_trailers:
            self._state = COMPLETE
            self._wake()

    def release(self, is_done: bool = False) -> bool:
        """Say what was held back. Returns whether the end of the request was told with it."""
        if self._first is not None:
            status, headers, body, more = self._first
            self._first = None
            self._bridge.write(Response(self.id, status, headers, body, more, is_done))
            return is_done
        if self._start:
            status, headers = self._start
            self._start = None
            message = {"type": "http.response.start", "status": status, "headers": headers}
            self._bridge.write(Event(self.id, message))
        return False

    def finish(self, error: str, trace: str) -> None:
        if not self.release(is_done=not error):
            self._bridge.write(Done(self.id, error, trace))


def scope_of(frame: Open, state: dict[str, Any]) -> dict[str, Any]:
    """The scope as the base's server made it, with the state of this application's own lifespan."""
    scope: dict[str, Any] = {
        "type": frame.type,
        "http_version": frame.http_version,
        "scheme": frame.scheme,
        "path": frame.path,
        "raw_path": frame.raw_path,
        "query_string": frame.query_string,
        "root_path": frame.root_path,
        "headers": frame.headers,
        "client": frame.client,
        "server": frame.server,
        "asgi": frame.asgi,
        **frame.more,
        "state": state.copy(),
    }
    if frame.method:
        scope["method"] = frame.method
    return scope


def headers_of(headers: Any) -> Any:
    """As pairs of bytes, whatever an application has made them of. Raises TypeError or ValueError where they are none."""
    return [(bytes(name), bytes(value)) for name, value in headers]


def plain(message: Message) -> dict[str, Any]:
    """As MessagePack can say it."""
    said = dict(message)
    if "headers" in said:
        said["headers"] = headers_of(said["headers"])
    return said
