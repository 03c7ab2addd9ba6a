"""What is seen of one ModuleDeployment, and what follows from that without deciding anything. In: objects. Out: answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from arkwright.model.cluster import Deployment, Service
from arkwright.model.kinds import Module, ModuleDeployment
from arkwright.model.resources import Kind
from arkwright.plan.handover import Handover
from arkwright.plan.intents import Target, target_of
from arkwright.plan.replicas import Replicas
from arkwright.plan.revisions import Revision, is_in, is_wanted
from arkwright.plan.service import ObservedService
from arkwright.plan.silence import Silence


@dataclass(frozen=True)
class ObservedDeployment:
    """`live_pods`: how many live pods the base has; `unready`: those of its pods that say they are not. `base`: None if there is no Deployment of that name.

    `lost`: its Modules whose ReplicaSet is there no more. `taken`: names of ReplicaSets that its next revision cannot have, for they are somebody else's.
    `service` has the name that the module's Service would have; `sharers` are other ModuleDeployments of that module.
    `former_services`: those of names that the module had before, which nobody else asks for.
    `is_abort`: `deployment` is as if it asked for the stable revision, for a person has given its release up.
    `has_let_go`: it was deleted with --cascade=orphan. `refused`: what the API server says of a write that it refuses.
    """

    deployment: ModuleDeployment
    base: Deployment | None = None
    revisions: tuple[Revision, ...] = ()
    live_pods: int = 0
    unready: frozenset[str] = frozenset()
    lost: tuple[Module, ...] = ()
    taken: frozenset[str] = frozenset()
    service: Service | None = None
    sharers: tuple[ModuleDeployment, ...] = ()
    former_services: tuple[Service, ...] = ()
    status_written_at: datetime | None = None
    is_abort: bool = False
    has_let_go: bool = False
    refused: str = ""

    @cached_property
    def current(self) -> Revision | None:
        """The revision of the wanted name, version and restart in the wanted base."""
        same = [one for one in self.revisions if is_wanted(one, self.deployment)]
        return max(same, key=lambda one: one.number, default=None)

    @cached_property
    def others(self) -> tuple[Revision, ...]:
        current = self.current
        return tuple(one for one in self.revisions if one is not current)

    @cached_property
    def handover(self) -> Handover:
        return Handover(self.deployment.spec, self.desired, self.current, self.others, len(self.silence.uncounted))

    @cached_property
    def silence(self) -> Silence:
        return Silence(self.deployment.spec, self.current.modules.coming if self.current else (), self.unready)

    @property
    def desired(self) -> int:
        replicas = self.deployment.spec.replicas
        if replicas >= 0:
            return replicas
        if self.base is None:
            return self.deployment.status.replicas  # a base that is not there empties no other
        return self.live_pods or len(self._pods_elsewhere)

    @property
    def _pods_elsewhere(self) -> frozenset[str]:
        """In a base that is named no more; it is not emptied before the one that is named now has a pod."""
        base = self.deployment.spec.base_deployment_name
        return frozenset().union(*(one.modules.pods for one in self.others if not is_in(one, base)))

    @property
    def services(self) -> ObservedService:
        names = frozenset(one.replica_set.module.name for one in self.revisions if one.modules)
        return ObservedService(self.deployment, self.service, self.sharers, self.former_services, names)

    @property
    def new_modules(self) -> Replicas:
        return self.current.modules if self.current else Replicas()

    @property
    def old_modules(self) -> tuple[Replicas, ...]:
        """Of each other revision."""
        return tuple(one.modules for one in self.others)

    @property
    def modules(self) -> tuple[Replicas, ...]:
        """Of each revision."""
        return (self.new_modules, *self.old_modules)

    @property
    def troubled(self) -> Iterator[Module]:
        """Modules that are on their way, in or out."""
        return (module for one in self.modules for module in (*one.coming, *one.going))

    @property
    def target(self) -> Target:
        return target_of(Kind.MODULE_DEPLOYMENT, self.deployment)
