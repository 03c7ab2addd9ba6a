"""Which kinds there are: those that Kubernetes has built in, as far as this API has them, and those that CRDs add.

In: CRD documents. Out: Resources, found by group, version and plural. Not done here: what objects of a kind may be.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from arkwright.apiserver.kinds.selectors import COMMON_FIELDS
from arkwright.apiserver.kinds.shapes import Shape, built_in, compiled
from arkwright.apiserver.kinds.validation import Validator

Document = dict[str, Any]
CRDS = "customresourcedefinitions.apiextensions.k8s.io"
POD_FIELDS = frozenset(
    "spec.nodeName spec.restartPolicy spec.schedulerName spec.serviceAccountName spec.hostNetwork status.phase status.podIP"
    " status.nominatedNodeName".split()
)
EVENT_FIELDS = frozenset(
    "involvedObject.kind involvedObject.namespace involvedObject.name involvedObject.uid involvedObject.apiVersion"
    " involvedObject.resourceVersion involvedObject.fieldPath reason reportingComponent source type".split()
)


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

    `is_versioned`: who replaces an object has to say which version.
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


_REPLICAS = Scale(".spec.replicas", ".status.replicas", ".spec.selector")
_CORE, _RBAC = "io.k8s.api.core.v1.", "rbac.authorization.k8s.io"
_EXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."


def _rbac(plural: str, kind: str, is_namespaced: bool) -> Resource:
    return Resource(_RBAC, "v1", plural, kind, is_namespaced, definition=f"io.k8s.api.rbac.v1.{kind}")


def _core(plural: str, kind: str, *short_names: str, **more: Any) -> Resource:
    return Resource("", "v1", plural, kind, short_names=short_names, definition=_CORE + kind, **more)


def _apps(plural: str, kind: str, *short_names: str) -> Resource:
    definition = f"io.k8s.api.apps.v1.{kind}"
    more: Document = {"has_status": True, "scale": _REPLICAS, "categories": ("all",)}
    return Resource("apps", "v1", plural, kind, short_names=short_names, definition=definition, **more)


BUILT_IN = (
    _core(
        "namespaces", "Namespace", "ns", is_namespaced=False, has_status=True, fields=COMMON_FIELDS | {"status.phase"}
    ),
    _core("pods", "Pod", "po", has_status=True, categories=("all",), fields=COMMON_FIELDS | POD_FIELDS),
    _core(
        "services",
        "Service",
        "svc",
        has_status=True,
        categories=("all",),
        fields=COMMON_FIELDS | {"spec.clusterIP", "spec.type"},
    ),
    _core("events", "Event", "ev", fields=COMMON_FIELDS | EVENT_FIELDS),
    _core("configmaps", "ConfigMap", "cm"),
    _core("secrets", "Secret", fields=COMMON_FIELDS | {"type"}),
    _core("serviceaccounts", "ServiceAccount", "sa"),
    _apps("deployments", "Deployment", "deploy"),
    _apps("replicasets", "ReplicaSet", "rs"),
    Resource(
        "coordination.k8s.io",
        "v1",
        "leases",
        "Lease",
        definition="io.k8s.api.coordination.v1.Lease",
        is_versioned=True,
    ),
    _rbac("roles", "Role", True),
    _rbac("rolebindings", "RoleBinding", True),
    _rbac("clusterroles", "ClusterRole", False),
    _rbac("clusterrolebindings", "ClusterRoleBinding", False),
    Resource(
        "apiextensions.k8s.io",
        "v1",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        is_namespaced=False,
        short_names=("crd", "crds"),
        categories=("api-extensions",),
        has_status=True,
        is_versioned=True,
        definition=_EXTENSIONS + "CustomResourceDefinition",
    ),
)


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


@dataclass
class Registry:
    """All resources, by (group, version, plural)."""

    _all: dict[tuple[str, str, str], Resource] = field(
        default_factory=lambda: {(one.group, one.version, one.plural): one for one in BUILT_IN}
    )

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """None if there is no such kind."""
        return self._all.get((group, version, plural))

    def has_group(self, group: str) -> bool:
        """Whether there is any kind of it."""
        return any(one.group == group for one in self._all.values())

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._all.values())

    def named(self, name: str) -> Resource | None:
        """By plural and group, the preferred version."""
        return next((one for one in self._all.values() if one.name == name), None)

    def of_kind(self, api_version: str, kind: str) -> Resource | None:
        """As an ownerReference names it."""
        return next((one for one in self._all.values() if (one.api_version, one.kind) == (api_version, kind)), None)

    def define(self, crd: Document) -> None:
        """Take in a CRD, new or changed. Raises like `custom_resources`, and then nothing has changed."""
        made = list(custom_resources(crd))
        self.forget(f"{crd['spec']['names']['plural']}.{crd['spec']['group']}")
        self._all |= {(one.group, one.version, one.plural): one for one in made}

    def forget(self, name: str) -> None:
        """Drop the kinds of a CRD, by its name."""
        self._all = {key: one for key, one in self._all.items() if one.name != name or not one.is_custom}
