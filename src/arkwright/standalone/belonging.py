"""Whose a ReplicaSet or a pod is: what matches a selector and has no controller is taken in, what no longer matches is let go. Pure.

In: an owner, and objects that may be its own. Out: intents. So an object that a person relabels leaves its owner and stays
as it is (quarantine), and what an owner left behind (`--cascade=orphan`) is found by the one that comes after it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from arkwright.apiserver.kinds import matches
from arkwright.model.cluster import Document, Workload
from arkwright.model.codec import encode
from arkwright.model.meta import KubernetesObject
from arkwright.model.resources import RESOURCES, Kind
from arkwright.plan.intents import Patch, target_of


@dataclass(frozen=True)
class Belonging:
    """Objects of one kind as one owner of another sees them."""

    of: Kind
    kind: Kind
    owner: Workload

    def is_candidate(self, one: Workload) -> bool:
        """Its own, or nobody's and selected."""
        if one.metadata.namespace != self.owner.metadata.namespace:
            return False
        return is_owned_by(one, self.owner) or (one.metadata.controller is None and self._selects(one))

    def intents(self, candidates: Iterable[Workload]) -> tuple[Patch, ...]:
        """Who is taken in, and who let go."""
        if self.owner.is_terminating:
            return ()
        found = [self._settled(one) for one in candidates if not one.is_terminating]
        return tuple(one for one in found if one is not None)

    def _settled(self, one: Workload) -> Patch | None:
        is_own, is_selected = is_owned_by(one, self.owner), self._selects(one)
        if is_own == is_selected or not (is_own or one.metadata.controller is None):
            return None
        kept = [encode(each) for each in one.metadata.owner_references if each.uid != self.owner.metadata.uid]
        owners, words = ([*kept, self.reference()], "takes in") if is_selected else (kept, "lets go, for its labels,")
        patch: Document = {"metadata": {"uid": one.metadata.uid, "ownerReferences": owners}}
        return Patch(target_of(self.kind, one), patch, f"{self.of} {self.owner.name} {words} {one.name}")

    def _selects(self, one: Workload) -> bool:
        selector: Document = self.owner.spec.get("selector") or {}
        return bool(selector) and matches(selector, one.metadata.labels)

    def reference(self) -> Document:
        """As what is its own names it."""
        return {
            "apiVersion": RESOURCES[self.of].api_version,
            "kind": str(self.of),
            "name": self.owner.name,
            "uid": self.owner.metadata.uid,
            "controller": True,
            "blockOwnerDeletion": True,
        }


def is_owned_by(one: KubernetesObject, owner: Workload) -> bool:
    found = one.metadata.controller
    return found is not None and found.uid == owner.metadata.uid
