"""Watches: who hears of which change. In: changes, as they reach the disk. Out: lines of JSON, one queue a watcher.

A watcher that does not keep up is cut off: it lists anew, and nothing is lost.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog

from arkwright.apiserver.kinds import Predicate, Resource
from arkwright.apiserver.store.records import Change, Record

log = structlog.get_logger()
Document = dict[str, Any]
LONGEST_QUEUE = 20_000


class _Metadata(msgspec.Struct):
    labels: dict[str, str | None] = {}


class _Labelled(msgspec.Struct):
    metadata: _Metadata


def labels_of(record: Record) -> dict[str, str | None]:
    """Its labels, without reading the rest."""
    return _read_labels(record.body).metadata.labels


_read_labels = msgspec.json.Decoder(_Labelled).decode


@dataclass(frozen=True)
class Filter:
    """Which objects a reader wants. None: all of them."""

    namespace: str = ""
    labels: Predicate | None = None
    fields: Predicate | None = None
    name: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the object itself need not be looked at."""
        return self.labels is None and self.fields is None

    def wants(self, record: Record | None) -> bool:
        """Whether this version is one of them; None is not."""
        if record is None or (self.namespace and record.key.namespace != self.namespace):
            return False
        if self.name and record.key.name != self.name:
            return False
        if self.labels is not None and not self.labels(labels_of(record)):
            return False
        return self.fields is None or self.fields(msgspec.json.decode(record.body))


@dataclass(eq=False)
class Event:
    """A change, for all who watch: what is costly is done once."""

    change: Change
    _lines: dict[tuple[str, bytes], bytes] = field(default_factory=dict)

    def kind_for(self, wanted: Filter) -> str:
        """What has happened, seen through a filter; "" if nothing that matters there."""
        before, after = self.change.before, self.change.after
        was, is_there = wanted.wants(before), not after.is_deletion and wanted.wants(after)
        if was and is_there:
            return "MODIFIED"
        return "ADDED" if is_there else "DELETED" if was else ""

    def line(self, kind: str, resource: Resource) -> bytes:
        """As it goes over the wire."""
        found = self._lines.get((kind, resource.prefix))
        if found is None:
            found = self._lines[kind, resource.prefix] = event_line(kind, resource, self._body(kind))
        return found

    def _body(self, kind: str) -> bytes:
        """Of what has left a selector watchers see what it was before, under the version of the change."""
        before, after = self.change.before, self.change.after
        if kind != "DELETED" or after.is_deletion or before is None:
            return after.body
        document = msgspec.json.decode(before.body)
        document["metadata"]["resourceVersion"] = str(after.version)
        return msgspec.json.encode(document)


def event_line(kind: str, resource: Resource, body: bytes) -> bytes:
    return b'{"type":"' + kind.encode() + b'","object":' + resource.prefix + body[1:] + b"}\n"


def bookmark(resource: Resource, version: int, annotations: dict[str, str] | None = None) -> bytes:
    """Says that all up to this version has been told."""
    metadata: Document = {"resourceVersion": str(version)} | ({"annotations": annotations} if annotations else {})
    return event_line("BOOKMARK", resource, msgspec.json.encode({"metadata": metadata}))


@dataclass(eq=False)
class Watcher:
    """One reader's queue. `is_cut_off`: it did not keep up, or its kind is no more."""

    resource: str
    events: asyncio.Queue[Event | None] = field(default_factory=asyncio.Queue)
    is_cut_off: bool = False

    def close(self) -> None:
        self.is_cut_off = True
        self.events.put_nowait(None)


class Watches:
    """All watchers. `listeners` hear of every change as well, first."""

    def __init__(self) -> None:
        self._watchers: dict[str, set[Watcher]] = {}
        self.listeners: list[Callable[[Change], None]] = []
        self.are_over = False

    def publish(self, change: Change) -> None:
        """Tell everybody whose kind it is."""
        for listener in self.listeners:
            try:
                listener(change)
            except Exception:  # who cannot take one change must not keep the others from being written
                log.exception("bug", heard_of=str(change.after.key))
        watchers = self._watchers.get(change.after.key.resource)
        if not watchers:
            return
        event = Event(change)
        for watcher in watchers:
            if watcher.events.qsize() >= LONGEST_QUEUE:
                watcher.close()
            elif not watcher.is_cut_off:
                watcher.events.put_nowait(event)

    def add(self, resource: str) -> Watcher:
        """From now on."""
        watcher = Watcher(resource)
        self._watchers.setdefault(resource, set()).add(watcher)
        return watcher

    def drop(self, watcher: Watcher) -> None:
        self._watchers.get(watcher.resource, set()).discard(watcher)

    def end(self) -> None:
        """The server stops: nobody is let in any more."""
        self.are_over = True
        self.close_all()

    def close_all(self, resource: str = "") -> None:
        """A kind is gone, or all end."""
        for watcher in list(self._all(resource)):
            watcher.close()

    def count(self) -> int:
        return sum(map(len, self._watchers.values()))

    def _all(self, resource: str) -> Iterator[Watcher]:
        for name, watchers in self._watchers.items():
            if resource in ("", name):
                yield from watchers
