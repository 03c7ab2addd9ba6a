"""Objects that the API server has let in and that cannot be read here: said so on the object, and counted.

In: what little can be read of one, and what is wrong with it. Out: an Event, a figure and, where the kind is ours, conditions.
Nothing is done about it: it is left as it is, until somebody corrects it.
"""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime

import msgspec
import structlog

from arkwright.clients.errors import ClientError
from arkwright.clients.kube import KubeClient
from arkwright.controller.events import Events
from arkwright.controller.metrics import Metrics
from arkwright.controller.objects import Key
from arkwright.model.cluster import Document
from arkwright.model.codec import stamp
from arkwright.model.meta import KubernetesObject
from arkwright.model.outcomes import EventReason
from arkwright.model.resources import RESOURCES, Kind, as_workload
from arkwright.plan.intents import Tell, target_of

log = structlog.get_logger()
WITH_STATUS = (Kind.MODULE_DEPLOYMENT, Kind.MODULE_REPLICASET, Kind.MODULE)


class Unread:
    """Tells each object's words once. Who only stands by keeps them, and `begin` tells them once this controller acts."""

    def __init__(self, kube: KubeClient, events: Events, metrics: Metrics, clock: Callable[[], datetime]) -> None:
        self._kube, self._events, self._metrics, self._clock = kube, events, metrics, clock
        self._known: dict[Key, tuple[KubernetesObject, str]] = {}
        self._is_acting = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        """What is being written is given up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def note(self, kind: Kind, one: KubernetesObject, error: str) -> None:
        """`error`: names the field."""
        key, words = Key(kind, *one.key), f"it cannot be read and is left alone until that is corrected: {error}"
        is_new = self._known.get(key, (one, ""))[1] != words
        self._known[key] = (one, words)
        if is_new:
            self._metrics.unread.labels(kind).inc()
        if is_new and self._is_acting:
            self._tell(kind, one, words)

    def begin(self) -> None:
        self._is_acting = True
        for key, (one, words) in self._known.items():
            self._tell(key.kind, one, words)

    def _tell(self, kind: Kind, one: KubernetesObject, words: str) -> None:
        self._events.tell(Tell(target_of(kind, one), EventReason.NOT_UNDERSTOOD, words, is_warning=True))
        if kind in WITH_STATUS:
            task = asyncio.create_task(self._write(kind, one, words))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _write(self, kind: Kind, one: KubernetesObject, words: str) -> None:
        path = RESOURCES[kind].path(*one.key, "status")
        try:
            with contextlib.suppress(msgspec.ValidationError):  # the answer is as little to be read
                await self._kube.patch(as_workload(kind), path, conditions_that_say(words, self._clock()))
        except ClientError as error:
            log.warning("condition not written", of=path, error=str(error))


def conditions_that_say(words: str, now: datetime) -> Document:
    """Those that there were are written anew once the object can be read again."""
    common = {"reason": EventReason.NOT_UNDERSTOOD.value, "message": words[:1024], "lastTransitionTime": stamp(now)}
    said = (("Ready", "False"), ("Stalled", "True"), ("ReplicaFailure", "True"))
    return {"status": {"conditions": [{"type": kind, "status": status, **common} for kind, status in said]}}
