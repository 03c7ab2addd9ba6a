"""What there is to know of a kind before any object of it: its names, where it lies, its fields; and what a CRD says of one.

In: CRD documents. Out: Resources. Not done here: which kinds there are (`registry`), what objects of a kind may be.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from arkwright.apiserver.kinds.selectors import COMMON_FIELDS
from arkwright.apiserver.kinds.shapes import ANYTHING, Shape, built_in, compiled
from arkwright.apiserver.kinds.validation import Validator

Document = dict[str, Any]


@dataclass(frozen=True)
class Scale:
    """Where a kind keeps its replicas; `selector_path`: "" for none. Paths as in `.spec.replicas`."""

    spec_path: str
    status_path: str
    selector_path: str = ""


@dataclass(frozen=True)
class Column:
    """A column of `kubectl get`. `path`: JSONPath; a `priority` above 0 is shown with -o wide only."""

    name: str
    type: str
    path: str
    priority: int = 0
    format: str = ""
    description: str = ""


@dataclass(frozen=True, eq=False)
class Resource:
    """One version of one kind. `definition`: its name in OpenAPI. `schema`: of a custom kind, as its CRD has it.

    `is_versioned`: who replaces an object has to say which version. `absence`: why there is no object of it; "" where there may be.
    `view_of`: the kind whose objects these are, said with other fields.
    """

    group: str
    version: str
    plural: str
    kind: str
    is_namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    has_status: bool = False
    scale: Scale | None = None
    singular: str = ""
    list_kind: str = ""
    definition: str = ""
    schema: Document | None = None
    columns: tuple[Column, ...] = ()
    fields: frozenset[str] = COMMON_FIELDS
    is_versioned: bool = False
    is_preferred: bool = True
    absence: str = ""
    view_of: str = ""

    @cached_property
    def name(self) -> str:
        """Plural and group: how objects of all its versions are stored, and how messages name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @cached_property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @cached_property
    def prefix(self) -> bytes:
        """How a body of this kind begins on the wire."""
        return f'{{"apiVersion":"{self.api_version}","kind":"{self.kind}",'.encode()

    @cached_property
    def shape(self) -> Shape:
        if self.absence:
            return ANYTHING
        return built_in(self.definition) if self.schema is None else compiled(self.schema)

    @cached_property
    def validator(self) -> Validator | None:
        """None for built-in kinds: `kinds` has their rules."""
        return None if self.schema is None else Validator(self.schema, self.shape)

    @property
    def is_custom(self) -> bool:
        return self.schema is not None

    @property
    def subresources(self) -> Iterator[str]:
        if self.has_status:
            yield "status"
        if self.scale:
            yield "scale"


def custom_resources(crd: Document) -> Iterator[Resource]:
    """One for each version that a CRD serves. Raises ValueError, KeyError or TypeError for a schema that cannot be used."""
    spec, names = crd["spec"], crd["spec"]["names"]
    served = [one for one in spec["versions"] if one.get("served")]
    for version in served:
        parts = version.get("subresources") or {}
        yield Resource(
            group=spec["group"],
            version=version["name"],
            plural=names["plural"],
            kind=names["kind"],
            is_namespaced=spec["scope"] == "Namespaced",
            short_names=tuple(names.get("shortNames") or ()),
            categories=tuple(names.get("categories") or ()),
            has_status="status" in parts,
            scale=_scale(parts.get("scale")),
            singular=names.get("singular", ""),
            list_kind=names.get("listKind", ""),
            definition=".".join((*reversed(spec["group"].split(".")), version["name"], names["kind"])),
            schema=(version.get("schema") or {}).get("openAPIV3Schema") or {"type": "object"},
            columns=tuple(_columns(version)),
            fields=COMMON_FIELDS | {one["jsonPath"].removeprefix(".") for one in version.get("selectableFields") or ()},
            is_versioned=True,
            is_preferred=version is served[0],
        )


def _scale(wish: Document | None) -> Scale | None:
    if wish is None:
        return None
    return Scale(wish["specReplicasPath"], wish["statusReplicasPath"], wish.get("labelSelectorPath", ""))


def _columns(version: Document) -> Iterator[Column]:
    for one in version.get("additionalPrinterColumns") or ():
        yield Column(
            one["name"],
            one["type"],
            one["jsonPath"],
            one.get("priority", 0),
            one.get("format", ""),
            one.get("description", ""),
        )
