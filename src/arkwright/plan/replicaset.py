"""One ReplicaSet: as many Modules of its revision as its spec says, on the right pods (semantics 1, 7, 10).

In: the ReplicaSet, its Modules, the seats. Out: Modules to create or delete, and its status.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from arkwright.model.cluster import Document, Pod
from arkwright.model.codec import encode, encode_whole
from arkwright.model.kinds import (
    Module,
    ModuleReplicaSet,
    ModuleReplicaSetStatus,
    ModuleSpec,
)
from arkwright.model.meta import Condition, ObjectMeta
from arkwright.model.names import (
    ALLOCATE_POD,
    API_VERSION,
    BASE_INSTANCE_IP,
    BASE_INSTANCE_NAME,
    DELETE_POD,
    MAX_MODULE_COUNT,
    MODULE_EXISTS,
    MODULE_REPLICASET,
    NEW_REPLICATED_MODULE,
    label_value,
    module_object_name,
    without_ours,
)
from arkwright.model.outcomes import EventReason
from arkwright.model.resources import Kind
from arkwright.plan.binding import NOWHERE, owner_reference
from arkwright.plan.intents import Create, Delete, Intent, Patch, Plan, SetStatus, Target, Tell, target_of
from arkwright.plan.placement import Placement, Wish, choose_pods, choose_victims
from arkwright.plan.replicas import Replicas, is_ready
from arkwright.plan.seating import Room, cap_text
from arkwright.plan.status import slowest, stamped, status_wait, write_refused
from arkwright.plan.tries import has_serves_label

HELD = "it is kept until its Modules are gone"


@dataclass(frozen=True)
class ObservedReplicaSet:
    """`modules`: all of this ReplicaSet, terminating ones too. `room`: the base's pods, and pods that hold one of ours.

    `has_let_go`: it was deleted with --cascade=orphan. `refused`: what the API server says of a write that it refuses.
    """

    replica_set: ModuleReplicaSet
    modules: Replicas = Replicas()
    room: Room = Room()
    status_written_at: datetime | None = None
    refused: str = ""
    has_let_go: bool = False


def plan_replica_set(observed: ObservedReplicaSet, now: datetime) -> Plan:
    """The ReplicaSet's next step."""
    if observed.replica_set.is_terminating:
        return _plan_removal(observed)
    if MODULE_EXISTS not in observed.replica_set.metadata.finalizers:
        return Plan((_finalizers(observed, (*observed.replica_set.metadata.finalizers, MODULE_EXISTS), HELD),))
    moves, explanation = _plan_moves(observed)
    changes = Plan(moves + tuple(_renewals(observed.replica_set, observed.modules.coming)))
    status = _plan_status(observed, explanation, now)
    return status.then(changes) if observed.refused else changes.then(status)


def _plan_removal(observed: ObservedReplicaSet) -> Plan:
    finalizers = observed.replica_set.metadata.finalizers
    rest = tuple(one for one in finalizers if one != MODULE_EXISTS)
    staying = observed.modules.live
    if observed.has_let_go:
        return Plan((_finalizers(observed, rest, "its Modules are to stay"),) if rest != finalizers else ())
    if staying:
        return Plan(_deletions(staying, "its ReplicaSet is deleted"))
    if observed.modules or rest == finalizers:
        return Plan()
    return Plan((_finalizers(observed, rest, "no Module of it is left"),))


def _finalizers(observed: ObservedReplicaSet, wanted: tuple[str, ...], because: str) -> Patch:
    """Those of others are left as they are."""
    version = observed.replica_set.metadata.resource_version
    patch = {"metadata": {"finalizers": list(wanted) or None, "resourceVersion": version}}
    return Patch(target_of(Kind.MODULE_REPLICASET, observed.replica_set), patch, because)


def needs_room(replica_set: ModuleReplicaSet, modules: Replicas) -> bool:
    """Whether anything of it may move. Most looks are at one that has what it wants: then nobody need look round its base."""
    is_replacing = replica_set.replaces_first and bool(modules.going)
    return len(modules.live) != replica_set.spec.replicas or is_replacing


def kept_until_replaced(observed: ObservedReplicaSet) -> frozenset[str]:
    """Names of deleted Modules that serve on until their replacement does (semantics 7, scaleup_then_scaledown).

    Counts decide: a Module that this ReplicaSet wants no more is replaced by nobody. One that has no free pod to be
    replaced on goes first, and one whose traffic is off has begun to go.
    """
    if not observed.replica_set.replaces_first or observed.replica_set.is_terminating:
        return frozenset()
    module, pods = observed.replica_set.module.name, observed.room.pods
    going = [one for one in observed.modules.going if (it := pods.get(one.pod_name)) and has_serves_label(it, module)]
    if not going:
        return frozenset()
    live = {label_value(one.name): one for one in observed.modules.live}
    missing = observed.replica_set.spec.replicas - len(live)
    coming = min(missing, observed.room.arriving + len(_places(observed, missing).pods)) if missing > 0 else 0
    kept = []
    for one in sorted(going, key=lambda one: one.name):
        replacement = live.get(one.metadata.labels.get(NEW_REPLICATED_MODULE, ""))
        if replacement is None and coming:
            coming -= 1
            kept.append(one.name)
        elif replacement is not None and not is_ready(replacement):
            kept.append(one.name)
    return frozenset(kept)


