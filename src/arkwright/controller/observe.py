"""The only reader: from the cache and what agents said to one frozen snapshot a key. An absence is a value here."""

from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from arkwright.controller.agentcalls import AgentCalls
from arkwright.controller.cache import Cache
from arkwright.controller.objects import Key
from arkwright.controller.relations import (
    base_of,
    candidates_of,
    deployment_of,
    family_of,
    former_replica_set_of,
    goes_first,
    made_for,
    pod_by_label,
    replica_set_of,
    revisions_of,
    standing_of,
    used_by,
)
from arkwright.controller.remains import former_services, lost_modules, taken_names
from arkwright.controller.rooms import room_of
from arkwright.controller.rosters import Roster
from arkwright.model.cluster import Deployment, Pod
from arkwright.model.kinds import Module, ModuleArchive, ModuleDeployment, ModuleReplicaSet
from arkwright.model.membership import Standing
from arkwright.model.names import (
    BASE_DEPLOYMENT,
    DETACHED,
    MODULE_REPLICASET,
    label_value,
    service_name,
)
from arkwright.model.outcomes import Command
from arkwright.model.resources import Kind
from arkwright.plan.basepod import ObservedBasePod, plan_base_pod
from arkwright.plan.departure import kept_until_switched
from arkwright.plan.deployment import plan_deployment
from arkwright.plan.intents import Plan
from arkwright.plan.module import plan_module
from arkwright.plan.overview import ObservedDeployment
from arkwright.plan.replicas import Replicas
from arkwright.plan.replicaset import ObservedReplicaSet, kept_until_replaced, needs_room, plan_replica_set
from arkwright.plan.revisions import Revision, is_in, is_wanted
from arkwright.plan.seating import Room
from arkwright.plan.tries import Choice, ObservedModule, identity


