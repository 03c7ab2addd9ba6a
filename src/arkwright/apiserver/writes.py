"""What one write changes and what it may not, and what is said when it cannot be done. Pure.

In: the object as it is, the object as somebody wants it. Out: the object as it will be, or an ApiError.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from arkwright.apiserver.errors import AlreadyExists, BadRequest, Conflict, InternalError, NotFound
from arkwright.apiserver.metadata import details
from arkwright.apiserver.resources import Resource
from arkwright.apiserver.shapes import pruned
from arkwright.apiserver.store import Key

Document = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """How a write is to be done. `validation`: Strict, Warn or Ignore, for unknown fields."""

    manager: str = "unknown"
    is_dry_run: bool = False
    validation: str = "Warn"
    subresource: str = ""
    force: bool = False


@dataclass(frozen=True)
class Answer:
    """`document`: with apiVersion and kind. `is_new`: it was created. `warnings`: for the Warning header."""

    document: Document
    is_new: bool = False
    warnings: tuple[str, ...] = ()


def body_of(document: Document) -> bytes:
    return msgspec.json.encode({name: value for name, value in document.items() if name not in ("apiVersion", "kind")})


def emptied(document: Document) -> Document:
    """What a new object is compared with, to see what its writer owns."""
    return {"apiVersion": document["apiVersion"], "kind": document["kind"], "metadata": {}}


def without_unknown(resource: Resource, document: Document, options: Options) -> tuple[str, ...]:
    """Unknown fields go; they are told, or refused. Raises BadRequest."""
    unknown = [f'unknown field "{path}"' for path in pruned(resource.shape, document)]
    if unknown and options.validation == "Strict":
        said = f"strict decoding error: {', '.join(unknown)}"
        raise BadRequest(
            f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: {said}'
        )
    return tuple(unknown) if options.validation == "Warn" else ()


def undeclared(resource: Resource, wish: Document, unknown: list[str]) -> InternalError:
    said = " ".join(f".{path}: field not declared in schema" for path in unknown)
    name, namespace = wish["metadata"].get("name", ""), wish["metadata"].get("namespace", "")
    subject = f"{namespace}/{name}; {resource.api_version}, Kind={resource.kind}"
    return InternalError(f"failed to create typed patch object ({subject}): {said}")


def confined(resource: Resource, old: Document, new: Document, options: Options) -> Document:
    """A write of the status changes that alone, a write of the object all but that."""
    if options.subresource == "status":
        fields = {"managedFields": new["metadata"].get("managedFields")} if "managedFields" in new["metadata"] else {}
        kept = old | {"metadata": old["metadata"] | fields}
        kept.pop("status", None)
        return kept | ({"status": new["status"]} if "status" in new else {})
    if resource.has_status:
        new.pop("status", None)
        return new | ({"status": old["status"]} if "status" in old else {})
    return new


def confined_wish(resource: Resource, wish: Document, options: Options) -> Document:
    if options.subresource == "status":
        return {name: value for name, value in wish.items() if name in ("apiVersion", "kind", "metadata", "status")}
    return {name: value for name, value in wish.items() if name != "status"} if resource.has_status else wish


def is_same(old: Document, new: Document) -> bool:
    """A patch that changes nothing is no write."""
    return old == new


def count_generation(resource: Resource, old: Document, new: Document) -> None:
    """Up by one for each change of what is wished, where the kind counts."""
    if "generation" not in old["metadata"]:
        return
    apart = ("metadata", "status", "apiVersion", "kind") if resource.has_status else ("metadata", "apiVersion", "kind")
    before = {name: value for name, value in old.items() if name not in apart}
    after = {name: value for name, value in new.items() if name not in apart}
    new["metadata"]["generation"] = old["metadata"]["generation"] + (before != after)


def is_released(document: Document) -> bool:
    """Deleted, and nobody holds it any more."""
    metadata = document["metadata"]
    is_held = metadata.get("finalizers") or (document.get("kind") == "Namespace" and document["spec"].get("finalizers"))
    return "deletionTimestamp" in metadata and not is_held and not metadata.get("deletionGracePeriodSeconds")


def require_name(wish: Document, key: Key) -> None:
    metadata = wish.setdefault("metadata", {})
    if metadata.get("name") not in (None, "", key.name):
        raise BadRequest(f"the name of the object ({metadata['name']}) does not match the name on the URL ({key.name})")
    metadata["name"] = key.name
    if key.namespace:
        metadata.setdefault("namespace", key.namespace)
    if metadata.get("managedFields"):
        raise BadRequest("metadata.managedFields must be nil")


def not_found(resource: Resource, name: str) -> NotFound:
    return NotFound(f'{resource.name} "{name}" not found', details(resource, name))


def already_exists(resource: Resource, name: str) -> AlreadyExists:
    return AlreadyExists(f'{resource.name} "{name}" already exists', details(resource, name))


def modified(resource: Resource, name: str) -> Conflict:
    said = "the object has been modified; please apply your changes to the latest version and try again"
    return Conflict(f'Operation cannot be fulfilled on {resource.name} "{name}": {said}', details(resource, name))
