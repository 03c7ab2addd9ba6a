"""The module's end of the bridge. In: frames of the base. Out: calls of the application, and frames with what it says.

Every request is a task of its own, as in a server. What is said in one round of the event loop goes out in one write. The base is
trusted here; the module is not trusted there.
"""

import asyncio
import traceback
from collections import deque
from collections.abc import Callable
from typing import Any

from arkwright.arklet.asgi.words import Application, Message
from arkwright.arklet.bridge.flow import EACH_BYTES, PIECE_BYTES, Flow, size_of
from arkwright.arklet.bridge.frames import (
    BODY_ON_DEMAND,
    MESSAGE_BYTES,
    NO_BODY,
    Body,
    Cancel,
    Credit,
    Done,
    Ended,
    Event,
    Frame,
    Frames,
    FromBase,
    Open,
    Pull,
    Response,
    SendFailed,
    Shutdown,
    encoded,
)
from arkwright.arklet.bridge.records import request_number

EVERYTHING = 1 << 62
DISCONNECT = {"type": "http.disconnect"}
PLAIN_START = {"type", "status", "headers"}


class Bridge(asyncio.Protocol):
    """All requests of one application. `on_shutdown` is called when the base wants it to end, or has gone."""

    def __init__(self, application: Application, state: dict[str, Any], on_shutdown: Callable[[], object]) -> None:
        self._application, self._state, self._on_shutdown = application, state, on_shutdown
        self._frames = Frames(FromBase, MESSAGE_BYTES * 2)
        self._requests: dict[int, Request] = {}
        self._out: list[bytes] = []
        self._held: list[Request] = []
        self._is_due = False
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self.writable = asyncio.Event()
        self.writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, error: Exception | None) -> None:
        for one in list(self._requests.values()):
            one.disconnect()
        self._on_shutdown()

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        for payload in self._frames.feed(data):
            self._take(self._frames.decoded(payload))

    def _take(self, frame: FromBase) -> None:
        if type(frame) is Open:
            self._open(frame)
        elif type(frame) is Shutdown:
            self._on_shutdown()
        elif one := self._requests.get(frame.id):  # type: ignore[union-attr]
            one.take(frame)  # type: ignore[arg-type]

    def _open(self, frame: Open) -> None:
        one = Request(self, frame)
        self._requests[frame.id] = one
        one.task = self._loop.create_task(self._answer(one, scope_of(frame, self._state)))

    async def _answer(self, one: "Request", scope: dict[str, Any]) -> None:
        """As a server does: whatever the application raises ends its request alone, and is told to who serves."""
        error = trace = ""
        request_number.set(one.id)
        try:
            result = await self._application(scope, one.receive, one.send)  # type: ignore[func-returns-value]
            if result is not None:
                error = f"TypeError: an ASGI application returns None, not {result!r:.100}"
        except BaseException as raised:
            error, trace = f"{type(raised).__name__}: {raised}", traceback.format_exc()
        finally:
            del self._requests[one.id]
            one.finish(error, trace)

    def hold(self, one: "Request") -> None:
        """Its response's beginning may yet be joined by more of it, until this round of the loop is over."""
        self._held.append(one)
        self._schedule()

    def write(self, frame: Frame) -> None:
        """Raises TypeError or OverflowError for what cannot be said."""
        self._out.append(encoded(frame))
        self._schedule()

    def _schedule(self) -> None:
        if not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        for one in self._held:
            one.release()
        self._held.clear()
        if self._out and self._transport and not self._transport.is_closing():
            self._transport.write(b"".join(self._out))
        self._out.clear()
        self._is_due = False

    async def end(self, seconds: float) -> int:
        """Wait for the requests under way; cancel those that are not over after `seconds`. Returns how many."""
        if under_way := self._tasks():
            await asyncio.wait(under_way, timeout=seconds)
        cut = self._tasks()
        for task in cut:
            task.cancel("the module is uninstalled")
        if cut:
            await asyncio.wait(cut, timeout=1)
        return len(cut)

    def _tasks(self) -> "list[asyncio.Task[None]]":
        return [one.task for one in self._requests.values() if one.task]

    def say_ended(self, error: str) -> None:
        self.write(Ended(error))
        self._flush()


class Request:
    """One request or WebSocket: what the application receives and sends."""

    def __init__(self, bridge: Bridge, frame: Open) -> None:
        self.id, self._bridge = frame.id, bridge
        self.task: asyncio.Task[None] | None = None
        self._is_http = frame.type == "http"
        self._events: deque[Message] = deque()
        self._arrived: asyncio.Event | None = None
        self._must_pull = frame.body == BODY_ON_DEMAND
        self._flow = Flow()
        self._start: tuple[int, Any] | None = None
        self._first: tuple[int, Any, bytes, bool] | None = None
        self._has_begun = self._is_complete = self._is_gone = False
        self._failure = ""
        if frame.body == NO_BODY:
            self._events.append({"type": "http.request", "body": b"", "more_body": False})
            self._must_pull = True  # from then on nothing comes but a disconnect

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
        self._wake()

    def _wake(self) -> None:
        """Whoever waits to receive: there may be several."""
        if self._arrived:
            self._arrived.set()
            self._arrived = None

    def disconnect(self) -> None:
        """The base has gone, and every client with it."""
        self._is_gone = True
        kind = "http.disconnect" if self._is_http else "websocket.disconnect"
        self._arrive({"type": kind} if self._is_http else {"type": kind, "code": 1006})
        self._flow.give(EVERYTHING)

    async def receive(self) -> Message:
        while not self._events or self._is_complete:
            if self._is_complete or (self._is_http and self._is_gone):
                return dict(DISCONNECT)
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

    async def send(self, message: Message) -> None:
        """As a server takes it. Raises RuntimeError where it does not come in turn, OSError where nobody can have it any more."""
        if self._failure:
            raise OSError(self._failure)
        kind = message["type"]
        if not self._is_http:
            await self._send_websocket(message)
        elif self._is_complete:
            raise RuntimeError(f"{kind!r} comes after the end of the response")
        elif kind == "http.response.body" and self._has_begun:
            await self._send_any_body(message.get("body", b""), bool(message.get("more_body", False)))
        elif kind == "http.response.start" and message.keys() <= PLAIN_START and not self._has_begun:
            self._has_begun = True
            self._start = (int(message["status"]), headers_of(message.get("headers", ())))
            self._bridge.hold(self)
        elif kind == "http.response.body" and not self._has_begun:
            raise RuntimeError("a body comes before the start of the response")
        else:
            await self._send_event(message)

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
        self._has_begun = True
        if message["type"] == "http.response.trailers" and not message.get("more_trailers"):
            self._complete()

    async def _send_websocket(self, message: Message) -> None:
        if self._is_gone:
            raise OSError("the client has gone")
        await self._send_event(message)

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
        self._is_complete = True
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
