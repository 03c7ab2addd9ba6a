"""The API over HTTP: paths and verbs to operations, documents and errors to answers.

In: ASGI requests. Out: JSON, Tables, streams of watch events, Status documents.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from arkwright.apiserver.errors import (
    ApiError,
    BadRequest,
    InternalError,
    NoSuchPath,
    NotFound,
)
from arkwright.apiserver.kinds import METRICS
from arkwright.apiserver.objects import (
    APPLY_PATCH,
    Answer,
    Objects,
    Options,
    Removal,
    require_possible,
    require_some_version,
)
from arkwright.apiserver.store import Key, Watches
from arkwright.apiserver.wire import podlogs, requests, reviews, views
from arkwright.apiserver.wire.about import about
from arkwright.apiserver.wire.access import Access, User
from arkwright.apiserver.wire.bodies import (
    ACCEPTED,
    JSON,
    Json,
    as_json,
    done,
    list_metadata,
    list_of,
    parsed,
    patch_of,
    require_kind,
    unsupported,
)
from arkwright.apiserver.wire.calls import Call
from arkwright.apiserver.wire.metrics import Metrics
from arkwright.apiserver.wire.reading import Reader
from arkwright.apiserver.wire.requests import Target
from arkwright.apiserver.wire.scales import put_scale, scale_of
from arkwright.turns import those

log = structlog.get_logger()
Document = dict[str, Any]


@dataclass(frozen=True)
class Surroundings:
    """`clock`: the time of day; `version`: our own, for /version; `pod_logs`: where a node writes what its pods say; `troubles`: lines
    about what goes on beside the requests and does not run."""

    clock: Callable[[], datetime]
    version: str
    pod_logs: Path | None = None
    troubles: Callable[[], list[str]] = list


class Api:
    """One ASGI endpoint for all paths."""

    def __init__(self, objects: Objects, watches: Watches, access: Access, about: Surroundings) -> None:
        self._objects, self._watches, self._access, self._about = objects, watches, access, about
        self._reader = Reader(objects, watches, about.clock)
        self._metrics = Metrics(objects, about.clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI, without a framework's router in between: paths here are data, not code."""
        await (await self._answered(Call(scope, receive)))(scope, receive, send)

    async def _answered(self, call: Call) -> Response:
        try:
            if call.path in ("/livez", "/readyz", "/healthz"):
                lines = self._about.troubles() if call.path == "/readyz" else []
                return PlainTextResponse("\n".join(["ok", *lines]))
            return await self._answer(call, self._access.check(call))
        except NoSuchPath as error:
            return PlainTextResponse(error.message, error.code)
        except ApiError as error:
            return as_json(error.document(), error.code)
        except ClientDisconnect:
            return Response(status_code=499)
        except Exception:
            log.exception("bug", path=call.path)
            return as_json(InternalError("Internal error occurred: see the server's log").document(), 500)

    async def _answer(self, call: Call, user: User) -> Response:
        parts = call.path.strip("/").split("/")
        if plural := reviews.plural_of(call.path):
            return await self._review(call, plural, user)
        is_object = (parts[0] == "api" and len(parts) > 2) or (parts[0] == "apis" and len(parts) > 3)
        if not is_object:
            return about(self._objects.registry, call.path, call.accept, self._about.version)
        asked = requests.target(self._objects.registry, call.path)
        if asked.resource.view_of:
            inner = views.stored_target(self._objects.registry, asked)
            try:
                return await views.seen_answer(await self._done(views.StoredCall(call), inner))
            except ApiError as error:
                raise views.seen_error(error) from error
        return await self._done(call, asked)

    async def _done(self, call: Call, asked: Target) -> Response:
        if asked.resource.group == METRICS and call.method == "GET":
            return await self._metrics.answer(call, asked)
        verbs: dict[str, Callable[[Call, Target], Awaitable[Response]]] = {
            "GET": self._reader.answer,
            "POST": self._create,
            "PUT": self._update,
            "PATCH": self._patch,
            "DELETE": self._delete,
        }
        if asked.subresource == "log" or asked.subresource in podlogs.INSTEAD:
            return self._of_process(call, asked)
        if asked.subresource == "token":
            raise BadRequest(podlogs.NO_TOKENS)
        if asked.subresource == "eviction" and call.method == "POST":
            return await self._evict(call, asked)
        verb = verbs.get(call.method)
        if (
            verb is None
            or (call.method == "POST" and asked.name)
            or (call.method in ("PUT", "PATCH") and not asked.name)
        ):
            raise podlogs.method_refused()
        return await verb(call, asked)

    async def _review(self, call: Call, plural: str, user: User) -> Response:
        kind = _media_type(call)
        if call.method != "POST":
            raise podlogs.method_refused()
        if kind not in ACCEPTED:
            raise unsupported(kind, ACCEPTED)
        return as_json(reviews.reviewed(plural, parsed(await call.body(), kind), user, self._access), 201)

    def _of_process(self, call: Call, asked: Target) -> Response:
        """A pod's log; what else is asked of a pod's container there is not."""
        record = self._objects.get(asked.resource, asked.namespace, asked.name)
        pod = self._objects.document(asked.resource, record)
        if asked.subresource != "log":
            raise podlogs.refused(asked.subresource, pod)
        if call.method != "GET":
            raise podlogs.method_refused()

        def is_over() -> bool:
            return self._watches.are_over or self._objects.store.get(record.key) is None

        return podlogs.log_answer(self._about.pod_logs, pod, call.query, is_over, self._about.clock())

    # ── writing ──

    async def _create(self, call: Call, asked: Target) -> Response:
        require_possible(asked.resource)  # before the body is read: it is in whatever form
        document = await self._document(call, asked)
        options = self._options(call, asked)
        return self._written(asked, await self._objects.create(asked.resource, asked.namespace, document, options))

    async def _update(self, call: Call, asked: Target) -> Response:
        document = await self._document(call, asked)
        if asked.subresource == "scale":
            return await self._scaled(call, asked, lambda _: document)

        def replacement(_: Document) -> Document:
            require_some_version(asked.resource, document)
            return document

        return await self._changed(call, asked, replacement)

    async def _patch(self, call: Call, asked: Target) -> Response:
        kind = _media_type(call)
        patch = parsed(await call.body(), kind)
        if kind == APPLY_PATCH and asked.subresource != "scale":
            options = self._options(call, asked)
            requests.require_manager(call.query)
            require_kind(asked.resource, patch)
            return self._written(asked, await self._objects.apply(asked.resource, self._key(asked), patch, options))
        change = patch_of(asked.resource, kind, patch)
        return await (self._scaled if asked.subresource == "scale" else self._changed)(call, asked, change)

    async def _changed(self, call: Call, asked: Target, change: Callable[[Document], Document]) -> Response:
        options = self._options(call, asked)
        return self._written(asked, await self._objects.update(asked.resource, self._key(asked), change, options))

    async def _scaled(self, call: Call, asked: Target, change: Callable[[Document], Document]) -> Response:
        """A Scale is a view on an object: what is written to it is written there."""

        def on_object(document: Document) -> Document:
            wish = change(scale_of(asked.resource, document))
            return put_scale(asked.resource, document, wish)

        answer = await self._objects.update(asked.resource, self._key(asked), on_object, self._options(call, asked))
        return as_json(scale_of(asked.resource, answer.document))

    async def _delete(self, call: Call, asked: Target) -> Response:
        body = await call.body()
        removal = requests.removal(call.query, parsed(body, _media_type(call)) if body else {})
        if not asked.name:
            return await self._delete_all(call, asked, removal)
        answer = await self._objects.delete(asked.resource, self._key(asked), removal)
        metadata = answer.document["metadata"]
        if "deletionTimestamp" in metadata or asked.resource.name in ("pods", "services", "serviceaccounts"):
            return as_json(answer.document)
        return as_json(done(asked.resource, metadata))

    async def _delete_all(self, call: Call, asked: Target, removal: Removal) -> Response:
        wanted = requests.listing(asked, call.query)
        found = self._objects.store.find(asked.resource.name, asked.namespace)
        records = await those(wanted.filter.wants, found)
        for record in records:
            try:
                await self._objects.delete(asked.resource, record.key, removal)
            except NotFound:
                continue
        return list_of(asked.resource, list_metadata(asked.resource, self._objects.store.version), records)

    async def _evict(self, call: Call, asked: Target) -> Response:
        """A pod is deleted: there are no budgets here that might say no."""
        document = parsed(await call.body(), _media_type(call))
        removal = requests.eviction(asked, call.query, document)
        await self._objects.delete(asked.resource, self._key(asked), removal)
        return as_json({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, 201)

    def _key(self, asked: Target) -> Key:
        return Key(asked.resource.name, asked.namespace, asked.name)

    def _options(self, call: Call, asked: Target) -> Options:
        agent = call.headers.get("user-agent", "")
        return requests.options(asked.subresource, call.query_string, call.method, agent)

    def _written(self, asked: Target, answer: Answer) -> Response:
        body = asked.resource.prefix + answer.body[1:] if answer.body else msgspec.json.encode(answer.document)
        response = Json(body, 201 if answer.is_new else 200)
        warnings = list(answer.warnings)
        if asked.resource.group == "rbac.authorization.k8s.io":
            warnings.append("roles are stored and not enforced: access to this API is by token")
        for one in warnings:
            response.headers.append("warning", f"299 - {json.dumps(one)}")
        return response

    async def _document(self, call: Call, asked: Target) -> Document:
        kind = _media_type(call)
        known = ACCEPTED[:2] if asked.resource.is_custom else ACCEPTED  # nobody knows a custom kind's protobuf
        if kind not in known:
            raise unsupported(kind, known)
        document: Document = parsed(await call.body(), kind)
        if asked.subresource != "scale":
            require_kind(asked.resource, document)
        return document


def _media_type(call: Call) -> str:
    """Of its body, without parameters; JSON where nothing is said."""
    return call.headers.get("content-type", JSON).partition(";")[0].strip()
