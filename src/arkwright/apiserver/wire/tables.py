"""Objects as rows of `kubectl get`: the columns of a kind, and what stands in them.

In: a Resource, documents, the time. Out: a meta.k8s.io/v1 Table. Columns of custom kinds are JSONPath, done by a library.
"""

from datetime import datetime
from functools import cache
from typing import Any

import jsonpath

from arkwright.apiserver.kinds import Column, Resource
from arkwright.apiserver.wire.cells import AGE, BUILT_IN, NAME, Cells, age
from arkwright.apiserver.wire.forms import PARTIAL

Document = dict[str, Any]


def table(resource: Resource, documents: list[Document], now: datetime, include: str = "Metadata") -> Document:
    """`include`: Metadata, Object or None: how much of each object goes along."""
    columns, cells = columns_of(resource)
    rows = []
    for document in documents:
        row: Document = {"cells": _cells(columns, cells, document, now)}
        if include == "Object":
            row["object"] = document
        elif include == "Metadata":
            row["object"] = PARTIAL | {"metadata": document["metadata"]}
        else:
            row["object"] = None
        rows.append(row)
    defined = [_definition(one) for one in columns]
    return {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {}, "columnDefinitions": defined, "rows": rows}


def _cells(columns: tuple[Column, ...], cells: Cells, document: Document, now: datetime) -> list[Any]:
    """What somebody has written oddly is shown by its name: all others of the list are to be read."""
    try:
        return cells(document, now)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError):
        return [document["metadata"].get("name", ""), *("<unknown>" for _ in columns[1:])]


def _definition(column: Column) -> Document:
    shown_type = "string" if column.type == "date" and column is AGE else column.type
    return {
        "name": column.name,
        "type": shown_type,
        "format": column.format,
        "description": column.description,
        "priority": column.priority,
    }


def columns_of(resource: Resource) -> tuple[tuple[Column, ...], Cells]:
    """A kind's columns and how a row is made."""
    if resource.is_custom:
        columns = (NAME, *(resource.columns or (AGE,)))
        return columns, lambda document, now: [_cell(one, document, now) for one in columns]
    found = BUILT_IN.get(resource.name)
    return (
        found
        if found
        else (
            (NAME, AGE),
            lambda one, now: [one["metadata"]["name"], age(one["metadata"].get("creationTimestamp"), now)],
        )
    )


def _cell(column: Column, document: Document, now: datetime) -> Any:
    found = _path(column.path).findall(document)
    if not found:
        return None
    if column.type == "date":
        return age(found[0], now)
    if column.type == "string":
        return _text(found[0]) if len(found) == 1 else ",".join(map(_text, found))
    return found[0]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@cache
def _path(text: str) -> Any:
    """Kubernetes escapes dots within a name; everybody else quotes the name."""
    parts = text.replace("\\.", "\0").split(".")
    quoted = [f"['{one.replace(chr(0), '.')}']" if "\0" in one else f".{one}" for one in parts if one]
    return jsonpath.compile("$" + "".join(quoted))
