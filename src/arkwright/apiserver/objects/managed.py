"""Who owns which field: server-side apply, and the `managedFields` that every write keeps up to date.

In: the object as it is, the object or the wish that came in, who writes. Out: the object with its managedFields, or a
Conflict that names fields and owners. Pure: `now` is part of the Writer.
"""

from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from arkwright.apiserver.errors import Conflict
from arkwright.apiserver.kinds import Shape
from arkwright.apiserver.kinds.fieldsets import (
    Path,
    add,
    all_paths,
    compared,
    discard,
    holds,
    merged,
    paths,
    remove,
    shown,
    take_away,
    touches,
    tree,
    whole_tree,
)

Document = dict[str, Any]
METADATA_OF_NOBODY = tuple(
    f"f:{name}"
    for name in "name namespace creationTimestamp selfLink uid generation managedFields resourceVersion".split()
)
OWNED_BY_NOBODY: frozenset[Path] = frozenset(
    {("f:apiVersion",), ("f:kind",), ("f:metadata",)} | {("f:metadata", step) for step in METADATA_OF_NOBODY}
)


@dataclass(frozen=True)
class Writer:
    """Who writes what: an entry of managedFields is told apart by all of these but `now`, a timestamp."""

    manager: str
    operation: str
    api_version: str
    subresource: str
    now: str

    def entry(self, fields: Document) -> Document:
        """As managedFields has it."""
        entry: Document = {
            "manager": self.manager,
            "operation": self.operation,
            "apiVersion": self.api_version,
        }
        if self.now:
            entry["time"] = self.now
        entry |= {"fieldsType": "FieldsV1", "fieldsV1": fields}
        return entry | ({"subresource": self.subresource} if self.subresource else {})

    def is_author(self, entry: Document) -> bool:
        """Whether an entry is ours."""
        theirs = (entry.get("manager"), entry.get("operation"), entry.get("apiVersion"), entry.get("subresource", ""))
        return theirs == (self.manager, self.operation, self.api_version, self.subresource)


def begin_record(shape: Shape, new: Document, zero: Document, writer: Writer) -> None:
    """Who creates an object owns all of it, but what Go always has (`zero`) and what the server gives."""
    fields = whole_tree(shape, new)
    take_away(fields, zero | {"metadata": {}}, new)
    for step in ("f:apiVersion", "f:kind"):
        fields.pop(step, None)
    metadata = fields.get("f:metadata", {})
    for step in METADATA_OF_NOBODY:
        metadata.pop(step, None)
    if not metadata:
        fields.pop("f:metadata", None)
    _set_entries(new, [writer.entry(fields)] if fields else [])


def keep_record(shape: Shape, old: Document, new: Document, writer: Writer) -> None:
    """Fields that a write changed become its writer's, in place of whoever had them."""
    changed, removed = compared(shape, old, new)
    changed -= OWNED_BY_NOBODY
    kept = _relieved(new["metadata"].get("managedFields") or [], changed | removed)
    if changed:
        mine = next((one for one in kept if writer.is_author(one)), None)
        fields: Document = mine["fieldsV1"] if mine else {}
        for path in sorted(changed):
            add(fields, path)
        kept = [one for one in kept if one is not mine] + [writer.entry(fields)]
    _set_entries(new, kept)


def _relieved(entries: list[Document], taken: set[Path]) -> list[Document]:
    """Entries without what somebody else has taken; copies, for the old object keeps its own."""
    kept = []
    for entry in entries:
        fields = deepcopy(entry.get("fieldsV1", {}))
        for path in taken:
            discard(fields, path)
        if fields:
            kept.append(entry | {"fieldsV1": fields})
    return kept


def _set_entries(document: Document, entries: list[Document]) -> None:
    order = sorted(
        entries, key=lambda one: (one["operation"], one.get("time", ""), one["manager"], one.get("subresource", ""))
    )
    if order:
        document["metadata"]["managedFields"] = order
    else:
        document["metadata"].pop("managedFields", None)


def applied(shape: Shape, live: Document, wish: Document, writer: Writer, *, force: bool) -> Document:
    """Server-side apply: `wish` laid over `live`; what the writer applied before and wishes no more goes.

    Raises Conflict where it would change what others own, unless `force`d.
    """
    wished = {path for path in all_paths(shape, wish) if path not in OWNED_BY_NOBODY and not _is_reset(path, writer)}
    entries = (live.get("metadata") or {}).get("managedFields") or []
    mine = next((one for one in entries if writer.is_author(one)), None)
    others = [one for one in entries if one is not mine]
    new: Document = deepcopy(merged(shape, live, wish))
    before = set(paths(mine["fieldsV1"])) if mine else set()
    _prune(shape, new, before - wished, others)
    changed, removed = compared(shape, live, new)
    taken = changed - OWNED_BY_NOBODY
    if not force:
        _refuse(others, taken & wished)
    kept = _relieved(others, taken | removed)
    if wished:
        # As in Kubernetes: an apply that changes nothing leaves no time.
        now = writer.now if changed or removed else (mine or {}).get("time", "")
        kept.append(replace(writer, now=now).entry(tree(wished)))
    _set_entries(new, kept)
    return new


def _is_reset(path: Path, writer: Writer) -> bool:
    """A subresource takes its own part only, the object itself all but its status."""
    is_status = path[0] == "f:status"
    return not is_status if writer.subresource == "status" else is_status and writer.subresource == ""


def _prune(shape: Shape, document: Document, given_up: set[Path], others: list[Document]) -> None:
    for path in sorted(given_up, key=len):
        if path and not any(touches(one.get("fieldsV1", {}), path) for one in others):
            remove(shape, document, path)


def _refuse(others: list[Document], taken: set[Path]) -> None:
    """Raise Conflict if somebody else owns any of it."""
    found = sorted((_described(entry), shown(path)) for entry in others for path in _held(entry, taken))
    if not found:
        return
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {owner}", "field": path} for owner, path in found
    ]
    if len(found) == 1:
        [(owner, path)] = found
        raise Conflict(f"Apply failed with 1 conflict: conflict with {owner}: {path}", {"causes": causes})
    lines = []
    for owner, paths_of_owner in groupby(found, key=lambda one: one[0]):
        lines += [f"conflicts with {owner}:", *(f"- {path}" for _, path in paths_of_owner)]
    raise Conflict(f"Apply failed with {len(found)} conflicts: " + "\n".join(lines), {"causes": causes})


def _held(entry: Document, taken: set[Path]) -> list[Path]:
    return sorted(path for path in taken if holds(entry.get("fieldsV1", {}), path))


def _described(entry: Document) -> str:
    part = f' with subresource "{entry["subresource"]}"' if entry.get("subresource") else ""
    owner = f'"{entry["manager"]}"{part}'
    return owner if entry["operation"] == "Apply" else f"{owner} using {entry['apiVersion']}"
