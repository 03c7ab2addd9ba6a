"""Events of events.k8s.io/v1 are those of v1 with some fields named otherwise: the same objects, seen from the other side.

In: a call about the one, the answer to it as the other. Out: the same with fields by the names that are asked for. What newer
clients of Go write and terminal UIs list is so what `kubectl describe` shows.
"""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from starlette.responses import Response, StreamingResponse

from arkwright.apiserver.errors import ApiError
from arkwright.apiserver.kinds import Registry
from arkwright.apiserver.wire.bodies import ACCEPTED, JSON, Listed, events_of, parsed
from arkwright.apiserver.wire.calls import Call
from arkwright.apiserver.wire.requests import Target
from arkwright.turns import each

Document = dict[str, Any]
GROUP = "events.k8s.io"
STORED, SEEN = "v1", f"{GROUP}/v1"
LEFT_OUT = ("reportingController", "reportingInstance")  # where they are empty
# As it is seen: as it is stored.
NAMES = {
    "regarding": "involvedObject",
    "note": "message",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
SEEN_NAMES = {stored: seen for seen, stored in NAMES.items()}


def stored_target(registry: Registry, asked: Target) -> Target:
    """The same object, as the kind that it is kept as."""
    resource = registry.named(asked.resource.view_of)
    assert resource
    return Target(resource, asked.namespace, asked.name, asked.subresource)


def stored(body: Any) -> Any:
    """A document or a patch about the fields that are seen, about those that are stored.

    >>> stored({"apiVersion": "events.k8s.io/v1", "kind": "Event", "note": "hello"})
    {'apiVersion': 'v1', 'kind': 'Event', 'message': 'hello'}
    >>> stored([{"op": "replace", "path": "/note", "value": "hello"}])
    [{'op': 'replace', 'path': '/message', 'value': 'hello'}]
    """
    if isinstance(body, list):
        return [
            {name: _path(name, value) for name, value in one.items()} if isinstance(one, dict) else one for one in body
        ]
    if not isinstance(body, dict):
        return body
    found = {NAMES.get(name, name): value for name, value in body.items()}
    return found | ({"apiVersion": STORED} if found.get("apiVersion") == SEEN else {})


def _path(name: str, value: Any) -> Any:
    if name not in ("path", "from") or not isinstance(value, str):
        return value
    first, *rest = value.lstrip("/").split("/")
    return "/" + "/".join((NAMES.get(first, first), *rest))


def seen(document: Document) -> Document:
    """An Event with the other names; what became of one; any other answer as it is.

    >>> seen({"kind": "Event", "apiVersion": "v1", "message": "hello", "reportingComponent": ""})
    {'kind': 'Event', 'apiVersion': 'events.k8s.io/v1', 'note': 'hello'}
    """
    match document.get("kind"):
        case "Event":
            return _renamed(document) | {"apiVersion": SEEN}
        case "Status" if (document.get("details") or {}).get("kind") == "events":
            return document | {"details": _details(document["details"])}
        case _:
            return document


def _details(found: Document) -> Document:
    return {"name": found.get("name", ""), "group": GROUP} | found


def seen_error(error: ApiError) -> ApiError:
    """The same refusal, about the kind that was asked for."""
    if error.details and error.details.get("kind") in ("events", "Event"):
        said = error.message.replace('events "', f'events.{GROUP} "', 1).replace('Event "', f'Event.{GROUP} "', 1)
        return type(error)(said, _details(error.details))
    return error


def _renamed(document: Document) -> Document:
    found = {SEEN_NAMES.get(name, name): value for name, value in document.items()}
    return {name: value for name, value in found.items() if value != "" or name not in LEFT_OUT}


class StoredCall(Call):
    """A call as it would be about the kind that is stored."""

    def __init__(self, call: Call) -> None:
        super().__init__(call.scope, call.receive)
        self._call = call
        self.query_string = self.query_string.replace("regarding.", "involvedObject.")
        if self.method != "DELETE" and call.headers.get("content-type", "").partition(";")[0] in ACCEPTED:
            self.headers["content-type"] = JSON

    async def body(self) -> bytes:
        """As JSON, whatever it came as."""
        kind = self._call.headers.get("content-type", JSON).partition(";")[0].strip()
        content = await self._call.body()
        return msgspec.json.encode(stored(parsed(content, kind))) if content and self.method != "DELETE" else content


async def seen_answer(answer: Response) -> Response:
    """Of one object at once, of a list one by one, of a watch line by line."""
    if isinstance(answer, StreamingResponse):
        answer.body_iterator = _seen_lines(answer.body_iterator)
        return answer
    if isinstance(answer, Listed):
        return await _seen_list(answer)
    found = seen(msgspec.json.decode(answer.body))
    return Response(msgspec.json.encode(found), answer.status_code, media_type=JSON)


async def _seen_list(answer: Listed) -> Listed:
    """What are no Events, but rows or metadata, is as it was."""
    if answer.kind != "EventList":
        return answer
    head = answer.head.replace(f'"apiVersion":"{STORED}"'.encode(), f'"apiVersion":"{SEEN}"'.encode(), 1)
    renamed = await each(lambda one: msgspec.json.encode(_renamed(msgspec.json.decode(one))), answer.items)
    return Listed(answer.kind, head, renamed)


async def _seen_lines(chunks: Any) -> AsyncIterator[bytes]:
    async for event in events_of(chunks):
        yield msgspec.json.encode(event | {"object": seen(event["object"])}) + b"\n"
