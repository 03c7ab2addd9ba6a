"""A ReplicaSet on one machine: as many pods as it asks for, all on the only node there is. Pure.

In: the ReplicaSet, its pods. Out: a Plan. The rules are Kubernetes' own.
"""

from datetime import datetime, timedelta

from arkwright.model.cluster import Document, Workload
from arkwright.model.resources import RESOURCES, Kind
from arkwright.plan.intents import Create, Delete, Intent, Plan, SetStatus, Target, target_of

APPS = RESOURCES[Kind.REPLICASET].api_version


def plan_replica_set(replica_set: Workload, pods: tuple[Workload, ...], node: str, now: datetime) -> Plan:
    """Pods made or deleted, and its status."""
    live = [one for one in pods if not one.is_terminating and one.status.get("phase") not in ("Failed", "Succeeded")]
    intents: list[Intent] = []
    missing = replica_set.spec["replicas"] - len(live)
    if replica_set.is_terminating:
        missing = 0
    target = Target(Kind.POD, replica_set.metadata.namespace, f"{replica_set.name}-")
    for _ in range(max(0, missing)):
        intents.append(Create(target, pod_of(replica_set, node), f"{replica_set.name} asks for one more pod"))
    for one in sorted(live, key=_rank)[: max(0, -missing)]:
        intents.append(Delete(target_of(Kind.POD, one), f"{replica_set.name} asks for one pod less"))
    status = _status(replica_set, live, now) | _leaving(pods)
    if status != replica_set.status:
        intents.append(SetStatus(target_of(Kind.REPLICASET, replica_set), status, "its pods have changed"))
    waits = [left for one in live if (left := seconds_to_available(replica_set, one, now))]
    return Plan(tuple(intents), min(waits, default=None))


def pod_of(replica_set: Workload, node: str) -> Document:
    """A new pod, as the template has it."""
    template = replica_set.spec["template"]
    given = template.get("metadata", {})
    metadata = {
        "generateName": f"{replica_set.name}-",
        "ownerReferences": [controller_reference(Kind.REPLICASET, replica_set)],
    }
    metadata |= {name: given[name] for name in ("labels", "annotations") if given.get(name)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"nodeName": node} | template["spec"]}


def controller_reference(kind: Kind, one: Workload) -> Document:
    """As what it makes names its owner."""
    return {
        "apiVersion": APPS,
        "kind": str(kind),
        "name": one.name,
        "uid": one.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def is_ready(pod: Workload) -> bool:
    return _ready_condition(pod).get("status") == "True"


def _ready_condition(pod: Workload) -> Document:
    return next((one for one in pod.status.get("conditions", ()) if one["type"] == "Ready"), {})


def seconds_to_available(replica_set: Workload, pod: Workload, now: datetime) -> float:
    """Until a ready pod has been so for minReadySeconds; 0 for one that has, or that is not ready."""
    since = _ready_condition(pod).get("lastTransitionTime")
    least = replica_set.spec.get("minReadySeconds", 0)
    if not is_ready(pod) or not since or not least:
        return 0.0
    left: timedelta = datetime.fromisoformat(since) + timedelta(seconds=least) - now
    return max(0.0, left.total_seconds())


def _rank(pod: Workload) -> tuple[bool, bool, float]:
    """Who goes first: what is not running, then what is not ready, then the youngest."""
    made = pod.metadata.creation_timestamp
    return (pod.status.get("phase") == "Running", is_ready(pod), -(made.timestamp() if made else 0.0))


def _leaving(pods: tuple[Workload, ...]) -> Document:
    count = sum(one.is_terminating for one in pods)
    return {"terminatingReplicas": count} if count else {}


def has_pods(replica_set: Workload) -> bool:
    """Also one that is still on its way out."""
    return bool(replica_set.status.get("replicas") or replica_set.status.get("terminatingReplicas"))


def _status(replica_set: Workload, live: list[Workload], now: datetime) -> Document:
    ready = [one for one in live if is_ready(one)]
    available = [one for one in ready if not seconds_to_available(replica_set, one, now)]
    wanted = (replica_set.spec["template"].get("metadata", {}).get("labels") or {}).items()
    labelled = [one for one in live if wanted <= one.metadata.labels.items()]
    counts = {
        "fullyLabeledReplicas": len(labelled),
        "readyReplicas": len(ready),
        "availableReplicas": len(available),
    }
    kept = {"replicas": len(live), "observedGeneration": replica_set.metadata.generation}
    return kept | {name: count for name, count in counts.items() if count}
