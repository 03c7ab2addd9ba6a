"""What every Kubernetes object carries. In: decoded JSON. Out: frozen values. Unknown fields are skipped."""

from datetime import datetime
from typing import Any

import msgspec

from arkwright.model.names import LAST_APPLIED


class Value(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel", kw_only=True, gc=False):
    """A frozen part of an object; camelCase on the wire, snake_case here; defaults are not written.

    Frozen values make no cycles: the collector need not walk over a fleet of them (`gc=False`).
    """


class OwnerReference(Value, frozen=True, kw_only=True):
    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool = False
    block_owner_deletion: bool = False


class ObjectMeta(Value, frozen=True, kw_only=True):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    finalizers: tuple[str, ...] = ()
    owner_references: tuple[OwnerReference, ...] = ()

    @property
    def controller(self) -> OwnerReference | None:
        """The owner that looks after it; there is at most one."""
        return next((one for one in self.owner_references if one.controller), None)


class ManagedFields(Value, frozen=True, kw_only=True):
    """What one writer has said of an object. `operation`: Apply (server-side) or Update (anything else)."""

    manager: str = ""
    operation: str = ""
    subresource: str = ""
    fields_v1: dict[str, Any] = msgspec.field(name="fieldsV1", default={})

    def has_of_spec(self, field: str) -> bool:
        return f"f:{field}" in self.fields_v1.get("f:spec", {})

    @property
    def applies_in_client(self) -> bool:
        """As kubectl does it without --server-side: it keeps the manifest in an annotation."""
        annotations = self.fields_v1.get("f:metadata", {}).get("f:annotations", {})
        return self.operation == "Update" and f"f:{LAST_APPLIED}" in annotations


class OwnedMeta(ObjectMeta, frozen=True, kw_only=True):
    """With who owns which field; only where that is asked for, for it is larger than the rest."""

    managed_fields: tuple[ManagedFields, ...] = ()


class Condition(Value, frozen=True, kw_only=True):
    """One entry of `conditions[]`, keyed by type, worded as Kubernetes words it."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None
    last_update_time: datetime | None = None
    observed_generation: int = 0


class KubernetesObject(Value, frozen=True, kw_only=True):
    """Anything that has metadata; `key` is unique within its kind."""

    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta

    @property
    def key(self) -> tuple[str, str]:
        return (self.metadata.namespace, self.metadata.name)

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def is_terminating(self) -> bool:
        return self.metadata.deletion_timestamp is not None
