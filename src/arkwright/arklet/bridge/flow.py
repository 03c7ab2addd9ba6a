"""How much may be on its way. In: bytes sent, bytes used up. Out: when the next may be sent.

Each request has such a window in each direction, so that a client or an application that does not read holds up itself alone.
"""

import asyncio

WINDOW_BYTES = 256 << 10
PIECE_BYTES = 64 << 10  # of a body: nothing waits longer than for one of another request


class Window:
    """One direction of one request, at the end that sends. A message may be larger than what is left, but is the last then."""

    __slots__ = ("_left", "_waiting")

    def __init__(self) -> None:
        self._left = WINDOW_BYTES
        self._waiting: asyncio.Event | None = None

    @property
    def is_open(self) -> bool:
        return self._left > 0

    def take(self, count: int) -> None:
        self._left -= count
        if self._left <= 0 and self._waiting:
            self._waiting.clear()

    def give(self, count: int) -> None:
        self._left = min(self._left + count, WINDOW_BYTES)
        if self._left > 0 and self._waiting:
            self._waiting.set()

    async def wait(self) -> None:
        """Until it is open."""
        while self._left <= 0:
            if self._waiting is None:
                self._waiting = asyncio.Event()
            await self._waiting.wait()


class Used:
    """The same at the end that receives: what has been used up and not yet told."""

    __slots__ = ("_bytes",)

    def __init__(self) -> None:
        self._bytes = 0

    def add(self, count: int) -> int:
        """What should be told now; 0: wait for more, for telling costs a frame."""
        self._bytes += count
        if self._bytes < WINDOW_BYTES // 2:
            return 0
        told, self._bytes = self._bytes, 0
        return told
