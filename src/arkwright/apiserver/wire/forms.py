"""In which form objects are wanted: whole, as rows of a table, or their metadata alone. Pure.

In: an Accept header, records. Out: a Form; metadata as PartialObjectMetadata, for clients that follow objects by name, labels
and owners only (collectors, informers on metadata).
"""

from enum import Enum
from typing import Any

import msgspec

from arkwright.apiserver.errors import NotAcceptable
from arkwright.apiserver.kinds import Resource
from arkwright.apiserver.store import Record

Document = dict[str, Any]
PARTIAL = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
VERSIONS = ("v=v1", "v=v1beta1")


class Form(Enum):
    """How clients name it."""

    WHOLE = ""
    TABLE = "Table"
    METADATA = "PartialObjectMetadata"
    METADATA_LIST = "PartialObjectMetadataList"


class _Metadata(msgspec.Struct):
    metadata: msgspec.Raw


def wanted_form(accept: str) -> Form:
    """The first that is named and can be had: of what there is in protobuf only, nothing can.

    >>> wanted_form("application/vnd.kubernetes.protobuf;as=Table;v=v1,application/json;as=Table;v=v1;g=meta.k8s.io")
    <Form.TABLE: 'Table'>
    >>> wanted_form("application/json"), wanted_form("application/json;as=Other;v=v1, application/json")
    (<Form.WHOLE: ''>, <Form.WHOLE: ''>)
    """
    if "as=" not in accept:
        return Form.WHOLE
    known = {f"as={one.value}": one for one in Form}
    for one in accept.replace(" ", "").split(","):
        kind, *said = one.split(";")
        if "protobuf" in kind or not any(word.startswith("as=") for word in said):
            continue
        found = next((known[word] for word in said if word in known), None)
        if found and any(word in VERSIONS for word in said):
            return found
    return Form.WHOLE


def require_fitting(form: Form, resource: Resource, *, is_list: bool) -> None:
    """Raises NotAcceptable for one object as a list, and a list as one object."""
    if form is Form.METADATA and is_list:
        raise NotAcceptable(
            f"you requested {form.value}, but the requested object is a list (*core.{resource.kind}List)"
        )
    if form is Form.METADATA_LIST and not is_list:
        raise NotAcceptable(
            f"you requested {form.value}, but the requested object is not a list (*core.{resource.kind})"
        )


def partial_body(record: Record) -> bytes:
    """Of one object. The rest of it is not even decoded."""
    found = msgspec.json.decode(record.body, type=_Metadata)
    return msgspec.json.encode(PARTIAL | {"metadata": found.metadata})
