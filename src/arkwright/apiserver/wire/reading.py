"""What readers get: one object, a list in pages, a watch. In: a Target and how it is asked for. Out: answers and streams."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

import msgspec
from starlette.responses import Response, StreamingResponse

from arkwright.apiserver.errors import BadRequest, Expired, NotAcceptable, ServiceUnavailable, Timeout, TooManyRequests
from arkwright.apiserver.kinds import Resource
from arkwright.apiserver.objects import Objects
from arkwright.apiserver.store import Compacted, Event, Record, Watcher, Watches, bookmark, event_line
from arkwright.apiserver.wire import requests
from arkwright.apiserver.wire.bodies import (
    Json,
    Listed,
    as_json,
    events_of,
    list_metadata,
    list_of,
    listed,
    opened_token,
    page_token,
)
from arkwright.apiserver.wire.calls import Call
from arkwright.apiserver.wire.forms import PARTIAL, Form, partial_body, require_fitting, wanted_form
from arkwright.apiserver.wire.requests import Listing, Target
from arkwright.apiserver.wire.scales import shown_scale
from arkwright.apiserver.wire.tables import Table
from arkwright.turns import each, those

Document = dict[str, Any]
TOO_OLD_PAGE = (
    "The provided continue parameter is too old to display a consistent list result. Start a new list without it"
)
INITIAL_END = {"k8s.io/initial-events-end": "true"}
BOOKMARK_SECONDS = 60.0
LONGEST_WATCH_SECONDS = 3600
MOST_WATCHES = 10_000
LINES_TOGETHER = 128


class Reader:
    """`clock`: the time of day, for ages."""

    def __init__(self, objects: Objects, watches: Watches, clock: Callable[[], datetime]) -> None:
        self._objects, self._watches, self._clock = objects, watches, clock

    async def answer(self, call: Call, asked: Target) -> Response:
        _require_json(call)
        wanted = requests.listing(asked, call.query)
        if wanted.is_watch:
            return await self._watch(call, asked, wanted)
        if asked.name:
            return self._get(call, asked)
        return await self._list(call, asked, wanted)

    def _get(self, call: Call, asked: Target) -> Response:
        record = self._objects.get(asked.resource, asked.namespace, asked.name)
        if asked.subresource == "scale":
            return as_json(shown_scale(asked.resource, self._objects.document(asked.resource, record)))
        form = wanted_form(call.accept)
        require_fitting(form, asked.resource, is_list=False)
        if form is Form.TABLE:
            document = self._objects.document(asked.resource, record)
            return as_json(self._table(call, asked.resource).of_one(document))
        if form is Form.METADATA:
            return Json(partial_body(record))
        return Json(asked.resource.prefix + record.body[1:])

    def _table(self, call: Call, resource: Resource) -> Table:
        return Table(resource, self._clock(), call.query.get("includeObject", "Metadata"))

    async def _rows(self, call: Call, resource: Resource, metadata: Document, records: list[Record]) -> Listed:
        table = self._table(call, resource)

        def row(record: Record) -> bytes:
            return msgspec.json.encode(table.row(self._objects.document(resource, record)))

        told = {name: value for name, value in metadata.items() if value}
        return Listed("Table", msgspec.json.encode(table.head(told))[:-1] + b',"rows":[', await each(row, records))

    async def _list(self, call: Call, asked: Target, wanted: Listing) -> Response:
        form = wanted_form(call.accept)
        require_fitting(form, asked.resource, is_list=True)
        version, records = await self._found(asked.resource, wanted)
        records = await those(wanted.filter.wants, records) if not wanted.filter.is_open else records
        start = _start(wanted)
        if start:
            records = [one for one in records if (one.key.namespace, one.key.name) > start]
        metadata = list_metadata(asked.resource, version)
        if wanted.limit and len(records) > wanted.limit:
            last, left = records[wanted.limit - 1].key, len(records) - wanted.limit
            records = records[: wanted.limit]
            metadata["continue"] = page_token(version, (last.namespace, last.name))
            if wanted.filter.is_open:
                metadata["remainingItemCount"] = left
        if form is Form.METADATA_LIST:
            told = {name: value for name, value in metadata.items() if value}
            return listed(form.value, PARTIAL["apiVersion"], told, await each(partial_body, records))
        if form is Form.TABLE:
            return await self._rows(call, asked.resource, metadata, records)
        return list_of(asked.resource, metadata, records)

    async def _found(self, resource: Resource, wanted: Listing) -> tuple[int, list[Record]]:
        """As it is now, or as it was: to a page before this one, or at a version that is asked for. Raises Expired, Timeout."""
        store, namespace = self._objects.store, wanted.filter.namespace
        since = _version(wanted.version)
        if since > store.version:
            said = "Too large resource version"
            details = {"causes": [{"reason": "ResourceVersionTooLarge", "message": said}], "retryAfterSeconds": 1}
            raise Timeout(f"Timeout: {said}: {since}, current: {store.version}", details)
        if not wanted.token and not wanted.is_exact:
            return store.version, store.find(resource.name, namespace)
        version = opened_token(wanted.token)[0] if wanted.token else since
        try:
            return version, await store.find_at(version, resource.name, namespace)
        except Compacted as error:
            raise Expired(TOO_OLD_PAGE if wanted.token else f"too old resource version: {since}") from error

    # ── watching ──

    async def _watch(self, call: Call, asked: Target, wanted: Listing) -> Response:
        if self._watches.are_over:
            raise ServiceUnavailable("the server is stopping")
        if self._watches.count() >= MOST_WATCHES:
            raise TooManyRequests("too many watches are open, please try again later")
        watcher = self._watches.add(asked.resource.name)  # before anything is awaited: nothing is missed
        try:
            first = await self._first_events(asked.resource, wanted)
        except BaseException:
            self._watches.drop(watcher)
            raise
        lines = self._lines(asked.resource, wanted, (watcher, first))
        if (form := wanted_form(call.accept)) is not Form.WHOLE:
            lines = (self._as_tables if form is Form.TABLE else _as_metadata)(call, asked.resource, lines)
        kind = "application/json;stream=watch"
        return StreamingResponse(lines, media_type=kind)

    async def _first_events(self, resource: Resource, wanted: Listing) -> list[bytes]:
        """What a watcher is told at once: all that is there, or what it has missed."""
        store = self._objects.store
        version = store.version
        if wanted.version in ("", "0") or wanted.wants_initial:
            records = await those(wanted.filter.wants, store.find(resource.name, wanted.filter.namespace))
            lines = await each(lambda one: event_line("ADDED", resource, one.body), records)
            return lines + ([bookmark(resource, version, INITIAL_END)] if wanted.wants_initial else [])
        since = _version(wanted.version)
        if since >= version:
            return []
        try:
            missed = await store.changes(since, version, resource.name)
        except Compacted:
            return [_expired_line(since, version)]
        lines = await each(lambda one: _line(Event(one), resource, wanted), missed)
        return [one for one in lines if one]

    async def _lines(
        self, resource: Resource, wanted: Listing, begun: tuple[Watcher, list[bytes]]
    ) -> AsyncIterator[bytes]:
        watcher, first = begun
        longest = wanted.timeout_seconds if wanted.timeout_seconds is not None else LONGEST_WATCH_SECONDS
        end = time.monotonic() + longest
        try:
            for start in range(0, len(first), LINES_TOGETHER):
                yield b"".join(first[start : start + LINES_TOGETHER])
                await asyncio.sleep(0)
            if first and b'"type":"ERROR"' in first[0][:16]:
                return
            while not watcher.is_cut_off and (left := end - time.monotonic()) > 0:
                events = await _next_events(watcher.events, min(left, BOOKMARK_SECONDS))
                lines = await each(lambda event: _line(event, resource, wanted), events)
                if any(lines):
                    yield b"".join(lines)
                elif not events and wanted.wants_bookmarks and left > BOOKMARK_SECONDS:
                    yield bookmark(resource, self._objects.store.version)
        finally:
            self._watches.drop(watcher)

    async def _as_tables(self, call: Call, resource: Resource, lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Only the first event names the columns."""
        is_first = True
        async for event in events_of(lines):
            if event["type"] != "ERROR":
                event["object"] = self._table(call, resource).of_one(event["object"])
                if not is_first:
                    event["object"]["columnDefinitions"] = None
                is_first = False
            yield msgspec.json.encode(event) + b"\n"


