"""The three patches of Kubernetes besides server-side apply. In: a document and a patch. Out: a new document.

JSON patch (RFC 6902) is a library's; merge patch (RFC 7386) is eight lines; strategic merge needs the kind's Shape.
"""

import re
from collections import deque
from copy import deepcopy
from typing import Any

import jsonpatch
import jsonpointer

from arkwright.apiserver.bounds import LARGEST_BODY_BYTES, UNREADABLE, encoded, require_few, require_shallow
from arkwright.apiserver.errors import ApiError, BadRequest, Invalid
from arkwright.apiserver.kinds import ANYTHING, Shape

Document = dict[str, Any]
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
DIRECTIVES = ("$patch", "$retainKeys")


def json_patched(document: Document, patch: Any) -> Document:
    """Raises BadRequest for what is no patch, Invalid where it does not fit the document."""
    require_few(patch)
    try:
        found: Document = _all_applied(jsonpatch.JsonPatch(patch), document)
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, *UNREADABLE) as error:
        is_unfit = isinstance(
            error, jsonpatch.JsonPatchConflict | jsonpatch.JsonPatchTestFailed | jsonpointer.JsonPointerException
        )
        said = re.sub(r" \(<class '\w+'>\)", "", str(error))  # the library shows Python's types
        raise _refusal(said, is_unfit) from error
    return found


def _all_applied(patch: jsonpatch.JsonPatch, document: Document) -> Any:
    """One after the other; what they copy counts together, for a few copies of copies are more than any memory."""
    found: Any = deepcopy(document)
    copied = 0
    for operation in patch._ops:  # type: ignore[attr-defined]
        if isinstance(operation, jsonpatch.CopyOperation):
            source = operation.pointer_cls(str(operation.operation.get("from")))
            copied += len(encoded(source.resolve(found)))
            if copied > LARGEST_BODY_BYTES:
                said = f"the accumulated size increase of copy operations is {copied}"
                raise Invalid(f"Unable to complete the copy, {said}, exceeding the limit {LARGEST_BODY_BYTES}", {})
        found = operation.apply(found)
    require_shallow(found)
    return found


def _refusal(said: str, is_unfit: bool) -> ApiError:
    if is_unfit:
        return Invalid(f"the server rejected our request due to an error in our request: {said}", {})
    return BadRequest(f"error decoding patch: {said}")


def merge_patched(document: Any, patch: Any) -> Any:
    """RFC 7386; the old document stays as it is.

    >>> merge_patched({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"d": 3}})
    {'b': {'c': 2, 'd': 3}}
    """
    if not isinstance(patch, dict):
        return patch
    new = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            new.pop(key, None)
        else:
            new[key] = merge_patched(new.get(key), value)
    return new


def strategically_patched(shape: Shape, document: Any, patch: Any) -> Any:
    """A strategic merge patch: like a merge patch, but lists with a merge key are merged item by item.

    Directives: `$patch: replace|delete`, `$retainKeys`, `$setElementOrder/<list>`, `$deleteFromPrimitiveList/<list>`.
    """
    if not isinstance(patch, dict):
        return deepcopy(patch)
    if patch.get("$patch") == "replace":
        return {key: deepcopy(value) for key, value in patch.items() if key != "$patch"}
    new = dict(document) if isinstance(document, dict) else {}
    if "$retainKeys" in patch:
        new = {key: value for key, value in new.items() if key in patch["$retainKeys"]}
    for key, value in patch.items():
        directive, _, name = key.partition("/")
        if directive == "$deleteFromPrimitiveList":
            gone = {encoded(one) for one in value}
            new[name] = [one for one in new.get(name, ()) if encoded(one) not in gone]
        elif not key.startswith("$"):
            _patch_field(shape.child(key) or ANYTHING, new, key, value)
    _reorder_lists(shape, new, patch)
    return new


def _reorder_lists(shape: Shape, new: Document, patch: Document) -> None:
    for key, order in patch.items():
        directive, _, name = key.partition("/")
        if directive == "$setElementOrder":
            _reorder(shape, new, name, order)


def _patch_field(shape: Shape, new: Document, key: str, value: Any) -> None:
    if value is None or (isinstance(value, dict) and value.get("$patch") == "delete"):
        new.pop(key, None)
    elif isinstance(value, list):
        new[key] = _patched_list(shape, new.get(key) or [], value)
    else:
        new[key] = strategically_patched(shape, new.get(key), value)


def _patched_list(shape: Shape, old: list[Any], patch: list[Any]) -> list[Any]:
    if not shape.merges:
        return deepcopy(patch)
    if not shape.merge_key:
        given = {encoded(one) for one in patch}
        return _in_order(old, [one for one in old if encoded(one) not in given], patch)
    directives = [one for one in patch if isinstance(one, dict) and one.get("$patch")]
    plain = [one for one in patch if not (isinstance(one, dict) and one.get("$patch"))]
    if any(one["$patch"] == "replace" for one in directives):
        return deepcopy(plain)
    return _merged_items(shape, old, plain, {one.get(shape.merge_key) for one in directives})


def _merged_items(shape: Shape, old: list[Any], patch: list[Any], deleted: set[Any]) -> list[Any]:
    key, items = shape.merge_key, shape.items or ANYTHING
    for one in patch:
        if not isinstance(one, dict) or key not in one:
            raise BadRequest(f"map: {one} does not contain declared merge key: {key}")
    known = {one.get(key): one for one in old if one.get(key) not in deleted}
    wanted = {one[key]: strategically_patched(items, known.get(one[key], {}), one) for one in patch}
    found = known | wanted
    order = _in_order([one.get(key) for one in old], [one for one in known if one not in wanted], list(wanted))
    return [found[one] for one in order]


def _in_order(before: list[Any], untouched: list[Any], patched: list[Any]) -> list[Any]:
    """Patched items keep their order among themselves, and so do the others; where both were there, as it was before."""
    places = {encoded(one): place for place, one in reversed(list(enumerate(before)))}
    left, right, merged = deque(untouched), deque(patched), []
    while left and right:
        place = places.get(encoded(right[0]))
        is_first = place is not None and places[encoded(left[0])] < place
        merged.append((left if is_first else right).popleft())
    return [*merged, *left, *right]


def _reorder(shape: Shape, new: Document, name: str, order: list[Any]) -> None:
    """Items that the patch names stand in its order; others stay behind those they followed."""
    child = shape.child(name) or ANYTHING
    items = new.get(name)
    if not isinstance(items, list):
        return
    key = child.merge_key
    wanted = [encoded(one.get(key) if isinstance(one, dict) else one) for one in order]
    places = {one: place for place, one in reversed(list(enumerate(wanted)))}

    def place(item: Any) -> int:
        return places.get(encoded(item.get(key) if isinstance(item, dict) else item), len(wanted))

    new[name] = sorted(items, key=place)
