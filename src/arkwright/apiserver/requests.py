"""What a request asks for: its path and query taken apart. In: strings. Out: a Target and a Query, or an ApiError."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from arkwright.apiserver.errors import BadRequest, FieldError, Invalid, NotFound
from arkwright.apiserver.removals import Removal
from arkwright.apiserver.resources import Registry, Resource
from arkwright.apiserver.selectors import field_selector, label_selector
from arkwright.apiserver.watches import Filter
from arkwright.apiserver.writes import Options

Document = dict[str, Any]
TABLE = "as=Table"
VALIDATIONS = ("Strict", "Warn", "Ignore")


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
    if parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    else:
        group, version, rest = parts[1], parts[2], parts[3:]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and registry.find(group, version, rest[2]):
        namespace, rest = rest[1], rest[2:]
    resource = registry.find(group, version, rest[0])
    if resource is None or len(rest) > 3 or (namespace and not resource.is_namespaced):
        raise NotFound("the server could not find the requested resource")
    name, subresource = [*rest[1:], "", ""][:2]
    if subresource and subresource not in (
        *resource.subresources,
        *(("finalize",) if resource.name == "namespaces" else ()),
    ):
        raise NotFound("the server could not find the requested resource")
    return Target(resource, namespace, name, subresource)


@dataclass(frozen=True)
class Listing:
    """How to list or watch. `version`: "" for what is there now; `timeout_seconds`: of a watch, None for the server's."""

    filter: Filter = field(default_factory=Filter)
    version: str = ""
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
        fields=field_selector(fields, asked.resource.fields) if fields else None,
        name=asked.name,
    )
    return Listing(
        filter=wanted,
        version=query.get("resourceVersion", ""),
        limit=_number(query, "limit") or 0,
        token=query.get("continue", ""),
        is_watch=_flag(query, "watch"),
        wants_bookmarks=_flag(query, "allowWatchBookmarks"),
        wants_initial=_flag(query, "sendInitialEvents"),
        timeout_seconds=_number(query, "timeoutSeconds"),
    )


def _flag(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() in ("true", "1", "t")


def _number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if not text:
        return None
    try:
        return int(text)
    except ValueError as error:
        raise BadRequest(f'strconv.ParseInt: parsing "{text}": invalid syntax') from error


def options(asked: Target, query: Mapping[str, str], agent: str) -> Options:
    """`agent`: the User-Agent; its first word is the manager where none is named. Raises BadRequest, Invalid."""
    validation = query.get("fieldValidation") or "Warn"
    if validation not in VALIDATIONS:
        said = f'fieldValidation: Unsupported value: "{validation}": supported values: "Ignore", "Strict", "Warn"'
        raise Invalid(f'PatchOptions.meta.k8s.io "" is invalid: {said}')
    return Options(
        manager=query.get("fieldManager") or agent.partition("/")[0] or "unknown",
        is_dry_run=_is_dry_run(query.get("dryRun")),
        validation=validation,
        subresource=asked.subresource if asked.subresource != "finalize" else "",
        force=_flag(query, "force"),
    )


def _is_dry_run(text: str | None) -> bool:
    if text in (None, ""):
        return False
    if text != "All":
        wrong = FieldError("dryRun", "FieldValueNotSupported", f'Unsupported value: "{text}": supported values: "All"')
        raise Invalid(f'PatchOptions.meta.k8s.io "" is invalid: {wrong}')
    return True


def removal(query: Mapping[str, str], body: Document) -> Removal:
    """DeleteOptions, in the body or in the query. Raises Invalid."""
    wanted = {**{name: query[name] for name in ("propagationPolicy", "gracePeriodSeconds") if name in query}, **body}
    policy = wanted.get("propagationPolicy") or ("Orphan" if wanted.get("orphanDependents") else "Background")
    if policy not in ("Background", "Foreground", "Orphan"):
        said = (
            f'propagationPolicy: Unsupported value: "{policy}": supported values: "Foreground", "Background", "Orphan"'
        )
        raise Invalid(f'DeleteOptions.meta.k8s.io "" is invalid: {said}')
    grace = wanted.get("gracePeriodSeconds")
    conditions = wanted.get("preconditions") or {}
    dry_run = query.get("dryRun") or next(iter(wanted.get("dryRun") or ()), None)
    return Removal(
        policy=policy,
        grace_seconds=None if grace is None else int(grace),
        uid=conditions.get("uid") or "",
        version=conditions.get("resourceVersion") or "",
        is_dry_run=_is_dry_run(dry_run),
    )


def accepts_table(accept: str) -> str | None:
    """None unless the first type that is asked for is a Table of v1."""
    first = accept.split(",")[0].replace(" ", "")
    return first if TABLE in first and "v=v1" in first.split(";") else None
