"""Keeps the pods of Deployments and ReplicaSets as they ask for: what a cluster's controller manager does for a base.

In: Deployments, ReplicaSets and pods of any Kubernetes API. Out: ReplicaSets, pods, statuses. Decided in `rollout` and
`replicas`; here is what is looked at, and how it is done.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import assert_never

import structlog

from arkwright.clients.errors import ClientError, Conflict, NotFound
from arkwright.clients.kube import KubeClient
from arkwright.controller.cache import Change, Key
from arkwright.controller.events import Events
from arkwright.controller.watch import Watcher
from arkwright.model.cluster import Document, Workload
from arkwright.model.meta import KubernetesObject
from arkwright.model.outcomes import EventReason
from arkwright.model.resources import Kind, as_workload
from arkwright.plan.intents import (
    Call,
    Create,
    Delete,
    Intent,
    MakeSure,
    Patch,
    Plan,
    SetStatus,
    Target,
    Tell,
    target_of,
)
from arkwright.standalone.belonging import Belonging
from arkwright.standalone.followed import Followed
from arkwright.standalone.looks import Looks, words_of
from arkwright.standalone.readers import counted, oddities
from arkwright.standalone.replicas import plan_replica_set
from arkwright.standalone.rollout import plan_deployment
from arkwright.standalone.scheduling import is_cordoned, plan_pod
from arkwright.supervision import Supervisor

log = structlog.get_logger()
WORKLOADS = {kind: as_workload(kind) for kind in (Kind.DEPLOYMENT, Kind.REPLICASET, Kind.POD)}
FOLLOWED = WORKLOADS | {Kind.NODE: as_workload(Kind.NODE)}
OWNERS = {Kind.POD: Kind.REPLICASET, Kind.REPLICASET: Kind.DEPLOYMENT}
OWNED = {owner: kind for kind, owner in OWNERS.items()}
FAILURE = "ReplicaFailure"
CONFLICT_SECONDS = 0.1


class Workloads:
    """All Deployments and ReplicaSets of one API; new pods go to `node`. `clock`: the time of day."""

    def __init__(self, kube: KubeClient, node: str, clock: Callable[[], datetime]) -> None:
        self._kube, self._node, self._clock = kube, node, clock
        self._cache = Followed(clock, self._changed)
        self._looks = Looks(self._cache, Events(kube, clock), self._look_at)
        self.is_up = asyncio.Event()  # it knows what is there

    async def run(self, loops: Supervisor | None = None) -> None:
        """Until cancelled."""
        loops = loops or Supervisor()
        loops.name_failing("Workloads", self._looks.set_aside)
        watchers = [Watcher(self._kube, self._cache, kind, resource=one) for kind, one in FOLLOWED.items()]
        async with asyncio.TaskGroup() as tasks:
            for watcher in watchers:
                tasks.create_task(loops.keep(f"Workloads: {watcher.name}", watcher.run))
            for watcher in watchers:
                await watcher.is_filled.wait()  # a pod that is not known yet must not be made twice
            self.is_up.set()
            await self._looks.run()

    def _changed(self, change: Change) -> None:
        one = change.after or change.before
        if change.kind in OWNED:
            key = Key(change.kind, *one.key)
            self._looks.mention(key, oddities(change.after) if change.after else [])  # before it is put right
            self._looks.add(key)
        for pod in self._cache.all(Kind.POD) if change.kind is Kind.NODE else [one] if change.kind is Kind.POD else []:
            if not pod.spec.get("nodeName"):
                self._looks.add(Key(Kind.POD, *pod.key))
        for each in (change.before, change.after):
            if each is not None and change.kind in OWNERS:
                self._stir_owners(OWNERS[change.kind], each)

    def _stir_owners(self, kind: Kind, one: Workload) -> None:
        """That of an object; for one that has none, all that might take it in."""
        for reference in one.metadata.owner_references:
            if reference.kind == kind:
                self._looks.add(Key(kind, one.metadata.namespace, reference.name))
        if one.metadata.controller is None:
            for owner in self._cache.all(kind):
                if owner.metadata.namespace == one.metadata.namespace:
                    self._looks.add(Key(kind, *owner.key))

    async def _look_at(self, key: Key) -> float | None:
        one: Workload | None = self._cache.get(*key)
        if one is None:
            self._looks.forget(key)
            return None
        if key.kind is Kind.POD:
            await self._look_at_pod(key, one)
            return None
        try:
            plan = self._plan(key.kind, one)
            for intent in plan.intents:
                await self._do(intent)
        except Conflict:
            await self._pass_by(key.kind, one, plan)
            return CONFLICT_SECONDS
        except Exception as error:
            await self._say_failed(key.kind, one, words_of(error))
            raise
        return plan.look_again_in

    async def _look_at_pod(self, key: Key, pod: Workload) -> None:
        """One that has no node is given one, or says why not."""
        intent = plan_pod(pod, self._node, self._cache.get(Kind.NODE, "", self._node))
        if intent is not None:
            await self._do(intent)
        if isinstance(intent, SetStatus):
            self._looks.warn(key, EventReason.CANNOT_ACT, intent.status["message"])

    async def _pass_by(self, kind: Kind, one: Workload, plan: Plan) -> None:
        """Somebody has written meanwhile, and the watch brings it; or has taken the name for good, and another one is used."""
        for intent in plan.intents:
            taken = self._cached(intent.target) if isinstance(intent, Create) else None
            if taken is not None and not Belonging(kind, OWNED[kind], one).is_candidate(taken):
                status = one.status | {"collisionCount": counted(one, "collisionCount") + 1}
                await self._do(SetStatus(target_of(kind, one), status, f"{taken.name} belongs to somebody else"))

    def _plan(self, kind: Kind, one: Workload) -> Plan:
        belonging = Belonging(kind, OWNED[kind], one)
        found = tuple(each for each in self._cache.all(OWNED[kind]) if belonging.is_candidate(each))
        if kind is Kind.DEPLOYMENT:
            return plan_deployment(one, found, self._clock())
        node = "" if is_cordoned(self._cache.get(Kind.NODE, "", self._node)) else self._node
        return plan_replica_set(one, found, node, self._clock())

    async def _say_failed(self, kind: Kind, one: Workload, words: str) -> None:
        """A condition: until the next look that succeeds writes the status anew."""
        known: Workload = self._cache.get(kind, *one.key) or one
        said = {"type": FAILURE, "status": "True", "reason": "CannotAct", "message": words}
        conditions = known.status.get("conditions") or []
        if any(isinstance(each, dict) and said.items() <= each.items() for each in conditions):
            return
        others = [each for each in conditions if isinstance(each, dict) and each.get("type") != FAILURE]
        try:
            await self._do(SetStatus(target_of(kind, known), known.status | {"conditions": [*others, said]}, words))
        except ClientError as error:
            log.warning("condition not written", of=f"{kind}/{one.name}", error=str(error))

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
                raise AssertionError("nothing here asks agents, and events are told by the loop")
            case _:
                assert_never(intent)

    async def _patch(self, target: Target, patch: Document, subresource: str) -> KubernetesObject:
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
