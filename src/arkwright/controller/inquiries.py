"""What agents tell of their bases, when somebody wants to see it. In: GET /agents/NAMESPACE/POD. Out: an AgentView as JSON, fresh from the agent.

Nothing is asked before somebody asks, nothing is written anywhere, and what was told is forgotten after seconds. However many ask, a pod's agent is asked once in a while; these questions have
limits of their own, so that none takes a place from a call that releases something. As with figures there is no login: who reaches the port may ask; on loopback, the same user.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from arkwright.callers import is_stranger
from arkwright.controller.agentcalls import AgentCalls
from arkwright.controller.cache import Cache
from arkwright.controller.lastcalls import LastCalls
from arkwright.controller.metrics import Metrics
from arkwright.model.agentview import AgentView, agent_view
from arkwright.model.cluster import Pod
from arkwright.model.outcomes import Command, Outcome, Reason, Verdict
from arkwright.model.resources import Kind

log = structlog.get_logger()


class Asking(Protocol):
    """What an ArkletClient can."""

    async def health(self, address: str, pod: str = "") -> Outcome: ...


class Known(Protocol):
    """A part of the cluster that somebody follows and acts on."""

    cache: Cache
    agents: AgentCalls
    calls: LastCalls


@dataclass(frozen=True)
class Modesty:
    """How little is asked. Seconds for which an answer is everybody's, and a silence; questions at once, and begun a second; who may wait for answers."""

    answer_seconds: float = 5.0
    silence_seconds: float = 15.0
    at_once: int = 32
    a_second: float = 50.0
    waiting: int = 64


@dataclass(frozen=True)
class Means:
    """What a question needs. `unmet`: what keeps a pod from being called; `is_sure`: whether nobody else may be calling."""

    arklet: Asking
    unmet: Callable[[Pod], Awaitable[str]]
    is_sure: Callable[[], bool]
    clock: Callable[[], datetime]
    metrics: Metrics


class Inquiries:
    """`known`: what this controller acts on."""

    def __init__(self, known: Callable[[], Iterable[Known]], means: Means, modesty: Modesty | None = None) -> None:
        self._known, self._means, self._modesty = known, means, modesty or Modesty()
        self._answers: dict[str, tuple[float, AgentView]] = {}  # until when, by pod
        self._under_way: dict[str, asyncio.Task[AgentView]] = {}
        self._places = asyncio.Semaphore(self._modesty.at_once)
        self._next_turn, self._waiting = 0.0, 0

    def routes(self) -> list[Route]:
        return [Route("/agents/{namespace}/{pod}", self._answer)]

    async def _answer(self, request: Request) -> Response:
        client, server = request.client, request.scope.get("server")
        if client and server and is_stranger((client.host, client.port), (server[0], server[1])):
            return PlainTextResponse("on loopback only the user of this controller may ask\n", 403)
        if not self._means.is_sure():
            return PlainTextResponse("this controller does not act\n", 503)
        found = self._find(request.path_params["namespace"], request.path_params["pod"])
        if found is None:
            return PlainTextResponse("this controller has released nothing into such a pod\n", 404)
        if self._waiting >= self._modesty.waiting:
            return PlainTextResponse("too many ask at once\n", 503, headers={"retry-after": "1"})
        self._waiting += 1
        try:
            view = await self.view(*found)
        finally:
            self._waiting -= 1
        return Response(msgspec.json.encode(view), media_type="application/json")

    def _find(self, namespace: str, name: str) -> tuple[Pod, Known] | None:
        """Pods of others are no business of ours."""
        for known in self._known():
            pod = known.cache.get(Kind.POD, namespace, name)
            if pod and (known.cache.modules_on(pod) or known.calls.has_changed(pod.metadata.uid)):
                return pod, known
        return None

    async def view(self, pod: Pod, known: Known) -> AgentView:
        """As the agent told it a moment ago, or tells it now."""
        self._forget()
        uid = pod.metadata.uid
        if found := self._answers.get(uid):
            return found[1]
        task = self._under_way.get(uid)
        if task is None:
            task = self._under_way[uid] = asyncio.create_task(self._ask(pod, known))
        return await asyncio.shield(task)  # others may wait for it, too

    def _forget(self) -> None:
        now = _seconds()
        for uid in [uid for uid, (until, _) in self._answers.items() if until <= now]:
            del self._answers[uid]

    async def _ask(self, pod: Pod, known: Known) -> AgentView:
        uid = pod.metadata.uid
        try:
            async with self._places:
                await self._turn()
                outcome = await self._outcome(pod)
            report = known.agents.report(pod)
            view = agent_view(uid, outcome, report.modules if report else (), self._means.clock())
            view = msgspec.structs.replace(view, calls=known.calls.of(uid))
            seconds = self._modesty.silence_seconds if view.silence else self._modesty.answer_seconds
            self._answers[uid] = (_seconds() + seconds, view)
            return view
        finally:
            del self._under_way[uid]

    async def _turn(self) -> None:
        now = _seconds()
        self._next_turn = max(now, self._next_turn + 1 / self._modesty.a_second)
        await asyncio.sleep(self._next_turn - now)

    async def _outcome(self, pod: Pod) -> Outcome:
        means, begun = self._means, self._means.clock()
        try:
            if words := await means.unmet(pod):
                return _untold(words)
            outcome = await means.arklet.health(pod.agent_address, pod.metadata.uid)
        except Exception as error:  # a mistake of ours: whoever waits is told, and the log has it
            log.exception("cannot ask", pod=pod.name)
            return _untold(f"asking it failed in the controller, see its log: {type(error).__name__}")
        means.metrics.calls.labels(Command.HEALTH, outcome.verdict.name).inc()
        means.metrics.call_seconds.labels(Command.HEALTH).observe((means.clock() - begun).total_seconds())
        return outcome


def _untold(words: str) -> Outcome:
    verdict, reason = Verdict.UNREACHED, Reason.AGENT_UNREACHABLE
    return Outcome(command=Command.HEALTH, verdict=verdict, reason=reason, message=words)


def _seconds() -> float:
    return asyncio.get_running_loop().time()
