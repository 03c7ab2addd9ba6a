"""Keys that wait for a look. In: keys, at once or later. Out: each key to one worker at a time.

A key waits once, however often it is added; one that is added while a worker has it comes again after that.
"""

import asyncio
from collections.abc import Callable

from arkwright.controller.objects import Key
from arkwright.model.resources import Kind

PACED = frozenset(
    {Kind.MODULE_DEPLOYMENT, Kind.MODULE_REPLICASET}
)  # what counts others is looked at less often than they change
PACE_SECONDS = 0.05
LEAST_SECONDS = 0.001  # what is left of a wait after rounding must not become a spin


class WorkQueue:
    """`pace`: the least number of seconds between two looks at one key."""

    def __init__(self, pace: Callable[[Key], float] = lambda key: 0.0) -> None:
        self._loop, self._pace = asyncio.get_running_loop(), pace
        self._ready: asyncio.Queue[Key] = asyncio.Queue()
        self._waiting: set[Key] = set()
        self._busy: set[Key] = set()
        self._again: set[Key] = set()
        self._timers: dict[Key, tuple[float, asyncio.TimerHandle]] = {}
        self._looked: dict[Key, float] = {}

    def __len__(self) -> int:
        return self._ready.qsize()

    def add(self, key: Key) -> None:
        """Look at it as soon as its pace allows."""
        pause = self._looked.get(key, -1e9) + self._pace(key) - self._loop.time()
        if pause > 0 and key not in self._busy:
            self.add_later(key, pause)
        else:
            self._ripe(key)

    def add_later(self, key: Key, seconds: float) -> None:
        """Look at it in `seconds`, unless a sooner look is due already."""
        due = self._loop.time() + max(LEAST_SECONDS, seconds)
        if key in self._timers:
            known, timer = self._timers[key]
            if known <= due:
                return
            timer.cancel()
        self._timers[key] = (due, self._loop.call_at(due, self._due, key))

    async def get(self) -> Key:
        """The next key; call `done` when finished with it."""
        key = await self._ready.get()
        self._waiting.discard(key)
        self._busy.add(key)
        return key

    def done(self, key: Key) -> None:
        self._busy.discard(key)
        if self._pace(key):
            self._looked[key] = self._loop.time()
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def forget(self, key: Key) -> None:
        """The object is gone: nothing of its key is kept."""
        if key in self._timers:
            self._timers.pop(key)[1].cancel()
        self._looked.pop(key, None)

    def stop(self) -> None:
        """No look is due any more."""
        for _, timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _due(self, key: Key) -> None:
        del self._timers[key]
        self._ripe(key)

    def _ripe(self, key: Key) -> None:
        if key in self._busy:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.put_nowait(key)
