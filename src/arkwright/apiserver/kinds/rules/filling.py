"""What the server fills in where a kind has a life of its own. (What nobody said: `defaults`.)

In: a document that is about to be written, in place. Kinds without an entry are just stored.
"""

from collections.abc import Callable
from typing import Any

from arkwright.apiserver.kinds.defaults import default

Document = dict[str, Any]
OPEN = ("LoadBalancer", "NodePort")
NODE_INFO = (
    "architecture bootID containerRuntimeVersion kernelVersion kubeProxyVersion kubeletVersion machineID operatingSystem"
    " osImage systemUUID"
).split()
Fill = Callable[[Document, Document | None], None]


# ── pods ──


def _fill_pod(pod: Document, old: Document | None) -> None:
    default(pod["spec"], preemptionPolicy="PreemptLowerPriority", priority=0, tolerations=_tolerations())
    if old is None:
        pod["status"] = {"phase": "Pending", "qosClass": _quality(pod["spec"])}


def _tolerations() -> list[Document]:
    names = ("not-ready", "unreachable")
    shared = {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    return [{"key": f"node.kubernetes.io/{name}"} | shared for name in names]


def _quality(spec: Document) -> str:
    wishes = [one.get("resources") or {} for one in spec.get("containers", ())]
    if not any(one.get("requests") or one.get("limits") for one in wishes):
        return "BestEffort"
    both = ("cpu", "memory")
    is_fixed = all(
        all(name in (one.get("limits") or {}) for name in both) and one.get("requests", one["limits"]) == one["limits"]
        for one in wishes
    )
    return "Guaranteed" if is_fixed else "Burstable"


# ── deployments and replica sets ──


def _fill_deployment(deployment: Document, old: Document | None) -> None:
    if old is None:
        deployment["status"] = {}


def _fill_replica_set(replica_set: Document, old: Document | None) -> None:
    if old is None:
        replica_set["status"] = {"replicas": 0}


# ── services ──


def _fill_service(service: Document, old: Document | None) -> None:
    """A Service that is no longer open to the outside loses what only such have, unless it was just given."""
    if old is None:
        service["status"] = {"loadBalancer": {}}
        return
    spec, before = service["spec"], old["spec"]
    if before.get("type") not in OPEN or spec.get("type") in OPEN:
        return
    if spec.get("externalTrafficPolicy") == before.get("externalTrafficPolicy"):
        spec.pop("externalTrafficPolicy", None)
    had = {one.get("nodePort") for one in before.get("ports") or ()}
    for port in spec.get("ports") or ():
        if port.get("nodePort") in had:
            port.pop("nodePort", None)


# ── the others ──


def _fill_node(node: Document, old: Document | None) -> None:
    """Go writes these whether they are known or not."""
    node["spec"] = node.get("spec") or {}
    status = node["status"] = node.get("status") or {}
    default(status, daemonEndpoints={"kubeletEndpoint": {"Port": 0}}, nodeInfo={})
    status["nodeInfo"] = dict.fromkeys(NODE_INFO, "") | status["nodeInfo"]


def _fill_namespace(namespace: Document, old: Document | None) -> None:
    if old is None:
        namespace["spec"] = {"finalizers": ["kubernetes"]}
        namespace["status"] = {"phase": "Active"}


def _fill_definition(crd: Document, old: Document | None) -> None:
    spec, metadata = crd["spec"], crd["metadata"]
    names = spec["names"]
    stored = [one.get("name") for one in spec.get("versions") or () if one.get("storage")]
    known = (crd.get("status") or {}).get("storedVersions") or []
    said = {"status": "True", "lastTransitionTime": metadata.get("creationTimestamp")}
    crd["status"] = {
        "conditions": [
            said | {"type": "NamesAccepted", "reason": "NoConflicts", "message": "no conflicts found"},
            said
            | {
                "type": "Established",
                "reason": "InitialNamesAccepted",
                "message": "the initial names have been accepted",
            },
        ],
        "acceptedNames": dict(names),
        "storedVersions": known + [one for one in stored if one not in known],
    }


FILL: dict[str, Fill] = {
    "pods": _fill_pod,
    "deployments.apps": _fill_deployment,
    "replicasets.apps": _fill_replica_set,
    "services": _fill_service,
    "namespaces": _fill_namespace,
    "nodes": _fill_node,
    "customresourcedefinitions.apiextensions.k8s.io": _fill_definition,
}
# These count how often their spec was changed; the other built-in kinds do not.
WITH_GENERATION = frozenset(
    {
        "pods",
        "deployments.apps",
        "replicasets.apps",
        "endpointslices.discovery.k8s.io",
        "customresourcedefinitions.apiextensions.k8s.io",
    }
)
