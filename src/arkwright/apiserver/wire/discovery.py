"""What the API says about itself: groups, versions and kinds. Pure. (Their schemas: `openapi`.)

In: the Registry. Out: documents.
"""

import hashlib
from typing import Any

from arkwright.apiserver.kinds import METRICS, Registry, Resource

Document = dict[str, Any]
VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
PART_VERBS = ["get", "patch", "update"]
MEASURED_VERBS = ["get", "list"]
EMPTY_VERBS = ["get", "list", "watch"]  # of kinds that there are no objects of
STORED_VERSION = "1.34.0"
# What is asked and not stored: group, plural, kind.
REVIEWS = {
    "authentication.k8s.io": {"selfsubjectreviews": "SelfSubjectReview", "tokenreviews": "TokenReview"},
    "authorization.k8s.io": {
        "localsubjectaccessreviews": "LocalSubjectAccessReview",
        "selfsubjectaccessreviews": "SelfSubjectAccessReview",
        "selfsubjectrulesreviews": "SelfSubjectRulesReview",
        "subjectaccessreviews": "SubjectAccessReview",
    },
}
# What can be done with one object beside writing it: part, group, version, kind, verb.
ACTS = {"pods": (("eviction", "policy", "v1", "Eviction", "create"), ("log", "", "v1", "Pod", "get"))}
OWN_REVIEWS = frozenset(name for kinds in REVIEWS.values() for name in kinds if name.startswith("self"))


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
    return dict(sorted((found | {name: ["v1"] for name in REVIEWS}).items()))


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
    if version == "v1" and group in REVIEWS:
        rows = [_review_row(plural, kind) for plural, kind in REVIEWS[group].items()]
    elif found:
        rows = [row for one in sorted(found, key=lambda one: one.plural) for row in _rows(one)]
    else:
        return None
    about = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{group}/{version}".removeprefix("/")}
    return about | {"resources": rows}


def _review_row(plural: str, kind: str) -> Document:
    said = {"name": plural, "singularName": kind.lower(), "namespaced": plural.startswith("local"), "kind": kind}
    return said | {"verbs": ["create"]}


def _rows(one: Resource) -> list[Document]:
    row: Document = {
        "name": one.plural,
        "singularName": one.singular or one.kind.lower(),
        "namespaced": one.is_namespaced,
        "kind": one.kind,
        "verbs": _verbs(one),
    }
    if one.short_names:
        row["shortNames"] = list(one.short_names)
    if one.categories:
        row["categories"] = list(one.categories)
    row["storageVersionHash"] = _hash(f"{one.name}/{one.version}")
    parts = [_part(one, name) for name in one.subresources]
    return [row, *parts, *(_act(one, *words) for words in ACTS.get(one.name, ()))]


def _act(one: Resource, name: str, group: str, version: str, *words: str) -> Document:
    kind, verb = words
    row: Document = {"name": f"{one.plural}/{name}", "singularName": "", "namespaced": one.is_namespaced}
    return row | ({"group": group, "version": version} if group else {}) | {"kind": kind, "verbs": [verb]}


def _verbs(one: Resource) -> list[str]:
    if one.group == METRICS:
        return MEASURED_VERBS
    return EMPTY_VERBS if one.absence else VERBS


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
    if version == "v1" and group in REVIEWS:
        return [_review_entry(plural, kind) for plural, kind in REVIEWS[group].items()]
    return [_entry(one) for one in sorted(found, key=lambda one: one.plural)]


def _review_entry(plural: str, kind: str) -> Document:
    return {
        "resource": plural,
        "responseKind": {"group": "", "version": "", "kind": kind},
        "scope": "Namespaced" if plural.startswith("local") else "Cluster",
        "singularResource": kind.lower(),
        "verbs": ["create"],
    }


def _entry(one: Resource) -> Document:
    kind = {"group": one.group, "version": one.version, "kind": one.kind}
    entry: Document = {
        "resource": one.plural,
        "responseKind": kind,
        "scope": "Namespaced" if one.is_namespaced else "Cluster",
        "singularResource": one.singular or one.kind.lower(),
        "verbs": _verbs(one),
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
    parts += [
        {"subresource": name, "responseKind": {"group": group, "version": version, "kind": kind}, "verbs": [verb]}
        for name, group, version, kind, verb in ACTS.get(one.name, ())
    ]
    return entry | ({"subresources": parts} if parts else {})
