"""Objects as rows of `kubectl get`: the columns of a kind, and what stands in them.

In: a Resource, documents, the time. Out: a meta.k8s.io/v1 Table. Columns of custom kinds are JSONPath, done by a library.
"""

import re
from datetime import datetime
from functools import cache
from typing import Any

import jsonpath

from arkwright.apiserver.kinds import Column, Resource
from arkwright.apiserver.wire.cells import AGE, BUILT_IN, NAME, Cells, age
from arkwright.apiserver.wire.forms import PARTIAL

Document = dict[str, Any]
PLAIN_PATH = re.compile(r"(\.[A-Za-z][A-Za-z0-9]*)+")


class Table:
    """Makes the rows of one kind. `include`: Metadata, Object or None: how much of each object goes along."""

    def __init__(self, resource: Resource, now: datetime, include: str = "Metadata") -> None:
        self._columns, self._cells = columns_of(resource)
        self._now, self._include = now, include

    def row(self, document: Document) -> Document:
        row: Document = {"cells": _cells(self._columns, self._cells, document, self._now), "object": None}
        if self._include == "Object":
            row["object"] = document
        elif self._include == "Metadata":
            row["object"] = PARTIAL | {"metadata": document["metadata"]}
        return row

    def head(self, metadata: Document) -> Document:
        """What stands above the rows. `metadata`: the list's."""
        defined = [_definition(one) for one in self._columns]
        return {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": defined}

    def of_one(self, document: Document) -> Document:
        """A table of one row, under that object's version."""
        return self.head({"resourceVersion": document["metadata"]["resourceVersion"]}) | {"rows": [self.row(document)]}


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


class _PlainPath:
    """Names and dots alone, as nearly all columns have it: a fifth of what the library takes, for each cell of each row."""

    def __init__(self, text: str) -> None:
        self._names = text.split(".")[1:]

    def findall(self, found: Any) -> list[Any]:
        for name in self._names:
            if not isinstance(found, dict) or name not in found:
                return []
            found = found[name]
        return [found]


@cache
def _path(text: str) -> Any:
    """What has `findall`. Kubernetes escapes dots within a name; everybody else quotes the name."""
    if PLAIN_PATH.fullmatch(text):
        return _PlainPath(text)
    parts = text.replace("\\.", "\0").split(".")
    quoted = [f"['{one.replace(chr(0), '.')}']" if "\0" in one else f".{one}" for one in parts if one]
    return jsonpath.compile("$" + "".join(quoted))
