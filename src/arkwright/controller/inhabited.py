"""Which namespaces have anything of ours in them. In: ModuleDeployments and ReplicaSets of all namespaces, by name. Out: a call for each that has some.

These are few, and written at most a few times a second; Modules are many. Where there is nothing but Modules (made by hand, or let go of), that
is found by asking. Nothing is kept but names.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from arkwright.model.meta import KubernetesObject, ObjectMeta
from arkwright.model.resources import Kind


class Inhabited:
    """`on_seen` is called with a namespace whenever something is seen there."""

    def __init__(self, on_seen: Callable[[str], None]) -> None:
        self._on_seen = on_seen
        self._names: dict[tuple[Kind, str], set[str]] = defaultdict(set)

    def __contains__(self, namespace: str) -> bool:
        return any(self._names.get((kind, namespace)) for kind in (Kind.MODULE_DEPLOYMENT, Kind.MODULE_REPLICASET))

    def get(self, kind: Kind, namespace: str, name: str) -> Any:
        """Nothing is kept that could be asked for."""

    def apply(self, kind: Kind, new: KubernetesObject) -> None:
        self._names[kind, new.metadata.namespace].add(new.name)
        self._on_seen(new.metadata.namespace)

    def remove(self, kind: Kind, gone: KubernetesObject) -> None:
        place = kind, gone.metadata.namespace
        self._names[place].discard(gone.name)
        if not self._names[place]:
            del self._names[place]  # namespaces come and go

    def gone(self, kind: Kind, listed: Sequence[KubernetesObject], _: str) -> list[KubernetesObject]:
        there = {one.key for one in listed}
        known = ((space, name) for (of, space), names in self._names.items() if of is kind for name in names)
        missing = [one for one in known if one not in there]
        return [KubernetesObject(metadata=ObjectMeta(namespace=space, name=name)) for space, name in missing]
