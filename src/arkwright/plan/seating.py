"""What a ReplicaSet knows of each base pod (semantics 10). In: pods and the Modules on them. Out: seats."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from arkwright.model.cluster import Deployment, Pod
from arkwright.model.kinds import Module, ModuleReplicaSet, UpgradePolicy
from arkwright.model.names import MAX_MODULE_COUNT, MODULE_REPLICASET, label_value
from arkwright.plan.contention import has_given_way, is_refused_beside
from arkwright.plan.placement import Seat
from arkwright.plan.silence import has_never_answered
from arkwright.plan.status import is_ready


@dataclass(frozen=True)
class Room:
    """The base pods that matter to one ReplicaSet, those that are still starting included, and who is on them.

    `residents`: all Modules by pod name. `arriving`: (pod, ModuleDeployment label, module name) of Modules that are being
    created by anybody and cannot be seen yet. `is_newest`: no other revision of its ModuleDeployment is newer.
    `vacancies`: replicas that no base pod holds in any revision. `recycles_pods`: the ModuleDeployment's annotation allows
    to delete a base pod that an upgrade has left empty.
    """

    replica_set: ModuleReplicaSet
    base: Deployment | None = None
    pods: tuple[Pod, ...] = ()
    residents: Mapping[str, tuple[Module, ...]] = field(default_factory=dict)
    arriving: frozenset[tuple[str, str, str]] = frozenset()
    is_newest: bool = True
    vacancies: int = 0
    recycles_pods: bool = False


def seats(room: Room, now: datetime) -> tuple[Seat, ...]:
    return tuple(_seat(room, pod, now) for pod in room.pods)


def _seat(room: Room, pod: Pod, now: datetime) -> Seat:
    residents = room.residents.get(pod.name, ())
    staying = [one for one in residents if not one.is_terminating]
    own = [one for one in staying if _is_own(room.replica_set, one)]
    siblings = [one for one in staying if not _is_own(room.replica_set, one) and _is_sibling(room.replica_set, one)]
    taken = _taken(room, pod)
    namesakes = {place[0] for place in taken if _is_namesake(room.replica_set, place)}
    return Seat(
        pod=pod.name,
        modules=len(taken),
        cap=cap(pod, room.base),
        holds_own=bool(own),
        holds_sibling=bool(siblings),
        holds_namesake=bool(namesakes),
        namesake_of=min(namesakes, default=""),
        is_live=pod.is_live,
        is_being_left=room.replica_set.replaces_first
        and any(one.is_terminating and _is_own(room.replica_set, one) for one in residents),
        is_given_back=any(has_given_way(one, now) for one in siblings),
        is_ready_to_lose=any(_takes_over(one, room.replica_set, now) for one in siblings),
        is_own_available=any(is_ready(one) for one in own),
        is_silent=any(has_never_answered(one) for one in residents),
        is_nobodys=pod.metadata.controller is None,
    )


def _taken(room: Room, pod: Pod) -> set[tuple[str, str]]:
    """Places that are taken on a pod, those of Modules that cannot be seen yet included."""
    staying = (one for one in room.residents.get(pod.name, ()) if not one.is_terminating)
    return places(staying) | {place[1:] for place in room.arriving if place[0] == pod.name}


def places_on(room: Room, pod: Pod) -> int:
    """How many modules a pod holds; two versions of one ModuleDeployment are one."""
    return len(_taken(room, pod))


def arrivals(room: Room) -> int:
    """Modules of this ReplicaSet's ModuleDeployment that are being created and cannot be seen yet."""
    ours = (room.replica_set.family, room.replica_set.module.name)
    return sum(place[1:] == ours for place in room.arriving)


def _is_namesake(replica_set: ModuleReplicaSet, place: tuple[str, str]) -> bool:
    deployment, name = place
    return name == replica_set.module.name and deployment != replica_set.family


def places(modules: Iterable[Module]) -> set[tuple[str, str]]:
    """(ModuleDeployment, module name) of each place taken: two versions of one ModuleDeployment take one."""
    return {(one.family, one.spec.module.name) for one in modules}


def _is_own(replica_set: ModuleReplicaSet, module: Module) -> bool:
    return module.metadata.labels.get(MODULE_REPLICASET) == label_value(replica_set.name)


def _is_sibling(replica_set: ModuleReplicaSet, module: Module) -> bool:
    return module.family == replica_set.family


def _takes_over(sibling: Module, replica_set: ModuleReplicaSet, now: datetime) -> bool:
    """Serves in our place, or cannot come before we are gone."""
    ours, theirs = replica_set.module, sibling.spec.module
    return (
        is_ready(sibling)
        or sibling.spec.upgrade_policy is UpgradePolicy.UNINSTALL_THEN_INSTALL
        or (is_refused_beside(sibling) and not has_given_way(sibling, now))
        or (ours.name, ours.version) == (theirs.name, theirs.version)
    )


def cap(pod: Pod, base: Deployment | None) -> int | None:
    """max-module-count: the pod's own label, else the Deployment's, else its pod template's. None: no limit [S5]."""
    text = cap_text(pod, base)
    return int(text) if text.isdigit() else None


def cap_text(pod: Pod, base: Deployment | None) -> str:
    """max-module-count as it is written; "" where it is not."""
    places = [pod.metadata.labels]
    if base:
        places += [base.metadata.labels, base.spec.template.metadata.labels]
    return next((labels[MAX_MODULE_COUNT] for labels in places if MAX_MODULE_COUNT in labels), "")
