"""Does what a plan says. In: intents. Out: writes, calls, Events; a ClientError if one fails, which drops the rest.

Intents of one type that stand side by side are done at once. The answers to writes go straight into the cache.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import groupby
from typing import assert_never

import structlog

from arkwright.clients.errors import ApiRefused, Conflict, NotFound
from arkwright.clients.kube import KubeClient
from arkwright.controller.agentcalls import AgentCalls, Asked
from arkwright.controller.announcements import announced
from arkwright.controller.cache import Cache
from arkwright.controller.events import Events
from arkwright.controller.objects import Key
from arkwright.controller.slots import Slots
from arkwright.model.cluster import Document
from arkwright.model.codec import read_if_kind
from arkwright.model.kinds import Module
from arkwright.model.meta import KubernetesObject
from arkwright.model.resources import RESOURCES
from arkwright.plan.intents import Call, Create, Delete, Intent, MakeSure, Patch, SetStatus, Target, Tell

log = structlog.get_logger()


class Executor:
    """The hand of the loop: the only writer. `slots`: how many writes are under way at once, of whomever."""

    def __init__(self, kube: KubeClient, cache: Cache, agents: AgentCalls, events: Events, slots: Slots) -> None:
        self._kube, self._cache, self._agents, self._events = kube, cache, agents, events
        self.metrics = agents.metrics
        self._slots = slots

    async def execute(self, intents: Iterable[Intent], clock: Callable[[], datetime]) -> None:
        """All of them, in order. Raises the first ClientError."""
        planned = tuple(intents)
        if not planned:
            return
        with announced(planned, self._cache):
            for _, run in groupby(planned, type):
                await self._do_at_once(tuple(run), clock)

    async def _do_at_once(self, group: tuple[Intent, ...], clock: Callable[[], datetime]) -> None:
        if len(group) == 1:
            return await self._do(group[0], clock)
        done = await asyncio.gather(*(self._do(one, clock) for one in group), return_exceptions=True)
        for failed in (one for one in done if isinstance(one, BaseException)):
            raise failed

    async def _do(self, intent: Intent, clock: Callable[[], datetime]) -> None:
        _say(intent)
        match intent:
            case MakeSure(target):
                await self._make_sure(target)
            case Create():
                await self._create(intent)
            case Patch(target, patch):
                await self._patch(target, patch, "")
            case SetStatus(target, status):
                self._cache.status_written[target.kind, target.namespace, target.name] = clock()
                await self._patch(target, {"status": status}, "status")
            case Delete(target):
                await self._delete(target)
            case Call():
                self._call(intent)
            case Tell():
                self._tell(intent)
            case _:
                assert_never(intent)

    async def _make_sure(self, target: Target) -> None:
        try:
            found = await self._kube.get(RESOURCES[target.kind], target.namespace, target.name)
        except NotFound as error:
            raise Conflict(f"{target.name} is gone", 409) from error
        if found.metadata.uid != target.uid or found.is_terminating:
            raise Conflict(f"{target.name} is going, or another one by now", 409)

    async def _create(self, intent: Create) -> None:
        target, resource = intent.target, RESOURCES[intent.target.kind]
        try:
            made = await self._slots.write(lambda: self._kube.create(resource, target.namespace, intent.document))
        except Conflict:
            return await self._note_existing(target)
        self._wrote(target, "create", made)
        if isinstance(made, Module):
            self._cache.arrivals.end(made)

    async def _note_existing(self, target: Target) -> None:
        """Somebody was faster, which enters the cache like an answer to our own write. Raises Conflict if it was known already:
        whoever planned this did not count on it, and says so."""
        known = self._cache.get(target.kind, target.namespace, target.name)
        try:
            found = await self._kube.get(RESOURCES[target.kind], target.namespace, target.name)
        except NotFound as error:
            raise Conflict(f"{target.name} came and went", 409) from error
        self._cache.apply(target.kind, found)
        if found.is_terminating:
            return  # its successor comes once it is gone
        if known is not None and known.metadata.uid == found.metadata.uid:
            raise ApiRefused(f'{target.kind} "{target.name}" is there already, and is not what is wanted there', 409)

    async def _patch(self, target: Target, patch: Document, subresource: str) -> None:
        resource = RESOURCES[target.kind]
        path = resource.path(target.namespace, target.name, subresource)
        try:
            made = await self._slots.write(lambda: self._kube.patch(resource, path, patch))
        except NotFound:
            return  # it went away: the watch will show it
        self._wrote(target, "status" if subresource else "patch", made)

    async def _delete(self, target: Target) -> None:
        resource = RESOURCES[target.kind]
        try:
            body = await self._slots.write(
                lambda: self._kube.delete(resource, target.namespace, target.name, target.uid)
            )
        except NotFound:
            return  # the watch will show it
        except Conflict:
            known = self._cache.get(target.kind, target.namespace, target.name)
            if known is not None and known.metadata.uid == target.uid:
                raise  # nobody would ask again if it is not another one by now
            return
        self.metrics.writes.labels(target.kind, "delete").inc()
        going = read_if_kind(body, target.kind, resource.type)
        if going is not None and going.metadata.finalizers:
            self._cache.apply(target.kind, going)

    def _wrote(self, target: Target, verb: str, made: KubernetesObject) -> None:
        self.metrics.writes.labels(target.kind, verb).inc()
        if made.is_terminating and not made.metadata.finalizers:
            self._cache.remove(target.kind, made)
        elif not self._is_news_of_deletion(target, made):
            self._cache.apply(target.kind, made)

    def _is_news_of_deletion(self, target: Target, made: KubernetesObject) -> bool:
        """The watch brings it, and before it that somebody lets go of what it owns: an answer would jump over that."""
        known = self._cache.get(target.kind, target.namespace, target.name)
        is_same = known is not None and known.metadata.uid == made.metadata.uid
        return made.is_terminating and is_same and not known.is_terminating

    def _call(self, intent: Call) -> None:
        target = intent.target
        module = self._cache.get(target.kind, target.namespace, target.name)
        pod = self._cache.get_pod_of(module) if module else None
        if pod is None:
            return
        key, generation = Key(target.kind, target.namespace, target.name), module.metadata.generation
        asked = Asked(key, intent.attempt, generation, intent.is_routine)
        self._agents.start(pod, intent.command, intent.archive, asked)

    def _tell(self, intent: Tell) -> None:
        if intent.is_warning and intent.reason.endswith("Failed"):
            self.metrics.failures.labels(intent.because.partition(":")[0]).inc()
        self._events.tell(intent)


def _say(intent: Intent) -> None:
    target = intent.target
    because = f"{intent.reason}: {intent.because}" if isinstance(intent, Tell) else intent.because
    log.info(type(intent).__name__, of=f"{target.kind}/{target.namespace}/{target.name}", because=because)
