"""The scale subresource: an autoscaling/v1 Scale as a view on any object that has replicas. Pure."""

from typing import Any

import msgspec

from arkwright.apiserver.errors import InternalError, invalid_patch
from arkwright.apiserver.kinds import Resource

Document = dict[str, Any]
COPIED = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


class _Spec(msgspec.Struct):
    replicas: int = 0


class _Metadata(msgspec.Struct):
    version: str | None = msgspec.field(default=None, name="resourceVersion")


class _Scale(msgspec.Struct):
    spec: _Spec | None = None
    metadata: _Metadata | None = None


def scale_of(resource: Resource, document: Document) -> Document:
    """The view."""
    assert resource.scale
    metadata = {name: document["metadata"][name] for name in COPIED if name in document["metadata"]}
    status: Document = {"replicas": _at(document, resource.scale.status_path) or 0}
    if selector := _selector(_at(document, resource.scale.selector_path)):
        status["selector"] = selector
    replicas = _at(document, resource.scale.spec_path)
    spec = {"replicas": replicas} if replicas else {}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status}


def shown_scale(resource: Resource, document: Document) -> Document:
    """The view for readers. Raises InternalError for an object that does not say how many replicas it wants."""
    assert resource.scale
    if _at(document, resource.scale.spec_path) is None:
        said = f'the spec replicas field "{resource.scale.spec_path}" does not exist'
        raise InternalError(f"Internal error occurred: {said}", {"causes": [{"message": said}]})
    return scale_of(resource, document)


def put_scale(resource: Resource, document: Document, scale: Document) -> Document:
    """The object with the replicas that a Scale asks for. Raises Invalid."""
    assert resource.scale
    try:
        wish = msgspec.convert(scale, _Scale)
    except msgspec.ValidationError as error:
        raise invalid_patch(f"this is no Scale: {error}") from error
    *parents, last = resource.scale.spec_path.strip(".").split(".")
    node = document
    for name in parents:
        if not isinstance(node.setdefault(name, {}), dict):
            raise invalid_patch(f"there is no room for replicas: {name} is no object")
        node = node[name]
    node[last] = (wish.spec or _Spec()).replicas
    if version := (wish.metadata or _Metadata()).version:
        document["metadata"]["resourceVersion"] = version
    return document


def _at(document: Document, path: str) -> Any:
    value: Any = document
    for name in path.strip(".").split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _selector(found: Any) -> str:
    if isinstance(found, dict):
        return ",".join(f"{key}={value}" for key, value in sorted((found.get("matchLabels") or {}).items()))
    return str(found or "")
