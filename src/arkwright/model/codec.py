"""JSON to values and back. Old spellings and aliases die here: the rest of the code knows one canonical spelling.

In: bytes or decoded JSON of the API server. Out: the frozen values of `kinds` and `cluster`. A document that cannot be
read raises msgspec.ValidationError, whose message names the field.
"""

from datetime import datetime
from typing import Any, TypeVar

import msgspec

from arkwright.model.cluster import Document
from arkwright.model.kinds import Module, ModuleDeployment, ModuleReplicaSet
from arkwright.model.meta import KubernetesObject

SPELLINGS = {
    "installThenUninstall": "install_then_uninstall",
    "uninstallThenInstall": "uninstall_then_install",
    "scaleUpThenScaleDown": "scaleup_then_scaledown",
    "Scatter": "scatter",
    "Stacking": "stacking",
}
ABSENT: Document = {
    "upgradePolicy": "",
    "schedulingPolicy": "",
    "maxUnavailable": "",
    "targetPort": "",
    "progressDeadlineSeconds": 0,
    "status": "",
}
SPELLED: frozenset[type[KubernetesObject]] = frozenset({ModuleDeployment, ModuleReplicaSet})
O = TypeVar("O", bound=KubernetesObject)  # noqa: E741


class _Kinded(msgspec.Struct):
    kind: str = ""


def read(raw: bytes | msgspec.Raw, kind: type[O]) -> O:
    """A Kubernetes object from JSON text. Raises msgspec.ValidationError."""
    if kind not in SPELLED:
        try:
            return msgspec.json.decode(raw, type=kind)
        except msgspec.ValidationError:
            pass  # perhaps a null where Kubernetes means "not set"; the slow way knows
    return decode(msgspec.json.decode(raw), kind)


def read_if_kind(raw: bytes, kind: str, type_: type[O]) -> O | None:
    """The object, if the text is one of `kind`: the answer to a DELETE may be the object or a Status."""
    return read(raw, type_) if msgspec.json.decode(raw, type=_Kinded).kind == kind else None


def decode(document: Document, kind: type[O]) -> O:
    """A Kubernetes object from decoded JSON. Raises msgspec.ValidationError."""
    document = _without_nulls(document)
    if kind in SPELLED:
        document = {**document, "spec": _canonical_spec(document.get("spec") or {})}
    for part in ("spec", "status") if kind is Module else ():
        document = {**document, part: _without_zeros(document.get(part) or {})}
    return msgspec.convert(document, type=kind)


def _canonical_spec(spec: Document) -> Document:
    operation = dict(spec.get("operationStrategy") or {})
    if "grayTimeBetweenBatchSeconds" not in operation and "grayTime" in operation:
        operation["grayTimeBetweenBatchSeconds"] = operation["grayTime"]
    if spec.get("maxUnavailable") not in (None, ""):
        operation["maxUnavailable"] = spec["maxUnavailable"]
    operation["serviceStrategy"] = _without_zeros(operation.get("serviceStrategy") or {})
    operation = _without_zeros(operation)
    scheduling = _without_zeros(spec.get("schedulingStrategy") or {})
    for strategy, field in ((operation, "upgradePolicy"), (scheduling, "schedulingPolicy")):
        if field in strategy:
            strategy[field] = SPELLINGS.get(strategy[field], strategy[field])
    return _without_zeros({**spec, "operationStrategy": operation, "schedulingStrategy": scheduling})


def _without_zeros(part: Document) -> Document:
    """Programs in Go write every field of a structure, set or not: there the zero means that nothing was said."""
    return {field: value for field, value in part.items() if field not in ABSENT or value != ABSENT[field]}


def _without_nulls(value: Any) -> Any:
    """Kubernetes writes null for "not set" in places (creationTimestamp); a missing field means the same here."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def encode(value: KubernetesObject | msgspec.Struct) -> Document:
    """A JSON document; defaults are left out."""
    document: Document = msgspec.to_builtins(value)
    return document


def merge_patch(before: Document, after: Document) -> Document:
    """The merge patch (RFC 7386) that turns `before` into `after`.

    >>> merge_patch({"replicas": 2, "strategy": {"beta": True}}, {"replicas": 2, "strategy": {"batchCount": 3}})
    {'strategy': {'beta': None, 'batchCount': 3}}
    """
    patch: Document = {key: None for key in before if key not in after}
    for key, value in after.items():
        had = before.get(key)
        if isinstance(value, dict) and isinstance(had, dict):
            if inner := merge_patch(had, value):
                patch[key] = inner
        elif key not in before or had != value:
            patch[key] = value
    return patch


def merged(document: Document, patch: Document) -> Document:
    """`document` after a merge patch (RFC 7386); the old one stays as it is.

    >>> merged({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"d": 3}})
    {'b': {'c': 2, 'd': 3}}
    """
    new = {key: value for key, value in document.items() if patch.get(key, "") is not None}
    for key, value in patch.items():
        if isinstance(value, dict):
            had = new.get(key)
            new[key] = merged(had if isinstance(had, dict) else {}, value)
        elif value is not None:
            new[key] = value
    return new


def encode_whole(value: msgspec.Struct) -> Document:
    """A JSON document with every field, defaults and zeros included: a merge patch of it leaves nothing old behind."""
    return {field.encode_name: _whole(getattr(value, field.name)) for field in msgspec.structs.fields(value)}


def _whole(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return encode_whole(value)
    if isinstance(value, tuple):
        return [msgspec.to_builtins(item) for item in value]
    return msgspec.to_builtins(value)


def stamp(moment: datetime) -> str:
    """A moment as Kubernetes writes it in metadata: whole seconds, UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
