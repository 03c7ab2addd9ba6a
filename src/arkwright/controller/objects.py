"""Objects of a cluster, as far as we were told. In: values from watches and from our own writes. Out: Changes, lookups.

An object never goes back to an older resourceVersion, and one that was deleted does not come back: so the answer to our
own write may enter as soon as it is there, and no key is planned on a world without its own last writes.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from arkwright.controller.sharing import shared
from arkwright.model.meta import KubernetesObject
from arkwright.model.resources import Kind

REMEMBERED_DELETIONS = 10_000


class Key(NamedTuple):
    """What is looked at: one object."""

    kind: Kind
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Change:
    """`before` None: it is new; `after` None: it is gone."""

    kind: Kind
    before: Any
    after: Any


class Objects:
    """`on_change` is called after each Change."""

    def __init__(self, on_change: Callable[[Change], None] = lambda change: None) -> None:
        self.on_change = on_change
        self._objects: dict[Kind, dict[tuple[str, str], KubernetesObject]] = defaultdict(dict)
        self._deleted: dict[str, None] = {}

    def get(self, kind: Kind, namespace: str, name: str) -> Any:
        """The object, or None."""
        return self._objects[kind].get((namespace, name))

    def all(self, kind: Kind) -> list[Any]:
        return list(self._objects[kind].values())

    def apply(self, kind: Kind, new: KubernetesObject) -> None:
        """Take in an object as it is now, unless something newer is known."""
        old = self._objects[kind].get(new.key)
        if new.metadata.uid in self._deleted or (old is not None and not _is_newer(new, old)):
            return
        self._put(Change(kind, old, shared(new, old)))

    def remove(self, kind: Kind, gone: KubernetesObject) -> None:
        """The object is gone; another of the same name, made since, stays."""
        self._deleted[gone.metadata.uid] = None
        while len(self._deleted) > REMEMBERED_DELETIONS:
            del self._deleted[next(iter(self._deleted))]
        old = self._objects[kind].get(gone.key)
        if old is not None and old.metadata.uid == gone.metadata.uid:
            self._put(Change(kind, old, None))

    def gone(self, kind: Kind, listed: Sequence[KubernetesObject], version: str) -> list[KubernetesObject]:
        """What a whole list, made at `version`, has not any more. What was made since then, and came as the answer to a write of ours, is not gone."""
        uids = {one.metadata.uid for one in listed}
        missing = [one for one in self.all(kind) if one.metadata.uid not in uids]
        return [one for one in missing if not _is_later(one.metadata.resource_version, version)]

    def _put(self, change: Change) -> None:
        if change.after is None:
            self._objects[change.kind].pop(change.before.key, None)
        else:
            self._objects[change.kind][change.after.key] = change.after
        self._note(change)
        self.on_change(change)

    def _note(self, change: Change) -> None:
        """What is kept beside the objects follows."""


def _is_newer(new: KubernetesObject, old: KubernetesObject) -> bool:
    """Versions of one object compare as numbers; another uid is another object."""
    if new.metadata.uid != old.metadata.uid:
        return True
    versions = (new.metadata.resource_version, old.metadata.resource_version)
    return not all(one.isdigit() for one in versions) or _is_later(*versions)


def _is_later(version: str, other: str) -> bool:
    """Versions of one cluster compare as numbers, where they are such."""
    return version.isdigit() and other.isdigit() and int(version) > int(other)
