"""The agent's HTTP interface: POST /<command>, always 200 with an envelope. In: bytes. Out: bytes.

Better than the Java agent where that is only careless: a Content-Length, and an answer to malformed JSON.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from arkwright.arklet.services import published
from arkwright.arklet.wire.access import BODY_LIMIT_BYTES, TOO_LARGE
from arkwright.arklet.wire.openapi import describe
from arkwright.arklet.wire.operations import BASE_NAME, Operations, internal_error
from arkwright.listening import whole_body
from arkwright.model.arklet import (
    Answer,
    BatchInstallRequest,
    BizRequest,
    Code,
    HealthRequest,
    InstallRequest,
    NoRequest,
    OpsRequest,
)

RECORDS_KEPT = 1000  # of asynchronous commands; Java agents keep all, for ever
COMMANDS: dict[str, tuple[str, type]] = {
    "help": ("list all commands", NoRequest),
    "installBiz": ("install one module", InstallRequest),
    "batchInstallBiz": ("install several modules", BatchInstallRequest),
    "uninstallBiz": ("uninstall one module", BizRequest),
    "switchBiz": ("activate one of the installed versions of a module", BizRequest),
    "queryAllBiz": ("list all modules (without the base)", NoRequest),
    "queryBizOps": ("ask how an asynchronous command is going", OpsRequest),
    "health": ("health of the base and its modules", HealthRequest),
}
UNKNOWN = Answer(code=Code.CMD_NOT_FOUND, message="please follow the doc")

T = TypeVar("T")
Command = Callable[[bytes], Awaitable[Answer]]


class Routes:
    """Decodes a command, runs it, encodes its answer; keeps the records of asynchronous ones."""

    def __init__(self, operations: Operations, base_identity: str) -> None:
        self._operations = operations
        self._identity = base_identity
        self._ops: dict[str, dict[str, Any]] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._encoder = msgspec.json.Encoder(order="sorted")
        self._commands: dict[str, Command] = {name: getattr(self, f"_{name}") for name in COMMANDS}

    def app(self) -> Starlette:
        routes = [
            Route("/openapi.json", self._describe, methods=["GET"]),
            Route("/{command:path}", self._answer, methods=["POST"]),
        ]
        app = Starlette(routes=routes, exception_handlers={404: self._unknown, 405: _only_post})
        app.router.redirect_slashes = False
        return app

    async def _describe(self, request: Request) -> Response:
        return Response(self._encoder.encode(describe(COMMANDS)), media_type="application/json")

    async def _answer(self, request: Request) -> Response:
        body = await whole_body(request.receive, BODY_LIMIT_BYTES)
        if body is None:
            return PlainTextResponse(TOO_LARGE, status_code=413)
        answer = await self._run(request.path_params["command"], body)
        return self._encoded(answer)

    def _encoded(self, answer: Answer) -> Response:
        answer = msgspec.structs.replace(answer, base_identity=self._identity)
        return Response(self._encoder.encode(answer), media_type="application/json")

    async def _unknown(self, request: Request, error: Exception) -> Response:
        """A path that cannot even be a command's name: with a line's end in it."""
        return self._encoded(UNKNOWN)

    async def _run(self, name: str, body: bytes) -> Answer:
        command = self._commands.get(name)
        if command is None:
            return UNKNOWN
        try:
            return await command(body)
        except msgspec.DecodeError as error:
            return internal_error(ValueError(f"the body of {name} is not the JSON object it takes: {error}"))
        except Exception as error:
            return internal_error(error)

    async def _help(self, body: bytes) -> Answer:
        return Answer(code=Code.SUCCESS, data=[{"desc": desc, "id": name} for name, (desc, _) in COMMANDS.items()])

    async def _installBiz(self, body: bytes) -> Answer:  # noqa: N802 (the wire's name)
        request = _decode(body, InstallRequest)
        return await self._now_or_later(request, lambda: self._operations.install(request))

    async def _uninstallBiz(self, body: bytes) -> Answer:  # noqa: N802
        request = _named(_decode(body, BizRequest))
        return await self._now_or_later(request, lambda: self._operations.uninstall(request))

    async def _switchBiz(self, body: bytes) -> Answer:  # noqa: N802
        request = _named(_decode(body, BizRequest))
        return await self._now_or_later(request, lambda: self._operations.switch(request))

    async def _queryAllBiz(self, body: bytes) -> Answer:  # noqa: N802
        _decode(body, NoRequest)
        return Answer(code=Code.SUCCESS, data=self._operations.query())

    async def _queryBizOps(self, body: bytes) -> Answer:  # noqa: N802
        record = self._ops.get(_decode(body, OpsRequest).request_id)
        if record is None:
            return Answer(code=Code.FAILED, message="Not found the corresponding ops record.")
        return Answer(code=Code.SUCCESS, data=record)

    async def _batchInstallBiz(self, body: bytes) -> Answer:  # noqa: N802
        requests = _decode(body, BatchInstallRequest).biz_list
        answers = await asyncio.gather(*(self._operations.install(one) for one in requests), return_exceptions=True)
        by_url = {one.biz_url: _of_batch(answer) for one, answer in zip(requests, answers, strict=True)}
        if all(one.code == Code.SUCCESS for one in by_url.values()):
            data = {"bizUrlToResponse": by_url, "code": Code.SUCCESS, "message": "batch install success"}
            return Answer(code=Code.SUCCESS, data=data)
        data = {"bizUrlToResponse": by_url, "code": Code.FAILED, "message": "batch install failed"}
        return Answer(code=Code.FAILED, data=data, message="install biz not success!")

    async def _health(self, body: bytes) -> Answer:
        request = _decode(body, HealthRequest)
        if request.type not in ("", "system", "biz", "plugin"):
            raise ValueError(f"type: {request.type} can not be found")
        name = request.biz_name or request.module_name
        modules = [one for one in self._operations.query() if name in ("", one["bizName"])]
        if request.type == "biz" and name and not modules:
            return Answer(code=Code.FAILED, message=f"can not find biz: {name}")
        health = {
            "bizListInfo": modules,
            "cpu": {"count": os.cpu_count(), "load": os.getloadavg()[0]},
            "masterBizInfo": {"bizName": BASE_NAME, "bizState": "activated", "bizVersion": "1", "webContextPath": "/"},
            "pluginListInfo": [],
            "residue": self._operations.residue(),
            "services": [str(one) for one in published()],
        }
        if troubles := self._operations.loops.troubles():
            health["troubles"] = troubles
        return Answer(code=Code.SUCCESS, data={"healthData": health})

    async def _now_or_later(self, request: InstallRequest | BizRequest, run: Callable[[], Awaitable[Answer]]) -> Answer:
        if not request.asynchronous:
            return await run()
        if not request.request_id:
            raise ValueError("requestId should not be blank when async is true")
        if request.request_id in self._ops:
            known = f"The request corresponding to the requestId({request.request_id}) has been executed."
            return Answer(code=Code.FAILED, message=known)
        record = _new_record(request)
        self._ops[request.request_id] = record
        for oldest in list(self._ops)[:-RECORDS_KEPT]:
            del self._ops[oldest]
        task = asyncio.create_task(_follow(record, run), name=f"arklet {request.request_id}")
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return Answer(code=Code.SUCCESS, data=dict(record))


def _new_record(request: InstallRequest | BizRequest) -> dict[str, Any]:
    now = int(time.time() * 1000)
    return {
        "arkBizMeta": request,
        "elapsedTime": 0,
        "endTimestamp": 0,
        "requestId": request.request_id,
        "startTime": now,
        "startTimestamp": now,
        "status": "EXECUTING",
    }


async def _follow(record: dict[str, Any], run: Callable[[], Awaitable[Answer]]) -> None:
    try:
        answer = await run()
    except Exception as error:
        answer = internal_error(error)
    now = int(time.time() * 1000)
    record["status"] = "SUCCEEDED" if answer.code == Code.SUCCESS else "FAILED"
    record["message"] = answer.data_message or answer.message
    record["endTime"] = record["endTimestamp"] = now
    record["elapsedTime"] = now - record["startTimestamp"]


def _of_batch(answer: Answer | BaseException) -> Answer:
    if isinstance(answer, BaseException):
        return Answer(code=Code.FAILED, message=f"internal exception: {answer}")
    return answer


def _decode(body: bytes, kind: type[T]) -> T:
    return msgspec.json.decode(body or b"{}", type=kind)


def _named(request: BizRequest) -> BizRequest:
    for field, given in (("bizName", request.biz_name), ("bizVersion", request.biz_version)):
        if not given:
            raise ValueError(f"{field} should not be blank")
    return request


async def _only_post(request: Request, error: Exception) -> Response:
    return PlainTextResponse("POST http request only supported by arklet", status_code=500)
