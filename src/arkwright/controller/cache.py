"""What the cluster looks like to the loop, as far as we were told. In: values from watches and from our own writes. Out: Changes, lookups.

Beside the objects, what plans count of them is kept as they change; and what is decided counts before it can be seen.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from arkwright.controller.arrivals import Arrivals
from arkwright.controller.indexes import INDEXES, is_told, meant, whose
from arkwright.controller.objects import Change, Key, Objects
from arkwright.controller.podlabels import PodLabels
from arkwright.controller.rosters import Roster, Rosters
from arkwright.controller.seats import Seats
from arkwright.controller.tallies import Tallies
from arkwright.model.cluster import Deployment, Pod
from arkwright.model.kinds import Module, ModuleReplicaSet
from arkwright.model.membership import Standing, standing
from arkwright.model.meta import KubernetesObject
from arkwright.model.names import (
    MODULE_DEPLOYMENT,
    MODULE_REPLICASET,
    ORPHAN,
    label_value,
    module_name_stem,
    short_hash,
)
from arkwright.model.resources import Kind
from arkwright.plan.replicas import Replicas


class Cache(Objects):
    """`on_change` is called after each Change. `clock` dates what is remembered."""

    def __init__(
        self, clock: Callable[[], datetime], on_change: Callable[[Change], None] = lambda change: None
    ) -> None:
        super().__init__(on_change)
        self._clock = clock
        self._index: dict[tuple[Kind, Hashable], dict[tuple[str, str], KubernetesObject]] = defaultdict(dict)
        self._let_go: dict[str, None] = {}
        self._leaving: set[tuple[str, str]] = set()
        self._tallied: dict[tuple[str, str], Module] = {}
        self._on_pod: dict[str, tuple[Module, ...]] = {}
        self.labels, self.arrivals, self._tallies = PodLabels(clock), Arrivals(), Tallies()
        self._rosters = Rosters(self._likely_pods, self._is_own)
        self.seats = Seats(self.modules_on)
        self.status_written: dict[tuple[Kind, str, str], datetime] = {}
        self.refused: dict[Key, str] = {}  # what the API server said last of a write that was planned for it

    def find(self, kind: Kind, *value: str) -> tuple[Any, ...]:
        """Objects by index, such as `find(Kind.MODULE, "pod", uid)`."""
        return tuple(self._index.get((kind, value), {}).values())

    def remove(self, kind: Kind, gone: KubernetesObject) -> None:
        self._let_go.pop(gone.metadata.uid, None)
        super().remove(kind, gone)

    def _note(self, change: Change) -> None:
        kind, old, new = change.kind, change.before, change.after
        key = (new or old).key
        for index in INDEXES.get(kind, ()):
            for value in index(old) if old is not None else ():
                self._index[kind, value].pop(key, None)
            for value in index(new) if new is not None else ():
                self._index[kind, value][key] = new
        if new is None:
            self.status_written.pop((kind, *key), None)
            self.refused.pop(Key(kind, *key), None)
        self._keep(kind, old, new)
        if new is not None and new.is_terminating and ORPHAN in new.metadata.finalizers:
            self._let_go[new.metadata.uid] = None

    def has_let_go(self, one: KubernetesObject) -> bool:
        """Whether it was deleted with --cascade=orphan: the finalizer that says so may be gone before anybody looks."""
        return one.metadata.uid in self._let_go

    def _keep(self, kind: Kind, old: Any, new: Any) -> None:
        """What is counted beside the objects follows each change of one."""
        match kind:
            case Kind.MODULE:
                self._tally(old, new)
            case Kind.POD:
                self._note_pod(old, new)
            case Kind.REPLICASET if whose(old) != whose(new):
                for pod in self.find(Kind.POD, "controller", (new or old).metadata.uid):
                    self._rosters.look_again(pod, self._likely_bases(pod))
            case Kind.DEPLOYMENT if new is None:
                self._rosters.pop_base(old)
            case Kind.DEPLOYMENT if meant(old) != meant(new):
                self._rosters.put_base(new)

    def _note_pod(self, old: Pod | None, new: Pod | None) -> None:
        self.labels.note(old, new)
        if old:
            self.seats.forget(old.metadata.uid)
        if new:
            self._rosters.look_again(new, self._likely_bases(new))
        elif old:
            self._rosters.pop(old)

    def _tally(self, old: Module | None, new: Module | None) -> None:
        for one in filter(None, (old, new)):
            self.seats.forget(one.pod_uid)
            self._on_pod.pop(one.pod_uid, None)
        if old and (before := self._tallied.pop(old.key, None)):
            self._tallies.pop(before)
        if new:
            seen = self._tallied[new.key] = self._gone_soon(new) if new.key in self._leaving else new
            self._tallies.put(seen)

    def _likely_pods(self, base: Deployment) -> tuple[Pod, ...]:
        first = base.spec.selector.first_label
        place = ("label", base.metadata.namespace, *first) if first else ("namespace", base.metadata.namespace)
        return self.find(Kind.POD, *place)

    def _likely_bases(self, pod: Pod) -> Iterator[Deployment]:
        namespace = pod.metadata.namespace
        yield from self.find(Kind.DEPLOYMENT, "selects", namespace)
        for label in pod.metadata.labels.items():
            yield from self.find(Kind.DEPLOYMENT, "selects", namespace, *label)

    def _is_own(self, base: Deployment, pod: Pod) -> bool:
        return self.standing(base, pod) is Standing.OWN

    @contextmanager
    def leaving(self, modules: Iterable[tuple[str, str]]) -> Iterator[None]:
        """Others see Modules as going from the moment that it is decided: nobody may count on them any more."""
        going = set(modules)
        self._leaving |= going
        self._tally_again(going)
        try:
            yield
        finally:
            self._leaving -= going
            self._tally_again(going)

    def _tally_again(self, keys: Iterable[tuple[str, str]]) -> None:
        for one in filter(None, (self.get(Kind.MODULE, *key) for key in keys)):
            self._tally(one, one)

    def _as_seen(self, module: Module) -> Module:
        """As it was decided, and as it was made."""
        return self._as_made(self._tallied.get(module.key, module))

    def _as_made(self, module: Module) -> Module:
        """With the labels by which it is found, whoever took them away: it counts before they can be put back."""
        replica_set = self.maker_of(module)
        if replica_set is None:
            return module
        family = module.metadata.labels.get(MODULE_DEPLOYMENT) or replica_set.metadata.labels.get(MODULE_DEPLOYMENT)
        ours = {MODULE_REPLICASET: label_value(replica_set.name)} | ({MODULE_DEPLOYMENT: family} if family else {})
        return replace(module, metadata=replace(module.metadata, labels=module.metadata.labels | ours))

    def maker_of(self, module: Module) -> ModuleReplicaSet | None:
        """The ReplicaSet that one without labels was made by: its name is computed from that and a pod. None: it has labels, or is bare."""
        if is_told(module):
            return None
        namespace, (stem, _, suffix) = module.metadata.namespace, module.name.rpartition("-")
        makers: tuple[ModuleReplicaSet, ...] = self.find(Kind.MODULE_REPLICASET, "stem", namespace, stem)
        pods = self.find(Kind.POD, "namespace", namespace) if makers else ()
        is_named = any(short_hash(one.metadata.uid) == suffix for one in pods)
        return makers[0] if is_named else None

    def _gone_soon(self, module: Module) -> Module:
        since = module.metadata.deletion_timestamp or self._clock()
        return replace(module, metadata=replace(module.metadata, deletion_timestamp=since))

    def roster(self, base: Deployment) -> Roster:
        """The pods that are the base's."""
        return self._rosters.of(base)

    def standing(self, base: Deployment, pod: Pod) -> Standing:
        """How the pod stands to the base, as far as can be seen."""
        controller = pod.metadata.controller
        replica_set = self.get(Kind.REPLICASET, pod.metadata.namespace, controller.name) if controller else None
        return standing(base, pod, replica_set)

    def modules_of(self, replica_set: ModuleReplicaSet) -> Replicas:
        """Its Modules; those whose labels somebody took away are found by their names."""
        namespace = replica_set.metadata.namespace
        labelled = self._tallies.of_replica_set(namespace, label_value(replica_set.name))
        stem = module_name_stem(replica_set.name, replica_set.module.name)
        nameless = self.find(Kind.MODULE, "nameless", namespace, stem)
        others = tuple(one for one in nameless if self.maker_of(one) is not None)
        return Replicas.of((*labelled, *map(self._as_seen, others))) if others else labelled

    def replica_sets_named(self, namespace: str, family: str) -> tuple[str, ...]:
        """Labels of ReplicaSets that the Modules of a ModuleDeployment carry."""
        return self._tallies.labels_of(namespace, family)

    def get_pod_of(self, module: Module) -> Pod | None:
        """The very pod that the Module is bound to, not a later one of that name."""
        pod: Pod | None = self.get(Kind.POD, module.metadata.namespace, module.pod_name)
        return pod if pod is not None and pod.metadata.uid == module.pod_uid else None

    def modules_on(self, pod: Pod) -> tuple[Module, ...]:
        uid = pod.metadata.uid
        if (known := self._on_pod.get(uid)) is not None:
            return known
        found = self.find(Kind.MODULE, "pod", uid)
        seen = tuple(map(self._as_seen, found))
        if all(map(is_told, found)):  # what one without labels is of depends on others, which come and go
            self._on_pod[uid] = seen
        return seen