def _places(observed: ObservedReplicaSet, count: int) -> Placement:
    replica_set, policy = observed.replica_set, observed.replica_set.spec.scheduling_strategy.scheduling_policy
    wish = Wish(replica_set.module.name, count, policy, _goes_beside(observed), observed.room.vacancies)
    return choose_pods(observed.room.seats, wish)


def _named_replacements(observed: ObservedReplicaSet, created: tuple[Create, ...]) -> tuple[Intent, ...]:
    """Deleted Modules are told who replaces them, before it comes."""
    if not (created and observed.replica_set.replaces_first and observed.modules.going):
        return ()
    known = {label_value(one.name) for one in observed.modules.live}
    waiting = (
        one
        for one in sorted(observed.modules.going, key=lambda one: one.name)
        if one.metadata.labels.get(NEW_REPLICATED_MODULE) not in known
    )
    return tuple(
        Patch(
            target_of(Kind.MODULE, one),
            {"metadata": {"labels": {NEW_REPLICATED_MODULE: label_value(new.target.name)}}},
            f"{new.target.name} replaces it",
        )
        for one, new in zip(waiting, created, strict=False)
    )


def _plan_moves(observed: ObservedReplicaSet) -> tuple[tuple[Intent, ...], str]:
    """Modules to create or delete, and why not more of them."""
    replica_set, policy = observed.replica_set, observed.replica_set.spec.scheduling_strategy.scheduling_policy
    live, room = observed.modules.live, observed.room
    missing = replica_set.spec.replicas - len(live)
    if not missing:
        return (), ""
    if missing > 0:
        placement = _places(observed, missing)
        chosen = tuple(room.pods[name] for name in placement.pods)
        created = tuple(_new_module(replica_set, pod) for pod in chosen)
        named = _named_replacements(observed, created)
        return (*named, *created, *_warnings(room, chosen)), placement.explanation + _hint(observed)
    victims = {pod: number for number, pod in enumerate(choose_victims(room.seats, -missing, policy))}
    doomed = sorted((one for one in live if one.pod_name in victims), key=lambda one: victims[one.pod_name])
    because = f"{replica_set.name} has {len(live)} Modules and wants {replica_set.spec.replicas}"
    return (*_recycled(observed, victims.keys()), *_deletions(doomed, because)), ""


def _deletions(modules: Iterable[Module], because: str) -> tuple[Delete, ...]:
    """One without its finalizer would be gone with its code in the base: first its own planner puts that back."""
    held = [one for one in modules if ALLOCATE_POD in one.metadata.finalizers or not one.pod_name]
    return tuple(Delete(target_of(Kind.MODULE, one), because) for one in held)


def _hint(observed: ObservedReplicaSet) -> str:
    """A bare ReplicaSet has nobody who tells it where to go."""
    is_bare = all(one.kind != "ModuleDeployment" for one in observed.replica_set.metadata.owner_references)
    return NOWHERE.format(kind="ReplicaSet", owner="ModuleDeployment") if is_bare and not observed.room.pods else ""


def _warnings(room: Room, chosen: tuple[Pod, ...]) -> tuple[Tell, ...]:
    """A cap that is no number caps nothing: whoever wrote it is told when that matters."""
    texts = ((pod, cap_text(pod, room.base)) for pod in chosen)
    return tuple(
        Tell(
            target_of(Kind.POD, pod),
            EventReason.INVALID_MAX_MODULE_COUNT,
            f"{MAX_MODULE_COUNT} {text!r} is not a whole number, 0 or more: no limit is applied to base pod {pod.name}",
            is_warning=True,
        )
        for pod, text in texts
        if text and not text.isdigit()
    )


def _recycled(observed: ObservedReplicaSet, victims: Collection[str]) -> tuple[Intent, ...]:
    """Base pods that scaleup_then_scaledown leaves empty are asked to leave too, where that was opted for (semantics 5)."""
    room = observed.room
    if not room.recycles_pods or room.is_newest or not observed.replica_set.replaces_first:
        return ()
    emptied = [room.pods[one.pod] for one in room.seats if one.pod in victims and one.is_live and one.modules <= 1]
    because = "an upgrade has left it without a module, and recycle-base-pod is set"
    label = {"metadata": {"labels": {DELETE_POD: "true"}}}
    asked = (Patch(target_of(Kind.POD, pod), label, because) for pod in emptied)
    told = (
        Tell(target_of(Kind.POD, pod), EventReason.BASE_POD_RECYCLED, f"base pod {pod.name}: {because}")
        for pod in emptied
    )
    return (*asked, *told)


