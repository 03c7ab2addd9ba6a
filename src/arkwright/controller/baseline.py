"""Tells a base that starts what it should hold [S3]. In: the cache. Out: Modules of its pod, as install requests.

What has failed there is left out, and what has an older version there that serves as long: a module that never starts must not keep a
base from serving the others.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from arkwright.controller.cache import Cache
from arkwright.controller.neighbours import HOPS, Neighbours
from arkwright.controller.observe import Observer
from arkwright.listening import whole_body
from arkwright.model.arklet import BaseAddress, InstallRequest
from arkwright.model.cluster import Pod
from arkwright.model.kinds import Module, ModuleArchive, ModulePhase
from arkwright.model.outcomes import Reason
from arkwright.model.resources import Kind
from arkwright.plan.contention import must_go_first
from arkwright.plan.tries import ObservedModule

BODY_BYTES = 4096
ONE_DIGIT = tuple("0123456789")  # a client follows no more redirections than that
NOT_ITS_FAULT = (Reason.BASE_RESTARTED, Reason.AGENT_UNREACHABLE)


def is_expected(observed: ObservedModule) -> bool:
    """Whether a base that starts anew should hold this Module from its beginning."""
    module, status = observed.module, observed.module.status
    staying = [one for one in observed.elders if not one.is_terminating]
    waits_for_elder = any(must_go_first(one, module) for one in staying)
    was_in = status.status is ModulePhase.AVAILABLE or status.reason == Reason.BASE_RESTARTED
    is_not_missed = not was_in and any(not _has_failed(one) for one in staying)
    return not (module.is_terminating or _has_failed(module) or waits_for_elder or is_not_missed)


def _has_failed(module: Module) -> bool:
    return module.status.status is ModulePhase.FAILED and module.status.reason not in NOT_ITS_FAULT


def _install_request(archive: ModuleArchive) -> InstallRequest:
    return InstallRequest(biz_name=archive.name, biz_version=archive.version, biz_url=archive.url, md5=archive.md5)


class Known(Protocol):
    """A part of the cluster that somebody follows."""

    cache: Cache
    observer: Observer


class Baselines:
    """Answers bases over HTTP. `known`: what there is to look into. `is_filled`: whether that is everything yet. `neighbours`: who knows of
    others."""

    def __init__(
        self,
        known: Callable[[], Iterable[Known]],
        clock: Callable[[], datetime],
        is_filled: Callable[[], bool],
        neighbours: Neighbours | None = None,
    ) -> None:
        self._known, self._clock, self._is_filled, self._neighbours = known, clock, is_filled, neighbours

    def routes(self) -> list[Route]:
        return [Route("/queryBaseline", self._answer, methods=["POST"])]

    def of(self, pod: Pod, known: Known) -> list[InstallRequest]:
        """Oldest revision first: the first of a name to come is the one that serves."""
        now = self._clock()
        observed = [known.observer.module(one, now) for one in known.cache.modules_on(pod)]
        expected = [one for one in observed if is_expected(one)]
        expected.sort(key=lambda one: (one.archive.name, len(one.elders), one.module.name))
        return [_install_request(one.archive) for one in expected]

    async def _answer(self, request: Request) -> Response:
        if not self._is_filled():
            return PlainTextResponse("the controller does not know the cluster yet\n", 503)
        body = await whole_body(request.receive, BODY_BYTES)
        if body is None:
            return PlainTextResponse(f"the body is larger than {BODY_BYTES} bytes\n", 413)
        try:
            address = msgspec.json.decode(body, type=BaseAddress)
        except msgspec.DecodeError as error:
            return PlainTextResponse(f"the body is not a base's address: {error}\n", 400)
        if request.client is None or request.client.host != address.local_ip:
            return PlainTextResponse(f"only {address.local_ip} itself may ask what it should hold\n", 403)
        for known in self._known():
            if pod := _find(address, known.cache):
                return _told(self.of(pod, known))
        told = request.query_params.get(HOPS, "")
        return await self._elsewhere(address, int(told) if told in ONE_DIGIT else 0)

    async def _elsewhere(self, address: BaseAddress, hops: int) -> Response:
        if self._neighbours and (url := self._neighbours.url_after(hops)):
            return RedirectResponse(url, 307)
        if self._neighbours and await self._neighbours.holds_nothing(address):
            return _told([])
        return PlainTextResponse(f"no base pod has its agent at {address.local_ip}:{address.port}\n", 404)


def _told(requests: list[InstallRequest]) -> Response:
    return Response(msgspec.json.encode(requests), media_type="application/json")


def _find(address: BaseAddress, cache: Cache) -> Pod | None:
    pods: list[Pod] = cache.all(Kind.POD)
    at = (address.local_ip, address.port)
    return next((one for one in pods if (one.status.pod_ip, one.agent_port) == at and one.may_ask), None)
