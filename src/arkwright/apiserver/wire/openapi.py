"""The schemas of all kinds, as OpenAPI v3 has them. In: the Registry. Out: documents. Pure."""

import hashlib
import json
from typing import Any

from arkwright.apiserver.kinds import OBJECT_META, Registry, Resource, definitions
from arkwright.apiserver.wire.discovery import STORED_VERSION

Document = dict[str, Any]
INFO = {"title": "Kubernetes", "version": f"v{STORED_VERSION}"}


def openapi_index(registry: Registry) -> Document:
    """/openapi/v3: where the schemas of each group and version are."""
    paths = {_path(one): one for one in registry}
    return {
        "paths": {
            path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={_digest(registry, path)}"} for path in sorted(paths)
        }
    }


def _path(one: Resource) -> str:
    return f"apis/{one.group}/{one.version}" if one.group else f"api/{one.version}"


def _digest(registry: Registry, path: str) -> str:
    return hashlib.sha256(json.dumps(openapi(registry, path), sort_keys=True).encode()).hexdigest()[:32].upper()


def openapi(registry: Registry, path: str) -> Document | None:
    """/openapi/v3/PATH: schemas of one group and version, and what may be done with each; None if there is no such."""
    found = [one for one in registry if _path(one) == path]
    if not found:
        return None
    schemas: Document = {}
    paths: Document = {}
    for one in found:
        schemas |= _schemas(one)
        paths |= operations(one)
    return {"openapi": "3.0.0", "info": INFO, "paths": paths, "components": {"schemas": schemas}}


def _schemas(one: Resource) -> Document:
    kinds = [{"group": one.group, "version": one.version, "kind": one.kind}]
    if one.absence:
        return {one.definition: {"type": "object", "x-kubernetes-group-version-kind": kinds}}
    if one.schema is None:
        found = _closure(one.definition)
        found[one.definition] |= {"x-kubernetes-group-version-kind": kinds}
        return found
    texts: Document = {
        "apiVersion": {"type": "string", "description": f"{one.api_version}: group and version of the kind."},
        "kind": {"type": "string", "description": f"{one.kind}: what this object is."},
    }
    about_meta = "Name, namespace, labels, owners: what every object has."
    meta: Document = {"metadata": {"allOf": [{"$ref": _local(OBJECT_META)}], "description": about_meta}}
    whole = one.schema | {"properties": texts | one.schema.get("properties", {}) | meta}
    return _closure(OBJECT_META) | {one.definition: whole | {"x-kubernetes-group-version-kind": kinds}}


def _local(name: str) -> str:
    return f"#/components/schemas/{name}"


def _closure(name: str) -> Document:
    """A definition and all that it needs, with references as OpenAPI writes them."""
    found: Document = {}
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found[one] = _relinked(definitions()[one], waiting)
    return found


def _relinked(node: Any, needed: list[str]) -> Any:
    if isinstance(node, list):
        return [_relinked(one, needed) for one in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("$ref"), str):
        needed.append(node["$ref"])
        rest = {key: value for key, value in node.items() if key != "$ref"}
        return rest | {"allOf": [{"$ref": _local(node["$ref"])}]}
    return {key: _relinked(value, needed) for key, value in node.items()}


def operations(one: Resource) -> Document:
    """Enough for a client to learn that dry runs and field validation work."""
    kind = {"group": one.group, "version": one.version, "kind": one.kind}
    asked = [
        {"name": name, "in": "query", "schema": {"type": "string"}}
        for name in ("dryRun", "fieldManager", "fieldValidation")
    ]
    space = "namespaces/{namespace}/" if one.is_namespaced else ""
    root = f"/{_path(one)}/{space}{one.plural}"

    def operation(verb: str) -> Document:
        answer = {"200": {"description": "OK"}}
        return {
            "parameters": asked,
            "responses": answer,
            "x-kubernetes-action": verb,
            "x-kubernetes-group-version-kind": kind,
        }

    several = {"post": operation("post"), "get": operation("list")}
    single = {
        "get": operation("get"),
        "put": operation("put"),
        "patch": operation("patch"),
        "delete": operation("delete"),
    }
    return {root: several, root + "/{name}": single}
