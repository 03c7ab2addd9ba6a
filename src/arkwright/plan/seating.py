"""What a ReplicaSet knows of each base pod (semantics 10). In: pods and the Modules on them. Out: seats."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from arkwright.model.cluster import Deployment, Pod
from arkwright.model.kinds import Module, ModuleReplicaSet, UpgradePolicy
from arkwright.model.names import MAX_MODULE_COUNT, MODULE_REPLICASET, label_value
from arkwright.plan.contention import has_failed_alone, has_given_way, is_refused_beside
from arkwright.plan.placement import Seat
from arkwright.plan.replicas import is_ready
from arkwright.plan.silence import has_never_answered


@dataclass(frozen=True)
class Room:
    """The base pods that matter to one ReplicaSet, those that are still starting included, by name, and its seat on each.

    `arriving`: Modules of its ModuleDeployment that are being created and cannot be seen yet. `is_newest`: no other revision
    of its ModuleDeployment is newer. `vacancies`: replicas that no base pod holds in any revision. `recycles_pods`: the
    ModuleDeployment's annotation allows to delete a base pod that an upgrade has left empty.
    """

    pods: Mapping[str, Pod] = field(default_factory=dict)
    seats: tuple[Seat, ...] = ()
    base: Deployment | None = None
    arriving: int = 0
    is_newest: bool = True
    vacancies: int = 0
    recycles_pods: bool = False


class Seeker(NamedTuple):
    """What a ReplicaSet's seats depend on, besides the pods and who is on them. `cap`: as its base has it written."""

    label: str
    family: str
    module: str
    version: str
    replaces_first: bool
    cap: str


def seeker(replica_set: ModuleReplicaSet, base: Deployment | None) -> Seeker:
    module = replica_set.module
    return Seeker(
        label_value(replica_set.name),
        replica_set.family,
        module.name,
        module.version,
        replica_set.replaces_first,
        _cap_of_base(base),
    )


@dataclass(frozen=True)
class Company:
    """Who is on a pod, as far as it is the same to every ReplicaSet that has nothing to do with them.

    `residents`: all Modules on it. `is_lasting`: a seat beside them is the same at any time, as long as nobody changes.
    """

    residents: tuple[Module, ...] = ()

    @cached_property
    def places(self) -> frozenset[tuple[str, str]]:
        return frozenset(places(one for one in self.residents if not one.is_terminating))

    @cached_property
    def known(self) -> frozenset[str]:
        """What any of them is called: its ReplicaSet, its ModuleDeployment, its module."""
        labels = (one.metadata.labels.get(MODULE_REPLICASET, "") for one in self.residents)
        names = (each for one in self.residents for each in (one.family, one.spec.module.name))
        return frozenset((*labels, *names))

    @cached_property
    def is_silent(self) -> bool:
        return any(map(has_never_answered, self.residents))

    @cached_property
    def is_lasting(self) -> bool:
        return not any(map(has_failed_alone, self.residents))


def seat_among_strangers(seeker: Seeker, pod: Pod, company: Company) -> Seat | None:
    """The seat of one that has nothing to do with anybody there, as most have not; None for another."""
    if not company.known.isdisjoint((seeker.label, seeker.family, seeker.module)):
        return None
    return Seat(
        pod=pod.name,
        modules=len(company.places),
        cap=cap(pod, seeker.cap),
        is_live=pod.is_live,
        is_silent=company.is_silent,
        is_nobodys=pod.metadata.controller is None,
    )


def seat(
    seeker: Seeker, pod: Pod, residents: tuple[Module, ...], arriving: Iterable[tuple[str, str]], now: datetime
) -> Seat:
    """`residents`: all Modules on the pod. `arriving`: (ModuleDeployment label, module name) of those that are being created there by
    anybody and cannot be seen yet."""
    staying = [one for one in residents if not one.is_terminating]
    own = [one for one in staying if _is_own(seeker, one)]
    siblings = [one for one in staying if one.family == seeker.family and not _is_own(seeker, one)]
    taken = places(staying) | set(arriving)
    namesakes = {family for family, name in taken if name == seeker.module and family != seeker.family}
    return Seat(
        pod=pod.name,
        modules=len(taken),
        cap=cap(pod, seeker.cap),
        holds_own=bool(own),
        holds_sibling=bool(siblings),
        holds_namesake=bool(namesakes),
        namesake_of=min(namesakes, default=""),
        is_live=pod.is_live,
        is_being_left=seeker.replaces_first and any(one.is_terminating and _is_own(seeker, one) for one in residents),
        is_given_back=any(has_given_way(one, now) for one in siblings),
        is_ready_to_lose=any(_takes_over(one, seeker, now) for one in siblings),
        is_own_available=any(is_ready(one) for one in own),
        is_silent=any(has_never_answered(one) for one in residents),
        is_nobodys=pod.metadata.controller is None,
    )


def places(modules: Iterable[Module]) -> set[tuple[str, str]]:
    """(ModuleDeployment, module name) of each place taken: two versions of one ModuleDeployment take one."""
    return {(one.family, one.spec.module.name) for one in modules}


def _is_own(seeker: Seeker, module: Module) -> bool:
    return module.metadata.labels.get(MODULE_REPLICASET) == seeker.label


def _takes_over(sibling: Module, seeker: Seeker, now: datetime) -> bool:
    """Serves in our place, or cannot come before we are gone."""
    theirs = sibling.spec.module
    return (
        is_ready(sibling)
        or sibling.spec.upgrade_policy is UpgradePolicy.UNINSTALL_THEN_INSTALL
        or (is_refused_beside(sibling) and not has_given_way(sibling, now))
        or (seeker.module, seeker.version) == (theirs.name, theirs.version)
    )


def cap(pod: Pod, of_base: str) -> int | None:
    """max-module-count: the pod's own label, else the Deployment's, else its pod template's. None: no limit [S5]."""
    text = pod.metadata.labels.get(MAX_MODULE_COUNT, of_base)
    return int(text) if text.isdigit() else None


def cap_text(pod: Pod, base: Deployment | None) -> str:
    """max-module-count as it is written; "" where it is not."""
    return pod.metadata.labels.get(MAX_MODULE_COUNT, _cap_of_base(base))


def _cap_of_base(base: Deployment | None) -> str:
    places = (base.metadata.labels, base.spec.template.metadata.labels) if base else ()
    return next((labels[MAX_MODULE_COUNT] for labels in places if MAX_MODULE_COUNT in labels), "")
