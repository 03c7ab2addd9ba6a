"""From what somebody sent to what a kind has room for: unknown fields and nulls go, wrong types are refused.

In: a Shape and a document, changed in place. Out: paths of what it did not know, or a WrongType. Values of custom kinds are
not looked at here, but by their schema (`validation`); their metadata is, as that of every object.
"""

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from arkwright.apiserver.kinds.formats import SAYS_QUANTITY, quantity
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


class WrongText(WrongType):
    """Text that is to be read further, and cannot be: a moment, or bytes. `found`: what Go says of it."""

    def __str__(self) -> str:
        return self.found

    def within(self, name: str, owner: str) -> WrongType:
        return self


def decode(shape: Shape, document: Document) -> list[str]:
    """A whole object. Raises WrongType. Paths are put together on the way back, where there is something to tell."""
    return [path.removeprefix(".") for path in _fields(shape, document)]


def _value(shape: Shape, value: Any) -> list[str]:
    if shape.is_built_in:
        _require_type(shape, value)
    if isinstance(value, dict):
        return _fields(shape, value)
    if isinstance(value, list) and shape.items:
        value[:] = [_zero(shape.items) if one is None else one for one in value]
        return [f"[{number}]{path}" for number, one in enumerate(value) for path in _value(shape.items, one)]
    return []


def _fields(shape: Shape, value: Document) -> list[str]:
    gone: list[str] = []
    fields, values = shape.fields, shape.values
    for name, inner in list(value.items()):
        child = fields.get(name) or values
        if child is not None and child.type == "string" and not child.format and type(inner) is str:
            continue  # most fields are that
        if child is None:
            if not shape.keeps_unknown:
                del value[name]
                gone.append(f".{name}")
        elif name in fields and _is_nothing(shape, child, name, inner):
            del value[name]
        elif child is not ANYTHING and inner is None and child.is_built_in and name not in fields:
            value[name] = _zero(child)
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
    empty: Any = [] if child.type == "array" else {}
    return value == empty and child.is_built_in and name not in shape.required and child.is_collection


def _zero(shape: Shape) -> Any:
    """What Go has where null was said."""
    zero = {"string": "", "integer": 0, "number": 0, "boolean": False, "object": {}, "array": []}
    zero_of_form = {"quantity": "0", "int-or-string": 0}
    return zero.get(shape.type, zero_of_form.get(shape.format)) if shape.is_built_in else None


def _require_type(shape: Shape, value: Any) -> None:
    found = value
    wanted = PYTHON_TYPES.get(shape.type)
    if wanted is None:
        _require_form(shape, value)
        return
    if not isinstance(value, wanted) or (isinstance(value, bool) and shape.type != "boolean"):
        raise WrongType("", "", _json_name(value), go_type(shape))
    if shape.type == "integer" and not fits(shape.format, found):
        raise WrongType("", "", f"number {value}", shape.format or "int64")
    if shape.format in TEXTS and (said := TEXTS[shape.format](found)):
        raise WrongText("", "", said, "")


def _require_form(shape: Shape, value: Any) -> None:
    """Of what may be a number or text."""
    if shape.format == "quantity" and quantity(value) is None:
        raise WrongText("", "", SAYS_QUANTITY, "")
    if shape.format == "int-or-string" and not isinstance(value, str):
        if isinstance(value, bool) or not isinstance(value, int) or not fits("int32", value):
            raise WrongType("", "", _json_name(value), "int32")


def fits(form: str, value: int) -> bool:
    """Whether Go has room for it.

    >>> fits("int32", 2**31 - 1), fits("int32", 2**31), fits("", -(2**63))
    (True, False, True)
    """
    bits = 31 if form == "int32" else 63
    limit: int = 2**bits
    return -limit <= value < limit


def _moment_error(text: str) -> str:
    """
    >>> _moment_error("2026-01-01T00:00:00Z"), _moment_error("x")
    ('', 'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"')
    """
    if IS_MOMENT(text):
        with contextlib.suppress(ValueError):
            datetime.fromisoformat(text)
            return ""
    rest = text if not re.match("[0-9]{4}", text) else text[4:]
    part = "2006" if rest == text else "-"
    return f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse "{rest}" as "{part}"'


def _bytes_error(text: str) -> str:
    """
    >>> _bytes_error("YQ=="), _bytes_error("a b")
    ('', 'illegal base64 data at input byte 1')
    """
    clean = text.replace("\n", "").replace("\r", "")
    if len(clean) % 4 == 0 and IS_BASE64(clean):
        return ""
    good = re.match("[A-Za-z0-9+/]*", clean)
    return f"illegal base64 data at input byte {good.end() if good else 0}"


IS_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII).fullmatch
IS_BASE64 = re.compile("[A-Za-z0-9+/]*={0,2}").fullmatch
TEXTS: dict[str, Callable[[str], str]] = {"date-time": _moment_error, "byte": _bytes_error}


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
