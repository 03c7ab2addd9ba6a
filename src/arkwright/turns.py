"""Long work in turns: what is done for each of thousands of objects gives the loop back every few milliseconds, so that nobody else waits.

In: items, and what is done for each. Out: what came of it. The items are a list of the caller's own, as it was at one moment.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from itertools import compress
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")
TURN_SECONDS = 0.005
TOGETHER = 32  # between two looks at the clock


class Turns:
    """A turn of work, and the next ones."""

    def __init__(self) -> None:
        self._ends = time.perf_counter() + TURN_SECONDS

    @property
    def is_over(self) -> bool:
        return time.perf_counter() > self._ends

    async def next(self) -> None:
        """Others first."""
        await asyncio.sleep(0)
        self._ends = time.perf_counter() + TURN_SECONDS


async def each(do: Callable[[T], U], items: Sequence[T]) -> list[U]:
    """What `do` makes of each of them, in order. Raises what it raises."""
    done: list[U] = []
    turns = Turns()
    for start in range(0, len(items), TOGETHER):
        done += map(do, items[start : start + TOGETHER])
        if turns.is_over and start + TOGETHER < len(items):
            await turns.next()
    return done


async def those(are_wanted: Callable[[T], bool], items: Sequence[T]) -> list[T]:
    return list(compress(items, await each(are_wanted, items)))
