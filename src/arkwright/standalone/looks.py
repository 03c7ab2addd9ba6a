"""The one loop that everything here goes through: a look at one object at a time, and what goes wrong with it is its own affair.

In: keys that were stirred. Out: looks, one after the other; whatever one of them raises is told on its object (a Warning
Event, which counts how often), written into the log, and tried again in longer and longer pauses, while all others go on.
"""

from collections.abc import Awaitable, Callable

import structlog

from arkwright.clients.errors import ApiRefused, ApiUnreachable, ClientError
from arkwright.controller.events import Events
from arkwright.controller.objects import Key, Objects
from arkwright.controller.workqueue import WorkQueue
from arkwright.model.meta import KubernetesObject
from arkwright.model.outcomes import EventReason
from arkwright.plan.intents import Tell, target_of

log = structlog.get_logger()
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
SET_ASIDE = 6
LONGEST_WAIT_SECONDS = 2.0  # an API that does not answer says nothing of the object
EXPECTED = (ClientError, OSError)
Look = Callable[[Key], Awaitable[float | None]]


class Looks:
    """`look`: at one key; in how many seconds again, None when something changes. `cache`: where Events find their object."""

    def __init__(self, cache: Objects, events: Events, look: Look) -> None:
        self._cache, self._events, self._look = cache, events, look
        self._queue = WorkQueue()
        self.failures: dict[Key, int] = {}
        self._told: dict[Key, list[str]] = {}

    def add(self, key: Key) -> None:
        """Something about it has changed."""
        self._queue.add(key)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._look_at(await self._queue.get())

    async def _look_at(self, key: Key) -> None:
        try:
            again = await self._look(key)
        except Exception as error:  # whatever it is, it is about this one
            self._postpone(key, error)
        else:
            self.failures.pop(key, None)
            if again is not None:
                self._queue.add_later(key, again)
        finally:
            self._queue.done(key)

    def set_aside(self) -> list[Key]:
        """What has failed so often that it is looked at with the longest pauses only."""
        return [key for key, number in self.failures.items() if number >= SET_ASIDE]

    def forget(self, key: Key) -> None:
        """It is gone."""
        self._queue.forget(key)
        self.failures.pop(key, None)
        self._told.pop(key, None)

    def _postpone(self, key: Key, error: Exception) -> None:
        number = self.failures[key] = self.failures.get(key, 0) + 1
        longest = LONGEST_WAIT_SECONDS if isinstance(error, ApiUnreachable) else LONGEST_PAUSE_SECONDS
        pause = min(FIRST_PAUSE_SECONDS * 2 ** min(number - 1, 10), longest)
        write = log.warning if isinstance(error, EXPECTED) else log.exception
        write("tried again", of=str(key), error=str(error), failures=number, in_seconds=pause)
        self._queue.add_later(key, pause)
        if not isinstance(error, ApiUnreachable):
            self.warn(key, EventReason.CANNOT_ACT, words_of(error))

    def mention(self, key: Key, oddities: list[str]) -> None:
        """What an object says and cannot mean: once, for as long as it says so."""
        for words in oddities:
            if words not in self._told.get(key, ()):
                self.warn(key, EventReason.NOT_UNDERSTOOD, words)
        self._told[key] = oddities
        if not oddities:
            del self._told[key]

    def warn(self, key: Key, reason: EventReason, words: str) -> None:
        """A Warning Event on the object, if it is still there."""
        one: KubernetesObject | None = self._cache.get(*key)
        if one is not None:
            self._events.tell(Tell(target_of(key.kind, one), reason, words, is_warning=True))


def words_of(error: Exception) -> str:
    """The API server's own words, or what kind of mistake it is.

    >>> words_of(ValueError("'test' is no number"))
    "ValueError: 'test' is no number"
    """
    return str(error) if isinstance(error, ApiRefused | OSError) else f"{type(error).__name__}: {error}"
