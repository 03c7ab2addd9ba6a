"""A Module keeps to the ReplicaSet and the pod that it was made for (semantics 7), whatever somebody writes into it.

In: a Module whose labels or owner say something else than its name, which is computed from both, or which says another module than
its ReplicaSet. Out: a patch that puts that right, and an Event; first of all the end of what the base holds by mistake.
Not done here: what was let go of on purpose, and pods that left their base.
"""

from datetime import datetime

from msgspec.structs import replace

from arkwright.model.cluster import Document, Pod
from arkwright.model.codec import encode
from arkwright.model.kinds import ModuleReplicaSet
from arkwright.model.membership import Standing
from arkwright.model.names import (
    BASE_DEPLOYMENT,
    BASE_INSTANCE_IP,
    BASE_INSTANCE_NAME,
    DETACHED,
    MODULE_DEPLOYMENT,
    MODULE_REPLICASET,
    label_value,
)
from arkwright.model.outcomes import EventReason
from arkwright.plan.binding import owner_reference
from arkwright.plan.departure import plan_uninstall
from arkwright.plan.intents import Patch, Plan, Tell
from arkwright.plan.tries import ObservedModule, identity, target


def plan_belonging(observed: ObservedModule) -> Plan | None:
    """None: it says what it is."""
    if observed.made_for is None:
        return None
    replica_set, pod = observed.made_for
    module = observed.module
    patch: Document = {}
    if labels := _labels(observed, replica_set, pod):
        patch["labels"] = labels
    if module.pod_uid != pod.metadata.uid:
        others = (replace(one, controller=False) for one in module.metadata.owner_references if one.kind != "Pod")
        patch["ownerReferences"] = [encode(one) for one in (*others, owner_reference(pod))]
    if not patch:
        return None
    because = f"its {' and '.join(_words(patch))} were changed by hand, and are put back"
    patch["resourceVersion"] = module.metadata.resource_version
    told = Tell(target(module), EventReason.PUT_RIGHT, because, is_warning=True)
    return Plan((Patch(target(module), {"metadata": patch}, because), told))


def plan_exchange(observed: ObservedModule, now: datetime) -> Plan | None:
    """It says another name or version than its ReplicaSet. None: it does not, or its agent has to be asked first.

    If the base holds that, somebody has changed the ReplicaSet: it leaves as every version does. Otherwise the Module was changed.
    """
    had, wanted, report = observed.module.spec.module, observed.archive, observed.report
    if identity(had) == identity(wanted) or report is None or not report.is_certain:
        return None
    is_asked_for = any(identity(one.spec.module) == identity(had) for one in observed.neighbours)
    if report.find(had.name, had.version) and not is_asked_for:
        return plan_uninstall(observed, had, f"leaves: the ReplicaSet says {identity(wanted)}", now)
    because = f"{identity(had)} was written by hand; {identity(wanted)} is put back"
    told = Tell(target(observed.module), EventReason.PUT_RIGHT, because, is_warning=True)
    return Plan((Patch(target(observed.module), {"spec": {"module": encode(wanted)}}, because), told))


def _words(patch: Document) -> list[str]:
    names = {
        "labels": ", ".join(f"label {key}" for key in sorted(patch.get("labels", {}))),
        "ownerReferences": "owners",
    }
    return [names[key] for key in patch]


def _labels(observed: ObservedModule, replica_set: ModuleReplicaSet, pod: Pod) -> dict[str, str | None]:
    """Those by which it is found, where they differ; None takes one away."""
    had = observed.module.metadata.labels
    ours: dict[str, str | None] = {
        key: replica_set.metadata.labels.get(key) or had.get(key) for key in (MODULE_DEPLOYMENT, BASE_DEPLOYMENT)
    }
    place = {BASE_INSTANCE_NAME: label_value(pod.name), BASE_INSTANCE_IP: label_value(pod.status.pod_ip)}
    wanted = ours | place | _whose(observed, label_value(replica_set.name))
    return {key: value for key, value in wanted.items() if had.get(key) != value}


def _whose(observed: ObservedModule, replica_set: str) -> dict[str, str | None]:
    """Its ReplicaSet's, or detached from it: only as long as its pod is none of the base's."""
    had = observed.module.metadata.labels.get(DETACHED)
    if had == replica_set:
        return {}
    if had is not None and observed.standing is Standing.STRAY:
        return {DETACHED: replica_set}
    return {MODULE_REPLICASET: replica_set, DETACHED: None}
