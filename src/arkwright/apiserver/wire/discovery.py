"""What the API says about itself: groups, versions, kinds, and their schemas (OpenAPI). Pure.

In: the Registry. Out: documents.
"""

import hashlib
import json
from typing import Any

from arkwright.apiserver.kinds import OBJECT_META, Registry, Resource, definitions

Document = dict[str, Any]
VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
PART_VERBS = ["get", "patch", "update"]
STORED_VERSION = "1.34.0"
INFO = {"title": "Kubernetes", "version": f"v{STORED_VERSION}"}
LIST_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"


def version(package: str) -> Document:
    """Which Kubernetes this API speaks like; `package`: our own version."""
    major, minor, _ = STORED_VERSION.split(".")
    return {
        "major": major,
        "minor": minor,
        "gitVersion": f"v{STORED_VERSION}+arkwright.{package}",
        "platform": "python",
    }


def groups(registry: Registry) -> dict[str, list[str]]:
    """Versions of each group, the preferred one first; not the core group."""
    found: dict[str, list[str]] = {}
    for one in sorted(registry, key=lambda one: not one.is_preferred):
        if one.group and one.version not in found.setdefault(one.group, []):
            found[one.group].append(one.version)
    return dict(sorted(found.items()))


def about(registry: Registry, parts: list[str]) -> Document | None:
    """What a path below /api or /apis says; None if there is no such."""
    match parts:
        case ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        case ["apis"]:
            return group_list(registry)
        case ["api", version]:
            return resource_list(registry, "", version)
        case ["apis", name]:
            return group(registry, name)
        case ["apis", name, version]:
            return resource_list(registry, name, version)
        case _:
            return None


def group_list(registry: Registry) -> Document:
    """/apis"""
    return {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [_group(name, versions) for name, versions in groups(registry).items()],
    }


def group(registry: Registry, name: str) -> Document | None:
    """/apis/NAME"""
    versions = groups(registry).get(name)
    return {"kind": "APIGroup", "apiVersion": "v1"} | _group(name, versions) if versions else None


def _group(name: str, versions: list[str]) -> Document:
    known = [{"groupVersion": f"{name}/{one}", "version": one} for one in versions]
    return {"name": name, "versions": known, "preferredVersion": known[0]}


def resource_list(registry: Registry, group: str, version: str) -> Document | None:
    """/api/v1, /apis/GROUP/VERSION; None if there is no such."""
    found = [one for one in registry if (one.group, one.version) == (group, version)]
    if not found:
        return None
    rows = [row for one in sorted(found, key=lambda one: one.plural) for row in _rows(one)]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": found[0].api_version, "resources": rows}


def _rows(one: Resource) -> list[Document]:
    row: Document = {
        "name": one.plural,
        "singularName": one.singular or one.kind.lower(),
        "namespaced": one.is_namespaced,
        "kind": one.kind,
        "verbs": VERBS,
    }
    if one.short_names:
        row["shortNames"] = list(one.short_names)
    if one.categories:
        row["categories"] = list(one.categories)
    row["storageVersionHash"] = _hash(f"{one.name}/{one.version}")
    parts = [_part(one, name) for name in one.subresources]
    return [row, *parts]


def _part(one: Resource, name: str) -> Document:
    row: Document = {
        "name": f"{one.plural}/{name}",
        "singularName": "",
        "namespaced": one.is_namespaced,
        "kind": one.kind,
        "verbs": PART_VERBS,
    }
    return row | ({"group": "autoscaling", "version": "v1", "kind": "Scale"} if name == "scale" else {})


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:11]


def wanted_version(accept: str) -> str:
    """Which version of the aggregated document a client takes; "" for the plain one. Clients up to 1.29 know v2beta1 only.

    >>> wanted_version("application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json")
    'v2beta1'
    """
    for one in accept.replace(" ", "").split(","):
        parts = one.split(";")
        if "as=APIGroupDiscoveryList" in parts:
            return next((version for version in ("v2", "v2beta1") if f"v={version}" in parts), "")
    return ""


def aggregated(registry: Registry, version: str, *, is_core: bool) -> Document:
    """All groups and kinds in one document; `version`: of apidiscovery.k8s.io."""
    names = {"": ["v1"]} if is_core else groups(registry)
    items = []
    for name, versions in names.items():
        found = [
            {"version": one, "resources": _entries(registry, name, one), "freshness": "Current"} for one in versions
        ]
        items.append({"metadata": {"name": name} if name else {"creationTimestamp": None}, "versions": found})
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{version}",
        "metadata": {},
        "items": items,
    }


def _entries(registry: Registry, group: str, version: str) -> list[Document]:
    found = [one for one in registry if (one.group, one.version) == (group, version)]
    return [_entry(one) for one in sorted(found, key=lambda one: one.plural)]


def _entry(one: Resource) -> Document:
    kind = {"group": one.group, "version": one.version, "kind": one.kind}
    entry: Document = {
        "resource": one.plural,
        "responseKind": kind,
        "scope": "Namespaced" if one.is_namespaced else "Cluster",
        "singularResource": one.singular or one.kind.lower(),
        "verbs": VERBS,
    }
    if one.short_names:
        entry["shortNames"] = list(one.short_names)
    if one.categories:
        entry["categories"] = list(one.categories)
    scale = {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    parts = [
        {"subresource": name, "responseKind": scale if name == "scale" else kind, "verbs": PART_VERBS}
        for name in one.subresources
    ]
    return entry | ({"subresources": parts} if parts else {})


# ── OpenAPI v3 ──


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
