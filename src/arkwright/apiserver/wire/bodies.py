"""Bodies of requests and answers: from bytes to documents and back. Pure."""

import base64
from collections.abc import Callable
from typing import Any

import msgspec
import yaml
from starlette.responses import Response

from arkwright.apiserver.errors import BadRequest, UnsupportedMediaType
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

Document = dict[str, Any]
JSON = "application/json"
ACCEPTED = (JSON, "application/yaml", PROTOBUF)


class Json(Response):
    """An answer whose headers are known: half the cost of putting any together, which every write would pay."""

    def __init__(self, body: bytes, code: int = 200) -> None:
        self.body, self.status_code, self.background = body, code, None
        self.raw_headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]


def as_json(document: Document, code: int = 200, media_type: str = "application/json") -> Response:
    return Response(msgspec.json.encode(document), code, media_type=media_type)


def list_body(resource: Resource, metadata: Document, records: list[Record]) -> bytes:
    """Put together from what is stored: nothing is decoded."""
    kind = resource.list_kind or f"{resource.kind}List"
    head = f'{{"kind":"{kind}","apiVersion":"{resource.api_version}","metadata":'.encode() + msgspec.json.encode(
        metadata
    )
    prefix = resource.prefix if resource.is_custom else b"{"
    return head + b',"items":[' + b",".join([prefix + one.body[1:] for one in records]) + b"]}"


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


def parsed(body: bytes, kind: str) -> Any:
    if kind == PROTOBUF:
        return parsed_protobuf(body)
    try:
        if "yaml" in kind:
            return _plain(yaml.load(body, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadRequest(f"error decoding the body: {error}") from error


def _plain(value: Any) -> Any:
    """YAML knows dates; JSON does not."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def patch_of(resource: Resource, kind: str, patch: Any) -> Callable[[Document], Document]:
    known = (
        (JSON_PATCH, MERGE_PATCH, APPLY_PATCH)
        if resource.is_custom
        else (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH)
    )
    if kind not in known:
        raise unsupported(kind, known)
    if kind == JSON_PATCH:
        return lambda document: json_patched(document, patch)
    if not isinstance(patch, dict):
        raise BadRequest(f"error decoding patch: cannot unmarshal {type(patch).__name__} into a map")
    if kind == STRATEGIC_PATCH:
        return lambda document: strategically_patched(resource.shape, document, patch)
    return lambda document: merge_patched(document, patch)


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
