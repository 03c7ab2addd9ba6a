"""The words of ASGI that the agent uses, and the answers it gives in a module's stead."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, MutableMapping
from types import FrameType
from typing import Any, TypeVar

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Function = TypeVar("Function", bound=Callable[..., Awaitable[None]])
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

TRY_AGAIN_LATER = 1013  # close codes of WebSockets, as IANA lists them
SERVICE_RESTART = 1012


def coroutine_function(function: Function) -> Function:
    """Marks what only hands a coroutine on: servers look for the mark when they tell ASGI 3 from ASGI 2."""
    if hasattr(inspect, "markcoroutinefunction"):  # from Python 3.12
        inspect.markcoroutinefunction(function)
    else:
        function._is_coroutine = asyncio.coroutines._is_coroutine  # type: ignore[attr-defined]
    return function


class StartFailure(Exception):
    """The module's own code failed while it was imported or started; chained to the cause."""


class RemoteFailure(Exception):
    """What another process has said of a failure there: its trace, and the root cause in a line."""

    def __init__(self, trace: str, cause: str) -> None:
        super().__init__(trace, cause)
        self.trace, self.cause = trace.strip(), cause

    def __str__(self) -> str:
        return f"in the module's process\n{self.trace}"


def frames(task: "asyncio.Task[Any]") -> list[FrameType]:
    """Of what a task awaits, from the outermost coroutine to the innermost. `Task.get_stack` gives the outermost alone."""
    found: list[FrameType] = []
    awaited: Any = task.get_coro()
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
        if frame is not None:
            found.append(frame)
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)
    return found


async def refuse(scope: Scope, receive: Receive, send: Send, status: int, reason: str) -> None:
    """Say no in the protocol of the request: an HTTP status with a line of text, also to the handshake of a WebSocket where the server
    can, or a refused WebSocket."""
    kind = "http.response"
    if scope["type"] == "websocket":
        await receive()  # websocket.connect
        kind = "websocket.http.response"
        if kind not in scope.get("extensions", ()):
            await send({"type": "websocket.close", "code": TRY_AGAIN_LATER, "reason": reason})
            return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"retry-after", b"1")]
    await send({"type": f"{kind}.start", "status": status, "headers": headers})
    await send({"type": f"{kind}.body", "body": f"{reason}\n".encode()})
