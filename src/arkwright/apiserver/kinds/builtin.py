"""The kinds of Kubernetes that this API keeps objects of without a CRD. Out: Resources. (Their fields: `shapes.json`.)"""

from typing import Any

from arkwright.apiserver.kinds.resources import Resource, Scale
from arkwright.apiserver.kinds.selectors import COMMON_FIELDS

Document = dict[str, Any]
POD_FIELDS = frozenset(
    "spec.nodeName spec.restartPolicy spec.schedulerName spec.serviceAccountName spec.hostNetwork status.phase status.podIP"
    " status.nominatedNodeName".split()
)
EVENT_FIELDS = frozenset(
    "involvedObject.kind involvedObject.namespace involvedObject.name involvedObject.uid involvedObject.apiVersion"
    " involvedObject.resourceVersion involvedObject.fieldPath reason reportingComponent source type".split()
)
_REPLICAS = Scale(".spec.replicas", ".status.replicas", ".spec.selector")
_CORE, _RBAC = "io.k8s.api.core.v1.", "rbac.authorization.k8s.io"
_EXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."


def _rbac(plural: str, kind: str, is_namespaced: bool) -> Resource:
    return Resource(_RBAC, "v1", plural, kind, is_namespaced, definition=f"io.k8s.api.rbac.v1.{kind}")


def _core(plural: str, kind: str, *short_names: str, **more: Any) -> Resource:
    return Resource("", "v1", plural, kind, short_names=short_names, definition=_CORE + kind, **more)


def _apps(plural: str, kind: str, *short_names: str) -> Resource:
    definition = f"io.k8s.api.apps.v1.{kind}"
    more: Document = {"has_status": True, "scale": _REPLICAS, "categories": ("all",)}
    return Resource("apps", "v1", plural, kind, short_names=short_names, definition=definition, **more)


BUILT_IN = (
    _core(
        "namespaces", "Namespace", "ns", is_namespaced=False, has_status=True, fields=COMMON_FIELDS | {"status.phase"}
    ),
    _core("pods", "Pod", "po", has_status=True, categories=("all",), fields=COMMON_FIELDS | POD_FIELDS),
    _core(
        "services",
        "Service",
        "svc",
        has_status=True,
        categories=("all",),
        fields=COMMON_FIELDS | {"spec.clusterIP", "spec.type"},
    ),
    _core("endpoints", "Endpoints", "ep"),
    _core("events", "Event", "ev", fields=COMMON_FIELDS | EVENT_FIELDS),
    _core(
        "nodes",
        "Node",
        "no",
        is_namespaced=False,
        has_status=True,
        fields=COMMON_FIELDS | {"spec.unschedulable"},
    ),
    _core("configmaps", "ConfigMap", "cm"),
    _core("secrets", "Secret", fields=COMMON_FIELDS | {"type"}),
    _core("serviceaccounts", "ServiceAccount", "sa"),
    _apps("deployments", "Deployment", "deploy"),
    _apps("replicasets", "ReplicaSet", "rs"),
    Resource(
        "coordination.k8s.io",
        "v1",
        "leases",
        "Lease",
        definition="io.k8s.api.coordination.v1.Lease",
        is_versioned=True,
    ),
    Resource(
        "discovery.k8s.io",
        "v1",
        "endpointslices",
        "EndpointSlice",
        definition="io.k8s.api.discovery.v1.EndpointSlice",
    ),
    Resource(
        "events.k8s.io",
        "v1",
        "events",
        "Event",
        short_names=("ev",),
        definition="io.k8s.api.events.v1.Event",
        fields=COMMON_FIELDS | EVENT_FIELDS,
        view_of="events",
    ),
    _rbac("roles", "Role", True),
    _rbac("rolebindings", "RoleBinding", True),
    _rbac("clusterroles", "ClusterRole", False),
    _rbac("clusterrolebindings", "ClusterRoleBinding", False),
    Resource(
        "apiextensions.k8s.io",
        "v1",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        is_namespaced=False,
        short_names=("crd", "crds"),
        categories=("api-extensions",),
        has_status=True,
        is_versioned=True,
        definition=_EXTENSIONS + "CustomResourceDefinition",
    ),
)
