"""Builds the API server of one machine, owns its clock, and runs it until it is told to stop."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

import structlog
import uvicorn

from arkwright.apiserver.errors import AlreadyExists
from arkwright.apiserver.identity import identity, kubeconfig
from arkwright.apiserver.kinds import Registry
from arkwright.apiserver.objects import Collector, Objects, Options, end_events
from arkwright.apiserver.store import Store, StoreDamaged, Watches
from arkwright.apiserver.wire import Access, Api, Surroundings
from arkwright.listening import BoundedServer, Bounds, bounded, raise_descriptors, spare_the_collector
from arkwright.private import keep_private, make_private, write_private
from arkwright.supervision import Supervisor

log = structlog.get_logger()
COMPACT_SECONDS = 60.0
KEPT_PERIODS = 5
CONNECTIONS = 1024  # each of TLS has a quarter of a megabyte
PRIVATE = ("store.*", "server.*", "*.token", "*kubeconfig", "logs")
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
        self.loops, self.has_ended = Supervisor(), asyncio.Event()
        about = Surroundings(_now, version("arkwright"), place.pod_logs, self.loops.troubles)
        self._api = Api(self._objects, self._watches, access, about)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        """The port, while it serves. Raises OSError if it cannot listen."""
        self._collector.begin()
        await self._create_namespaces()
        spare_the_collector()
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
        tasks = [asyncio.create_task(self.loops.keep(name, run)) for name, run in self._runs().items()]
        with _listening(self._place) as one:
            serving = asyncio.create_task(server._serve([one]))
            serving.add_done_callback(lambda _: self.has_ended.set())
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

    def _runs(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What goes on beside the requests; none of it is needed to answer them."""
        self.loops.name_failing("collector", self._collector.set_aside)
        events = partial(end_events, self._objects)
        return {"collector": self._collector.run, "compaction": self._compact_now_and_then, "end of events": events}

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
    keep_private()
    make_private(directory, PRIVATE)
    file = directory / "store.db"
    if (directory / "kubeconfig").exists() and not (file.exists() and file.stat().st_size):
        said = "`arkwright restore FILE` goes back to a backup; to begin without any objects, move the directory away"
        raise StoreDamaged(f"{file} is gone, and with it all objects of the site that was here; {said}")
    found = identity(directory, host, _now())
    place = Place(file, found.certificate, found.key, host, port, directory / "logs" / "pods")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    api = ApiServer(place, Access(found.admin, found.reader))
    async with api.running() as chosen:
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
        server = f"https://{shown}:{chosen}"
        for name, token in (("kubeconfig", found.admin), ("reader.kubeconfig", found.reader)):
            write_private(directory / name, kubeconfig(server, found.certificate, token))
        say(server)
        waits = [asyncio.create_task(one.wait()) for one in (stop, api.has_ended)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            raise OSError("the server has ended by itself")  # whoever keeps it starts it again


def _now() -> datetime:
    return datetime.now(UTC)


@contextlib.contextmanager
def _listening(place: Place) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    with socket.socket(family) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((place.host, place.port))
        yield one
