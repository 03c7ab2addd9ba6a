"""What is due, and when, in a time that passes only here. In: keys and other things to go on with, at once or later. Out: the next; `now` is when that is due.

A key waits once; one that is looked at is not looked at beside that, and the pace is that of `controller/workqueue`: so what is looked at together there is
looked at together here.
"""

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

from arkwright.controller.objects import Key
from arkwright.controller.workqueue import LEAST_SECONDS, PACE_SECONDS, PACED

Step = Callable[[], None]


class Agenda:
    """`now`: when it begins; later, when what is next was due."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._heap: list[tuple[datetime, int, Key | Step]] = []
        self._due: dict[Key, datetime] = {}
        self._looked: dict[Key, datetime] = {}
        self._busy: set[Key] = set()
        self._again: set[Key] = set()
        self._numbers = count()

    def add(self, key: Key) -> None:
        """Look at it as soon as its pace allows."""
        if key in self._busy:
            self._again.add(key)
            return
        looked = self._looked.get(key) if key.kind in PACED else None
        self._put_key(key, max(self.now, looked + timedelta(seconds=PACE_SECONDS)) if looked else self.now)

    def add_later(self, key: Key, seconds: float) -> None:
        """Look at it in `seconds`, unless a sooner look is due already."""
        self._put_key(key, self.now + timedelta(seconds=max(LEAST_SECONDS, seconds)))

    def go_on(self, step: Step, seconds: float) -> None:
        """Take `step` in `seconds`."""
        self._put(step, self.now + timedelta(seconds=seconds))

    def next(self) -> Key | Step | None:
        """A key is busy from now on. None: nothing will ever happen again."""
        while self._heap:
            at, _, item = heapq.heappop(self._heap)
            if isinstance(item, Key) and self._due.get(item) != at:
                continue  # it was looked at sooner
            self.now = at
            if not isinstance(item, Key):
                return item
            del self._due[item]
            if item not in self._busy:
                self._busy.add(item)
                return item
            self._again.add(item)
        return None

    def done(self, key: Key) -> None:
        """The look at it is over."""
        self._busy.discard(key)
        self._looked[key] = self.now
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def _put_key(self, key: Key, at: datetime) -> None:
        due = self._due.get(key)
        if due is None or at < due:
            self._due[key] = at
            self._put(key, at)

    def _put(self, item: Key | Step, at: datetime) -> None:
        heapq.heappush(self._heap, (at, next(self._numbers), item))
