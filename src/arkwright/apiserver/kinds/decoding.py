"""From what somebody sent to what a kind has room for: unknown fields and nulls go, wrong types are refused.

In: a Shape and a document, changed in place. Out: paths of what it did not know, or a WrongType. Values of custom kinds are
not looked at here, but by their schema (`validation`); their metadata is, as that of every object.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from arkwright.apiserver.kinds.shapes import ANYTHING, Shape

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

    def within(self, name: str, owner: str) -> "WrongType":
        """The same, seen from the object around it."""
        return WrongType(f"{name}.{self.path}".removesuffix("."), self.owner or owner, self.found, self.wanted)


def decode(shape: Shape, document: Document) -> list[str]:
    """A whole object. Raises WrongType. Paths are put together on the way back, where there is something to tell."""
    return [path.removeprefix(".") for path in _fields(shape, document)]


def _value(shape: Shape, value: Any) -> list[str]:
    if shape.is_built_in:
        _require_type(shape, value)
    if isinstance(value, dict):
        return _fields(shape, value)
    if isinstance(value, list) and shape.items:
        return [f"[{number}]{path}" for number, one in enumerate(value) for path in _value(shape.items, one)]
    return []


def _fields(shape: Shape, value: Document) -> list[str]:
    gone: list[str] = []
    fields, values = shape.fields, shape.values
    for name, inner in list(value.items()):
        child = fields.get(name) or values
        if child is not None and child.type == "string" and type(inner) is str:
            continue  # most fields are that
        if child is None:
            if not shape.keeps_unknown:
                del value[name]
                gone.append(f".{name}")
        elif name in fields and _is_nothing(shape, child, name, inner):
            del value[name]
        elif child is not ANYTHING and inner is not None:
            gone += [f".{name}{path}" for path in _field(shape, child, name, inner)]
    return gone


def _field(shape: Shape, child: Shape, name: str, value: Any) -> list[str]:
    try:
        return _value(child, value)
    except WrongType as error:
        is_apart = name == "metadata" and not shape.is_built_in  # metadata of a custom object is decoded by itself
        is_entry = name not in shape.fields
        raise error if is_apart or is_entry else error.within(name, shape.go_name) from None


def _is_nothing(shape: Shape, child: Shape, name: str, value: Any) -> bool:
    """Null where null has no meaning; of built-in kinds also empty lists and maps, which Go does not tell from none."""
    if value is None:
        return not child.is_nullable and child is not ANYTHING
    return value in ([], {}) and child.is_built_in and name not in shape.required and child.is_collection


def _require_type(shape: Shape, value: Any) -> None:
    wanted = PYTHON_TYPES.get(shape.type)
    if wanted is None or (isinstance(value, wanted) and (not isinstance(value, bool) or shape.type == "boolean")):
        return
    raise WrongType("", "", _json_name(value), go_type(shape))


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
