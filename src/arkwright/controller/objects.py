"""Objects of a cluster, as far as we were told. In: values from watches and from our own writes. Out: Changes, lookups.

An object never goes back to an older resourceVersion, and one that was deleted does not come back: so the answer to our
own write may enter as soon as it is there, and no key is planned on a world without its own last writes.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
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

    def replace(self, kind: Kind, listed: Iterable[KubernetesObject]) -> None:
        """A whole listing: what is not in it is gone."""
        known = {one.metadata.uid: one for one in listed}
        for one in self.all(kind):
            if one.metadata.uid not in known:
                self.remove(kind, one)
        for new in known.values():
            self.apply(kind, new)

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
    return not all(one.isdigit() for one in versions) or int(versions[0]) > int(versions[1])
