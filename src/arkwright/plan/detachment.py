"""A base pod that was relabelled out of its base takes its Modules along (semantics 8): it is looked into, not used.

In: a Module whose pod left the base, or came back. Out: the label that says so, a status, an Event. The Module stays
installed as it is and nobody is called, until it or its pod is deleted. Its place is filled elsewhere, and no request comes.
Once its pod is used by a base again, a Module that no ReplicaSet counts there is nobody's: it leaves.
"""

from datetime import datetime

from msgspec.structs import replace

from arkwright.model.cluster import Document, Pod
from arkwright.model.kinds import ModulePhase
from arkwright.model.membership import Standing
from arkwright.model.names import ALLOCATE_POD, BASE_DEPLOYMENT, DETACHED, MODULE_REPLICASET
from arkwright.model.outcomes import EventReason, Reason
from arkwright.plan.intents import Delete, Patch, Plan, Tell
from arkwright.plan.tries import ObservedModule, pod_name, set_status, target


def plan_detachment(observed: ObservedModule, now: datetime) -> Plan | None:
    """None: it belongs where it is."""
    labels = observed.module.metadata.labels
    if DETACHED in labels and labels.get(MODULE_REPLICASET) and observed.standing is not Standing.STRAY:
        return _put_right(observed, {"labels": {DETACHED: None}}, "it is not detached")
    if DETACHED in labels:
        return _plan_detached(observed, now)
    if observed.standing is Standing.STRAY and MODULE_REPLICASET in labels:
        changed = {DETACHED: labels[MODULE_REPLICASET], MODULE_REPLICASET: None}
        left = Tell(target(observed.module), EventReason.MODULE_DETACHED, _why(observed))
        patch = Patch(target(observed.module), {"metadata": {"labels": changed}}, _why(observed))
        return Plan((patch,)).then(_told(observed, now)).then(Plan((left,)))
    return _told(observed, now) if observed.standing is Standing.STRAY else None


def _plan_detached(observed: ObservedModule, now: datetime) -> Plan:
    if _may_return(observed):
        return _plan_return(observed)
    if observed.used_by:
        because = (
            f"pod {pod_name(observed)} is used by base {observed.used_by} again, where no ReplicaSet counts this Module"
        )
        told = Tell(
            target(observed.module), EventReason.MODULE_DETACHED, f"{because}: it is uninstalled", is_warning=True
        )
        return Plan((Delete(target(observed.module), because), told))
    return _told(observed, now)


def with_finalizer(observed: ObservedModule) -> Plan:
    """Without it a deleted Module would be gone, and its code still be in the base."""
    metadata = observed.module.metadata
    wanted = {"finalizers": [*metadata.finalizers, ALLOCATE_POD], "resourceVersion": metadata.resource_version}
    return _put_right(observed, wanted, "its finalizer was taken away, and is put back")


def _put_right(observed: ObservedModule, metadata: Document, because: str) -> Plan:
    told = Tell(target(observed.module), EventReason.PUT_RIGHT, because, is_warning=True)
    return Plan((Patch(target(observed.module), {"metadata": metadata}, because), told))


def not_ours(pod: Pod) -> str:
    """Why a pod that has the base's labels is none of the base's."""
    controller = pod.metadata.controller
    whose = f"{controller.kind} {controller.name}" if controller else "nobody"
    return f"pod {pod.name} is none of the base's: it belongs to {whose}"


def _why(observed: ObservedModule) -> str:
    base = observed.module.metadata.labels.get(BASE_DEPLOYMENT, "")
    return (
        f"pod {pod_name(observed)} was relabelled out of base {base}: it gets no requests and its place is filled elsewhere;"
        " what it holds is left as it is until this Module or the pod is deleted"
    )


def _told(observed: ObservedModule, now: datetime) -> Plan:
    before = observed.module.status
    phase = before.status or ModulePhase.PENDING
    left = replace(before, status=phase, reason=Reason.DETACHED, message=_why(observed), next_attempt_time=None)
    return set_status(observed, left, _why(observed), now)


def _may_return(observed: ObservedModule) -> bool:
    return observed.standing is Standing.OWN and observed.home is not None and not observed.home.is_terminating


def _plan_return(observed: ObservedModule) -> Plan:
    """The ReplicaSet counts it again, and gives up whatever is then too many."""
    changed = {MODULE_REPLICASET: observed.module.metadata.labels[DETACHED], DETACHED: None}
    because = f"pod {pod_name(observed)} is the base's again"
    told = Tell(target(observed.module), EventReason.MODULE_ATTACHED, because)
    return Plan((Patch(target(observed.module), {"metadata": {"labels": changed}}, because), told))
