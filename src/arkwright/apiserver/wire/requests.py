"""What a request asks for: its path and query taken apart. In: strings. Out: a Target and a Query, or an ApiError."""

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.datastructures import QueryParams

from arkwright.apiserver.errors import (
    FORBIDDEN,
    NOT_SUPPORTED,
    REQUIRED,
    BadRequest,
    FieldError,
    Invalid,
    NoSuchPath,
    NotFound,
    invalid,
)
from arkwright.apiserver.kinds import Registry, Resource, field_selector, label_selector
from arkwright.apiserver.objects import Options, Removal, not_found
from arkwright.apiserver.store import Filter
from arkwright.apiserver.wire.discovery import REVIEWS

Document = dict[str, Any]
NO_SUCH = "the server could not find the requested resource"
VALIDATIONS = ("", "Ignore", "Strict", "Warn")
MATCHES = ("Exact", "NotOlderThan", "")
POLICIES = ("Foreground", "Background", "Orphan")
OPTIONS_OF = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions", "DELETE": "DeleteOptions"}
OPTIONS_GROUP = "meta.k8s.io"
PARTS = {
    "namespaces": ("finalize",),
    "pods": ("log", "exec", "attach", "portforward", "ephemeralcontainers", "eviction"),
    "serviceaccounts": ("token",),
}


