"""How many writes are under way at once: as many as get the most done. In: writes. Out: their answers, or what refused them.

Their number follows what comes through (`hillclimb`). Where the server says itself that it has too many (429), it is halved, everybody waits
for as long as the server asks, and the write is tried again. Right before each is sent it is asked whether we may still act at all: a
process that was stopped for a while, and a write that has waited, must not come after another controller's.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from arkwright.clients.errors import NotOurs, TooManyRequests
from arkwright.controller.hillclimb import HillClimb

T = TypeVar("T")
FIRST, LEAST = 16, 4
TRIES = 6
LONGEST_PAUSE_SECONDS = 10.0


class Slots:
    """`most`: never more than that. `is_sure`: whether nobody else may be acting yet."""

    def __init__(self, most: int, is_sure: Callable[[], bool] = lambda: True) -> None:
        self._is_sure, self._climb = is_sure, HillClimb(FIRST, LEAST, most)
        self._under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._paused_until = 0.0

    @property
    def limit(self) -> int:
        return self._climb.limit

    async def write(self, send: Callable[[], Awaitable[T]]) -> T:
        """What `send` answers. Raises what it raises; TooManyRequests only after some tries, NotOurs instead of sending."""
        for _ in range(TRIES - 1):
            try:
                return await self._once(send)
            except TooManyRequests as busy:
                self._pause(busy.retry_after)
        return await self._once(send)

    async def _once(self, send: Callable[[], Awaitable[T]]) -> T:
        async with self._one():
            while (pause := self._paused_until - _now()) > 0:  # noqa: ASYNC110 (nobody sets an Event: time does)
                await asyncio.sleep(max(pause, 0.001))
            if not self._is_sure():
                raise NotOurs("nothing is written: the Lease may be over")
            answer = await send()
            self._climb.count(_now(), is_full=bool(self._waiting))
        return answer

    @contextlib.asynccontextmanager
    async def _one(self) -> AsyncIterator[None]:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._wake()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_back()
            raise
        try:
            yield
        finally:
            self._give_back()

    def _give_back(self) -> None:
        self._under_way -= 1
        self._wake()

    def _wake(self) -> None:
        while self._waiting and self._under_way < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self._under_way += 1
                turn.set_result(None)

    def _pause(self, seconds: float) -> None:
        """Once for all that were refused together."""
        if self._paused_until <= _now():
            self._climb.halve()
        self._paused_until = max(self._paused_until, _now() + min(seconds, LONGEST_PAUSE_SECONDS))


def _now() -> float:
    return asyncio.get_running_loop().time()