async def _as_metadata(call: Call, resource: Resource, lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for event in events_of(lines):
        if event["type"] != "ERROR":
            event["object"] = PARTIAL | {"metadata": event["object"]["metadata"]}
        yield msgspec.json.encode(event) + b"\n"


def _line(event: Event | None, resource: Resource, wanted: Listing) -> bytes:
    """b"" for what is not to be heard there, and for the end."""
    kind = event.kind_for(wanted.filter) if event else ""
    return event.line(kind, resource) if event and kind else b""


async def _next_events(queue: "asyncio.Queue[Event | None]", seconds: float) -> list[Event | None]:
    """All that is waiting; the next one if nothing is; empty when time is up."""
    events: list[Event | None] = []
    if queue.empty():
        try:
            async with asyncio.timeout(seconds):
                events.append(await queue.get())
        except TimeoutError:
            return []
    while not queue.empty():
        events.append(queue.get_nowait())
    return events


def _require_json(call: Call) -> None:
    accept = call.headers.get("accept", "*/*")
    if not any(one in accept for one in ("json", "*/*", "application/*")) and accept:
        raise NotAcceptable(
            "only the following media types are accepted: application/json, application/json;stream=watch"
        )


def _version(text: str) -> int:
    """A resourceVersion as it is asked for; 0 for none. Raises BadRequest."""
    try:
        return int(text or 0)
    except ValueError as error:
        raise BadRequest(f'resourceVersion: Invalid value: "{text}": it is a whole number') from error


def _start(wanted: Listing) -> tuple[str, str] | None:
    return opened_token(wanted.token)[1] if wanted.token else None


def _expired_line(since: int, version: int) -> bytes:
    error = Expired(f"too old resource version: {since} ({version})")
    return msgspec.json.encode({"type": "ERROR", "object": error.document()}) + b"\n"