class Observer:
    """Looks at the world for one key, and hands what it sees to that kind's planner."""

    def __init__(self, cache: Cache, agents: AgentCalls, drift_seconds: float) -> None:
        self._cache, self._agents, self._drift_seconds = cache, agents, drift_seconds

    def plan(self, key: Key, now: datetime) -> Plan | None:
        """The plan for `key`; None if its object is gone."""
        one = self._cache.get(key.kind, key.namespace, key.name)
        planned: dict[Kind, Callable[[], Plan]] = {
            Kind.MODULE_DEPLOYMENT: lambda: plan_deployment(self.deployment(one), now),
            Kind.MODULE_REPLICASET: lambda: plan_replica_set(self.replica_set(one, now), now),
            Kind.MODULE: lambda: plan_module(self.module(one, now), now),
            Kind.POD: lambda: plan_base_pod(self.base_pod(one, now), now),
        }
        return None if one is None else planned[key.kind]()

    def deployment(self, deployment: ModuleDeployment) -> ObservedDeployment:
        namespace, module = deployment.metadata.namespace, deployment.spec.template.spec.module
        base = self._base(deployment)
        roster = self._cache.roster(base) if base else Roster()
        owned = revisions_of(deployment, self._cache)
        sharers = self._cache.find(Kind.MODULE_DEPLOYMENT, "module", namespace, module.name)
        return ObservedDeployment(
            deployment=deployment,
            base=base,
            revisions=tuple(Revision(one, self._staying_modules(one, roster.names)) for one in owned),
            live_pods=roster.live,
            unready=roster.unready,
            taken=taken_names(deployment, owned, self._cache),
            lost=lost_modules(deployment, self._cache),
            service=self._cache.get(Kind.SERVICE, namespace, service_name(module.name)),
            former_services=former_services(deployment, owned, self._cache),
            sharers=tuple(one for one in sharers if one.name != deployment.name),
            status_written_at=self._cache.status_written.get((Kind.MODULE_DEPLOYMENT, *deployment.key)),
            refused=self._refused(Key(Kind.MODULE_DEPLOYMENT, *deployment.key), owned),
            has_let_go=self._cache.has_let_go(deployment),
        )

    def _refused(self, key: Key, replica_sets: tuple[ModuleReplicaSet, ...]) -> str:
        """What the API server said last where it refused a write for `key`, for one of the ReplicaSets, a Module of one, or its pod."""
        refused = self._cache.refused
        if not refused:
            return ""
        names = {label_value(one.name) for one in replica_sets}
        keys = (key, *(Key(Kind.MODULE_REPLICASET, *one.key) for one in replica_sets))
        told = next((refused[one] for one in keys if one in refused), "")
        return told or next((words for one, words in refused.items() if names & self._concerned(one)), "")

    def _concerned(self, refused: Key) -> set[str]:
        """Labels of the ReplicaSets whose Module, or pod, a write was refused for."""
        one = self._cache.get(*refused)
        modules: tuple[Module, ...] = ()
        if one is not None and refused.kind is Kind.MODULE:
            modules = (one,)
        if one is not None and refused.kind is Kind.POD:
            modules = self._cache.modules_on(one)
        return {it.metadata.labels.get(MODULE_REPLICASET, "") for it in modules}

    def replica_set(self, replica_set: ModuleReplicaSet, now: datetime) -> ObservedReplicaSet:
        deployment = deployment_of(replica_set, self._cache)
        replica_set = self._as_wished(replica_set)
        base = base_of(replica_set, self._cache)
        if base is None and deployment and is_in(self._revision(replica_set), deployment.spec.base_deployment_name):
            base = self._base(deployment)
        roster = self._cache.roster(base) if base else Roster()
        modules = self._staying_modules(replica_set, roster.names)
        key = Key(Kind.MODULE_REPLICASET, *replica_set.key)
        return ObservedReplicaSet(
            replica_set=replica_set,
            modules=modules,
            room=room_of(replica_set, modules, base, self._cache, now) if needs_room(replica_set, modules) else Room(),
            status_written_at=self._cache.status_written.get(key),
            has_let_go=self._cache.has_let_go(replica_set),
            refused=self._refused(key, (replica_set,)),
        )

    def _as_wished(self, replica_set: ModuleReplicaSet) -> ModuleReplicaSet:
        """With its ModuleDeployment's own template where that asks for this revision: nobody ever sees an older copy of it."""
        deployment = deployment_of(replica_set, self._cache)
        if deployment is None or not is_wanted(self._revision(replica_set), deployment):
            return replica_set
        template = deployment.spec.template
        if template == replica_set.spec.template:
            return replica_set
        return replace(replica_set, spec=replace(replica_set.spec, template=template))

    def _revision(self, replica_set: ModuleReplicaSet) -> Revision:
        """Its Modules are looked for only where it does not say itself which base it is in."""
        is_known = BASE_DEPLOYMENT in replica_set.metadata.labels
        return Revision(replica_set, Replicas() if is_known else self._cache.modules_of(replica_set))

    def _staying_modules(self, replica_set: ModuleReplicaSet, of_base: frozenset[str]) -> Replicas:
        """Its Modules without those on pods that were relabelled out of the base: they are given up. `of_base`: names of its pods."""
        modules = self._cache.modules_of(replica_set)
        outside = modules.pods - of_base
        likely = [one for one in modules if one.pod_name in outside] if outside else []
        strays = {one.name for one in likely if standing_of(one, self._cache) is Standing.STRAY}
        return Replicas.of(one for one in modules if one.name not in strays) if strays else modules

    def module(self, module: Module, now: datetime) -> ObservedModule:
        pod, replica_set = self._cache.get_pod_of(module), replica_set_of(module, self._cache)
        key = Key(Kind.MODULE, *module.key)
        name, archive = module.spec.module.name, module.spec.module
        if replica_set:
            archive = self._as_wished(replica_set).module
        if pod is None:
            return self._unplaced(module, archive)
        namesakes = (one for one in self._cache.modules_on(pod) if one.spec.module.name == name)
        neighbours = tuple(self._as_planned(one) for one in namesakes if one.name != module.name)
        return ObservedModule(
            module=module,
            archive=archive,
            pod=pod,
            is_pod_live=pod.is_live,
            report=self._agents.report(pod),
            under_way=self._agents.under_way(pod, name, key),
            last=self._agents.last(key),
            is_settled=self._agents.is_settled(key),
            neighbours=neighbours,
            elders=tuple(one for one in neighbours if goes_first(one, module) or self._age(one, replica_set) < 0),
            newer=tuple(one for one in neighbours if self._age(one, replica_set) > 0 and not one.is_terminating),
            leftovers=self._leftovers(pod, archive, replica_set),
            is_kept=module.name in self._kept(pod, now),
            standing=standing_of(module, self._cache),
            home=former_replica_set_of(module, self._cache),
            used_by=used_by(pod, self._cache) if DETACHED in module.metadata.labels else "",
            made_for=made_for(module, self._cache),
            drain_seconds=_drain_seconds(replica_set),
            is_label_coming=self._cache.labels.is_coming(pod, name),
            label_off_since=self._cache.labels.off_since(pod, name),
            refused=self._cache.refused.get(Key(Kind.POD, *pod.key), ""),
            families={one.spec.module.name: one.family for one in self._cache.modules_on(pod)},
        )

    def _unplaced(self, module: Module, archive: ModuleArchive) -> ObservedModule:
        """A Module that is on no pod, and where it might go."""
        last = self._agents.last(Key(Kind.MODULE, *module.key))
        made = made_for(module, self._cache)
        if made or module.pod_name or module.is_terminating:
            return ObservedModule(module, archive, None, False, last=last, made_for=made)
        before = pod_by_label(module, self._cache)
        if MODULE_REPLICASET in module.metadata.labels:
            pods: tuple[Pod, ...] = (before,) if before else ()
        else:
            pods = (before,) if before else candidates_of(module, self._cache)
        residents = {pod.name: self._cache.modules_on(pod) for pod in pods}
        arriving = self._cache.arrivals.of(module.metadata.namespace)
        return ObservedModule(module, archive, None, False, last=last, choice=Choice(pods, residents, arriving))

    def _leftovers(
        self, pod: Pod, archive: ModuleArchive, replica_set: ModuleReplicaSet | None
    ) -> tuple[ModuleArchive, ...]:
        """Versions of older revisions of the same ModuleDeployment that the base holds and no Module on the pod asks for."""
        report = self._agents.report(pod)
        if report is None or replica_set is None or len(report.modules) < 2:
            return ()
        asked_for = {identity(one.spec.module) for one in self._cache.modules_on(pod)} | {identity(archive)}
        family = (one.module for one in family_of(replica_set, self._cache))
        return tuple(
            one
            for one in family
            if one.name == archive.name and identity(one) not in asked_for and report.find(one.name, one.version)
        )

    def _age(self, neighbour: Module, replica_set: ModuleReplicaSet | None) -> int:
        """Below 0: of an older revision of the same ModuleDeployment; above 0: of a newer one; 0: neither."""
        theirs = replica_set_of(neighbour, self._cache)
        if replica_set is None or theirs is None or theirs.family != replica_set.family:
            return 0
        return theirs.revision - replica_set.revision

    def base_pod(self, pod: Pod, now: datetime) -> ObservedBasePod:
        modules = tuple(self._as_planned(one) for one in self._cache.modules_on(pod))
        strays = frozenset(one.name for one in modules if self._is_given_up(one))
        return ObservedBasePod(
            pod,
            modules,
            report=self._agents.report(pod),
            kept=self._kept(pod, now),
            strays=strays,
            taken_off=self._cache.labels.taken_off(pod),
            leaving=self._leaving(pod, modules),
            drift_seconds=self._drift_seconds,
            is_being_asked=self._agents.under_way(pod, "") is not None,
        )

    def _leaving(self, pod: Pod, modules: tuple[Module, ...]) -> frozenset[str]:
        """Identities that are being uninstalled right now."""
        calls = {name: self._agents.under_way(pod, name) for name in {one.spec.module.name for one in modules}}
        going = ((name, call) for name, call in calls.items() if call and call.command is Command.UNINSTALL)
        return frozenset(f"{name}:{call.version}" for name, call in going)

    def _as_planned(self, module: Module) -> Module:
        """With the name and version of its ReplicaSet, whatever somebody has written into it."""
        replica_set = replica_set_of(module, self._cache)
        if replica_set is None or identity(replica_set.module) == identity(module.spec.module):
            return module
        return replace(module, spec=replace(module.spec, module=replica_set.module))

    def _is_given_up(self, module: Module) -> bool:
        """It is detached, about to be, or here only because somebody has written this pod into it."""
        made = made_for(module, self._cache)
        is_astray = made is not None and made[1].metadata.uid != module.pod_uid
        return is_astray or DETACHED in module.metadata.labels or standing_of(module, self._cache) is Standing.STRAY

    def _kept(self, pod: Pod, now: datetime) -> frozenset[str]:
        """Those of deleted ones that serve on until they are replaced. To look at a whole ReplicaSet costs: only if it may be."""
        modules = self._cache.modules_on(pod)
        beside = kept_until_switched(pod, modules, self._agents.report(pod))
        found = (replica_set_of(one, self._cache) for one in modules if one.is_terminating)
        replica_sets = {one.name: one for one in found if one is not None and one.replaces_first}
        kept = (kept_until_replaced(self.replica_set(one, now)) for one in replica_sets.values())
        return beside.union(*kept)

    def _base(self, deployment: ModuleDeployment) -> Deployment | None:
        name = deployment.spec.base_deployment_name
        base: Deployment | None = self._cache.get(Kind.DEPLOYMENT, deployment.metadata.namespace, name)
        return base


def _drain_seconds(replica_set: ModuleReplicaSet | None) -> float:
    if replica_set is None:
        return 0.0
    strategy = replica_set.spec.operation_strategy.service_strategy
    return float(strategy.drain_seconds) if strategy.enable_module_service else 0.0
