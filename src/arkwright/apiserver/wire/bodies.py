"""Bodies of requests and answers: from bytes to documents and back. Pure."""

import asyncio
import base64
import math
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from datetime import date
from typing import Any

import msgspec
import yaml
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from arkwright.apiserver.bounds import UNREADABLE, require_plain_yaml, require_shallow, require_shallow_text
from arkwright.apiserver.errors import ApiError, BadRequest, UnsupportedMediaType, invalid_patch
from arkwright.apiserver.kinds import Resource
from arkwright.apiserver.objects import (
    APPLY_PATCH,
    JSON_PATCH,
    MERGE_PATCH,
    STRATEGIC_PATCH,
    json_patched,
    merge_patched,
    strategically_patched,
)
from arkwright.apiserver.store import Record
from arkwright.apiserver.wire.protobuf import PROTOBUF, parsed_protobuf
from arkwright.turns import Turns

Document = dict[str, Any]
JSON = "application/json"
ACCEPTED = (JSON, "application/yaml", PROTOBUF)


class Json(Response):
    """An answer whose headers are known: half the cost of putting any together, which every write would pay."""

    def __init__(self, body: bytes, code: int = 200) -> None:
        self.body, self.status_code, self.background = body, code, None
        self.raw_headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]


class Listed(Response):
    """Many objects, each as JSON already: they are never put together, as a list may be as large as all that is there. `head`: up to the
    bracket that opens the list, which is the last thing in the answer."""

    PIECE_BYTES = 1 << 17

    def __init__(self, kind: str, head: bytes, items: list[bytes]) -> None:
        self.kind, self.head, self.items = kind, head, items
        self.status_code, self.background = 200, None
        length = len(head) + sum(map(len, items)) + max(0, len(items) - 1) + 2
        self.raw_headers = [(b"content-length", b"%d" % length), (b"content-type", b"application/json")]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for piece in self.pieces():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b"]}"})

    def pieces(self) -> Iterator[bytes]:
        """All but the end, some together."""
        piece, size = [self.head], len(self.head)
        for number, item in enumerate(self.items):
            piece += (b",", item) if number else (item,)
            size += len(item)
            if size > self.PIECE_BYTES:
                yield b"".join(piece)
                piece, size = [], 0
        yield b"".join(piece)


def as_json(document: Document, code: int = 200, media_type: str = "application/json") -> Response:
    return Response(msgspec.json.encode(document), code, media_type=media_type)


def listed(kind: str, api_version: str, metadata: Document, items: list[bytes]) -> Listed:
    """`metadata`: what stands above the list."""
    head = f'{{"kind":"{kind}","apiVersion":"{api_version}","metadata":'.encode() + msgspec.json.encode(metadata)
    return Listed(kind, head + b',"items":[', items)


def list_of(resource: Resource, metadata: Document, records: list[Record]) -> Listed:
    """Put together from what is stored: nothing is decoded."""
    prefix = resource.prefix if resource.is_custom else b"{"
    items = [prefix + one.body[1:] for one in records]
    return listed(resource.list_kind or f"{resource.kind}List", resource.api_version, metadata, items)


async def events_of(chunks: AsyncIterable[bytes]) -> AsyncIterator[Any]:
    """What the lines of a watch say, in turns: the first are all that is there."""
    turns = Turns()
    async for chunk in chunks:
        for line in chunk.splitlines():
            yield msgspec.json.decode(line)
            if turns.is_over:
                await turns.next()


def list_metadata(resource: Resource, version: int) -> Document:
    """What stands above a list; lists of custom kinds always name the next page."""
    return {"resourceVersion": str(version)} | ({"continue": ""} if resource.is_custom else {})


