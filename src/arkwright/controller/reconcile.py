"""The loop: take a key, observe, plan, execute. The only retry policy is here.

A conflict is tried again at once, another failure of the API after a pause that doubles; anything else is forgotten until
something changes or the plan's own `look_again_in` is over. What the API server says where it refuses a write (quota, admission, a
rule, a right) is told in an Event, and remembered until it takes what is planned: planners write it where people look.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from arkwright.clients.errors import ApiRefused, ClientError, Conflict, TooManyRequests
from arkwright.controller import triggers
from arkwright.controller.cache import Cache
from arkwright.controller.execute import Executor
from arkwright.controller.objects import Change, Key
from arkwright.controller.observe import Observer
from arkwright.controller.workqueue import WorkQueue
from arkwright.model.outcomes import EventReason
from arkwright.model.resources import Kind
from arkwright.plan.intents import Plan, Tell, target_of

log = structlog.get_logger()
TELLING = (Kind.MODULE_DEPLOYMENT, Kind.MODULE_REPLICASET)  # their conditions say what was refused to theirs
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 30.0
SET_ASIDE = 7


class Reconciler:
    """`clock`: the time of day, for planners."""

    def __init__(
        self, queue: WorkQueue, cache: Cache, observer: Observer, executor: Executor, clock: Callable[[], datetime]
    ) -> None:
        self._queue, self._cache, self._observer, self._executor = queue, cache, observer, executor
        self._metrics, self._clock = executor.metrics, clock
        self._failures: dict[Key, int] = {}

    def set_aside(self) -> list[Key]:
        """What has failed so often that it is looked at with the longest pauses only."""
        return [key for key, number in self._failures.items() if number >= SET_ASIDE]

    async def run(self, workers: int) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            key = await self._queue.get()
            try:
                result = await self._look(key)
            except Conflict as error:
                result = "conflict"
                log.debug("conflict", key=str(key), error=str(error))
                self._queue.add(key)
            except TooManyRequests as error:
                result = "busy"
                self._queue.add_later(key, error.retry_after)
            except ClientError as error:
                result = "refused" if isinstance(error, ApiRefused) else "error"
                self._postpone(key, str(error))
            except Exception:
                # A planner's mistake must not stop every other key; it is loud, and tried again.
                result = "bug"
                log.exception("cannot plan", key=str(key))
                self._postpone(key, "see the log")
            finally:
                self._queue.done(key)
            self._metrics.plans.labels(key.kind, result).inc()

    async def _look(self, key: Key) -> str:
        plan = self._observer.plan(key, self._clock())
        if plan is None:
            self._queue.forget(key)
            self._failures.pop(key, None)
            return "gone"
        await self._execute(key, plan)
        self._failures.pop(key, None)
        if self._cache.refused.pop(key, None):
            self._look_at_all_concerned(key)
        if plan.look_again_in is not None:
            self._queue.add_later(key, plan.look_again_in)
        return "acted" if plan.intents else "nothing to do"

    async def _execute(self, key: Key, plan: Plan) -> None:
        try:
            await self._executor.execute(plan.intents, self._clock)
        except (Conflict, TooManyRequests):
            raise
        except ApiRefused as error:
            await self._tell_refusal(key, str(error))
            raise

    async def _tell_refusal(self, key: Key, words: str) -> None:
        """Once for the same words in a row; an Event counts by itself how often it is told."""
        one = self._cache.get(key.kind, key.namespace, key.name)
        if one is None or self._cache.refused.get(key) == words:
            return
        self._cache.refused[key] = words
        told = Tell(target_of(key.kind, one), EventReason.WRITE_REFUSED, words, is_warning=True)
        await self._executor.execute((told,), self._clock)
        self._look_at_all_concerned(key)

    def _look_at_all_concerned(self, key: Key) -> None:
        one = self._cache.get(key.kind, key.namespace, key.name)
        for other in triggers.keys(Change(key.kind, None, one), self._cache) if one else ():
            if other.kind in TELLING:
                self._queue.add(other)

    def _postpone(self, key: Key, error: str) -> None:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        pause = min(FIRST_PAUSE_SECONDS * 2 ** (failures - 1), LONGEST_PAUSE_SECONDS)
        log.warning("failed", key=str(key), error=error, again_in_seconds=pause)
        self._queue.add_later(key, pause)
