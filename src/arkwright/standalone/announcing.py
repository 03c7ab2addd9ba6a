"""Says in Endpoints and EndpointSlices where each Service leads. What they say is decided in `endpoints`.

In: Services, pods, Endpoints and EndpointSlices of one API. Out: the latter two, written. The proxy of `nodeports` follows the pods
themselves: nothing of it waits for what is written here.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from arkwright.clients.errors import Conflict, NotFound
from arkwright.clients.kube import KubeClient
from arkwright.controller.cache import Change, Key
from arkwright.controller.events import Events
from arkwright.controller.watch import Watcher
from arkwright.model.cluster import Workload
from arkwright.model.resources import RESOURCES, Kind, as_workload
from arkwright.plan.intents import Create, Delete, Intent, Patch, Target
from arkwright.standalone.endpoints import SERVICE_NAME, Known, plan_endpoints, selects
from arkwright.standalone.followed import Followed
from arkwright.standalone.looks import Looks
from arkwright.supervision import Supervisor

log = structlog.get_logger()
WRITTEN = (Kind.ENDPOINTS, Kind.ENDPOINT_SLICE)
FOLLOWED = {kind: as_workload(kind) for kind in (Kind.SERVICE, Kind.POD)} | {kind: RESOURCES[kind] for kind in WRITTEN}
CONFLICT_SECONDS = 0.1


class Announcer:
    """All Services of one API. `clock`: the time of day."""

    def __init__(self, kube: KubeClient, clock: Callable[[], datetime]) -> None:
        self._kube = kube
        self._cache = Followed(clock, self._changed)
        self._looks = Looks(self._cache, Events(kube, clock), self._look_at)
        self.is_up = asyncio.Event()  # it knows what is there

    async def run(self, loops: Supervisor | None = None) -> None:
        """Until cancelled."""
        loops = loops or Supervisor()
        loops.name_failing("Announcer", self._looks.set_aside)
        watchers = [Watcher(self._kube, self._cache, kind, resource=one) for kind, one in FOLLOWED.items()]
        async with asyncio.TaskGroup() as tasks:
            for watcher in watchers:
                tasks.create_task(loops.keep(f"Announcer: {watcher.name}", watcher.run))
            for watcher in watchers:
                await watcher.is_filled.wait()
            self.is_up.set()
            await self._looks.run()

    def _changed(self, change: Change) -> None:
        for one in (change.before, change.after):
            for name in self._services_of(change.kind, one) if one is not None else ():
                self._looks.add(Key(Kind.SERVICE, one.metadata.namespace, name))

    def _services_of(self, kind: Kind, one: Workload) -> list[str]:
        """Whose Endpoints an object may change."""
        if kind is Kind.ENDPOINT_SLICE:
            return [name] if (name := one.metadata.labels.get(SERVICE_NAME)) else []
        if kind is not Kind.POD:
            return [one.name]
        return [service.name for service in self._cache.all(Kind.SERVICE) if selects(service, one)]

    async def _look_at(self, key: Key) -> float | None:
        service: Workload | None = self._cache.get(*key)
        try:
            for intent in plan_endpoints(Target(*key), service, self._cache.all(Kind.POD), self._known(key)):
                await self._do(intent)
        except Conflict:
            return CONFLICT_SECONDS  # somebody has written meanwhile, and the watch brings it
        if service is None:
            self._looks.forget(key)
        return None

    def _known(self, key: Key) -> Known:
        every = self._cache.all(Kind.ENDPOINT_SLICE)
        own = (one for one in every if one.metadata.labels.get(SERVICE_NAME) == key.name)
        found = tuple(one for one in own if one.metadata.namespace == key.namespace)
        return Known(self._cache.get(Kind.ENDPOINTS, key.namespace, key.name), found)

    async def _do(self, intent: Intent) -> None:
        target = intent.target
        resource = RESOURCES[target.kind]
        match intent:
            case Create(document=document):
                self._cache.apply(target.kind, await self._kube.create(resource, target.namespace, document))
            case Patch(patch=patch):
                path = resource.path(target.namespace, target.name)
                self._cache.apply(target.kind, await self._kube.patch(resource, path, patch))
            case Delete():
                await self._delete(target)
            case _:
                raise AssertionError("nothing here asks agents, writes a status or tells")

    async def _delete(self, target: Target) -> None:
        try:
            await self._kube.delete(RESOURCES[target.kind], target.namespace, target.name, target.uid)
        except NotFound:
            log.debug("gone already", of=f"{target.kind}/{target.name}")
