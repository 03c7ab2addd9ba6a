"""Builds the API server of one machine, owns its clock, and runs it until it is told to stop."""

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import structlog
import uvicorn

from arkwright.apiserver.errors import AlreadyExists
from arkwright.apiserver.identity import identity, kubeconfig, write_private
from arkwright.apiserver.kinds import Registry
from arkwright.apiserver.objects import Collector, Objects, Options, end_events
from arkwright.apiserver.store import Store, Watches
from arkwright.apiserver.wire import Access, Api, Surroundings
from arkwright.listening import BoundedServer, Bounds, bounded, raise_descriptors

log = structlog.get_logger()
COMPACT_SECONDS = 60.0
KEPT_PERIODS = 5
CONNECTIONS = 1024  # each of TLS has a quarter of a megabyte
FIRST_OBJECTS = ("default", "kube-system", "kube-public")


@dataclass(frozen=True)
class Place:
    """`file`: the store. `certificate`, `key`: PEM files. `port` 0: any that is free. `pod_logs`: where a node
    writes what its pods say; None if there is none."""

    file: Path
    certificate: Path
    key: Path
    host: str = "127.0.0.1"
    port: int = 0
    pod_logs: Path | None = None


class ApiServer:
    """The whole server in this process."""

    def __init__(self, place: Place, access: Access) -> None:
        """Raises StoreFailed."""
        self._place = place
        self._watches = Watches()
        self._store = Store(place.file, self._watches.publish)
        self._objects = Objects(self._store, Registry(), _now)
        self._collector = Collector(self._objects, self._watches)
        self._api = Api(self._objects, self._watches, access, Surroundings(_now, version("arkwright"), place.pod_logs))

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        """The port, while it serves. Raises OSError if it cannot listen."""
        self._collector.begin()
        await self._create_namespaces()
        _spare_the_collector()
        raise_descriptors()
        bounds = Bounds(CONNECTIONS, CONNECTIONS // 4, body_seconds=30.0)
        server = BoundedServer(
            uvicorn.Config(
                self._api,
                host=self._place.host,
                port=self._place.port,
                ssl_certfile=str(self._place.certificate),
                ssl_keyfile=str(self._place.key),
                access_log=False,
                proxy_headers=False,
                ws="none",
                http=bounded(bounds),
                log_level="critical",  # what goes wrong is answered and logged by us; it warns of clients that linger
                lifespan="off",
                timeout_graceful_shutdown=2,
                timeout_keep_alive=75,
            )
        )
        loops = (self._collector.run(), self._compact_now_and_then(), end_events(self._objects))
        tasks = [asyncio.create_task(one) for one in loops]
        with _listening(self._place) as one:
            serving = asyncio.create_task(server._serve([one]))
            try:
                while not server.started and not serving.done():  # noqa: ASYNC110 (uvicorn has no Event for it)
                    await asyncio.sleep(0.005)
                yield one.getsockname()[1]
            finally:
                self._watches.end()
                server.should_exit = True
                await serving
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                await self._store.close()

    async def _create_namespaces(self) -> None:
        kind = self._objects.registry.named("namespaces")
        assert kind
        for name in FIRST_OBJECTS:
            document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            with contextlib.suppress(AlreadyExists):
                await self._objects.create(kind, "", document, Options(manager="arkwright-apiserver"))

    async def _compact_now_and_then(self) -> None:
        """What was superseded is kept for some minutes: readers may be that late."""
        versions: list[int] = []
        while True:
            await asyncio.sleep(COMPACT_SECONDS)
            versions.append(self._store.version)
            if len(versions) > KEPT_PERIODS:
                await self._store.compact(versions.pop(0))


async def run_api(directory: Path, host: str, port: int, say: Callable[[str], None]) -> None:
    """All files of the server in one directory, until SIGTERM or SIGINT; `say` hears its address once it serves.

    Raises StoreFailed, and OSError if it cannot listen.
    """
    found = identity(directory, host, _now())
    place = Place(directory / "store.db", found.certificate, found.key, host, port, directory / "logs" / "pods")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with ApiServer(place, Access(found.admin, found.reader)).running() as chosen:
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
        server = f"https://{shown}:{chosen}"
        for name, token in (("kubeconfig", found.admin), ("reader.kubeconfig", found.reader)):
            write_private(directory / name, kubeconfig(server, found.certificate, token))
        say(server)
        await stop.wait()


def _spare_the_collector() -> None:
    """What is there stays: Python need not look through all objects for garbage again and again (a sixth of a write's time)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _now() -> datetime:
    return datetime.now(UTC)


@contextlib.contextmanager
def _listening(place: Place) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    with socket.socket(family) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((place.host, place.port))
        yield one
