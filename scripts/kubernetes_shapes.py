# SPDX-License-Identifier: Apache-2.0
"""Write src/arkwright/apiserver/kinds/shapes.json: the fields and types of the Kubernetes kinds that the embedded API has.

    KUBECONFIG=… python scripts/kubernetes_shapes.py      reads them from that cluster's OpenAPI documents

In: a real API server. Out: for each definition its fields, types, list keys and merge keys; no descriptions.
"""

import json
import subprocess
from pathlib import Path

OUT = Path(__file__).parents[1] / "src" / "arkwright" / "apiserver" / "kinds" / "shapes.json"
ROOTS = {
    "api/v1": ("Pod", "Service", "Namespace", "ConfigMap", "Secret", "ServiceAccount", "Event", "Node", "Endpoints"),
    "apis/apps/v1": ("Deployment", "ReplicaSet"),
    "apis/coordination.k8s.io/v1": ("Lease",),
    "apis/discovery.k8s.io/v1": ("EndpointSlice",),
    "apis/events.k8s.io/v1": ("Event",),
    "apis/rbac.authorization.k8s.io/v1": ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"),
    "apis/apiextensions.k8s.io/v1": ("CustomResourceDefinition",),
}
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
KEPT = ("type", "format", "required", "default", "items", "properties", "additionalProperties", "$ref")


def main() -> None:
    """Every definition that one of the kinds needs, by its short name."""
    found: dict[str, object] = {}
    for path, kinds in ROOTS.items():
        text = subprocess.run(
            ["kubectl", "get", "--raw", f"/openapi/v3/{path}"], capture_output=True, check=True
        ).stdout
        schemas = json.loads(text)["components"]["schemas"]
        for name, schema in schemas.items():
            if "x-kubernetes-group-version-kind" in schema and name.rpartition(".")[2] in kinds:
                _collect(name, schemas, found)
    found[QUANTITY] = {"format": "quantity"}  # it says no more than that anything goes
    text = json.dumps(dict(sorted(found.items())), separators=(",", ":"), sort_keys=True)
    OUT.write_text(text.replace('},"io.', '},\n"io.') + "\n")


def _collect(name: str, schemas: dict, found: dict) -> None:
    if name in found:
        return
    found[name] = None
    found[name] = _shape(schemas[name], schemas, found)


def _shape(schema: dict, schemas: dict, found: dict) -> dict:
    shape: dict = {}
    for one in schema.get("allOf", ()):
        shape |= _shape(one, schemas, found)
    for key, value in schema.items():
        if key == "$ref":
            shape[key] = value.rpartition("/")[2]
            _collect(shape[key], schemas, found)
        elif key == "properties":
            shape[key] = {field: _shape(one, schemas, found) for field, one in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            shape[key] = _shape(value, schemas, found)
        elif key in KEPT or (key.startswith("x-kubernetes-") and "group-version" not in key):
            shape[key] = value
    if shape.get("default") in ({}, "", 0):  # what Go has for a field that is not there: no default of the API
        del shape["default"]
    return shape


if __name__ == "__main__":
    main()
