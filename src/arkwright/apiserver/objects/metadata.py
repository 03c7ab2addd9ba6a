"""What every object has in common: its name, labels, owners, finalizers; what of them may be written, and how.

In: a document, the one that stands there now. Out: the document's metadata put right in place, or FieldErrors.
"""

import json
import re
from datetime import UTC, datetime
from typing import Any

from arkwright.apiserver.errors import FORBIDDEN, INVALID, REQUIRED, FieldError
from arkwright.apiserver.kinds import Resource

Document = dict[str, Any]
_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_DNS_1035 = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_PART = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
GIVEN_BY_SERVER = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "selfLink",
)

_SAYS_SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end"
    f" with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
_SAYS_LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an"
    f" alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)
_SAYS_1035 = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end"
    f" with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '{_DNS_1035}')"
)
_SAYS_KEY = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
    f" (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_PART}')"
)
_SAYS_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with"
    f" an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '{_VALUE}')"
)
IS_VALUE, IS_SUBDOMAIN, IS_PART = (re.compile(one).fullmatch for one in (_VALUE, _SUBDOMAIN, _PART))
ANY_NAME = (re.compile(_SUBDOMAIN), 253, _SAYS_SUBDOMAIN)
# Names that are labels, not subdomains; and those that may be anything that fits into a path.
NAME_RULES = {
    "services": (re.compile(_DNS_1035), 63, _SAYS_1035),
    "namespaces": (re.compile(_LABEL), 63, _SAYS_LABEL),
}
FREE_NAMES = frozenset({"roles", "rolebindings", "clusterroles", "clusterrolebindings"})


def timestamp(now: datetime) -> str:
    """As Kubernetes writes it, in whole seconds."""
    return now.astimezone(UTC).isoformat(timespec="seconds")[:19] + "Z"


def metadata_errors(resource: Resource, metadata: Document) -> list[FieldError]:
    """Wrong names, labels and annotations."""
    wrong = _name_errors(resource, metadata.get("name") or "")
    if labels := metadata.get("labels"):
        wrong += _label_errors("metadata.labels", labels)
    if annotations := metadata.get("annotations"):
        wrong += _key_errors("metadata.annotations", {key.lower(): "" for key in annotations})
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
    if resource.name == "namespaces" and "." in name:
        return [FieldError("metadata.name", INVALID, f'Invalid value: "{name}": must not contain dots')]
    pattern, longest, says = NAME_RULES.get(resource.name, ANY_NAME)
    wrong = []
    if len(name) > longest:
        wrong.append(f"must be no more than {longest} characters")
    if not pattern.fullmatch(name):
        wrong.append(says)
    return [FieldError("metadata.name", INVALID, f'Invalid value: "{name}": {one}') for one in wrong]


def _label_errors(path: str, labels: Document) -> list[FieldError]:
    wrong = _key_errors(path, labels)
    for value in labels.values():
        if len(value) > 63:
            wrong.append(FieldError(path, INVALID, f'Invalid value: "{value}": must be no more than 63 characters'))
        if not IS_VALUE(value):
            wrong.append(FieldError(path, INVALID, f'Invalid value: "{value}": {_SAYS_VALUE}'))
    return wrong


def _key_errors(path: str, keys: Document) -> list[FieldError]:
    wrong = []
    for key in keys:
        prefix, slash, name = key.rpartition("/")
        if slash and not IS_SUBDOMAIN(prefix):
            wrong.append(FieldError(path, INVALID, f'Invalid value: "{key}": prefix part {_SAYS_SUBDOMAIN}'))
        if len(name) > 63:
            wrong.append(
                FieldError(path, INVALID, f'Invalid value: "{key}": name part must be no more than 63 characters')
            )
        if not IS_PART(name):
            wrong.append(FieldError(path, INVALID, f'Invalid value: "{key}": {_SAYS_KEY}'))
    return wrong


def _owner_errors(owners: list[Document]) -> list[FieldError]:
    return [
        FieldError(f"metadata.ownerReferences.{name}", INVALID, f'Invalid value: "": {said}must not be empty')
        for owner in owners
        for name, said in (("apiVersion", "version "), ("kind", ""), ("name", ""), ("uid", ""))
        if not owner.get(name)
    ]


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
