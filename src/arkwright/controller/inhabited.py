"""Which namespaces have anything of ours in them. In: ModuleDeployments and ReplicaSets of all namespaces, by name. Out: a call for each that gets some.

These are few, and written at most a few times a second; Modules are many. Where there is nothing but Modules (made by hand, or let go of), that
is found by asking. Nothing is kept but names.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from arkwright.model.meta import KubernetesObject
from arkwright.model.resources import Kind


class Inhabited:
    """`on_first` is called with a namespace when something is seen there."""

    def __init__(self, on_first: Callable[[str], None]) -> None:
        self._on_first = on_first
        self._names: dict[tuple[Kind, str], set[str]] = defaultdict(set)

    def __contains__(self, namespace: str) -> bool:
        return any(self._names.get((kind, namespace)) for kind in (Kind.MODULE_DEPLOYMENT, Kind.MODULE_REPLICASET))

    def get(self, kind: Kind, namespace: str, name: str) -> Any:
        """Nothing is kept that could be asked for."""

    def apply(self, kind: Kind, new: KubernetesObject) -> None:
        self._names[kind, new.metadata.namespace].add(new.name)
        self._on_first(new.metadata.namespace)

    def remove(self, kind: Kind, gone: KubernetesObject) -> None:
        self._names[kind, gone.metadata.namespace].discard(gone.name)

    def replace(self, kind: Kind, listed: Iterable[KubernetesObject]) -> None:
        for place in [place for place in self._names if place[0] is kind]:
            del self._names[place]
        for one in listed:
            self.apply(kind, one)
