"""What every object has in common: its name, labels, owners, finalizers; what of them may be written, and how.

In: a document, the one that stands there now. Out: the document's metadata put right in place, or FieldErrors.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from arkwright.apiserver.errors import FORBIDDEN, INVALID, REQUIRED, TOO_LONG, FieldError
from arkwright.apiserver.kinds import Resource, as_go_writes_it, formats, key_errors, label_errors

Document = dict[str, Any]
GIVEN_BY_SERVER = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "selfLink",
)

# Names that are labels, not subdomains; and those that may be anything that fits into a path.
NAME_RULES: dict[str, Callable[[str], list[str]]] = {"services": formats.dns_1035, "namespaces": formats.label}
LONGEST_ANNOTATIONS = 256 * 1024
STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
FREE_NAMES = frozenset({"events", "roles", "rolebindings", "clusterroles", "clusterrolebindings"})


def timestamp(now: datetime) -> str:
    """As Kubernetes writes it, in whole seconds."""
    return now.astimezone(UTC).isoformat(timespec="seconds")[:19] + "Z"


def metadata_errors(resource: Resource, metadata: Document) -> list[FieldError]:
    """Wrong names, labels, annotations, finalizers and owners."""
    wrong = _name_errors(resource, metadata.get("name") or "")
    if (begin := metadata.get("generateName")) and resource.plural not in FREE_NAMES:
        whole = begin.removesuffix("-") + ("a" if begin.endswith("-") else "")
        said = NAME_RULES.get(resource.name, formats.subdomain)(whole)
        wrong += [FieldError("metadata.generateName", INVALID, f'Invalid value: "{begin}": {one}') for one in said]
    if labels := metadata.get("labels"):
        wrong += label_errors("metadata.labels", labels)
    if annotations := metadata.get("annotations"):
        wrong += _annotation_errors("metadata.annotations", annotations)
    if finalizers := metadata.get("finalizers"):
        wrong += _finalizer_errors(finalizers)
    if owners := metadata.get("ownerReferences"):
        wrong += _owner_errors(owners)
    return wrong


def _name_errors(resource: Resource, name: str) -> list[FieldError]:
    if not name:
        return [FieldError("metadata.name", REQUIRED, "Required value: name or generateName is required")]
    if resource.plural in FREE_NAMES:
        bad = next((one for one in ("/", "%") if one in name), "") or (name if name in (".", "..") else "")
        return (
            [FieldError("metadata.name", INVALID, f"Invalid value: \"{name}\": may not contain '{bad}'")] if bad else []
        )
    wrong = NAME_RULES.get(resource.name, formats.subdomain)(name)
    return [FieldError("metadata.name", INVALID, f'Invalid value: "{name}": {one}') for one in wrong]


def _annotation_errors(path: str, annotations: Document) -> list[FieldError]:
    wrong = key_errors(path, {name.lower(): "" for name in annotations})
    if sum(len(name.encode()) + len(str(text).encode()) for name, text in annotations.items()) > LONGEST_ANNOTATIONS:
        wrong.append(FieldError(path, TOO_LONG, f"Too long: may not be more than {LONGEST_ANNOTATIONS} bytes"))
    return wrong


def _finalizer_errors(finalizers: list[str]) -> list[FieldError]:
    wrong = [
        FieldError("metadata.finalizers", INVALID, f'Invalid value: "{one}": {said}')
        for one in finalizers
        for said in formats.key(one)
    ]
    said = "name is neither a standard finalizer name nor is it fully qualified"
    return wrong + [
        FieldError(f"metadata.finalizers[{number}]", INVALID, f'Invalid value: "{one}": {said}')
        for number, one in enumerate(finalizers)
        if "/" not in one and one not in STANDARD_FINALIZERS
    ]


def _owner_errors(owners: list[Document]) -> list[FieldError]:
    path = "metadata.ownerReferences"
    wrong = [
        FieldError(f"{path}.{name}", INVALID, f'Invalid value: "": {said}must not be empty')
        for owner in owners
        for name, said in (("apiVersion", "version "), ("kind", ""), ("name", ""), ("uid", ""))
        if not owner.get(name)
    ]
    for owner in owners:
        if owner.get("apiVersion") in ("v1", "events.k8s.io/v1") and owner.get("kind") == "Event":
            said = (
                f"Invalid value: {as_go_writes_it(_ordered(owner))}: /v1, Kind=Event is disallowed from being an owner"
            )
            wrong.append(FieldError(path, INVALID, said))
    keepers = [f"{one.get('kind')}/{one.get('name')}" for one in owners if one.get("controller")]
    if len(keepers) > 1:
        found = f'Only one reference can have Controller set to true. Found "true" in references for {" and ".join(keepers[:2])}'
        wrong.append(
            FieldError(path, INVALID, f"Invalid value: {as_go_writes_it([_ordered(one) for one in owners])}: {found}")
        )
    return wrong


def _ordered(owner: Document) -> Document:
    names = ("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion")
    return {name: owner[name] for name in names if name in owner}


def carried_over(resource: Resource, old: Document, new: Document) -> list[FieldError]:
    """What a write may not change is as it was; an attempt to change what tells an object apart is an error."""
    before, after = old["metadata"], new["metadata"]
    wrong = []
    for name in ("name", "namespace", "uid"):
        if after.get(name) not in (None, "", before.get(name)):
            said = f"Invalid value: {json.dumps(after[name])}: field is immutable"
            wrong.append(FieldError(f"metadata.{name}", INVALID, said))
    for name in ("name", "namespace", "generateName", *GIVEN_BY_SERVER):
        if name in before:
            after[name] = before[name]
        elif name != "generateName":
            after.pop(name, None)
    if "managedFields" not in after and "managedFields" in before:
        after["managedFields"] = before["managedFields"]
    if "deletionTimestamp" in before:
        wrong += _late_finalizers(before, after)
    return wrong


def _late_finalizers(before: Document, after: Document) -> list[FieldError]:
    late = [one for one in after.get("finalizers") or () if one not in (before.get("finalizers") or ())]
    if not late:
        return []
    names = ", ".join(f'"{one}"' for one in late)
    said = f"Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{{{names}}}"
    return [FieldError("metadata.finalizers", FORBIDDEN, said)]


def without_empties(metadata: Document) -> None:
    """Empty maps and lists, and null, are not kept in metadata."""
    for name in [name for name, value in metadata.items() if value is None or value in ({}, [], "")]:
        del metadata[name]


def details(resource: Resource, name: str) -> Document:
    """Which object an error is about."""
    return {"name": name} | ({"group": resource.group} if resource.group else {}) | {"kind": resource.plural}
