"""OpenAPI v2, as far as kubectl up to 1.28 asks for it: whether the server itself looks at unknown fields. Pure.

In: the Registry. Out: a Swagger document without schemas (these are in OpenAPI v3), as JSON or in protobuf, which is the only
form those clients read.
"""

import functools
import json
from typing import Any

from google.protobuf import json_format

from arkwright.apiserver.kinds import Registry
from arkwright.apiserver.wire.openapi import INFO, operations
from arkwright.apiserver.wire.protobuf import Messages

Document = dict[str, Any]
# A media type may have no @, so that what is asked for and what is answered have two names.
WANTS_PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
SWAGGER_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"


def _message(**fields: tuple[int, str] | tuple[int, str, bool]) -> dict[str, Document]:
    """A row for each field: (number, type, whether there may be several)."""
    return {
        str(number): {"name": name, "type": kind, "repeated": bool(more)}
        for name, (number, kind, *more) in fields.items()
    }


# Those messages of OpenAPI v2's protobuf form that are written here, with the numbers of their fields.
MESSAGES = {
    "Document": _message(swagger=(1, "string"), info=(2, "Info"), paths=(8, "Paths")),
    "Info": _message(title=(1, "string"), version=(2, "string")),
    "Paths": _message(path=(2, "NamedPathItem", True)),
    "NamedPathItem": _message(name=(1, "string"), value=(2, "PathItem")),
    "PathItem": _message(patch=(8, "Operation")),
    "Operation": _message(parameters=(8, "ParametersItem", True), vendor_extension=(13, "NamedAny", True)),
    "ParametersItem": _message(parameter=(1, "Parameter")),
    "Parameter": _message(non_body_parameter=(2, "NonBodyParameter")),
    "NonBodyParameter": _message(query_parameter_sub_schema=(3, "QueryParameter")),
    "QueryParameter": _message(**{"in": (2, "string")}, name=(4, "string"), type=(6, "string")),
    "NamedAny": _message(name=(1, "string"), value=(2, "Any")),
    "Any": _message(yaml=(2, "string")),
}


@functools.cache
def _messages() -> Messages:
    return Messages(MESSAGES)


def swagger(registry: Registry) -> Document:
    """As JSON."""
    paths = {path: verbs for one in registry for path, verbs in operations(one).items()}
    return {"swagger": "2.0", "info": INFO, "paths": paths}


def swagger_in_protobuf(registry: Registry) -> bytes:
    """As the clients read it that need it."""
    found = [
        {"name": path, "value": {"patch": _patch(verbs["patch"])}}
        for path, verbs in swagger(registry)["paths"].items()
        if "patch" in verbs
    ]
    message = _messages().named("Document")()
    json_format.ParseDict({"swagger": "2.0", "info": INFO, "paths": {"path": found}}, message)
    written: bytes = message.SerializeToString()
    return written


def _patch(operation: Document) -> Document:
    asked = [
        {
            "parameter": {
                "non_body_parameter": {
                    "query_parameter_sub_schema": {"name": one["name"], "in": one["in"], "type": one["schema"]["type"]}
                }
            }
        }
        for one in operation["parameters"]
    ]
    kind = operation["x-kubernetes-group-version-kind"]
    text = "".join(f"{name}: {json.dumps(value)}\n" for name, value in kind.items())
    return {
        "parameters": asked,
        "vendor_extension": [{"name": "x-kubernetes-group-version-kind", "value": {"yaml": text}}],
    }
