"""From what somebody sent to what a kind has room for: unknown fields and nulls go, wrong types are refused.

In: a Shape and a document, changed in place. Out: paths of what it did not know, or a WrongType. Values of custom kinds are
not looked at here, but by their schema (`validation`); their metadata is, as that of every object.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from arkwright.apiserver.shapes import ANYTHING, Shape

Document = dict[str, Any]
PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}


@dataclass(eq=False)
class WrongType(Exception):
    """`path`: dotted, without indexes; `owner`: the built-in type that has the field; `found`, `wanted`: as Go names types."""

    path: str
    owner: str
    found: str
    wanted: str

    def __str__(self) -> str:
        at = f"Go struct field {self.owner}.{self.path}" if self.path else "Go value"
        return f"json: cannot unmarshal {self.found} into {at} of type {self.wanted}"


@dataclass(frozen=True)
class _Place:
    """Where a value stands: `path` with indexes, `plain` without; `owner`: the built-in type around it."""

    path: str = ""
    plain: str = ""
    owner: str = ""

    def field(self, name: str, owner: str) -> "_Place":
        return _Place(f"{self.path}.{name}".removeprefix("."), f"{self.plain}.{name}".removeprefix("."), owner)


def decode(shape: Shape, document: Document) -> list[str]:
    """A whole object. Raises WrongType."""
    return list(_fields(shape, document, _Place()))


def _value(shape: Shape, value: Any, place: _Place) -> list[str]:
    if shape.is_built_in:
        _require_type(shape, value, place)
    if isinstance(value, dict):
        return _fields(shape, value, place)
    if isinstance(value, list) and shape.items:
        gone = []
        for number, one in enumerate(value):
            gone += _value(shape.items, one, _Place(f"{place.path}[{number}]", place.plain, place.owner))
        return gone
    return []


def _fields(shape: Shape, value: Document, place: _Place) -> list[str]:
    gone: list[str] = []
    owner = shape.go_name or place.owner
    for name in list(value):
        child = shape.child(name)
        if child is None and not shape.keeps_unknown:
            del value[name]
            gone.append(f"{place.path}.{name}".removeprefix("."))
        elif child is not None and _is_nothing(shape, child, name, value[name]):
            del value[name]
        elif child is not None and child is not ANYTHING and value[name] is not None:
            is_entry = name not in shape.fields
            inner = _Place(f"{place.path}.{name}", place.plain, owner) if is_entry else _at(shape, place, name, owner)
            gone += _value(child, value[name], inner)
    return gone


def _at(shape: Shape, place: _Place, name: str, owner: str) -> _Place:
    """Metadata of a custom object is decoded by itself."""
    if name == "metadata" and not place.path and not shape.is_built_in:
        return _Place("metadata", "", owner)
    return place.field(name, owner)


def _is_nothing(shape: Shape, child: Shape, name: str, value: Any) -> bool:
    """Null where null has no meaning; of built-in kinds also empty lists and maps, which Go does not tell from none."""
    if name not in shape.fields:
        return False
    if value is None:
        return not child.is_nullable and child is not ANYTHING
    return value in ([], {}) and child.is_built_in and name not in shape.required and child.is_collection


def _require_type(shape: Shape, value: Any, place: _Place) -> None:
    wanted = PYTHON_TYPES.get(shape.type)
    if wanted is None or (isinstance(value, wanted) and (not isinstance(value, bool) or shape.type == "boolean")):
        return
    raise WrongType(place.plain, place.owner, _json_name(value), go_type(shape))


def _json_name(value: Any) -> str:
    for kind, name in ((bool, "bool"), (str, "string"), (list, "array"), (dict, "object")):
        if isinstance(value, kind):
            return name
    return "number"


def go_type(shape: Shape) -> str:
    """
    >>> go_type(Shape(type="array", items=Shape(type="string")))
    '[]string'
    """
    if shape.go_name:
        return f"{shape.go_package}.{shape.go_name}"
    if shape.type == "array":
        return "[]" + (go_type(shape.items) if shape.items else "interface {}")
    if shape.type == "object":
        return "map[string]" + (go_type(shape.values) if shape.values else "interface {}")
    return {"integer": shape.format or "int64", "boolean": "bool", "number": "float64"}.get(shape.type, "string")


EXPECTED = {
    "integer": "numeric (int or float)",
    "number": "numeric (int or float)",
    "string": "string",
    "boolean": "boolean",
    "array": "list",
    "object": "map",
}


def misfits(shape: Shape, value: Any, path: str = "") -> Iterator[str]:
    """What a server-side apply cannot work with, as in `.spec.x: field not declared in schema`; nothing is changed."""
    wanted = PYTHON_TYPES.get(shape.type)
    if value is None:
        return
    if wanted and not isinstance(value, (*wanted, float) if shape.type == "integer" else wanted):
        yield f"{path}: expected {EXPECTED[shape.type]}, got {_json_name(value)}"
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _misfitting_field(shape, name, inner, path)
    elif isinstance(value, list) and shape.items:
        for number, inner in enumerate(value):
            yield from misfits(shape.items, inner, f"{path}[{number}]")


def _misfitting_field(shape: Shape, name: str, value: Any, path: str) -> Iterator[str]:
    child = shape.child(name)
    if child is not None:
        yield from misfits(child, value, f"{path}.{name}")
    elif not shape.keeps_unknown:
        yield f"{path}.{name}: field not declared in schema"
