"""Keys that wait for a look. In: keys, at once or later. Out: each key to one worker at a time.

A key waits once, however often it is added; one that is added while a worker has it comes again after that.
"""

import asyncio
import heapq
import itertools
from collections.abc import Callable

from arkwright.controller.cache import Key


class WorkQueue:
    """`clock`: seconds of the running loop. `pace`: the least number of seconds between two looks at one key."""

    def __init__(self, clock: Callable[[], float], pace: Callable[[Key], float] = lambda key: 0.0) -> None:
        self._clock, self._pace = clock, pace
        self._ready: dict[Key, None] = {}
        self._busy: set[Key] = set()
        self._again: set[Key] = set()
        self._due: dict[Key, float] = {}
        self._later: list[tuple[float, int, Key]] = []
        self._looked: dict[Key, float] = {}
        self._order = itertools.count()
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        return len(self._ready)

    def add(self, key: Key) -> None:
        """Look at it as soon as its pace allows."""
        if key in self._busy:
            self._again.add(key)
            return
        pause = self._looked.get(key, -1e9) + self._pace(key) - self._clock()
        if pause > 0:
            self.add_later(key, pause)
        else:
            self._ready[key] = None
            self._wake.set()

    def add_later(self, key: Key, seconds: float) -> None:
        """Look at it in `seconds`, unless a sooner look is due already."""
        due = self._clock() + max(0.0, seconds)
        if due >= self._due.get(key, float("inf")):
            return
        self._due[key] = due
        heapq.heappush(self._later, (due, next(self._order), key))
        self._wake.set()

    async def get(self) -> Key:
        """The next key; call `done` when finished with it."""
        while True:
            wait = self._ripen()
            if self._ready:
                key = next(iter(self._ready))
                del self._ready[key]
                self._busy.add(key)
                if self._ready:
                    self._wake.set()
                return key
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), wait)
            except TimeoutError:
                continue

    def done(self, key: Key) -> None:
        self._busy.discard(key)
        if self._pace(key):
            self._looked[key] = self._clock()
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def forget(self, key: Key) -> None:
        """The object is gone: nothing of its key is kept."""
        self._due.pop(key, None)
        self._looked.pop(key, None)

    def _ripen(self) -> float | None:
        """Move what is due to `ready`; seconds until the next is (None: nothing waits)."""
        now = self._clock()
        while self._later and self._later[0][0] <= now:
            due, _, key = heapq.heappop(self._later)
            if self._due.get(key) == due:
                del self._due[key]
                if key in self._busy:
                    self._again.add(key)
                else:
                    self._ready[key] = None
        return max(0.0, self._later[0][0] - now) if self._later else None
