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
from arkwright.controller import triggers
from arkwright.controller.agentcalls import AgentCalls, Ended, Limits
from arkwright.controller.baseline import Baselines
from arkwright.controller.cache import Cache
from arkwright.controller.events import Events
from arkwright.controller.execute import Executor
from arkwright.controller.figures import Book, Figures
from arkwright.controller.leader import Leadership, Terms
from arkwright.controller.metrics import Metrics, health_routes
from arkwright.controller.objects import Change, Key
from arkwright.controller.observe import Observer
from arkwright.controller.reconcile import Reconciler
from arkwright.controller.requirement import Requirement
from arkwright.controller.signingkeys import SigningKeys
from arkwright.controller.unread import Unread
from arkwright.controller.watch import Watcher
from arkwright.controller.workqueue import PACE_SECONDS, PACED, WorkQueue
from arkwright.listening import BoundedServer, Bounds, bounded, raise_descriptors, spare_the_collector
from arkwright.model.resources import Kind
from arkwright.supervision import Supervisor

log = structlog.get_logger()
HEALTH_CONNECTIONS = 256
WATCHED = (
    Kind.DEPLOYMENT,
    Kind.REPLICASET,
    Kind.POD,
    Kind.SERVICE,
    Kind.MODULE_DEPLOYMENT,
    Kind.MODULE_REPLICASET,
    Kind.MODULE,
)


@dataclass(frozen=True)
class Health:
    """Where /healthz, /readyz and /metrics are served; port 0: any free one."""

    host: str = "127.0.0.1"
    port: int = 8081


@dataclass(frozen=True)
class Looks:
    """How keys are looked at: by how many workers, and at what intervals in seconds."""

    workers: int = 64
    pace_seconds: float = PACE_SECONDS
    drift_seconds: float = 60.0


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
        self.book = Book(Figures(self.metrics.registry, clock), clock)
        self.queue = WorkQueue(self._pace)
        self.cache = Cache(clock, self._changed)
        self._requirement = Requirement(kube, arklet, settings.requires_authentication)
        self.agents = AgentCalls(arklet, clock, self.metrics, self._called, settings.limits)
        self.agents.unmet = self._requirement.unmet
        self.events = Events(kube, clock)
        self.unread = Unread(kube, self.events, self.metrics, clock)
        self._watchers = [Watcher(kube, self.cache, kind, settings.namespace) for kind in WATCHED]
        for watcher in self._watchers:
            watcher.unread = self.unread
        observer = Observer(self.cache, self.agents, settings.looks.drift_seconds)
        self.baselines = Baselines(self.cache, observer, clock, lambda: self.is_ready)
        executor = Executor(kube, self.cache, self.agents, self.events, settings.api.writes)
        self._reconciler = Reconciler(self.queue, self.cache, observer, executor, clock)
        identity = f"{socket.gethostname()}-{os.getpid()}"
        self._keys = SigningKeys(kube, self.cache, settings.agents, settings.keys, clock) if settings.keys else None
        self._leadership = Leadership(kube, settings.terms, identity, clock) if settings.terms else None
        self.loops = Supervisor(lambda name: self.metrics.loop_failures.labels(name).inc())
        self.loops.name_failing("reconcile", self._reconciler.set_aside)

    @property
    def is_ready(self) -> bool:
        return all(watcher.is_filled.is_set() for watcher in self._watchers) and self.loops.is_serving

    async def run(self) -> None:
        """Watch, and act while leading. Ends when the lease is lost; a cancellation lets go of it."""
        async with asyncio.TaskGroup() as group:
            kept = [self.loops.keep(one.name, one.run, is_needed=True) for one in self._watchers]
            tasks = [group.create_task(one) for one in kept]
            try:
                await asyncio.gather(*(watcher.is_filled.wait() for watcher in self._watchers))
                await self._act()
            finally:
                for task in tasks:
                    task.cancel()
                await self._stop()

    async def _act(self) -> None:
        if self._leadership:
            await self._leadership.lead()
        self.metrics.leading.set(1)
        self.unread.begin()
        with self.book.opened():
            await self._lead()

    async def _lead(self) -> None:
        async with asyncio.TaskGroup() as group:
            if self._keys:
                keeping = group.create_task(self.loops.keep("signing keys", self._keys.run))
                await self._keys.is_ready.wait()
            work = partial(self._reconciler.run, self._settings.looks.workers)
            acting = group.create_task(self.loops.keep("reconcile", work, is_needed=True))
            if self._leadership:
                await self._leadership.hold()
                acting.cancel()
                if self._keys:
                    keeping.cancel()

    async def _stop(self) -> None:
        self.metrics.leading.set(0)
        await self.agents.stop()
        await self.events.flush()
        if self._leadership:
            with contextlib.suppress(ClientError):
                await self._leadership.let_go()

    def _pace(self, key: Key) -> float:
        return self._settings.looks.pace_seconds if key.kind in PACED else 0.0

    def _changed(self, change: Change) -> None:
        self.book.note(change)
        for key in triggers.keys(change, self.cache):
            self.queue.add(key)
        if change.after is None and change.kind is Kind.MODULE:
            self.agents.forget_module(Key(Kind.MODULE, *change.before.key))
        if change.after is None and change.kind is Kind.POD:
            self.agents.forget_pod(change.before)
            self._requirement.forget(change.before)

    def _called(self, call: Ended) -> None:
        """A call to the pod's agent ended: those that wait for it, and whom it tells something, are looked at again."""
        for key in triggers.after_call(call.pod, call.askers, call.names, self.cache):
            self.queue.add(key)


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
    app = Starlette(routes=[*routes, *controller.baselines.routes()])
    bounds = bounded(Bounds(HEALTH_CONNECTIONS, HEALTH_CONNECTIONS // 2, body_seconds=10.0))
    server = BoundedServer(uvicorn.Config(app, http=bounds, ws="none", log_level="error", lifespan="off"))
    await server._serve(
        sockets=[listening.dup()]
    )  # each time the same port; without its signal handlers: SIGTERM is ours
