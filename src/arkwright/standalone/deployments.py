"""Keeps the pods of Deployments and ReplicaSets as they ask for: what a cluster's controller manager does for a base.

In: Deployments, ReplicaSets and pods of any Kubernetes API. Out: ReplicaSets, pods, statuses. Decided in `rollout` and
`replicas`; here is the loop only.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import assert_never

import structlog

from arkwright.clients.errors import ClientError, Conflict, NotFound
from arkwright.clients.kube import KubeClient
from arkwright.controller.cache import Cache, Change, Key
from arkwright.controller.watch import Watcher
from arkwright.controller.workqueue import WorkQueue
from arkwright.model.cluster import Workload
from arkwright.model.meta import KubernetesObject
from arkwright.model.resources import Kind, as_workload
from arkwright.plan.intents import Call, Create, Delete, Intent, MakeSure, Patch, Plan, SetStatus, Target, Tell
from arkwright.standalone.replicas import plan_replica_set
from arkwright.standalone.rollout import plan_deployment

log = structlog.get_logger()
AGAIN_SECONDS = 1.0
WORKLOADS = {kind: as_workload(kind) for kind in (Kind.DEPLOYMENT, Kind.REPLICASET, Kind.POD)}


class Workloads:
    """All Deployments and ReplicaSets of one API; new pods go to `node`. `clock`: the time of day."""

    def __init__(self, kube: KubeClient, node: str, clock: Callable[[], datetime]) -> None:
        self._kube, self._node, self._clock = kube, node, clock
        self._cache = Cache(clock, self._changed)
        self._queue = WorkQueue()

    async def run(self) -> None:
        """Until cancelled."""
        watchers = [Watcher(self._kube, self._cache, kind, resource=one) for kind, one in WORKLOADS.items()]
        async with asyncio.TaskGroup() as tasks:
            for watcher in watchers:
                tasks.create_task(watcher.run())
            for watcher in watchers:
                await watcher.is_filled.wait()  # a pod that is not known yet must not be made twice
            while True:
                await self._look_at(await self._queue.get())

    def _changed(self, change: Change) -> None:
        one: Workload = change.after or change.before
        if change.kind is not Kind.POD:
            self._queue.add(Key(change.kind, *one.key))
        owner = {Kind.POD: Kind.REPLICASET, Kind.REPLICASET: Kind.DEPLOYMENT}.get(change.kind)
        for reference in one.metadata.owner_references:
            if owner and reference.kind == owner:
                self._queue.add(Key(owner, one.metadata.namespace, reference.name))

    async def _look_at(self, key: Key) -> None:
        try:
            plan = self._plan(key)
            for intent in plan.intents:
                await self._do(intent)
            if plan.look_again_in is not None:
                self._queue.add_later(key, plan.look_again_in)
        except ClientError as error:
            log.warning("tried again", of=str(key), error=str(error))
            self._queue.add_later(key, AGAIN_SECONDS)
        finally:
            self._queue.done(key)

    def _plan(self, key: Key) -> Plan:
        one: Workload | None = self._cache.get(key.kind, key.namespace, key.name)
        if one is None:
            self._queue.forget(key)
            return Plan()
        if key.kind is Kind.DEPLOYMENT:
            return plan_deployment(one, self._owned_by(one, Kind.REPLICASET), self._clock())
        return plan_replica_set(one, self._owned_by(one, Kind.POD), self._node, self._clock())

    def _owned_by(self, owner: Workload, kind: Kind) -> tuple[Workload, ...]:
        uid = owner.metadata.uid
        found: list[Workload] = self._cache.all(kind)
        return tuple(one for one in found if any(each.uid == uid for each in one.metadata.owner_references))

    async def _do(self, intent: Intent) -> None:
        log.info(type(intent).__name__, of=f"{intent.target.kind}/{intent.target.name}", because=intent.because)
        match intent:
            case Create(target, document):
                made = await self._kube.create(WORKLOADS[target.kind], target.namespace, document)
                self._cache.apply(target.kind, made)
            case Patch(target, patch):
                self._cache.apply(target.kind, await self._patch(target, patch, ""))
            case SetStatus(target, status):
                known = self._cached(target)
                gone = dict.fromkeys(known.status.keys() - status.keys()) if known else {}  # counts that have become 0
                self._cache.apply(target.kind, await self._patch(target, {"status": gone | status}, "status"))
            case Delete(target):
                await self._delete(target)
            case Call() | Tell() | MakeSure():
                raise AssertionError("nothing here asks agents or tells events")
            case _:
                assert_never(intent)

    async def _patch(self, target: Target, patch: dict[str, object], subresource: str) -> KubernetesObject:
        resource = WORKLOADS[target.kind]
        return await self._kube.patch(resource, resource.path(target.namespace, target.name, subresource), patch)

    async def _delete(self, target: Target) -> None:
        """A pod that is asked to go counts as going at once: the next look must not delete another one for it."""
        try:
            await self._kube.delete(WORKLOADS[target.kind], target.namespace, target.name, target.uid)
            resource = WORKLOADS[target.kind]
            self._cache.apply(target.kind, await self._kube.get(resource, target.namespace, target.name))
        except (NotFound, Conflict):
            known = self._cached(target)
            if known is not None and known.metadata.uid == target.uid:
                self._cache.remove(target.kind, known)

    def _cached(self, target: Target) -> Workload | None:
        found: Workload | None = self._cache.get(target.kind, target.namespace, target.name)
        return found