@dataclass(frozen=True)
class Target:
    """What a path names. `name`: "" for a collection; `namespace`: "" for all, or for cluster-wide kinds."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def target(registry: Registry, path: str) -> Target:
    """Raises NotFound for a path that names no kind.

    `/api/v1/namespaces/default/pods/a/status` → pods, default, a, status
    """
    parts = path.strip("/").split("/")
    if "" in parts:
        raise NoSuchPath("404 page not found")
    if parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    else:
        group, version, rest = parts[1], parts[2], parts[3:]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and registry.find(group, version, rest[2]):
        namespace, rest = rest[1], rest[2:]
    resource = registry.find(group, version, rest[0])
    if resource is None and not registry.has_group(group) and group not in REVIEWS:
        raise NoSuchPath("404 page not found")
    if resource is None or len(rest) > 3 or (namespace and not resource.is_namespaced):
        raise NotFound(NO_SUCH, {})
    name, subresource = [*rest[1:], "", ""][:2]
    if subresource and subresource not in (*resource.subresources, *PARTS.get(resource.name, ())):
        raise not_found(resource, name) if resource.is_custom else NotFound(NO_SUCH, {})
    return Target(resource, namespace, name, subresource)


@dataclass(frozen=True)
class Listing:
    """How to list or watch. `version`: "" for what is there now; `is_exact`: as it was then, not since.

    `timeout_seconds`: of a watch, None for the server's.
    """

    filter: Filter = field(default_factory=Filter)
    version: str = ""
    is_exact: bool = False
    limit: int = 0
    token: str = ""
    is_watch: bool = False
    wants_bookmarks: bool = False
    wants_initial: bool = False
    timeout_seconds: int | None = None


def listing(asked: Target, query: Mapping[str, str]) -> Listing:
    """Raises BadRequest."""
    labels, fields = query.get("labelSelector"), query.get("fieldSelector")
    wanted = Filter(
        namespace=asked.namespace,
        labels=label_selector(labels) if labels else None,
        fields=field_selector(fields, asked.resource.fields, is_custom=asked.resource.is_custom) if fields else None,
        name=asked.name,
    )
    version, match, limit = (query.get(name, "") for name in ("resourceVersion", "resourceVersionMatch", "limit"))
    _require_match(version, match, wants_initial=_flag(query, "sendInitialEvents"))
    return Listing(
        filter=wanted,
        version=version,
        is_exact=match == "Exact" or (not match and bool(limit) and version not in ("", "0")),
        limit=_number(query, "limit") or 0,
        token=query.get("continue", ""),
        is_watch=_flag(query, "watch") and not asked.name,
        wants_bookmarks=_flag(query, "allowWatchBookmarks"),
        wants_initial=_flag(query, "sendInitialEvents"),
        timeout_seconds=_number(query, "timeoutSeconds"),
    )


def _require_match(version: str, match: str, *, wants_initial: bool) -> None:
    """Raises Invalid where it does not fit what else is asked."""
    said = ""
    if match not in MATCHES:
        raise _unsupported("ListOptions", "resourceVersionMatch", match, MATCHES)
    if wants_initial and match != "NotOlderThan":
        said = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
    elif match and not version and not wants_initial:
        said = "resourceVersionMatch is forbidden unless resourceVersion is provided"
    if said:
        wrong = FieldError("resourceVersionMatch", FORBIDDEN, f"Forbidden: {said}")
        raise invalid(OPTIONS_GROUP, "ListOptions", "", [wrong])


def _flag(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() in ("true", "1", "t")


def _number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if not text:
        return None
    if not re.fullmatch("[+-]?[0-9]{1,18}", text):
        raise BadRequest(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


@functools.lru_cache(maxsize=1000)
def options(subresource: str, query_string: str, method: str, agent: str) -> Options:
    """`agent`: the User-Agent; its first word is the manager where none is named. Raises Invalid."""
    query = QueryParams(query_string)
    validation, kind = query.get("fieldValidation", ""), OPTIONS_OF[method]
    if validation not in VALIDATIONS:
        raise _unsupported(kind, "fieldValidation", validation, VALIDATIONS)
    return Options(
        manager=query.get("fieldManager") or agent.partition("/")[0] or "unknown",
        is_dry_run=_is_dry_run(kind, query.get("dryRun")),
        validation=validation or "Warn",
        subresource=subresource if subresource != "finalize" else "",
        force=_flag(query, "force"),
        is_patch=method == "PATCH",
    )


def require_manager(query: Mapping[str, str]) -> None:
    """Raises Invalid for an apply that does not say who applies."""
    if not query.get("fieldManager"):
        wrong = FieldError("fieldManager", REQUIRED, "Required value: is required for apply patch")
        raise invalid(OPTIONS_GROUP, "PatchOptions", "", [wrong])


def _unsupported(kind: str, name: str, value: Any, known: tuple[str, ...]) -> Invalid:
    said = f"Unsupported value: {json.dumps(value)}: supported values: {', '.join(map(json.dumps, known))}"
    return invalid(OPTIONS_GROUP, kind, "", [FieldError(name, NOT_SUPPORTED, said)])


def _is_dry_run(kind: str, text: str | None) -> bool:
    if text in (None, ""):
        return False
    if text != "All":
        raise _unsupported(kind, "dryRun", [text], ("All",))
    return True


class _Preconditions(msgspec.Struct):
    uid: str | None = None
    version: str | None = msgspec.field(default=None, name="resourceVersion")


class _DeleteOptions(msgspec.Struct):
    propagation_policy: str | None = msgspec.field(default=None, name="propagationPolicy")
    orphans: bool | None = msgspec.field(default=None, name="orphanDependents")
    grace_seconds: int | None = msgspec.field(default=None, name="gracePeriodSeconds")
    preconditions: _Preconditions | None = None
    dry_run: list[str] | None = msgspec.field(default=None, name="dryRun")


def removal(query: Mapping[str, str], body: Any) -> Removal:
    """DeleteOptions, in the body or in the query. Raises Invalid, BadRequest."""
    said = _delete_options(body)
    policy = said.propagation_policy or query.get("propagationPolicy") or ("Orphan" if said.orphans else "Background")
    if policy not in POLICIES:
        raise _unsupported("DeleteOptions", "propagationPolicy", policy, (*POLICIES, "nil"))
    grace = _number(query, "gracePeriodSeconds") if said.grace_seconds is None else said.grace_seconds
    conditions = said.preconditions or _Preconditions()
    return Removal(
        policy=policy,
        grace_seconds=grace,
        uid=conditions.uid or "",
        version=conditions.version or "",
        is_dry_run=_is_dry_run("DeleteOptions", query.get("dryRun") or next(iter(said.dry_run or ()), None)),
    )


def _delete_options(body: Any) -> "_DeleteOptions":
    try:
        return msgspec.convert({} if body is None else body, _DeleteOptions)
    except msgspec.ValidationError as error:
        raise BadRequest(f"error decoding DeleteOptions: {error}") from error


def eviction(asked: Target, query: Mapping[str, str], document: Any) -> Removal:
    """Of a pod. Raises BadRequest for one of another name, Invalid."""
    document = document if isinstance(document, dict) else {}
    metadata = document.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("name") != asked.name:
        raise BadRequest("name in URL does not match name in Eviction object")
    return removal(query, document.get("deleteOptions"))


def nothing_of(asked: Target) -> NotFound:
    """It is there, and nothing can be told of it."""
    return not_found(asked.resource, asked.name)
