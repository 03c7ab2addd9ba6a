"""Modules as fleets are counted: by ReplicaSet, family and pod, kept as they change. In: each change of a Module. Out: `Replicas`.

A planner of thousands gets what is ready, coming and going without a walk over them. Each group is a value that is made once and
replaced when one of its Modules changes. What is kept here never differs from a count made anew: the simulations prove it.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from arkwright.model.kinds import Module
from arkwright.model.names import MODULE_REPLICASET
from arkwright.plan.replicas import Replicas, is_ready

Place = tuple[str, str]  # namespace, and the label that a ReplicaSet or a family is known by


@dataclass
class _Group:
    """Modules by name, and their pods' names, as far as they are."""

    modules: dict[str, Module] = field(default_factory=dict)
    pods: dict[str, str] = field(default_factory=dict)

    def put(self, module: Module, pod: str) -> None:
        self.modules[module.name], self.pods[module.name] = module, pod

    def pop(self, name: str) -> None:
        del self.modules[name], self.pods[name]


class _Tally:
    """The Modules of one ReplicaSet."""

    def __init__(self) -> None:
        self._ready, self._coming, self._going = _Group(), _Group(), _Group()
        self._where: dict[str, _Group] = {}
        self._dated: list[tuple[datetime, str]] = []
        self._value: Replicas | None = None

    def __bool__(self) -> bool:
        return bool(self._where)

    def put(self, module: Module) -> None:
        group = self._going if module.is_terminating else self._ready if is_ready(module) else self._coming
        group.put(module, module.pod_name)
        self._where[module.name] = group
        if group is self._ready and (since := module.status.last_transition_time):
            insort(self._dated, (since, module.pod_name))
        self._value = None

    def pop(self, module: Module) -> None:
        """`module` as it was put."""
        group = self._where.pop(module.name)
        group.pop(module.name)
        if group is self._ready and (since := module.status.last_transition_time):
            del self._dated[bisect_left(self._dated, (since, module.pod_name))]
        self._value = None

    @property
    def value(self) -> Replicas:
        if self._value is None:
            ready, coming, going = self._ready, self._coming, self._going
            self._value = Replicas(
                ready=tuple(ready.modules.values()),
                coming=tuple(coming.modules.values()),
                going=tuple(going.modules.values()),
                ready_pods=frozenset(ready.pods.values()),
                coming_pods=frozenset(coming.pods.values()),
                going_pods=frozenset(going.pods.values()),
                dated=tuple(self._dated),
            )
        return self._value


class Tallies:
    """All Modules, as they are put and taken off."""

    def __init__(self) -> None:
        self._of_replica_set: dict[Place, _Tally] = defaultdict(_Tally)
        self._labels: dict[Place, dict[str, int]] = defaultdict(lambda: defaultdict(int))

    def put(self, module: Module) -> None:
        namespace, label = module.metadata.namespace, module.metadata.labels.get(MODULE_REPLICASET, "")
        if label:
            self._of_replica_set[namespace, label].put(module)
            self._labels[namespace, module.family][label] += 1

    def pop(self, module: Module) -> None:
        """`module` as it was put."""
        namespace, label = module.metadata.namespace, module.metadata.labels.get(MODULE_REPLICASET, "")
        if not label:
            return
        place, family = (namespace, label), (namespace, module.family)
        self._of_replica_set[place].pop(module)
        if not self._of_replica_set[place]:
            del self._of_replica_set[place]
        self._labels[family][label] -= 1
        if not self._labels[family][label]:
            del self._labels[family][label]
        if not self._labels[family]:
            del self._labels[family]

    def of_replica_set(self, namespace: str, label: str) -> Replicas:
        """Those that carry its label."""
        found = self._of_replica_set.get((namespace, label))
        return found.value if found else Replicas()

    def labels_of(self, namespace: str, family: str) -> tuple[str, ...]:
        """Labels of the ReplicaSets that the Modules of a ModuleDeployment name."""
        return tuple(self._labels.get((namespace, family), ()))
