"""Which pods get the only node, and what those are told that do not. Pure.

In: a pod without a node, the node as it is. Out: an intent, or none. A pod of a ReplicaSet waits while the node is cordoned, and
gets it afterwards; any other pod has to name its node itself.
"""

from arkwright.model.cluster import Document, Workload
from arkwright.model.resources import Kind
from arkwright.plan.intents import Patch, SetStatus, target_of
from arkwright.standalone.readers import condition

UNSCHEDULABLE = "Unschedulable"


def is_cordoned(node: Workload | None) -> bool:
    """Whether it takes no new pods. One that nobody has written yet takes all."""
    return node is not None and bool(node.spec.get("unschedulable"))


def plan_pod(pod: Workload, name: str, node: Workload | None) -> Patch | SetStatus | None:
    """`name`: of the node. None for a pod that has a node, is going, or has been told already."""
    if pod.spec.get("nodeName") or pod.is_terminating:
        return None
    is_owned = pod.metadata.controller is not None and pod.metadata.controller.kind == Kind.REPLICASET
    target = target_of(Kind.POD, pod)
    if is_owned and not is_cordoned(node):
        patch: Document = {"metadata": {"uid": pod.metadata.uid}, "spec": {"nodeName": name}}
        return Patch(target, patch, f"{name} takes pods")
    words = _cordoned(name) if is_owned else _nobody(name)
    if condition(pod, "PodScheduled").get("message") == words:
        return None
    said = {"type": "PodScheduled", "status": "False", "reason": UNSCHEDULABLE, "message": words}
    status = pod.status | {"phase": "Pending", "message": words, "conditions": [said]}
    return SetStatus(target, status, "no node takes it")


def _cordoned(name: str) -> str:
    return f"0/1 nodes are available: 1 node(s) were unschedulable: it waits for `kubectl uncordon {name}`"


def _nobody(name: str) -> str:
    return (
        "nothing gives pods a node here: Deployments and ReplicaSets make theirs with one, and a pod with"
        f" spec.nodeName {name!r} runs, as a process, if its container has a command; there are no images"
    )
