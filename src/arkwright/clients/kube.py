"""The Kubernetes API: list, watch, read, write. In: a Resource, names, documents. Out: typed values, or a ClientError.

Not done here: retries, remembering, deciding.
"""

import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Any

import aiohttp
import msgspec

from arkwright.clients.credentials import Access
from arkwright.clients.errors import ApiUnreachable, TooManyRequests, refusal
from arkwright.model.cluster import Document
from arkwright.model.codec import read
from arkwright.model.meta import KubernetesObject, ObjectMeta
from arkwright.model.resources import Resource

WRITER = "arkwright"  # what managedFields and audit logs call us
METADATA_ALONE = "application/json;as=PartialObjectMetadata{};g=meta.k8s.io;v=v1"
MERGE_PATCH = "application/merge-patch+json"
PAGE = 500
WATCH_SECONDS = 300


class Change(StrEnum):
    """What a line of a watch says."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    BOOKMARK = "BOOKMARK"
    ERROR = "ERROR"


class WatchLine(msgspec.Struct, frozen=True):
    """One line of a watch; `object` is not read yet."""

    type: Change
    object: msgspec.Raw


class _ListMeta(msgspec.Struct, frozen=True, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(name="continue", default="")


class _Page(msgspec.Struct, frozen=True):
    metadata: _ListMeta
    items: list[msgspec.Raw] | None = None  # null where there is nothing, if metadata alone is asked for


class _Versioned(msgspec.Struct, frozen=True):
    metadata: ObjectMeta


@dataclass(frozen=True)
class Listing:
    """All objects of a collection as they were at `version`, from which a watch goes on."""

    objects: tuple[msgspec.Raw, ...]
    version: str


class KubeClient:
    """One session with one API server; use as an async context manager."""

    def __init__(self, access: Access, timeout_seconds: float = 30.0) -> None:
        self.access = access
        self._is_of_metadata = False
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        tls = access.tls if access.tls is not None else True
        connector = aiohttp.TCPConnector(ssl=tls, limit=0)
        self._session = aiohttp.ClientSession(connector=connector, headers={"User-Agent": WRITER})

    def of_metadata(self) -> "KubeClient":
        """The same session, in which lists and watches tell of objects their metadata alone."""
        other = copy.copy(self)
        other._is_of_metadata = True
        return other

    async def __aenter__(self) -> "KubeClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def list(self, resource: Resource, namespace: str = "", selector: str = "", fields: str = "") -> Listing:
        """Everything in a collection, or what its labels and fields select, page by page."""
        objects: list[msgspec.Raw] = []
        selectors = {"labelSelector": selector, "fieldSelector": fields}
        query = {"limit": str(PAGE)} | {name: value for name, value in selectors.items() if value}
        while True:
            body = await self.request("GET", resource.path(namespace), query=query)
            page = msgspec.json.decode(body, type=_Page)
            objects += page.items or ()
            if not page.metadata.continue_:
                return Listing(tuple(objects), page.metadata.resource_version)
            query["continue"] = page.metadata.continue_

    async def has_any(self, resource: Resource, namespace: str) -> bool:
        body = await self.request("GET", resource.path(namespace), query={"limit": "1"})
        return bool(msgspec.json.decode(body, type=_Page).items)

    async def watch(self, resource: Resource, namespace: str, version: str) -> AsyncIterator[WatchLine]:
        """Changes after `version`, until the server ends the stream. Raises Gone if `version` is too old."""
        query = {
            "watch": "1",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        endless = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=WATCH_SECONDS + 30)
        async with self._exchange("GET", resource.path(namespace), query=query, patience=endless) as response:
            async for raw in _lines(response):
                line = msgspec.json.decode(raw, type=WatchLine)
                if line.type is Change.ERROR:
                    raise _refusal(0, bytes(line.object))
                yield line

    async def get(self, resource: Resource, namespace: str, name: str) -> KubernetesObject:
        return read(await self.request("GET", resource.path(namespace, name)), resource.type)

    async def create(self, resource: Resource, namespace: str, document: Document) -> KubernetesObject:
        """Raises Conflict if the name is taken."""
        return read(await self.request("POST", resource.path(namespace), body=document), resource.type)

    async def patch(self, resource: Resource, path: str, patch: Document) -> KubernetesObject:
        """A JSON merge patch; a resourceVersion in it makes it fail with Conflict if somebody wrote in between."""
        return read(await self.request("PATCH", path, body=patch), resource.type)

    async def delete(self, resource: Resource, namespace: str, name: str, uid: str = "", *, version: str = "") -> bytes:
        """With `uid`: only this very object; with `version`: only if nobody wrote since. Raises NotFound, Conflict."""
        body: Document = {"propagationPolicy": "Background"}
        wanted = {"uid": uid, "resourceVersion": version}
        if uid or version:
            body["preconditions"] = {name: value for name, value in wanted.items() if value}
        return await self.request("DELETE", resource.path(namespace, name), body=body)

    async def request(self, method: str, path: str, *, body: Any = None, query: dict[str, str] | None = None) -> bytes:
        """One exchange, as bytes. Raises ClientError."""
        async with self._exchange(method, path, body=body, query=query) as response:
            return await response.read()

    @asynccontextmanager
    async def _exchange(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: dict[str, str] | None = None,
        patience: aiohttp.ClientTimeout | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = await self.access.headers()
        if self._is_of_metadata:
            headers["Accept"] = METADATA_ALONE.format("" if "watch" in (query or {}) else "List")
        if body is not None:
            headers["Content-Type"] = MERGE_PATCH if method == "PATCH" else "application/json"
        data = msgspec.json.encode(body) if body is not None else None
        url = self.access.server + path
        try:
            async with self._session.request(
                method, url, data=data, params=query, headers=headers, timeout=patience or self._timeout
            ) as response:
                if response.status >= 400:
                    error = _refusal(response.status, await response.read())
                    if isinstance(error, TooManyRequests):
                        error.retry_after = _seconds(response.headers.get("Retry-After", ""))
                    raise error
                yield response
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            said = str(error) or type(error).__name__
            raise ApiUnreachable(f"the Kubernetes API at {self.access.server} does not answer: {said}") from error


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Lines of any length: aiohttp's own line reader refuses long ones."""
    rest = b""
    async for chunk in response.content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line.strip():
                yield line


def _seconds(text: str) -> float:
    """Of a Retry-After; a date, or anything else, counts as a second."""
    return float(text) if text.isdigit() and len(text) < 5 else 1.0


def resource_version(raw: msgspec.Raw) -> str:
    """The resourceVersion of any object, such as a bookmark."""
    return msgspec.json.decode(raw, type=_Versioned).metadata.resource_version


def _refusal(status: int, body: bytes) -> Exception:
    """The API server's own words; a body that is no Status is quoted."""
    try:
        said = msgspec.json.decode(body)
        return refusal(status or int(said.get("code", 500)), str(said.get("message", "")) or repr(body[:200]))
    except (msgspec.DecodeError, AttributeError, ValueError):
        return refusal(status or 500, repr(body[:200]))