def require_kind(resource: Resource, document: Any) -> None:
    """Raises BadRequest for a body that is another kind's; what is missing is filled in where the path says it."""
    if not isinstance(document, dict):
        raise BadRequest(f"cannot restore struct from: {type(document).__name__}")
    if resource.is_custom and not (document.get("apiVersion") and document.get("kind")):
        missing = "apiVersion" if document.get("kind") else "kind"
        raise BadRequest(f"the object provided is unrecognized (must be of type {resource.kind}): {missing} is missing")
    document.setdefault("apiVersion", resource.api_version)
    document.setdefault("kind", resource.kind)
    if (document["apiVersion"], document["kind"]) != (resource.api_version, resource.kind):
        found, wanted = (
            f"{api}, Kind={kind}"
            for api, kind in ((document["apiVersion"], document["kind"]), (resource.api_version, resource.kind))
        )
        raise BadRequest(f"the object in the body is {found}, the path is for {wanted}")
    if document.get("metadata") is None:
        document["metadata"] = {}
    if not isinstance(document["metadata"], dict):
        said = f"json: cannot unmarshal metadata into Go struct field {resource.kind}.metadata of type v1.ObjectMeta"
        raise BadRequest(
            f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: {said}'
        )


def parsed(body: bytes, kind: str) -> Any:
    """Raises BadRequest for whatever cannot be read, or would become too much."""
    if kind == PROTOBUF:
        found = parsed_protobuf(body)
        require_shallow(found)
        return found
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, *UNREADABLE) as error:
        if "yaml" not in kind:
            raise BadRequest(f"error decoding the body: {error}") from error
        return _from_yaml(body)  # JSON is YAML, too, and read much faster
    require_shallow_text(body, found)
    return found


def _from_yaml(body: bytes) -> Any:
    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(body)
        node = loader.get_single_node()
        require_plain_yaml(node)
        return None if node is None else _plain(loader.construct_document(node))
    except (yaml.YAMLError, *UNREADABLE) as error:
        raise BadRequest(f"error converting YAML to JSON: {error}") from error


def _plain(value: Any) -> Any:
    """YAML knows dates, sets, bytes and infinity; JSON does not. Raises ValueError."""
    if isinstance(value, dict):
        return {_key(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | set) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(f"json: unsupported value: {value!r:.100}")
    return value


def _key(key: Any) -> str:
    """Of a map, as text.

    >>> _key("a"), _key(True), _key(1), _key(None)
    ('a', 'true', '1', 'null')
    """
    return key if isinstance(key, str) else msgspec.json.encode(_plain(key)).decode()


def patch_of(resource: Resource, kind: str, patch: Any) -> Callable[[Document], Document]:
    known = (
        (JSON_PATCH, MERGE_PATCH, APPLY_PATCH)
        if resource.is_custom
        else (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH)
    )
    if kind not in known:
        raise unsupported(kind, known)
    if kind == JSON_PATCH:
        return _patching(lambda document: json_patched(document, patch))
    if not isinstance(patch, dict):
        raise BadRequest(f"error decoding patch: cannot unmarshal {type(patch).__name__} into a map")
    if kind == STRATEGIC_PATCH:
        return _patching(lambda document: strategically_patched(resource.shape, document, patch))
    return _patching(lambda document: merge_patched(document, patch))


def _patching(patched: Callable[[Document], Any]) -> Callable[[Document], Document]:
    """What comes of it is an object, or a refusal: a patch may say anything of anything."""

    def change(document: Document) -> Document:
        try:
            found = patched(document)
        except ApiError:
            raise
        except UNREADABLE as error:
            raise BadRequest(f"error decoding patch: {type(error).__name__}: {error}") from error
        if not isinstance(found, dict):
            raise invalid_patch(f"json: cannot unmarshal {type(found).__name__} into an object")
        if found.get("metadata") is None:
            raise BadRequest("the patched object has no metadata")
        if not isinstance(found["metadata"], dict):
            raise invalid_patch("json: cannot unmarshal metadata: it is no object")
        return found

    return change


def page_token(version: int, last: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode({"v": version, "after": last})).decode()


def opened_token(token: str) -> tuple[int, tuple[str, str]]:
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(token))
        namespace, name = found["after"]
        return int(found["v"]), (str(namespace), str(name))
    except (ValueError, KeyError, TypeError, msgspec.DecodeError) as error:
        raise BadRequest("continue key is not valid: it is none of this server's") from error


def done(resource: Resource, metadata: Document) -> Document:
    details = {"name": metadata["name"]} | ({"group": resource.group} if resource.group else {})
    details |= {"kind": resource.plural, "uid": metadata["uid"]}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def unsupported(content_type: str, known: tuple[str, ...]) -> UnsupportedMediaType:
    said = ", ".join(known)
    return UnsupportedMediaType(
        f"the body of the request was in an unknown format - accepted media types include: {said}"
    )
