"""The scale subresource: an autoscaling/v1 Scale as a view on any object that has replicas. Pure."""

from typing import Any

from arkwright.apiserver.errors import InternalError, invalid_patch
from arkwright.apiserver.kinds import Resource

Document = dict[str, Any]
COPIED = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


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
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if not isinstance(replicas, int) or isinstance(replicas, bool):
        raise invalid_patch("spec.replicas of a Scale is a whole number")
    *parents, last = resource.scale.spec_path.strip(".").split(".")
    node = document
    for name in parents:
        node = node.setdefault(name, {})
    node[last] = replicas
    if version := (scale.get("metadata") or {}).get("resourceVersion"):
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
