"""Builds the controller from its parts, owns the clock, and runs it until it is told to stop."""

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import structlog
import uvicorn
from starlette.applications import Starlette

from arkwright.clients.agentaccess import AgentAccess
from arkwright.clients.arklet import ArkletClient, Timeouts
from arkwright.clients.credentials import find_access
from arkwright.clients.kube import KubeClient
from arkwright.controller.agentcalls import Limits, Places
from arkwright.controller.baseline import Baselines
from arkwright.controller.events import Events
from arkwright.controller.figures import Figures
from arkwright.controller.inquiries import Inquiries, Means
from arkwright.controller.leader import Leadership
from arkwright.controller.leases import Terms
from arkwright.controller.metrics import Metrics, health_routes
from arkwright.controller.realm import Looks, Realm, Shared
from arkwright.controller.requirement import Requirement
from arkwright.controller.shards import Shards
from arkwright.controller.signingkeys import SigningKeys
from arkwright.controller.slots import Slots
from arkwright.controller.sole import Sole
from arkwright.listening import BoundedServer, Bounds, bounded, raise_descriptors, spare_the_collector
from arkwright.model.cluster import Deployment
from arkwright.model.hosts import joined
from arkwright.model.resources import Kind
from arkwright.supervision import Supervisor

log = structlog.get_logger()
HEALTH_CONNECTIONS = 256


@dataclass(frozen=True)
class Health:
    """Where /healthz, /readyz, /metrics and /agents are served; port 0: any free one."""

    host: str = "127.0.0.1"
    port: int = 8081

    @property
    def url(self) -> str:
        """ "" where that cannot be said."""
        is_everywhere = self.host in ("0.0.0.0", "::", "")
        return "" if is_everywhere or not self.port else f"http://{joined(self.host, self.port)}"


@dataclass(frozen=True)
class ApiLimits:
    """Of the Kubernetes API: how long a request may take, how many writes may be under way."""

    timeout_seconds: float = 30.0
    writes: int = 64


@dataclass(frozen=True)
class Settings:
    """Every address, limit, time-out and period. `namespace` "" means all; without `terms` it acts without a Lease. `shares`: it acts on its
    share of all namespaces, beside others that do. `keys`: namespace and name of the Secret whose keys sign calls to agents."""

    namespace: str = ""
    health: Health = field(default_factory=Health)
    looks: Looks = field(default_factory=Looks)
    timeouts: Timeouts = field(default_factory=Timeouts)
    agents: AgentAccess = field(default_factory=AgentAccess)
    limits: Limits = field(default_factory=Limits)
    api: ApiLimits = field(default_factory=ApiLimits)
    terms: Terms | None = field(default_factory=Terms)
    shares: bool = False
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
        shared = self._shared(kube, arklet, clock)
        self._acting = self._actor(shared)
        self.metrics.waiting.set_function(lambda: sum(len(one.queue) for one in self.realms))
        self.baselines = Baselines(lambda: self.realms, clock, lambda: self.is_ready, self._acting.neighbours)
        means = Means(arklet, shared.requirement.unmet, shared.is_sure, clock, self.metrics)
        self.inquiries = Inquiries(lambda: self.realms, means)
        self._keys = (
            SigningKeys(kube, self._deployments, settings.agents, settings.keys, clock) if settings.keys else None
        )

    def _shared(self, kube: KubeClient, arklet: ArkletClient, clock: Callable[[], datetime]) -> Shared:
        settings = self._settings

        def is_sure() -> bool:
            return self._acting.is_sure

        return Shared(
            kube=kube,
            arklet=arklet,
            clock=clock,
            metrics=self.metrics,
            figures=Figures(self.metrics.registry, clock),
            events=Events(kube, clock),
            requirement=Requirement(kube, arklet, settings.requires_authentication),
            supervisor=self.loops,
            slots=Slots(settings.api.writes, is_sure),
            places=Places(settings.limits),
            looks=settings.looks,
            is_sure=is_sure,
        )

    def _actor(self, shared: Shared) -> Sole | Shards:
        settings, identity = self._settings, f"{socket.gethostname()}-{os.getpid()}"
        if settings.shares:
            unique = f"{identity}-{secrets.token_hex(3)}".lower()  # a process that is started again is another one
            return Shards(shared, settings.terms or Terms(), unique, settings.health.url)
        terms = settings.terms
        leadership = Leadership(shared.kube, terms, identity, shared.clock) if terms else None
        if leadership:
            leadership.answers_at = settings.health.url
        return Sole(shared, settings.namespace, leadership)

    @property
    def realms(self) -> list[Realm]:
        """What it follows."""
        return self._acting.realms

    def _deployments(self) -> Iterator[Deployment]:
        for one in self.realms:
            yield from one.cache.all(Kind.DEPLOYMENT)

    @property
    def is_ready(self) -> bool:
        return self._acting.is_ready and self.loops.is_serving

    async def run(self) -> None:
        """Watch, and act while it may. Ends when the Lease is lost; a cancellation lets go of it."""
        await self._acting.run(self._keys)


async def run_controller(settings: Settings) -> bool:
    """Until SIGTERM or SIGINT (True), or until the lease is lost (False). Raises BadCredentials, BadAccess, and OSError if
    the health port is taken.
    """
    raise_descriptors()
    spare_the_collector()
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
    app = Starlette(routes=[*routes, *controller.baselines.routes(), *controller.inquiries.routes()])
    bounds = bounded(Bounds(HEALTH_CONNECTIONS, HEALTH_CONNECTIONS // 2, body_seconds=10.0))
    server = BoundedServer(uvicorn.Config(app, http=bounds, ws="none", log_level="error", lifespan="off"))
    await server._serve(
        sockets=[listening.dup()]
    )  # each time the same port; without its signal handlers: SIGTERM is ours
