"""A ReplicaSet on one machine: as many pods as it asks for, all on the only node there is. Pure.

In: the ReplicaSet, the pods that are its own or might be. Out: a Plan. The rules are Kubernetes' own.
"""

from datetime import datetime

from arkwright.model.cluster import Document, Workload
from arkwright.model.moments import seconds_left
from arkwright.model.resources import Kind
from arkwright.plan.intents import Create, Delete, Intent, Plan, SetStatus, Target, target_of
from arkwright.standalone.belonging import Belonging, is_owned_by
from arkwright.standalone.readers import BEGINNING, condition, counted, moment, seconds, wanted

MOST_PODS = 500  # of one ReplicaSet: a slip of the keyboard must not take the machine from everybody else
AT_ONCE, AGAIN_SECONDS = 50, 0.1


def plan_replica_set(replica_set: Workload, pods: tuple[Workload, ...], node: str, now: datetime) -> Plan:
    """Pods taken in, let go, made or deleted, and its status. `node` "": there is none that takes pods now."""
    belonging = Belonging(Kind.REPLICASET, Kind.POD, replica_set)
    settled = belonging.intents(pods)
    if settled:
        return Plan(settled, AGAIN_SECONDS)
    own = tuple(one for one in pods if is_owned_by(one, replica_set))
    live = [one for one in own if not one.is_terminating and one.status.get("phase") not in ("Failed", "Succeeded")]
    intents: list[Intent] = [*_changes(replica_set, live, node)]
    status = _status(replica_set, live, now) | _leaving(own)
    if status != replica_set.status:
        intents.append(SetStatus(target_of(Kind.REPLICASET, replica_set), status, "its pods have changed"))
    waits = [left for one in live if (left := seconds_to_available(replica_set, one, now))]
    waits += [AGAIN_SECONDS] if sum(isinstance(one, Create) for one in intents) == AT_ONCE else []
    return Plan(tuple(intents), min(waits, default=None))


def _changes(replica_set: Workload, live: list[Workload], node: str) -> list[Intent]:
    missing = 0 if replica_set.is_terminating else min(wanted(replica_set), MOST_PODS) - len(live)
    target = Target(Kind.POD, replica_set.metadata.namespace, f"{replica_set.name}-")
    because = f"{replica_set.name} asks for one more pod"
    made: list[Intent] = [Create(target, pod_of(replica_set, node), because) for _ in range(min(missing, AT_ONCE))]
    because = f"{replica_set.name} asks for one pod less"
    return made + [Delete(target_of(Kind.POD, one), because) for one in sorted(live, key=_rank)[: max(0, -missing)]]


def pod_of(replica_set: Workload, node: str) -> Document:
    """A new pod, as the template has it; `node` "": it is given one later."""
    template = replica_set.spec["template"]
    given = template.get("metadata") or {}
    metadata = {
        "generateName": f"{replica_set.name}-",
        "ownerReferences": [Belonging(Kind.REPLICASET, Kind.POD, replica_set).reference()],
    }
    metadata |= {name: given[name] for name in ("labels", "annotations") if given.get(name)}
    spec = ({"nodeName": node} if node else {}) | template["spec"]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def is_ready(pod: Workload) -> bool:
    return condition(pod, "Ready").get("status") == "True"


def seconds_to_available(replica_set: Workload, pod: Workload, now: datetime) -> float:
    """Until a ready pod has been so for minReadySeconds; 0 for one that has, or that is not ready."""
    since = moment(condition(pod, "Ready").get("lastTransitionTime"))
    least = seconds(replica_set.spec.get("minReadySeconds"))
    if not is_ready(pod) or since == BEGINNING or not least:
        return 0.0
    return seconds_left(least, since, now)


def _rank(pod: Workload) -> tuple[bool, bool, float]:
    """Who goes first: what is not running, then what is not ready, then the youngest."""
    made = pod.metadata.creation_timestamp
    return (pod.status.get("phase") == "Running", is_ready(pod), -(made.timestamp() if made else 0.0))


def _leaving(pods: tuple[Workload, ...]) -> Document:
    number = sum(one.is_terminating for one in pods)
    return {"terminatingReplicas": number} if number else {}


def has_pods(replica_set: Workload) -> bool:
    """Also one that is still on its way out."""
    return bool(counted(replica_set, "replicas") or counted(replica_set, "terminatingReplicas"))


def _status(replica_set: Workload, live: list[Workload], now: datetime) -> Document:
    ready = [one for one in live if is_ready(one)]
    available = [one for one in ready if not seconds_to_available(replica_set, one, now)]
    labels = ((replica_set.spec["template"].get("metadata") or {}).get("labels") or {}).items()
    labelled = [one for one in live if labels <= one.metadata.labels.items()]
    counts = {
        "fullyLabeledReplicas": len(labelled),
        "readyReplicas": len(ready),
        "availableReplicas": len(available),
    }
    kept = {"replicas": len(live), "observedGeneration": replica_set.metadata.generation}
    return kept | {name: number for name, number in counts.items() if number}
