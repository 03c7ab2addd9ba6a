"""A request's body, whole. In: ASGI's `receive`. Out: bytes, no more than a limit."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any


async def whole_body(receive: Callable[[], Awaitable[MutableMapping[str, Any]]], limit_bytes: int) -> bytes | None:
    """None: it is larger, or its client has left."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > limit_bytes:
            return None
        more = message.get("more_body", False)
    return bytes(body)
