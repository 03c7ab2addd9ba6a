"""What the dashboard sees: one picture of the cluster for all viewers. In: objects from watches. Out: lookups, and a number that counts changes.

It is read-only and decides nothing. Who may see what of it is not asked here.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from arkwright.controller.objects import Change, Objects
from arkwright.model.cluster import Deployment, Lease, Pod
from arkwright.model.kinds import Module, ModuleDeployment, ModulePhase, ModuleReplicaSet
from arkwright.model.meta import KubernetesObject
from arkwright.model.names import BASE_DEPLOYMENT, label_value
from arkwright.model.resources import Kind
from arkwright.people.owners import of_controllers
from arkwright.people.standings import phase_of
from arkwright.web.told import ToldEvent

Index = dict[tuple[str, ...], dict[tuple[str, str], Any]]
OURS = frozenset({Kind.MODULE_DEPLOYMENT, Kind.MODULE_REPLICASET, Kind.MODULE})
Entry = Iterable[tuple[str, ...]]


def _of_module(one: Module) -> Entry:
    return [
        ("family", one.metadata.namespace, one.family),
        ("modules of base", one.metadata.namespace, one.metadata.labels.get(BASE_DEPLOYMENT, "")),
        ("modules on", one.pod_uid),
    ]


def _of_revision(one: ModuleReplicaSet) -> Entry:
    return [("revisions", one.metadata.namespace, one.family)]


def _of_pod(one: Pod) -> Entry:
    labels = (("pods with", one.metadata.namespace, *item) for item in one.metadata.labels.items())
    return [("pods", one.metadata.namespace), *labels]


def _of_event(one: ToldEvent) -> Entry:
    return [("events", one.involved_object.uid)]


def _of_release(one: ModuleDeployment) -> Entry:
    return [("releases of", one.metadata.namespace, one.spec.base_deployment_name)]


ENTRIES: dict[Kind, Callable[[Any], Entry]] = {
    Kind.MODULE: _of_module,
    Kind.MODULE_REPLICASET: _of_revision,
    Kind.POD: _of_pod,
    Kind.EVENT: _of_event,
    Kind.MODULE_DEPLOYMENT: _of_release,
}


class Fleet(Objects):
    """`version` counts changes; `age` of the objects is the watchers' business."""

    def __init__(self) -> None:
        super().__init__()
        self._index: Index = defaultdict(dict)
        self._counts: Counter[str] = Counter()
        self._failed: Counter[tuple[str, str]] = Counter()
        self.version = 0
        self._woken = asyncio.Event()

    # ── as watchers tell it ──

    def apply(self, kind: Kind, new: KubernetesObject) -> None:
        if _is_shown(new):
            super().apply(kind, new)

    def _note(self, change: Change) -> None:
        kind, old, new = change.kind, change.before, change.after
        entries, key = ENTRIES.get(kind, lambda one: ()), (new or old).key
        for value in entries(old) if old is not None else ():
            self._index[value].pop(key, None)
            if not self._index[value]:
                del self._index[value]
        for value in entries(new) if new is not None else ():
            self._index[value][key] = new
        if kind is Kind.MODULE:
            self._failed.subtract(_failed_in(old))
            self._failed.update(_failed_in(new))
        if kind in OURS:
            self._count(key[0], (new is not None) - (old is not None))
        if _may_be_seen(kind, old, new):
            self.version += 1
            self._woken.set()
            self._woken = asyncio.Event()

    def _count(self, namespace: str, more: int) -> None:
        self._counts[namespace] += more
        if not self._counts[namespace]:
            del self._counts[namespace]

    async def change_after(self, version: int) -> None:
        """Until something is different from what it was at `version`."""
        while self.version == version:
            await self._woken.wait()

    # ── as pages ask it ──

    @property
    def namespaces(self) -> list[str]:
        """Those with anything of ours in them."""
        return sorted(self._counts)

    @property
    def releases(self) -> list[ModuleDeployment]:
        return self.all(Kind.MODULE_DEPLOYMENT)

    @property
    def bases(self) -> list[Deployment]:
        return self.all(Kind.DEPLOYMENT)

    @property
    def leases(self) -> tuple[Lease, ...]:
        """Of controllers; those of one namespace are watched."""
        return of_controllers(self.all(Kind.LEASE))

    def release(self, namespace: str, name: str) -> ModuleDeployment | None:
        found = self.get(Kind.MODULE_DEPLOYMENT, namespace, name)
        return found if isinstance(found, ModuleDeployment) else None

    def all_in(self, kind: Kind, namespace: str) -> list[Any]:
        return [one for one in self.all(kind) if one.metadata.namespace == namespace]

    def revisions_of(self, one: ModuleDeployment) -> list[ModuleReplicaSet]:
        """The newest first."""
        found = self._found("revisions", one.metadata.namespace, label_value(one.name))
        return sorted(found, key=lambda each: each.revision, reverse=True)

    def modules_of(self, one: ModuleDeployment) -> list[Module]:
        return self._found("family", one.metadata.namespace, label_value(one.name))

    def modules_on(self, pod: Pod) -> list[Module]:
        return self._found("modules on", pod.metadata.uid)

    def modules_in(self, namespace: str, base: str) -> tuple[int, int]:
        """How many there are, and how many of them have failed: counted as they change, for there may be many."""
        place = namespace, label_value(base)
        return len(self._index.get(("modules of base", *place), ())), self._failed[place]

    def pods_of(self, base: Deployment) -> list[Pod]:
        """By the base's selector, by name."""
        namespace, first = base.metadata.namespace, base.spec.selector.first_label
        near = self._found("pods with", namespace, *first) if first else self._found("pods", namespace)
        found = [one for one in near if base.selects(one)]
        return sorted(found, key=lambda one: one.name)

    def releases_of(self, base: Deployment) -> list[ModuleDeployment]:
        return self._found("releases of", base.metadata.namespace, base.name)

    def events_about(self, *objects: KubernetesObject) -> list[ToldEvent]:
        """The latest first."""
        found = [each for one in objects for each in self._found("events", one.metadata.uid)]
        return sorted(found, key=lambda one: one.order, reverse=True)

    def _found(self, *value: str) -> list[Any]:
        return list(self._index.get(value, {}).values())


def _failed_in(one: Module | None) -> list[tuple[str, str]]:
    """The place of one that has failed."""
    if one is None or phase_of(one) != ModulePhase.FAILED:
        return []
    return [(one.metadata.namespace, one.metadata.labels.get(BASE_DEPLOYMENT, ""))]


def _is_shown(one: KubernetesObject) -> bool:
    """Events of other people's affairs are most of a cluster's."""
    return not isinstance(one, ToldEvent) or one.is_of_modules


def _may_be_seen(kind: Kind, old: Any, new: Any) -> bool:
    """A Lease is renewed all the time, and much that is written of pods is not kept here at all."""
    if kind is Kind.LEASE:
        return False
    return old is None or new is None or _unversioned(old) != _unversioned(new)


def _unversioned(one: Any) -> Any:
    return replace(one, metadata=replace(one.metadata, resource_version=""))
