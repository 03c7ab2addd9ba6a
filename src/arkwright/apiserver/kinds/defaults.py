"""What the built-in kinds have where nobody said anything, and what a new object is compared with.

In: a document as it was decoded, in place. These fields belong to who wrote the object; what the server adds later
(`kinds.FILL`) belongs to nobody. Kinds without an entry have no defaults.
"""

import base64
from collections.abc import Callable
from typing import Any

Document = dict[str, Any]


def default(document: Document, **values: Any) -> None:
    """Where there is nothing, null, or text that says nothing. In place."""
    for name, value in values.items():
        if document.get(name) in (None, ""):
            document[name] = value


# ── pods ──


def pod_spec_defaults(spec: Document) -> None:
    default(
        spec,
        restartPolicy="Always",
        terminationGracePeriodSeconds=30,
        dnsPolicy="ClusterFirst",
        securityContext={},
        schedulerName="default-scheduler",
    )
    for container in (*spec.get("containers", ()), *spec.get("initContainers", ())):
        _container_defaults(container)
    if account := spec.get("serviceAccountName") or spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"] = account


def _container_defaults(container: Document) -> None:
    tag = container.get("image", "").rpartition("/")[2].partition(":")[2]
    pull = "Always" if "@" not in container.get("image", "") and tag in ("", "latest") else "IfNotPresent"
    default(
        container,
        resources={},
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
        imagePullPolicy=pull,
    )
    for port in container.get("ports") or ():
        default(port, protocol="TCP")
    for variable in container.get("env") or ():
        reference = (variable.get("valueFrom") or {}).get("fieldRef")
        if reference is not None:
            default(reference, apiVersion="v1")
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(probe):
            _probe_defaults(container[probe])


def _probe_defaults(probe: Document) -> None:
    default(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    if "httpGet" in probe:
        default(probe["httpGet"], path="/", scheme="HTTP")


def _pod(pod: Document) -> None:
    spec = pod.setdefault("spec", {})
    pod_spec_defaults(spec)
    default(spec, enableServiceLinks=True)
    for container in spec.get("containers") or ():
        resources = container["resources"]
        if limits := resources.get("limits"):
            resources["requests"] = limits | (resources.get("requests") or {})


# ── deployments and replica sets ──


def _deployment(deployment: Document) -> None:
    spec = deployment.setdefault("spec", {})
    default(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600, strategy={})
    strategy = spec["strategy"]
    default(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        default(strategy, rollingUpdate={})
        for name in ("maxUnavailable", "maxSurge"):
            if strategy["rollingUpdate"].get(name) is None:
                strategy["rollingUpdate"][name] = "25%"
    _template(spec)


def _replica_set(replica_set: Document) -> None:
    spec = replica_set.setdefault("spec", {})
    default(spec, replicas=1)
    _template(spec)


def _template(spec: Document) -> None:
    template = spec.setdefault("template", {})
    default(template, metadata={}, spec={})
    pod_spec_defaults(template["spec"])


# ── the others ──


def _service(service: Document) -> None:
    spec = service.setdefault("spec", {})
    default(spec, type="ClusterIP", sessionAffinity="None")
    if spec["type"] != "ExternalName":
        default(spec, internalTrafficPolicy="Cluster")
    if spec["type"] in ("NodePort", "LoadBalancer"):
        default(spec, externalTrafficPolicy="Cluster")
    for port in spec.get("ports") or ():
        default(port, protocol="TCP")
        port["targetPort"] = port.get("targetPort") or port.get("port", 0)


def _endpoints(endpoints: Document) -> None:
    for subset in endpoints.get("subsets") or ():
        for port in subset.get("ports") or ():
            default(port, protocol="TCP")


def _endpoint_slice(found: Document) -> None:
    """Go writes lists that are empty as null."""
    found["endpoints"] = found.get("endpoints") or None
    for one in found["endpoints"] or ():
        default(one, conditions={})
    found["ports"] = found.get("ports") or None
    for port in found["ports"] or ():
        port["name"] = port.get("name") or ""
        default(port, protocol="TCP")


def _event(event: Document) -> None:
    """Go writes these whether they are set or not."""
    for name in ("eventTime", "firstTimestamp", "lastTimestamp"):
        event.setdefault(name, None)
    default(event, reportingComponent="", reportingInstance="", source={})


def _namespace(namespace: Document) -> None:
    metadata = namespace["metadata"]
    metadata["labels"] = (metadata.get("labels") or {}) | {"kubernetes.io/metadata.name": metadata.get("name", "")}


def _secret(secret: Document) -> None:
    default(secret, type="Opaque")
    plain = secret.pop("stringData", None) or {}
    encoded = {name: base64.b64encode(value.encode()).decode() for name, value in plain.items()}
    if encoded:
        secret["data"] = (secret.get("data") or {}) | encoded


def _binding(binding: Document) -> None:
    for subject in binding.get("subjects") or ():
        if subject.get("kind") in ("User", "Group"):
            default(subject, apiGroup="rbac.authorization.k8s.io")
    if binding.get("roleRef"):
        default(binding["roleRef"], apiGroup="rbac.authorization.k8s.io")


def _definition(crd: Document) -> None:
    spec = crd.setdefault("spec", {})
    names = spec.setdefault("names", {})
    default(names, singular=names.get("kind", "").lower(), listKind=names.get("kind", "") + "List")
    default(spec, conversion={"strategy": "None"})


DEFAULTS: dict[str, Callable[[Document], None]] = {
    "pods": _pod,
    "deployments.apps": _deployment,
    "replicasets.apps": _replica_set,
    "services": _service,
    "endpoints": _endpoints,
    "endpointslices.discovery.k8s.io": _endpoint_slice,
    "events": _event,
    "namespaces": _namespace,
    "secrets": _secret,
    "rolebindings.rbac.authorization.k8s.io": _binding,
    "clusterrolebindings.rbac.authorization.k8s.io": _binding,
    "customresourcedefinitions.apiextensions.k8s.io": _definition,
}
_POD_SPEC: Document = {"containers": []}
_TEMPLATE: Document = {"metadata": {}, "spec": _POD_SPEC}
# What Go always has, said or not: a new object's writer does not own the containers themselves, only what is in them.
ZERO: dict[str, Document] = {
    "pods": {"spec": _POD_SPEC, "status": {}},
    "deployments.apps": {"spec": {"strategy": {}, "template": _TEMPLATE}, "status": {}},
    "replicasets.apps": {"spec": {"template": _TEMPLATE}, "status": {}},
    "services": {"spec": {}, "status": {"loadBalancer": {}}},
    "namespaces": {"spec": {}, "status": {}},
    "nodes": {"spec": {}, "status": {"daemonEndpoints": {"kubeletEndpoint": {}}, "nodeInfo": {}}},
    "events": {
        "involvedObject": {},
        "source": {},
        "eventTime": None,
        "firstTimestamp": None,
        "lastTimestamp": None,
        "reportingComponent": "",
        "reportingInstance": "",
    },
    "leases.coordination.k8s.io": {"spec": {}},
    "endpointslices.discovery.k8s.io": {"ports": None},
    "customresourcedefinitions.apiextensions.k8s.io": {"spec": {"names": {}}, "status": {}},
}
