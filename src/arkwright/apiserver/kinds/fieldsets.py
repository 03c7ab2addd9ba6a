"""Sets of fields, as `managedFields` has them. Pure.

A path is a tuple of steps: `f:name` a field, `k:{"name":"x"}` an item of a list of type map, `v:"x"` one of a list of
type set. A tree is the same as JSON (FieldsV1): `{"f:spec": {"f:replicas": {}}}`, "." where a container itself is meant.
"""

import json
from collections.abc import Iterator
from typing import Any

from arkwright.apiserver.kinds.shapes import ANYTHING, Shape

Document = dict[str, Any]
Path = tuple[str, ...]
CONTAINERS = (dict, list)


def is_associative(shape: Shape) -> bool:
    """Whether the items of a list are told apart by what they are, not by where they stand."""
    return shape.list_type in ("map", "set")


def step_to(shape: Shape, item: Any) -> str:
    """
    >>> step_to(Shape(list_type="map", list_keys=("name",)), {"name": "x", "image": "y"})
    'k:{"name":"x"}'
    """
    if shape.list_type == "map" and isinstance(item, dict):
        keys = {key: item[key] if key in item else _default(shape, key) for key in sorted(shape.list_keys)}
        return "k:" + json.dumps(
            {key: value for key, value in keys.items() if value is not None}, separators=(",", ":")
        )
    return "v:" + json.dumps(item, separators=(",", ":"), sort_keys=True)


def _default(shape: Shape, key: str) -> Any:
    child = shape.items.child(key) if shape.items else None
    return child.default if child and isinstance(child.default, str | int) else None


def children(shape: Shape, value: Any) -> dict[str, tuple[Shape, Any]] | None:
    """What a value consists of, by step; None for one that is owned as a whole."""
    if shape.is_atomic:
        return None
    if isinstance(value, dict):
        return {f"f:{name}": (shape.child(name) or ANYTHING, inner) for name, inner in value.items()}
    if isinstance(value, list) and is_associative(shape):
        return {step_to(shape, one): (shape.items or ANYTHING, one) for one in value}
    return None


def all_paths(shape: Shape, value: Any, at: Path = (), *, whole: bool = False) -> Iterator[Path]:
    """What is owned by who wrote `value`: leaves, items, entries of maps, empty containers; with `whole`, all containers."""
    parts = children(shape, value)
    if not parts:
        yield at
        return
    if at and whole:
        yield at
    for step, (inner_shape, inner) in parts.items():
        is_entry = step[0] in "kv" or step[2:] not in shape.fields
        if is_entry and not whole and children(inner_shape, inner):
            yield (*at, step)
        yield from all_paths(inner_shape, inner, (*at, step), whole=whole)


def compared(shape: Shape, old: Any, new: Any, at: Path = ()) -> tuple[set[Path], set[Path]]:
    """(added or changed, removed) paths."""
    if old == new and type(old) is type(new):
        return set(), set()
    was, now = children(shape, old), children(shape, new)
    if was is None or now is None or type(old) is not type(new):
        return {at}, set()
    changed: set[Path] = set()
    removed: set[Path] = set()
    for step in was.keys() - now.keys():
        removed |= set(all_paths(*was[step], (*at, step), whole=True))
    for step, (inner_shape, inner) in now.items():
        if step not in was:
            changed |= set(all_paths(inner_shape, inner, (*at, step), whole=True))
        elif was[step][1] != inner:
            more, gone = compared(inner_shape, was[step][1], inner, (*at, step))
            changed |= more
            removed |= gone
    return changed, removed


# ── trees ──


def whole_tree(shape: Shape, value: Any) -> Document:
    """The tree of all that is in a value, its containers among it."""
    if type(value) is dict and not shape.is_atomic:  # the same as below without shapes for what is no container
        made: Document = {
            f"f:{name}": _tree_within(shape.child(name) or ANYTHING, inner) if isinstance(inner, CONTAINERS) else {}
            for name, inner in value.items()
        }
        return made
    return {step: _tree_within(*one) for step, one in (children(shape, value) or {}).items()}


