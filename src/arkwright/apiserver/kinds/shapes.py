"""The shape of a kind: what its fields are, as its OpenAPI schema says. Defaults are seen to here.

In: a structural schema, of a CRD or of a kind that Kubernetes has built in (`shapes.json`). Out: a Shape, and documents
with defaults. Not done here: what a shape has no room for (`decoding`), whether values are allowed (`validation`).
"""

import functools
import json
from copy import deepcopy
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

Document = dict[str, Any]
OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
NO_DEFAULT = object()


@dataclass(slots=True, eq=False)
class Shape:
    """One node. `type`: "" where anything goes. `list_keys`: what tells the items of a list of type map apart.

    `merge_key`: the same for strategic merge patches; "" with `merges` set for lists of plain values.
    `definition`: the OpenAPI name of a built-in type; `is_built_in`: it is one, or part of one.
    `rules`: (CEL rule, message, its other settings); `has_rules`, `has_associative` (lists of type map or set), `has_defaults`: here
    or further down.
    """

    type: str = ""
    format: str = ""
    definition: str = ""
    is_built_in: bool = False
    required: frozenset[str] = frozenset()
    fields: dict[str, "Shape"] = field(default_factory=dict)
    values: "Shape | None" = None
    items: "Shape | None" = None
    is_atomic: bool = False
    list_type: str = ""
    list_keys: tuple[str, ...] = ()
    merges: bool = False
    merge_key: str = ""
    default: Any = NO_DEFAULT
    is_nullable: bool = False
    keeps_unknown: bool = False
    rules: tuple[Document, ...] = ()
    has_rules: bool = False
    has_associative: bool = False
    has_defaults: bool = False

    def child(self, name: str) -> "Shape | None":
        """The shape of a field or of a map's value; None if there is no such."""
        return self.fields.get(name) or self.values

    @property
    def is_collection(self) -> bool:
        """A list or a map, as opposed to an object with fields of its own."""
        return self.type == "array" or (self.type == "object" and self.values is not None and not self.fields)

    @property
    def go_name(self) -> str:
        """`DeploymentSpec`; "" if it has none of its own."""
        return self.definition.rpartition(".")[2]

    @property
    def go_package(self) -> str:
        """`v1`"""
        return self.definition.split(".")[-2]


ANYTHING = Shape(keeps_unknown=True)


@functools.cache
def definitions() -> dict[str, Document]:
    """Schemas of the built-in kinds, by their OpenAPI names."""
    text = resources.files("arkwright.apiserver.kinds").joinpath("shapes.json").read_text()
    found: dict[str, Document] = json.loads(text)
    return found


@functools.cache
def built_in(name: str) -> Shape:
    """The shape of a built-in definition."""
    return _Compiler(is_built_in=True).named(name)


def compiled(schema: Document) -> Shape:
    """The shape of a custom kind: its schema's, with apiVersion, kind and metadata as every object has them."""
    shape = _Compiler().shape(schema)
    text = Shape(type="string")
    shape.fields = {"apiVersion": text, "kind": text, **shape.fields, "metadata": built_in(OBJECT_META)}
    return shape


class _Compiler:
    """Definitions refer to each other, and some to themselves: each is made once."""

    def __init__(self, *, is_built_in: bool = False) -> None:
        self._named: dict[str, Shape] = {}
        self._is_built_in = is_built_in

    def named(self, name: str) -> Shape:
        if name not in self._named:
            shape = self._named[name] = Shape()
            made = self.shape(definitions()[name])
            for one in Shape.__slots__:
                setattr(shape, one, getattr(made, one))
            shape.definition = name if shape.fields else ""
        return self._named[name]

    def shape(self, schema: Document) -> Shape:
        if "$ref" in schema:
            return self._reference(schema)
        shape = Shape(
            type=schema.get("type", ""),
            format=schema.get("format", ""),
            is_built_in=self._is_built_in,
            required=frozenset(schema.get("required", ())),
            is_atomic="atomic" in (schema.get("x-kubernetes-map-type"), schema.get("x-kubernetes-list-type")),
            list_type=schema.get("x-kubernetes-list-type", ""),
            list_keys=tuple(schema.get("x-kubernetes-list-map-keys", ())),
            merges="merge" in schema.get("x-kubernetes-patch-strategy", ""),
            merge_key=schema.get("x-kubernetes-patch-merge-key", ""),
            default=schema.get("default", NO_DEFAULT),
            is_nullable=schema.get("nullable", False),
            keeps_unknown=schema.get("x-kubernetes-preserve-unknown-fields", False),
            rules=tuple(schema.get("x-kubernetes-validations", ())),
        )
        self._add_children(shape, schema)
        return shape

    def _reference(self, schema: Document) -> Shape:
        target = self.named(schema["$ref"])
        if len(schema) == 1:
            return target
        shape = Shape(**{one: getattr(target, one) for one in Shape.__slots__})
        shape.default = schema.get("default", target.default)
        return shape

    def _add_children(self, shape: Shape, schema: Document) -> None:
        shape.fields = {name: self.shape(one) for name, one in schema.get("properties", {}).items()}
        more, items = schema.get("additionalProperties"), schema.get("items")
        shape.values = self.shape(more) if isinstance(more, dict) else ANYTHING if more else None
        shape.items = self.shape(items) if isinstance(items, dict) else None
        if not shape.fields and not shape.values:  # Kubernetes' own free-form objects have no word for it
            shape.keeps_unknown = shape.keeps_unknown or self._is_built_in or shape.type == ""
        children = [one for one in (*shape.fields.values(), shape.values, shape.items) if one]
        shape.has_associative = shape.list_type in ("map", "set") or any(one.has_associative for one in children)
        shape.has_rules = bool(shape.rules) or any(one.has_rules for one in children)
        shape.has_defaults = any(one.has_defaults or one.default is not NO_DEFAULT for one in children)


def add_defaults(shape: Shape, value: Any) -> None:
    """In place; null counts as absent where a field has a default and may not be null."""
    if not shape.has_defaults:
        return
    if isinstance(value, dict):
        _default_fields(shape, value)
    elif isinstance(value, list) and shape.items:
        for inner in value:
            add_defaults(shape.items, inner)


def _default_fields(shape: Shape, value: Document) -> None:
    for name, one in shape.fields.items():
        _default_field(one, value, name)
    if shape.values and shape.values.has_defaults:
        for name in value.keys() - shape.fields.keys():
            add_defaults(shape.values, value[name])


def _default_field(shape: Shape, value: Document, name: str) -> None:
    if shape.default is not NO_DEFAULT and value.get(name) is None and not (shape.is_nullable and name in value):
        value[name] = deepcopy(shape.default)
    if name in value:
        add_defaults(shape, value[name])
