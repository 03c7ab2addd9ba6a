"""Services of type NodePort on one machine: a TCP proxy on loopback for each port, to pods that are ready.

In: Services and pods of any Kubernetes API. Out: listeners that follow them. A connection that is open stays where it is,
as in a cluster; a new one goes to the next ready pod, and past those that do not answer.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from arkwright.clients.kube import KubeClient
from arkwright.controller.cache import Cache, Change
from arkwright.controller.watch import Watcher
from arkwright.model.cluster import Document, Workload
from arkwright.model.names import PORT
from arkwright.model.resources import Kind, as_workload
from arkwright.standalone.replicas import is_ready

log = structlog.get_logger()
FOLLOWED = {kind: as_workload(kind) for kind in (Kind.SERVICE, Kind.POD)}
CONNECT_SECONDS = 2.0
RETRY_SECONDS = 1.0
CHUNK = 65536
Address = tuple[str, int]


@dataclass(frozen=True)
class Way:
    """One port of one Service."""

    namespace: str
    service: str
    port: int


def ways(services: list[Workload]) -> dict[int, Way]:
    """What listens on each nodePort. Pure."""
    found = {}
    for one in services:
        for port in one.spec.get("ports") or ():
            if one.spec.get("type") == "NodePort" and port.get("nodePort"):
                found[port["nodePort"]] = Way(one.metadata.namespace, one.name, port["port"])
    return found


def endpoints(service: Workload, port: int, pods: list[Workload]) -> list[Address]:
    """Where the pods are that are selected and ready, by name. Pure."""
    selector = (service.spec.get("selector") or {}).items()
    wish: Document = next((one for one in service.spec.get("ports") or () if one["port"] == port), {})
    chosen = (
        one
        for one in sorted(pods, key=lambda one: one.name)
        if one.metadata.namespace == service.metadata.namespace
        and selector
        and selector <= one.metadata.labels.items()
        and is_ready(one)
        and not one.is_terminating
    )
    found = ((one.status.get("podIP"), target_port(one, wish.get("targetPort", port))) for one in chosen)
    return [(address, number) for address, number in found if address and number]


def target_port(pod: Workload, wish: int | str) -> int:
    """A number, or the container port of that name; 0 for none. A pod that has no address of its own says where it is."""
    if PORT in pod.metadata.annotations:
        return int(pod.metadata.annotations[PORT])
    if isinstance(wish, int):
        return wish
    ports: list[Document] = [port for one in pod.spec.get("containers", ()) for port in one.get("ports") or ()]
    return next((int(port["containerPort"]) for port in ports if port.get("name") == wish), 0)


class NodePorts:
    """All NodePort Services of one API, on `host`. `clock`: the time of day."""

    def __init__(self, kube: KubeClient, clock: Callable[[], datetime], host: str = "127.0.0.1") -> None:
        self._kube, self._host = kube, host
        self._cache = Cache(clock, self._changed)
        self._servers: dict[int, asyncio.Server] = {}
        self._refused: set[int] = set()  # ports that somebody else has
        self._stirred = asyncio.Event()
        self._turns: dict[Way, int] = {}
        self._open: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for kind, resource in FOLLOWED.items():
                    tasks.create_task(Watcher(self._kube, self._cache, kind, resource=resource).run())
                while True:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(RETRY_SECONDS if self._refused else None):
                            await self._stirred.wait()
                    self._stirred.clear()
                    await self._listen()
        finally:
            for server in self._servers.values():
                server.close()
            for task in self._open:
                task.cancel()

    def _changed(self, change: Change) -> None:
        if change.kind is Kind.SERVICE:
            self._stirred.set()

    async def _listen(self) -> None:
        wanted = ways(self._cache.all(Kind.SERVICE))
        for port in self._servers.keys() - wanted.keys():
            self._servers.pop(port).close()
        for port in wanted.keys() - self._servers.keys():
            try:
                self._servers[port] = await asyncio.start_server(self._taker(port), self._host, port)
                log.info("listening", port=port, service=wanted[port].service)
            except OSError as error:
                if port not in self._refused:
                    log.warning("nodePort cannot be listened on; trying again", port=port, error=str(error))
        self._refused = wanted.keys() - self._servers.keys()

    def _taker(self, port: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(self._pass_on(port, reader, writer))
            self._open.add(task)
            task.add_done_callback(self._open.discard)

        return take

    async def _pass_on(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            found = await self._connected(port)
            if found is not None:
                there_reader, there_writer = found
                await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer))
        finally:
            writer.close()

    async def _connected(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """To the next pod in turn that answers; None if none does."""
        way = ways(self._cache.all(Kind.SERVICE)).get(port)
        service = self._cache.get(Kind.SERVICE, way.namespace, way.service) if way else None
        if way is None or service is None:
            return None
        addresses = endpoints(service, way.port, self._cache.all(Kind.POD))
        first = self._turns[way] = self._turns.get(way, -1) + 1
        for step in range(len(addresses)):
            address = addresses[(first + step) % len(addresses)]
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await asyncio.open_connection(*address)
        return None


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Until its end, which is passed on: half a connection may end, but one that breaks is broken for both."""
    try:
        while chunk := await source.read(CHUNK):
            sink.write(chunk)
            await sink.drain()
        if sink.can_write_eof():
            sink.write_eof()
    except (OSError, RuntimeError):  # uvloop has RuntimeError for a transport that is closed meanwhile
        sink.close()
