"""What one write changes and what it may not, and what is said when it cannot be done. Pure.

In: the object as it is, the object as somebody wants it. Out: the object as it will be, or an ApiError.
"""

from dataclasses import dataclass
from typing import Any

from arkwright.apiserver.bounds import encoded
from arkwright.apiserver.errors import (
    INVALID,
    AlreadyExists,
    ApiError,
    BadRequest,
    Conflict,
    FieldError,
    MethodNotAllowed,
    NotFound,
    invalid,
    invalid_patch,
)
from arkwright.apiserver.kinds import DEFAULTS, Resource, WrongType, add_defaults, decode, misfits
from arkwright.apiserver.objects.metadata import details, without_empties
from arkwright.apiserver.store import Key

Document = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """How a write is to be done. `validation`: Strict, Warn or Ignore, for unknown fields; `is_patch`: of what is there."""

    manager: str = "unknown"
    is_dry_run: bool = False
    validation: str = "Warn"
    subresource: str = ""
    force: bool = False
    is_patch: bool = False


@dataclass(frozen=True)
class Answer:
    """`document`: with apiVersion and kind. `is_new`: it was created. `warnings`: for the Warning header.

    `body`: the same as it was stored, encoded; empty if nothing was.
    """

    document: Document
    is_new: bool = False
    warnings: tuple[str, ...] = ()
    body: bytes = b""


def body_of(document: Document) -> bytes:
    """Raises BadRequest for what no JSON can say."""
    return encoded({name: value for name, value in document.items() if name not in ("apiVersion", "kind")})


def completed(resource: Resource, document: Document, options: Options) -> tuple[str, ...]:
    """What somebody sent, without what the kind does not know and with its defaults, in place; warnings.

    Raises BadRequest (Invalid after a patch) for wrong types, and for unknown fields where these are to be refused.
    """
    try:
        unknown = [f'unknown field "{path}"' for path in decode(resource.shape, document)]
    except WrongType as error:
        raise _refusal(resource, options, str(error)) from error
    if unknown and options.validation == "Strict":
        raise _refusal(resource, options, f"strict decoding error: {', '.join(unknown)}")
    add_all_defaults(resource, document)
    return tuple(unknown) if options.validation == "Warn" else ()


def _refusal(resource: Resource, options: Options, said: str) -> ApiError:
    if options.is_patch:
        return invalid_patch(said)
    return BadRequest(f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: {said}')


def add_all_defaults(resource: Resource, document: Document) -> None:
    """Those of the schema, and those of the kind."""
    without_empties(document["metadata"])
    add_defaults(resource.shape, document)
    if complete := DEFAULTS.get(resource.name):
        complete(document)


def require_declared(resource: Resource, wish: Document) -> None:
    """Raises ApiError for what an apply wishes and the kind does not know."""
    metadata = wish["metadata"]
    subject = (
        f"{metadata.get('namespace', '')}/{metadata.get('name', '')}; {resource.api_version}, Kind={resource.kind}"
    )
    wrong = list(misfits(resource.shape, wish))
    if wrong:
        said = wrong[0] if len(wrong) == 1 else "errors:" + "".join(f"\n  {one}" for one in wrong)
        raise ApiError(f"failed to create typed patch object ({subject}): {said}")
    try:
        decode(resource.shape, wish)
    except WrongType as error:  # a number with a fraction where there is room for whole ones only
        raise BadRequest(str(error)) from error


def confined(resource: Resource, old: Document, new: Document, options: Options) -> Document:
    """A write of the status changes that alone, a write of the object all but that."""
    if options.subresource == "status":
        fields = {"managedFields": new["metadata"].get("managedFields")} if "managedFields" in new["metadata"] else {}
        kept = old | {"metadata": old["metadata"] | fields}
        kept.pop("status", None)
        return kept | ({"status": new["status"]} if "status" in new else {})
    if resource.has_status:
        return without_status(new) | ({"status": old["status"]} if "status" in old else {})
    return new


def claimed(resource: Resource, old: Document, new: Document, options: Options) -> Document:
    """What a writer can own of a new state: of a status its metadata and status, of an object all but its status."""
    if options.subresource == "status":
        return old | {"metadata": new["metadata"]} | ({"status": new["status"]} if "status" in new else {})
    return confined(resource, old, new, options)


def without_status(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "status"}


def confined_wish(resource: Resource, wish: Document, options: Options) -> Document:
    if options.subresource == "status":
        return {name: value for name, value in wish.items() if name in ("apiVersion", "kind", "metadata", "status")}
    return without_status(wish) if resource.has_status else wish


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


def require_possible(resource: Resource) -> None:
    """Raises MethodNotAllowed for a kind that nothing here would act on, in words that name what does the same."""
    if resource.absence:
        said = f"there are no {resource.name} in this API: {resource.absence}"
        raise MethodNotAllowed(said, {"kind": resource.plural} | ({"group": resource.group} if resource.group else {}))


def require_name(wish: Document, key: Key) -> None:
    """Raises BadRequest for a body that is about another object than its path."""
    name = wish["metadata"].get("name")
    if name not in (None, "", key.name):
        raise BadRequest(f"the name of the object ({name}) does not match the name on the URL ({key.name})")


def require_version(resource: Resource, old: Document, new: Document) -> None:
    """Raises Conflict if another version or another object is meant."""
    before, after = old["metadata"], new["metadata"]
    if after.get("resourceVersion") not in (None, "", before["resourceVersion"]):
        raise modified(resource, before["name"])
    if after.get("uid") not in (None, "", before["uid"]) and not resource.is_custom:
        said = f"Precondition failed: UID in precondition: {after['uid']}, UID in object meta: {before['uid']}"
        raise conflict(resource, before["name"], said)


def require_some_version(resource: Resource, document: Document) -> None:
    """Raises Invalid: some kinds are not replaced without saying which version is meant."""
    if resource.is_versioned and not document["metadata"].get("resourceVersion"):
        said = "Invalid value: 0: must be specified for an update"
        wrong = FieldError("metadata.resourceVersion", INVALID, said)
        raise invalid(resource.group, resource.plural, document["metadata"].get("name", ""), [wrong])


def not_found(resource: Resource, name: str) -> NotFound:
    return NotFound(f'{resource.name} "{name}" not found', details(resource, name))


def already_exists(resource: Resource, name: str) -> AlreadyExists:
    return AlreadyExists(f'{resource.name} "{name}" already exists', details(resource, name))


def modified(resource: Resource, name: str) -> Conflict:
    said = "the object has been modified; please apply your changes to the latest version and try again"
    return conflict(resource, name, said)


def conflict(resource: Resource, name: str, said: str) -> Conflict:
    return Conflict(f'Operation cannot be fulfilled on {resource.name} "{name}": {said}', details(resource, name))
