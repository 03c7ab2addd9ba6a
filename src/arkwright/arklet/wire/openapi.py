"""Describes the agent's interface. In: the commands and the types of their bodies. Out: an OpenAPI 3.1 document.

Generated from the very types that requests are decoded into, so that it cannot say anything else.
"""

from typing import Any

import msgspec

import arkwright
from arkwright.model.arklet import Answer

REF = "#/components/schemas/{name}"
ABOUT = (
    "Installs, switches and removes modules in one base. Every outcome of a command is HTTP 200; `code` says what came of it. "
    "Bodies are JSON objects of at most 1 MiB; an empty body is an empty object."
)


def describe(commands: dict[str, tuple[str, type]]) -> dict[str, Any]:
    """`commands`: name -> what it does, and the type of its body."""
    kinds = [kind for _, kind in commands.values()]
    _, components = msgspec.json.schema_components([*dict.fromkeys(kinds), Answer], ref_template=REF)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Arklet", "version": arkwright.__version__, "description": ABOUT},
        "paths": {f"/{name}": {"post": _operation(name, says, kind)} for name, (says, kind) in commands.items()},
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}, {}],
    }


def _operation(name: str, says: str, kind: type) -> dict[str, Any]:
    return {
        "operationId": name,
        "summary": says,
        "requestBody": {"content": _json(kind.__name__), "required": False},
        "responses": {
            "200": {"description": "what came of it", "content": _json(Answer.__name__)},
            "401": {"description": "no token, or a wrong one", "content": _json(Answer.__name__)},
            "413": {"description": "the body is too large"},
        },
    }


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": REF.format(name=name)}}}
