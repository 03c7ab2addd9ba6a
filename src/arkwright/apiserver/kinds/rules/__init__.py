"""What the built-in kinds do beyond being stored: what the server fills in, and what it refuses. (Defaults: `defaults`.)

In: a document that is about to be written. Out: the same with more in it, FieldErrors. Kinds without an entry are just stored.

filling          what the server fills in
workloads        Deployments and ReplicaSets
  selecting        label selectors
  pods             pods, and what pods are made from
    containers       containers
endpoints        Endpoints and EndpointSlices
  services         Services
others           ConfigMaps, Secrets, Leases, roles, Events, CRDs
    wrongs           what is wrong with one field, in words
"""

from collections.abc import Callable
from typing import Any

from arkwright.apiserver.errors import FieldError
from arkwright.apiserver.kinds.rules.endpoints import endpoint_slice_errors, endpoints_errors
from arkwright.apiserver.kinds.rules.filling import FILL, WITH_GENERATION
from arkwright.apiserver.kinds.rules.others import (
    binding_errors,
    configmap_errors,
    definition_errors,
    event_errors,
    lease_errors,
    role_errors,
    secret_errors,
)
from arkwright.apiserver.kinds.rules.pods import pod_errors
from arkwright.apiserver.kinds.rules.services import service_errors
from arkwright.apiserver.kinds.rules.workloads import deployment_errors, replica_set_errors
from arkwright.apiserver.kinds.rules.wrongs import as_go_writes_it, key_errors, label_errors

Check = Callable[[dict[str, Any], dict[str, Any] | None], list[FieldError]]
_RBAC = "rbac.authorization.k8s.io"
CHECK: dict[str, Check] = {
    "pods": pod_errors,
    "deployments.apps": deployment_errors,
    "replicasets.apps": replica_set_errors,
    "services": service_errors,
    "endpoints": endpoints_errors,
    "endpointslices.discovery.k8s.io": endpoint_slice_errors,
    "configmaps": configmap_errors,
    "secrets": secret_errors,
    "leases.coordination.k8s.io": lease_errors,
    "events": event_errors,
    **{f"{name}.{_RBAC}": role_errors for name in ("roles", "clusterroles")},
    **{f"{name}.{_RBAC}": binding_errors for name in ("rolebindings", "clusterrolebindings")},
    "customresourcedefinitions.apiextensions.k8s.io": definition_errors,
}

__all__ = ["CHECK", "FILL", "WITH_GENERATION", "as_go_writes_it", "key_errors", "label_errors"]
