"""How many writes are under way at once: as many as the API server bears. In: writes. Out: their answers, or what refused them.

More at once help as long as answers come as fast as before; beyond that they only wait in the server instead of here, and others'
requests with them. So the number grows by one with each round of fast answers, and shrinks by a tenth where they are slow. Where
the server says itself that it has too many (429), it is halved, everybody waits for as long as the server asks, and the write is
tried again. Right before each is sent it is asked whether we may still act at all: a process that was stopped for a while, and a write
that has waited, must not come after another controller's.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from arkwright.clients.errors import NotOurs, TooManyRequests

T = TypeVar("T")
FIRST, LEAST = 16, 1
LEAST_WHERE_SLOW = 16  # our own loop may be what is slow, and then fewer writes make it slower
SLOW = 3.0  # times as long as the fastest lately
FORGOTTEN = 1.0002  # by each answer: what was fast an hour ago may not be so any more
TRIES = 6
LONGEST_PAUSE_SECONDS = 10.0


class Slots:
    """`most`: never more than that. `is_sure`: whether nobody else may be acting yet."""

    def __init__(self, most: int, is_sure: Callable[[], bool] = lambda: True) -> None:
        self._most, self._is_sure, self._limit = most, is_sure, float(min(FIRST, most))
        self._under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._fastest = float("inf")
        self._paused_until = 0.0

    @property
    def limit(self) -> int:
        return int(self._limit)

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
            began = _now()
            answer = await send()
            self._adapt(_now() - began)
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

    def _adapt(self, seconds: float) -> None:
        """Grown only where it was used up: an idle controller learns nothing of what the server bears."""
        self._fastest = min(seconds, self._fastest * FORGOTTEN)
        is_full = bool(self._waiting) or self._under_way >= self.limit
        if seconds > SLOW * self._fastest:
            self._limit = max(min(self._limit, LEAST_WHERE_SLOW), self._limit - 0.1)
        elif is_full:
            self._limit = min(self._most, self._limit + 1 / self._limit)

    def _pause(self, seconds: float) -> None:
        """Once for all that were refused together."""
        if self._paused_until <= _now():
            self._limit = max(LEAST, self._limit / 2)
        self._paused_until = max(self._paused_until, _now() + min(seconds, LONGEST_PAUSE_SECONDS))


def _now() -> float:
    return asyncio.get_running_loop().time()