def _goes_beside(observed: ObservedReplicaSet) -> bool:
    """Only a newest revision takes the place of others on their pods, and not where it has to scale up elsewhere first."""
    return observed.room.is_newest and not observed.replica_set.replaces_first


def _new_module(replica_set: ModuleReplicaSet, pod: Pod) -> Create:
    name = module_object_name(replica_set.name, replica_set.module.name, pod.metadata.uid)
    template = replica_set.spec.template
    labels = {
        **replica_set.metadata.labels,
        **without_ours(template.metadata.labels),
        MODULE_REPLICASET: label_value(replica_set.name),
        BASE_INSTANCE_NAME: label_value(pod.name),
        BASE_INSTANCE_IP: label_value(pod.status.pod_ip),
    }
    module = Module(
        api_version=API_VERSION,
        kind="Module",
        metadata=ObjectMeta(
            name=name,
            namespace=replica_set.metadata.namespace,
            labels=labels,
            annotations=template.metadata.annotations,
            finalizers=(ALLOCATE_POD,),
            owner_references=(owner_reference(pod),),
        ),
        spec=ModuleSpec(module=replica_set.module, upgrade_policy=replica_set.spec.operation_strategy.upgrade_policy),
    )
    target = Target(Kind.MODULE, module.metadata.namespace, name)
    return Create(target, encode(module), f"{replica_set.name} places {replica_set.module.name} on {pod.name}")


def _renewals(replica_set: ModuleReplicaSet, coming: tuple[Module, ...]) -> list[Intent]:
    """A changed url and policy reach the Modules that are not installed; those that are keep what they were installed by."""
    wanted = ModuleSpec(module=replica_set.module, upgrade_policy=replica_set.spec.operation_strategy.upgrade_policy)
    return [_renewal(one, wanted) for one in coming if _is_stale(one, wanted)]


def _renewal(module: Module, wanted: ModuleSpec) -> Patch:
    spec: Document = {"module": encode(wanted.module), "upgradePolicy": wanted.upgrade_policy}
    return Patch(target_of(Kind.MODULE, module), {"spec": spec}, "the template's url, or the policy, has changed")


def _is_stale(module: Module, wanted: ModuleSpec) -> bool:
    """One that says another name or version is exchanged by its own planner, which knows what is in the base."""
    had, new = module.spec.module, wanted.module
    if (had.name, had.version) != (new.name, new.version):
        return False
    return (had, module.spec.upgrade_policy) != (new, wanted.upgrade_policy)


def _failing(observed: ObservedReplicaSet, explanation: str) -> tuple[Condition, ...]:
    if observed.refused:
        return (write_refused(observed.refused),)
    placed = Condition(type="ReplicaFailure", status="True", reason=EventReason.INSUFFICIENT_BASES, message=explanation)
    if explanation:
        return (placed,)
    is_missed = len(observed.modules.live) < observed.replica_set.spec.replicas
    stuck = slowest(observed.modules.going) if is_missed else None  # its successor waits for it to leave
    return (stuck,) if stuck else ()


def _plan_status(observed: ObservedReplicaSet, explanation: str, now: datetime) -> Plan:
    replica_set, modules, wait = observed.replica_set, observed.modules, observed.replica_set.spec.min_ready_seconds
    available, soon = modules.available(wait, now), modules.next_available_in(wait, now)
    failing = _failing(observed, explanation)
    conditions = stamped(failing, replica_set.status.conditions, replica_set.metadata.generation, now)
    wanted = ModuleReplicaSetStatus(
        replicas=len(modules.live),
        current_replicas=len(modules),
        ready_replicas=len(modules.ready),
        available_replicas=available,
        observed_generation=replica_set.metadata.generation,
        conditions=conditions,
    )
    if wanted == replica_set.status:
        return Plan(look_again_in=soon)
    left = status_wait(observed.status_written_at, now)
    if left > 0 and wanted.ready_replicas < replica_set.spec.replicas:
        return Plan(look_again_in=left)
    target = target_of(Kind.MODULE_REPLICASET, observed.replica_set)
    because = f"{available} of {replica_set.spec.replicas} available"
    told: tuple[Intent, ...] = ()
    if explanation and not replica_set.status.conditions:
        told = (Tell(target, EventReason.INSUFFICIENT_BASES, explanation, is_warning=True),)
    return Plan((SetStatus(target, encode_whole(wanted), because), *told), soon)
