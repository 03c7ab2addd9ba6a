"""The base's end of the bridge to one process. In: ASGI calls. Out: frames to the process, and its answers as ASGI messages.

Every request has a window in each direction, so that a slow client, a huge body or a hanging application holds up no other. The
process is not trusted: a frame about no request of ours is passed over, one that cannot be read fails its request, one that is about none
at all ends the connection.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from arkwright.arklet.asgi.words import SERVICE_RESTART, Message, Receive, Scope, Send, refuse
from arkwright.arklet.bridge.frames import (
    BODY_COMES,
    BadFrame,
    Done,
    Ended,
    Frames,
    FromModule,
    Shutdown,
    Started,
    request_of,
)
from arkwright.arklet.bridge.outlet import Outlet
from arkwright.arklet.process.requests import ProcessLost, Request, body_of, opening

GONE_AT_START = "its process ended before it had started; the base's log has what it said"


class Bridge(Outlet):
    """To one process, until it ends. `started` is set once it has told how its start went; `on_lost` is called when it has gone."""

    def __init__(self, on_lost: Callable[[], object]) -> None:
        super().__init__()
        self._frames = Frames(FromModule)
        self._requests: dict[int, Request] = {}
        self._next = 0
        self._why_lost = "its process has ended"
        self._on_lost = on_lost
        self.started: asyncio.Future[Started] = self._loop.create_future()
        self.ended: asyncio.Future[str] = self._loop.create_future()

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        for one in list(self._requests.values()):
            one.take(self._why_lost, 0)
        for future, said in ((self.started, Started(GONE_AT_START)), (self.ended, "")):
            if not future.done():
                future.set_result(said)  # type: ignore[arg-type]
        self._on_lost()

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
        if (one := self._requests.get(getattr(frame, "id", 0))) is not None:
            one.take(frame, len(payload))
        elif type(frame) is Started:
            self._tell(self.started, frame)
        elif type(frame) is Ended:
            self._tell(self.ended, frame.error)

    def _tell(self, future: "asyncio.Future[Any]", said: object) -> None:
        if not future.done():
            future.set_result(said)

    def break_off(self, why: str) -> None:
        """Whoever is under way hears that the process is lost."""
        self._why_lost = why
        if self._transport:
            self._transport.abort()

    def scope_of(self, number: int) -> Scope | None:
        """Of a request that is under way."""
        one = self._requests.get(number)
        return one.scope if one else None

    def shut_down(self) -> None:
        """The application may begin its shutdown; `ended` tells of its end."""
        self.write(Shutdown())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises ModuleError, what `send` does, and ProcessLost where an answer had begun: whoever serves breaks it off then."""
        if not self.writable.is_set():
            await self.writable.wait()
        self._next += 1
        frame = opening(self._next, scope, body_of(scope))
        one = self._requests[frame.id] = Request(self, frame, scope, receive)
        self.write(frame)
        try:
            if frame.body == BODY_COMES:
                one.pump()
            await one.answer(send)
        except ProcessLost as error:
            await _say_lost(error, scope, send)
        finally:
            del self._requests[frame.id]
            one.close()


async def _say_lost(error: ProcessLost, scope: Scope, send: Send) -> None:
    if scope["type"] == "websocket" and error.has_begun:
        await send({"type": "websocket.close", "code": SERVICE_RESTART, "reason": str(error)})
    elif error.has_begun:
        raise error  # nobody must take the answer for whole
    else:
        await refuse(scope, _connected, send, 502, f"the process of this module broke off: {error}")


async def _connected() -> Message:
    """What its client has said has been passed on: to wait for more would be to wait for its patience to end."""
    return {"type": "websocket.connect"}