def _tree_within(shape: Shape, value: Any) -> Document:
    below = whole_tree(shape, value) if isinstance(value, CONTAINERS) else {}
    if below:
        below["."] = {}
    return below


def take_away(tree: Document, zero: Document, value: Document) -> None:
    """What a value has in common with `zero`: equal fields, and the containers that both have. In place."""
    for name, nothing in zero.items():
        step = f"f:{name}"
        if step not in tree:
            continue
        if value[name] == nothing:
            del tree[step]
        elif isinstance(nothing, CONTAINERS):
            tree[step].pop(".", None)
            if isinstance(nothing, dict):
                take_away(tree[step], nothing, value[name])


def paths(tree: Document, at: Path = ()) -> Iterator[Path]:
    """The paths of a tree."""
    for step, below in tree.items():
        if step == ".":
            yield at
        elif below:
            yield from paths(below, (*at, step))
        else:
            yield (*at, step)


def tree(of: set[Path]) -> Document:
    """The tree of some paths."""
    root: Document = {}
    for path in sorted(of):
        add(root, path)
    return root


def add(root: Document, path: Path) -> None:
    """Put a path in, in place."""
    node, is_new = root, True
    for step in path:
        if not is_new and not node:
            node["."] = {}  # so far a leaf: it stays one
        is_new = step not in node
        node = node.setdefault(step, {})
    if node and path:
        node["."] = {}


def _at(root: Document, path: Path) -> Document | None:
    """The node at a path; None if a tree has nothing there."""
    node = root
    for step in path:
        if step not in node:
            return None
        node = node[step]
    return node


def holds(root: Document, path: Path) -> bool:
    """Whether this very path is in a tree."""
    node = _at(root, path)
    return node is not None and (not node or "." in node)


def discard(root: Document, path: Path) -> bool:
    """Take a path out, in place; whether it was there."""
    if not path or path[0] not in root:
        return False
    below = root[path[0]]
    if len(path) > 1:
        found = discard(below, path[1:])
    elif "." in below:
        del below["."]
        found = True
    else:
        found = not below
    if found and not below:
        del root[path[0]]
    return found


def touches(root: Document, path: Path) -> bool:
    """Whether a tree has this path or any below it."""
    return _at(root, path) is not None


# ── documents ──


def remove(shape: Shape, value: Any, path: Path) -> None:
    """Take the field or item at a path out of a document, in place."""
    step, rest = path[0], path[1:]
    if isinstance(value, dict) and step.startswith("f:") and step[2:] in value:
        if rest:
            remove(shape.child(step[2:]) or ANYTHING, value[step[2:]], rest)
        else:
            del value[step[2:]]
    elif isinstance(value, list) and is_associative(shape):
        for number, one in enumerate(value):
            if step_to(shape, one) == step:
                if rest:
                    remove(shape.items or ANYTHING, one, rest)
                else:
                    del value[number]
                return


def merged(shape: Shape, live: Any, wish: Any) -> Any:
    """A wish laid over what is there: maps by field, lists of type map and set by item, all else as a whole."""
    if shape.is_atomic or type(live) is not type(wish):
        return wish
    if isinstance(wish, dict):
        over = {name: merged(shape.child(name) or ANYTHING, live.get(name), one) for name, one in wish.items()}
        return live | over
    if isinstance(wish, list) and is_associative(shape):
        parts, wishes = children(shape, live) or {}, children(shape, wish) or {}
        kept = [
            merged(shape.items or ANYTHING, one, wishes[step][1]) if step in wishes else one
            for step, (_, one) in parts.items()
        ]
        return kept + [one for step, (_, one) in wishes.items() if step not in parts]
    return wish


def shown(path: Path) -> str:
    """As conflicts name it.

    >>> shown(("f:spec", "f:containers", 'k:{"name":"x"}', "f:image"))
    '.spec.containers[name="x"].image'
    """
    return "".join(map(_shown_step, path))


def _shown_step(step: str) -> str:
    if step.startswith("f:"):
        return f".{step[2:]}"
    if step.startswith("v:"):
        return f"[={step[2:]}]"
    keys = json.loads(step[2:])
    return "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in keys.items()) + "]"
