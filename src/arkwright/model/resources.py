"""Where each kind lies in the Kubernetes API, and as which value it is read."""

from dataclasses import dataclass, replace
from enum import StrEnum

from arkwright.model.cluster import (
    Deployment,
    Endpoints,
    EndpointSlice,
    Event,
    Lease,
    Pod,
    ReplicaSet,
    Service,
    Workload,
)
from arkwright.model.kinds import Module, ModuleDeployment, ModuleReplicaSet
from arkwright.model.meta import KubernetesObject
from arkwright.model.names import GROUP


class Kind(StrEnum):
    """The kinds that arkwright reads or writes."""

    MODULE_DEPLOYMENT = "ModuleDeployment"
    MODULE_REPLICASET = "ModuleReplicaSet"
    MODULE = "Module"
    POD = "Pod"
    SERVICE = "Service"
    DEPLOYMENT = "Deployment"
    REPLICASET = "ReplicaSet"
    EVENT = "Event"
    LEASE = "Lease"
    NAMESPACE = "Namespace"
    NODE = "Node"
    ENDPOINTS = "Endpoints"
    ENDPOINT_SLICE = "EndpointSlice"


# What plans are made from: whoever plans sees all of these, in one namespace or in all.
PLANNED_FROM = (
    Kind.DEPLOYMENT,
    Kind.REPLICASET,
    Kind.POD,
    Kind.SERVICE,
    Kind.MODULE_DEPLOYMENT,
    Kind.MODULE_REPLICASET,
    Kind.MODULE,
)


@dataclass(frozen=True)
class Resource:
    """`root` and `plural` make the path; `type` is what `codec` makes of an object."""

    root: str
    plural: str
    type: type[KubernetesObject]

    @property
    def api_version(self) -> str:
        """As objects of this kind say it.

        >>> RESOURCES[Kind.POD].api_version, RESOURCES[Kind.DEPLOYMENT].api_version
        ('v1', 'apps/v1')
        """
        return self.root.removeprefix("/apis/").removeprefix("/api/")

    def path(self, namespace: str, name: str = "", subresource: str = "") -> str:
        """The path of a collection (no name) or an object; an empty namespace means all of them.

        >>> RESOURCES[Kind.POD].path("shop", "web-1", "status")
        '/api/v1/namespaces/shop/pods/web-1/status'
        >>> RESOURCES[Kind.MODULE].path("")
        '/apis/serverless.alipay.com/v1alpha1/modules'
        """
        scope = f"/namespaces/{namespace}" if namespace else ""
        parts = (self.root + scope, self.plural, name, subresource)
        return "/".join(part for part in parts if part)


def as_workload(kind: Kind) -> Resource:
    """The same collection, its objects read with all that they say."""
    return replace(RESOURCES[kind], type=Workload)


_OWN = f"/apis/{GROUP}/v1alpha1"
RESOURCES = {
    Kind.MODULE_DEPLOYMENT: Resource(_OWN, "moduledeployments", ModuleDeployment),
    Kind.MODULE_REPLICASET: Resource(_OWN, "modulereplicasets", ModuleReplicaSet),
    Kind.MODULE: Resource(_OWN, "modules", Module),
    Kind.POD: Resource("/api/v1", "pods", Pod),
    Kind.SERVICE: Resource("/api/v1", "services", Service),
    Kind.DEPLOYMENT: Resource("/apis/apps/v1", "deployments", Deployment),
    Kind.REPLICASET: Resource("/apis/apps/v1", "replicasets", ReplicaSet),
    Kind.EVENT: Resource("/api/v1", "events", Event),
    Kind.LEASE: Resource("/apis/coordination.k8s.io/v1", "leases", Lease),
    Kind.NAMESPACE: Resource("/api/v1", "namespaces", KubernetesObject),
    Kind.NODE: Resource("/api/v1", "nodes", Workload),
    Kind.ENDPOINTS: Resource("/api/v1", "endpoints", Endpoints),
    Kind.ENDPOINT_SLICE: Resource("/apis/discovery.k8s.io/v1", "endpointslices", EndpointSlice),
}
