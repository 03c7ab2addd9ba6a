"""Builds the controller from its parts, owns the clock, and runs it until it is told to stop."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import structlog
import uvicorn
from starlette.applications import Starlette

from arkwright.clients.agentaccess import AgentAccess
from arkwright.clients.arklet import ArkletClient, Timeouts
from arkwright.clients.credentials import find_access
from arkwright.clients.errors import ClientError
from arkwright.clients.kube import KubeClient
from arkwright.controller.agentcalls import Limits, Places
from arkwright.controller.baseline import Baselines
from arkwright.controller.cache import Cache
from arkwright.controller.events import Events
from arkwright.controller.leader import Leadership, Terms
from arkwright.controller.metrics import Metrics, health_routes
from arkwright.controller.realm import Looks, Realm, Shared
from arkwright.controller.requirement import Requirement
from arkwright.controller.signingkeys import SigningKeys
from arkwright.controller.slots import Slots
from arkwright.listening import BoundedServer, Bounds, bounded, raise_descriptors
from arkwright.supervision import Supervisor

log = structlog.get_logger()
HEALTH_CONNECTIONS = 256


@dataclass(frozen=True)
class Health:
    """Where /healthz, /readyz and /metrics are served; port 0: any free one."""

    host: str = "127.0.0.1"
    port: int = 8081


@dataclass(frozen=True)
class ApiLimits:
    """Of the Kubernetes API: how long a request may take, how many writes may be under way."""

    timeout_seconds: float = 30.0
    writes: int = 64


@dataclass(frozen=True)
class Settings:
    """Every address, limit, time-out and period. `namespace` "" means all; without `terms` it acts without a Lease.
    `keys`: namespace and name of the Secret whose keys sign calls to agents."""

    namespace: str = ""
    health: Health = field(default_factory=Health)
    looks: Looks = field(default_factory=Looks)
    timeouts: Timeouts = field(default_factory=Timeouts)
    agents: AgentAccess = field(default_factory=AgentAccess)
    limits: Limits = field(default_factory=Limits)
    api: ApiLimits = field(default_factory=ApiLimits)
    terms: Terms | None = field(default_factory=Terms)
    keys: tuple[str, str] | None = None
    requires_authentication: bool = False


def utc_now() -> datetime:
    return datetime.now(UTC)


class Controller:
    """One controller on one API server; `clock` tells the time of day."""

    def __init__(
        self, kube: KubeClient, arklet: ArkletClient, settings: Settings, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._settings = settings
        self.metrics = Metrics()
        self.loops = Supervisor(lambda name: self.metrics.loop_failures.labels(name).inc())
        self.events = Events(kube, clock)
        self.realm = Realm(self._shared(kube, arklet, clock), settings.namespace)
        self.baselines = Baselines(self.cache, self.realm.observer, clock, lambda: self.is_ready)
        identity = f"{socket.gethostname()}-{os.getpid()}"
        self._keys = SigningKeys(kube, self.cache, settings.agents, settings.keys, clock) if settings.keys else None
        self._leadership = Leadership(kube, settings.terms, identity, clock) if settings.terms else None

    def _shared(self, kube: KubeClient, arklet: ArkletClient, clock: Callable[[], datetime]) -> Shared:
        settings = self._settings
        return Shared(
            kube=kube,
            arklet=arklet,
            clock=clock,
            metrics=self.metrics,
            events=self.events,
            requirement=Requirement(kube, arklet, settings.requires_authentication),
            supervisor=self.loops,
            slots=Slots(settings.api.writes),
            places=Places(settings.limits),
            looks=settings.looks,
        )

    @property
    def cache(self) -> Cache:
        """What is known of its realm."""
        return self.realm.cache

    @property
    def is_ready(self) -> bool:
        return self.realm.is_filled and self.loops.is_serving

    async def run(self) -> None:
        """Watch, and act while leading. Ends when the lease is lost; a cancellation lets go of it."""
        async with asyncio.TaskGroup() as group:
            following = group.create_task(self.realm.follow())
            try:
                await self.realm.filled()
                await self._act()
            finally:
                following.cancel()
                await self._stop()

    async def _act(self) -> None:
        if self._leadership:
            await self._leadership.lead()
        self.metrics.leading.set(1)
        async with asyncio.TaskGroup() as group:
            if self._keys:
                keeping = group.create_task(self.loops.keep("signing keys", self._keys.run))
                await self._keys.is_ready.wait()
            acting = group.create_task(self.realm.act(self._settings.looks.workers))
            if self._leadership:
                await self._leadership.hold()
                acting.cancel()
                if self._keys:
                    keeping.cancel()

    async def _stop(self) -> None:
        self.metrics.leading.set(0)
        await self.realm.agents.stop()
        await self.events.flush()
        if self._leadership:
            with contextlib.suppress(ClientError):
                await self._leadership.let_go()


async def run_controller(settings: Settings) -> bool:
    """Until SIGTERM or SIGINT (True), or until the lease is lost (False). Raises BadCredentials, BadAccess, and OSError if
    the health port is taken.
    """
    raise_descriptors()
    family = socket.AF_INET6 if ":" in settings.health.host else socket.AF_INET
    listening = socket.create_server((settings.health.host, settings.health.port), family=family)
    access = await find_access()
    log.info("controller starts", server=access.server, namespace=settings.namespace or "all")
    async with (
        KubeClient(access, settings.api.timeout_seconds) as kube,
        ArkletClient(settings.timeouts, settings.agents) as arklet,
    ):
        controller = Controller(kube, arklet, settings)
        serve = partial(_serve_health, controller, listening)
        health = asyncio.create_task(controller.loops.keep("health", serve))
        running = asyncio.create_task(controller.run())
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, running.cancel)
        await asyncio.wait([running])
        health.cancel()
    log.info("controller stopped")
    if running.cancelled():
        return True
    running.result()  # raises what broke it
    return False


async def _serve_health(controller: Controller, listening: socket.socket) -> None:
    routes = health_routes(controller.metrics, lambda: controller.is_ready, controller.loops.troubles)
    app = Starlette(routes=[*routes, *controller.baselines.routes()])
    bounds = bounded(Bounds(HEALTH_CONNECTIONS, HEALTH_CONNECTIONS // 2, body_seconds=10.0))
    server = BoundedServer(uvicorn.Config(app, http=bounds, ws="none", log_level="error", lifespan="off"))
    await server._serve(
        sockets=[listening.dup()]
    )  # each time the same port; without its signal handlers: SIGTERM is ours
