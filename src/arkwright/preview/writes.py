"""What an API server makes of a write: versions, generations, preconditions, finalizers, what goes with its owner. In: intents. Out: the cache as it is then.

Not done here: what it would refuse; a wish that was asked for with a dry run has been looked at by the real one.
"""

from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import Any

from arkwright.controller.cache import Cache
from arkwright.model.cluster import Document
from arkwright.model.codec import decode, encode, merged, stamp
from arkwright.model.kinds import ModuleDeployment
from arkwright.model.meta import KubernetesObject
from arkwright.model.resources import RESOURCES, Kind
from arkwright.plan.intents import Target, target_of

FIRST_VERSION = 10**15  # later than any that a cluster has given
OWNED = (Kind.MODULE_REPLICASET, Kind.MODULE, Kind.SERVICE)


class Writes:
    """The one writer of `cache`; `clock` dates what is made and what is deleted."""

    def __init__(self, cache: Cache, clock: Callable[[], datetime]) -> None:
        self._cache, self._clock = cache, clock
        self._versions = count(FIRST_VERSION)

    def put(self, kind: Kind, document: Document) -> None:
        """Create it, unless there is one of its name."""
        metadata = document["metadata"]
        if self._cache.get(kind, metadata["namespace"], metadata["name"]) is None:
            given = {
                "uid": f"preview-{next(self._versions)}",
                "generation": 1,
                "creationTimestamp": stamp(self._clock()),
            }
            self._store(kind, document | {"metadata": metadata | given})

    def patch(self, target: Target, patch: Document) -> bool:
        """A merge patch; False if it was meant for another version of the object. One that is gone is no failure."""
        known = self._cache.get(target.kind, target.namespace, target.name)
        if known is None:
            return True
        wanted = patch.get("metadata", {}).get("resourceVersion")
        if wanted not in (None, known.metadata.resource_version):
            return False
        before = encode(known)
        after = merged(before, patch)
        if after == before:
            return True
        if after.get("spec") != before.get("spec"):
            after["metadata"]["generation"] = known.metadata.generation + 1
        if known.is_terminating and not after["metadata"].get("finalizers"):
            self._drop(target.kind, known)
        else:
            self._store(target.kind, after)
        return True

    def replace(self, wanted: ModuleDeployment, generation: int) -> None:
        """As a person wants it, whatever version that was made from; its status is the controller's."""
        document = encode(wanted)
        document["metadata"]["generation"] = generation
        document["metadata"]["uid"] = document["metadata"].get("uid") or f"preview-{next(self._versions)}"
        self._store(Kind.MODULE_DEPLOYMENT, document)

    def delete(self, target: Target) -> None:
        """At once, or marked as long as there are finalizers."""
        known = self._cache.get(target.kind, target.namespace, target.name)
        if known is None or (target.uid and known.metadata.uid != target.uid):
            return
        if not known.metadata.finalizers:
            self._drop(target.kind, known)
        elif not known.is_terminating:
            marked = {"deletionTimestamp": stamp(self._clock()), "generation": known.metadata.generation + 1}
            self._store(target.kind, merged(encode(known), {"metadata": marked}))

    def _store(self, kind: Kind, document: Document) -> None:
        document["metadata"]["resourceVersion"] = str(next(self._versions))
        one: Any = decode(document, RESOURCES[kind].type)
        self._cache.apply(kind, one)

    def _drop(self, kind: Kind, gone: KubernetesObject) -> None:
        self._cache.remove(kind, gone)
        if kind is Kind.MODULE:
            return  # it owns nothing
        for owned in OWNED:
            for one in self._cache.all(owned):
                owners = {owner.uid for owner in one.metadata.owner_references}
                if owners == {gone.metadata.uid}:
                    self.delete(target_of(owned, one))
