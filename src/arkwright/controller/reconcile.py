"""The loop: take a key, observe, plan, execute. The only retry policy is here.

A conflict is tried again at once, another failure of the API after a pause that doubles; anything else is forgotten until
something changes or the plan's own `look_again_in` is over.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from arkwright.clients.errors import ClientError, Conflict
from arkwright.controller.cache import Key
from arkwright.controller.execute import Executor
from arkwright.controller.metrics import Metrics
from arkwright.controller.observe import Observer
from arkwright.controller.workqueue import WorkQueue

log = structlog.get_logger()
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 30.0


class Reconciler:
    """`clock`: the time of day, for planners."""

    def __init__(
        self, queue: WorkQueue, observer: Observer, executor: Executor, metrics: Metrics, clock: Callable[[], datetime]
    ) -> None:
        self._queue, self._observer, self._executor = queue, observer, executor
        self._metrics, self._clock = metrics, clock
        self._failures: dict[Key, int] = {}

    async def run(self, workers: int) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            key = await self._queue.get()
            self._metrics.waiting.set(len(self._queue))
            try:
                result = await self._look(key)
            except Conflict as error:
                result = "conflict"
                log.debug("conflict", key=str(key), error=str(error))
                self._queue.add(key)
            except ClientError as error:
                result = "error"
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
        await self._executor.execute(plan.intents, self._clock)
        self._failures.pop(key, None)
        if plan.look_again_in is not None:
            self._queue.add_later(key, plan.look_again_in)
        return "acted" if plan.intents else "nothing to do"

    def _postpone(self, key: Key, error: str) -> None:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        pause = min(FIRST_PAUSE_SECONDS * 2 ** (failures - 1), LONGEST_PAUSE_SECONDS)
        log.warning("failed", key=str(key), error=error, again_in_seconds=pause)
        self._queue.add_later(key, pause)
