"""Builds the dashboard, owns its clock, and serves it until it is told to stop."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import structlog
import uvicorn
from cryptography.fernet import Fernet

from arkwright.clients.credentials import find_access
from arkwright.clients.kube import KubeClient
from arkwright.controller.watch import Watcher
from arkwright.listening import (
    BoundedServer,
    Bounds,
    bounded,
    raise_descriptors,
    share_of_descriptors,
    spare_the_collector,
)
from arkwright.model.hosts import is_loopback, joined
from arkwright.model.names import DEFAULT_LEASE
from arkwright.model.resources import Kind
from arkwright.supervision import Supervisor
from arkwright.web.actions import Actions
from arkwright.web.asking import Askers
from arkwright.web.fleet import Fleet
from arkwright.web.live import Live
from arkwright.web.login import Login
from arkwright.web.rendering import compile_templates
from arkwright.web.rights import Reviews
from arkwright.web.routes import Parts, application
from arkwright.web.sessions import Entrance, Sessions
from arkwright.web.told import events_to_tell

log = structlog.get_logger()
WATCHED = (
    Kind.MODULE_DEPLOYMENT,
    Kind.MODULE_REPLICASET,
    Kind.MODULE,
    Kind.DEPLOYMENT,
    Kind.POD,
    Kind.EVENT,
)


@dataclass(frozen=True)
class Place:
    """Where it listens, and as what. `certificate`, `key`: PEM files, None for plain HTTP. `port` 0: any that is free."""

    host: str = "127.0.0.1"
    port: int = 0
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True)
class Settings:
    """`namespace`: "" for all. `entrance_key`: of keys that let its owner in, None where everybody has to show a token.
    `session_key`: of cookies, None for one of its own, which ends with it. `says_link`: whether its first line lets its owner in."""

    place: Place
    namespace: str = ""
    lease_namespace: str = DEFAULT_LEASE[0]
    is_read_only: bool = False
    session: timedelta = timedelta(hours=8)
    session_key: bytes | None = None
    entrance_key: bytes | None = None
    says_link: bool = True


def utc_now() -> datetime:
    return datetime.now(UTC)


class Dashboard:
    """Everything but the server. `clock` tells the time of day."""

    def __init__(self, kube: KubeClient, settings: Settings, clock: Callable[[], datetime] = utc_now) -> None:
        self.fleet, self.loops = Fleet(), Supervisor()
        told = {Kind.EVENT: events_to_tell()}
        self._watchers = [
            Watcher(kube, self.fleet, kind, settings.namespace, resource=told.get(kind)) for kind in WATCHED
        ]
        self._lease = Watcher(kube, self.fleet, Kind.LEASE, settings.lease_namespace)
        self._live = Live(self.fleet, clock)
        self.reviews = Reviews(kube, lambda: self.fleet.namespaces)
        sessions = Sessions(settings.session_key or Fernet.generate_key(), settings.session, clock)
        self.entrance = Entrance(settings.entrance_key, clock) if settings.entrance_key else None
        askers = Askers(self.reviews, sessions, kube.access, settings.is_read_only)
        login = Login(askers, self.entrance, settings.place.certificate is not None)
        actions = Actions(self.fleet, askers, clock)
        self.app = application(Parts(askers, login, self._live, actions, lambda: self.is_ready, self.loops.troubles))

    @property
    def is_ready(self) -> bool:
        return all(one.is_filled.is_set() for one in self._watchers)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for one in (*self._watchers, self._lease):
                tasks.create_task(self.loops.keep(one.name, one.run, is_needed=one is not self._lease))
            tasks.create_task(self.loops.keep("pages", self._live.run, is_needed=True))
            tasks.create_task(self.loops.keep("agents", self._live.agents.run))

    async def filled(self) -> None:
        """Until it has seen everything once."""
        await asyncio.gather(*(one.is_filled.wait() for one in self._watchers))


def server_of(dashboard: Dashboard, place: Place) -> BoundedServer:
    bounds = bounded(Bounds(share_of_descriptors(0.5, 4096), 0, body_seconds=15.0))
    return BoundedServer(
        uvicorn.Config(
            dashboard.app,
            http=bounds,
            ws="none",
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            lifespan="off",
            ssl_certfile=str(place.certificate) if place.certificate else None,
            ssl_keyfile=str(place.key) if place.key else None,
            timeout_graceful_shutdown=1,
        )
    )


async def run_dashboard(settings: Settings, say: Callable[[str], None]) -> None:
    """Until SIGTERM or SIGINT; `say` hears its address once it serves. Raises BadCredentials, and OSError if it cannot listen."""
    raise_descriptors()
    place = settings.place
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    with socket.create_server((place.host, place.port), family=family) as listening:
        async with KubeClient(await find_access()) as kube:
            dashboard = Dashboard(kube, settings)
            says = partial(_say_address, settings, dashboard, listening, say)
            work = asyncio.create_task(_work(dashboard, place, listening, says))
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, work.cancel)
            with contextlib.suppress(asyncio.CancelledError):
                await work


async def _work(dashboard: Dashboard, place: Place, listening: socket.socket, says: Callable[[], None]) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(dashboard.run())
        tasks.create_task(_make_ready(dashboard))
        tasks.create_task(dashboard.loops.keep("server", partial(_serve, dashboard, place, listening), is_needed=True))
        says()


async def _make_ready(dashboard: Dashboard) -> None:
    """Nobody's page waits for templates to be compiled, nor for Python to look through the whole fleet for garbage again and again."""
    compile_templates()
    await dashboard.filled()
    spare_the_collector()


def _say_address(
    settings: Settings, dashboard: Dashboard, listening: socket.socket, say: Callable[[str], None]
) -> None:
    entrance = dashboard.entrance if settings.says_link else None
    say(address_of(settings.place, listening.getsockname()[1], entrance))


async def _serve(dashboard: Dashboard, place: Place, listening: socket.socket) -> None:
    await server_of(dashboard, place)._serve(sockets=[listening.dup()])  # without its signal handlers: SIGTERM is ours


def address_of(place: Place, port: int, entrance: Entrance | None = None) -> str:
    """With a key that lets its owner in once, where there are such."""
    scheme = "https" if place.certificate else "http"
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(place.host, place.host)
    base = f"{scheme}://{joined(shown, port)}"
    return f"{base}/enter?key={entrance.issue()}" if entrance and is_loopback(shown) else f"{base}/"
