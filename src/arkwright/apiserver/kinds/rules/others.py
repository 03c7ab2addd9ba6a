"""The rules of the smaller kinds. In: one, and what stands there now. Out: FieldErrors. Pure."""

from typing import Any

from arkwright.apiserver.bounds import UNREADABLE
from arkwright.apiserver.errors import INVALID, FieldError
from arkwright.apiserver.kinds import formats
from arkwright.apiserver.kinds.resources import custom_resources
from arkwright.apiserver.kinds.rules.wrongs import Errors, forbidden, negative, not_one_of, required, wrong
from arkwright.apiserver.kinds.validation import shown

Document = dict[str, Any]
SUBJECTS = ("ServiceAccount", "User", "Group")
RBAC = "rbac.authorization.k8s.io"
KEYS_OF_TYPE = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}


def configmap_errors(document: Document, old: Document | None) -> Errors:
    data, binary = document.get("data") or {}, document.get("binaryData") or {}
    found = _files_errors(data, "data") + _files_errors(binary, "binaryData")
    for name in data.keys() & binary.keys():
        found += wrong(f"data[{name}]", name, "duplicate of key present in binaryData")
    return found + _frozen_errors(document, old, ("data", "binaryData"))


def secret_errors(document: Document, old: Document | None) -> Errors:
    data, kind = document.get("data") or {}, document.get("type", "")
    found = _files_errors(data, "data")
    found += [one for name in KEYS_OF_TYPE.get(kind, ()) if name not in data for one in required(f"data[{name}]")]
    if old and old.get("type") != kind:
        found += wrong("type", kind, "field is immutable")
    return found + _frozen_errors(document, old, ("data",))


def _files_errors(files: Document, path: str) -> Errors:
    return [one for name in files for one in wrong(f"{path}[{name}]", name, formats.config_key(name))]


def _frozen_errors(document: Document, old: Document | None, names: tuple[str, ...]) -> Errors:
    if not old or not old.get("immutable"):
        return []
    changed = [name for name in (*names, "immutable") if (old.get(name) or {}) != (document.get(name) or {})]
    return [one for name in changed for one in forbidden(name, "field is immutable when `immutable` is set")]


def lease_errors(document: Document, old: Document | None) -> Errors:
    spec = document.get("spec") or {}
    seconds = spec.get("leaseDurationSeconds")
    found = (
        wrong("spec.leaseDurationSeconds", seconds, "must be greater than 0")
        if seconds is not None and seconds <= 0
        else []
    )
    return found + negative("spec.leaseTransitions", spec.get("leaseTransitions"))


def role_errors(document: Document, old: Document | None) -> Errors:
    found: Errors = []
    for number, rule in enumerate(document.get("rules") or ()):
        path = f"rules[{number}]"
        if not rule.get("verbs"):
            found += required(f"{path}.verbs", "verbs must contain at least one value")
        if rule.get("nonResourceURLs"):
            continue
        if not rule.get("apiGroups"):
            found += required(f"{path}.apiGroups", "resource rules must supply at least one api group")
        if not rule.get("resources"):
            found += required(f"{path}.resources", "resource rules must supply at least one resource")
    return found


def binding_errors(document: Document, old: Document | None) -> Errors:
    role = document.get("roleRef") or {}
    kinds = ("Role", "ClusterRole") if document["metadata"].get("namespace") else ("ClusterRole",)
    found = not_one_of("roleRef.kind", role.get("kind") or "", kinds)
    found += [] if role.get("name") else required("roleRef.name")
    if old and (old.get("roleRef") or {}) != role:
        named = {"APIGroup": role.get("apiGroup", ""), "Kind": role.get("kind", ""), "Name": role.get("name", "")}
        found += wrong("roleRef", named, "cannot change roleRef")
    for number, one in enumerate(document.get("subjects") or ()):
        found += _subject_errors(one, f"subjects[{number}]")
    return found


def _subject_errors(one: Document, path: str) -> Errors:
    kind = one.get("kind") or ""
    found = [] if one.get("name") else required(f"{path}.name")
    found += not_one_of(f"{path}.kind", kind, SUBJECTS)
    if kind == "ServiceAccount":
        found += not_one_of(f"{path}.apiGroup", one.get("apiGroup") or "", ("",))
    return found


def event_errors(document: Document, old: Document | None) -> Errors:
    about = (document.get("involvedObject") or {}).get("namespace") or "default"
    if old or about == document["metadata"].get("namespace"):
        return []
    return wrong("involvedObject.namespace", about, "does not match event.namespace")


def definition_errors(crd: Document, old: Document | None) -> list[FieldError]:
    spec, names = crd["spec"], crd["spec"]["names"]
    wanted = f"{names.get('plural')}.{spec.get('group')}"
    if crd["metadata"].get("name") != wanted:
        said = f'Invalid value: "{crd["metadata"].get("name")}": must be spec.names.plural+"."+spec.group'
        return [FieldError("metadata.name", INVALID, said)]
    stored = [one for one in spec.get("versions") or () if one.get("storage")]
    if len(stored) != 1:
        said = f"Invalid value: {shown(spec.get('versions'))}: must have exactly one version marked as storage version"
        return [FieldError("spec.versions", INVALID, said)]
    try:
        for one in custom_resources(crd):
            _ = one.validator
    except UNREADABLE as error:
        return [FieldError("spec.versions", INVALID, f"Invalid value: its schema cannot be used: {error}")]
    return []
