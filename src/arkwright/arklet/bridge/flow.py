"""How much may be on its way. In: bytes sent, bytes used up. Out: when the next may be sent.

Each request has a window in each direction, so that a client or an application that does not read holds up itself alone.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

WINDOW_BYTES = 256 << 10
PIECE_BYTES = 64 << 10  # of a body: nothing waits longer than for one of another request
EACH_BYTES = 64  # what a message takes besides its content: empty ones must not be free


def size_of(message: Mapping[str, Any]) -> int:
    """What a message takes of a window: its content, and something for itself."""
    content = message.get("body") or message.get("bytes") or message.get("text")
    return EACH_BYTES + (len(content) if content else 0)


class Flow:
    """Both directions of one request, at one end of the bridge."""

    __slots__ = ("_used", "_waiting", "room")

    def __init__(self) -> None:
        self.room = WINDOW_BYTES  # for what is sent; the last message may be larger
        self._used = 0
        self._waiting: asyncio.Event | None = None

    def give(self, count: int) -> None:
        """The other side has used up so many bytes; what it tells is not trusted beyond that."""
        self.room = min(self.room + count, WINDOW_BYTES)
        if self.room > 0 and self._waiting:
            self._waiting.set()
            self._waiting = None

    async def wait(self) -> None:
        """Until there is room."""
        while self.room <= 0:
            if self._waiting is None:
                self._waiting = asyncio.Event()
            await self._waiting.wait()

    def use(self, count: int) -> int:
        """So many bytes that came are used up. Returns how many the other side should be told of now: telling costs a frame."""
        self._used += count
        if self._used < WINDOW_BYTES // 2:
            return 0
        told, self._used = self._used, 0
        return told
