"""Where a new object may be: in a kind and a namespace that are there and stay. In: what is there. Out: a refusal, or nothing.

What is going ends when it is empty, and is not looked at before: so nothing new may come into it.
"""

from collections.abc import Callable
from typing import Any

from arkwright.apiserver.errors import BadRequest, Forbidden, MethodNotAllowed, NotFound
from arkwright.apiserver.kinds import CRDS, Resource
from arkwright.apiserver.store import Key, Record

Document = dict[str, Any]
IS_GOING = b'"deletionTimestamp":"'  # nothing else in a body is written so: quotes within texts are escaped


def is_going(record: Record | None) -> bool:
    """Whether it is there, and deleted already. Nothing is decoded: a CRD is large, and this is asked for each object that comes or goes."""
    return record is not None and IS_GOING in record.body


def require_home(
    resource: Resource, namespace: str, metadata: Document, latest: Callable[[Key], Record | None]
) -> None:
    """`metadata`: of the new object; its namespace is filled in. Raises NotFound, Forbidden, MethodNotAllowed, BadRequest."""
    definition = latest(Key(CRDS, "", resource.name)) if resource.is_custom else None
    if is_going(definition):
        said = "create not allowed while custom resource definition is terminating"
        raise MethodNotAllowed(said, {"kind": resource.plural, "group": resource.group})
    if not resource.is_namespaced:
        metadata.pop("namespace", None)
        return
    if metadata.get("namespace") not in (None, "", namespace):
        raise BadRequest("the namespace of the provided object does not match the namespace sent on the request")
    metadata["namespace"] = namespace
    found = latest(Key("namespaces", "", namespace))
    if found is None:
        raise NotFound(f'namespaces "{namespace}" not found', {"name": namespace, "kind": "namespaces"})
    if is_going(found):
        raise _terminating(resource, namespace, metadata.get("name") or metadata.get("generateName", ""))


def _terminating(resource: Resource, namespace: str, name: str) -> Forbidden:
    said = f"unable to create new content in namespace {namespace} because it is being terminated"
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {namespace} is being terminated",
        "field": "metadata.namespace",
    }
    details = {"name": name, "kind": resource.plural, "causes": [cause]}
    return Forbidden(f'{resource.name} "{name}" is forbidden: {said}', details)
