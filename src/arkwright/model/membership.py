"""Whose a pod is (semantics, "Pod"; 8). In: a base, a pod, the ReplicaSet that controls the pod. Out: how the pod stands to the base.

A base's pods are those that its Deployment owns through its ReplicaSets, and those that nobody controls; all of them only as
long as the whole selector means them.
"""

from enum import StrEnum

from arkwright.model.cluster import Deployment, Pod, ReplicaSet


class Standing(StrEnum):
    """OWN: a pod of the base. STRAY: relabelled out of its selector. FOREIGN: somebody else's, whatever its labels say.

    UNKNOWN: its ReplicaSet cannot be seen (yet, or any more): it gets nothing, and keeps what it has.
    """

    OWN = "own"
    STRAY = "stray"
    FOREIGN = "foreign"
    UNKNOWN = "unknown"


def standing(base: Deployment, pod: Pod, replica_set: ReplicaSet | None) -> Standing:
    """`replica_set`: the one that controls the pod, None if none is known."""
    if not base.selects(pod):
        return Standing.STRAY
    controller = pod.metadata.controller
    if controller is None:
        return Standing.OWN
    if controller.kind != "ReplicaSet":
        return Standing.FOREIGN
    if replica_set is None or replica_set.metadata.uid != controller.uid:
        return Standing.UNKNOWN
    return Standing.OWN if _is_of(base, replica_set) else Standing.FOREIGN


def _is_of(base: Deployment, replica_set: ReplicaSet) -> bool:
    """Owned by it, or an orphan that it is about to adopt."""
    controller = replica_set.metadata.controller
    if controller is None:
        return base.spec.selector.matches(replica_set.metadata.labels)
    return controller.uid == base.metadata.uid
