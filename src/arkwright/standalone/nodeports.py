"""Services of type NodePort on one machine: a TCP proxy on loopback for each port, to pods that are ready.

In: Services and pods of any Kubernetes API. Out: listeners that follow them. A connection that is open stays where it is,
as in a cluster; a new one goes to the next ready pod, and past those that do not answer.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from arkwright.clients.kube import KubeClient
from arkwright.controller.cache import Change, Key
from arkwright.controller.events import Events
from arkwright.controller.watch import Watcher
from arkwright.model.arklet import DEFAULT_PORT
from arkwright.model.cluster import Document, Workload
from arkwright.model.names import ARKLET_PORT
from arkwright.model.outcomes import EventReason
from arkwright.model.resources import Kind, as_workload
from arkwright.standalone.endpoints import selects, target_port
from arkwright.standalone.followed import Followed
from arkwright.standalone.looks import Looks, words_of
from arkwright.standalone.readers import oddities, port, ports
from arkwright.standalone.replicas import is_ready
from arkwright.supervision import Supervisor

log = structlog.get_logger()
FOLLOWED = {kind: as_workload(kind) for kind in (Kind.SERVICE, Kind.POD)}
CONNECT_SECONDS = 2.0
WITH_NODE_PORTS = ("NodePort", "LoadBalancer")
CHUNK = 65536
Address = tuple[str, int]


@dataclass(frozen=True)
class Way:
    """One port of one Service."""

    namespace: str
    service: str
    port: int


def ways(service: Workload) -> dict[int, Way]:
    """What listens on each nodePort of a Service. Pure."""
    if str(service.spec.get("type")) not in WITH_NODE_PORTS or service.is_terminating:
        return {}
    found = ((port(one.get("nodePort")), one) for one in ports(service) if one.get("protocol", "TCP") == "TCP")
    return {number: Way(*service.key, port(one.get("port"))) for number, one in found if number}


def is_endpoint(service: Workload, pod: Workload) -> bool:
    """Selected, ready and to stay. Pure."""
    return selects(service, pod) and is_ready(pod) and not pod.is_terminating


def address_of(pod: Workload, wish: int | str) -> Address | None:
    """Where it takes what is for this targetPort; not its agent's, which would take us for the site's own user. Pure."""
    host, number = pod.status.get("podIP"), target_port(pod, wish)
    is_agents = str(number) in (str(DEFAULT_PORT), pod.metadata.annotations.get(ARKLET_PORT))
    return (host, number) if isinstance(host, str) and host and number and not is_agents else None


class NodePorts:
    """All NodePort Services of one API, on `host`. `clock`: the time of day."""

    def __init__(self, kube: KubeClient, clock: Callable[[], datetime], host: str = "127.0.0.1") -> None:
        self._kube, self._host = kube, host
        self._cache = Followed(clock, self._changed)
        self._looks = Looks(self._cache, Events(kube, clock), self._look_at)
        self.is_up = asyncio.Event()  # it knows what is there
        self._servers: dict[int, tuple[Way, asyncio.Server]] = {}
        self._turns: dict[Way, int] = {}
        self._open: set[asyncio.Task[None]] = set()

    async def run(self, loops: Supervisor | None = None) -> None:
        """Until cancelled."""
        loops = loops or Supervisor()
        loops.name_failing("NodePorts", self._looks.set_aside)
        try:
            async with asyncio.TaskGroup() as tasks:
                watchers = [Watcher(self._kube, self._cache, kind, resource=one) for kind, one in FOLLOWED.items()]
                for watcher in watchers:
                    tasks.create_task(loops.keep(f"NodePorts: {watcher.name}", watcher.run))
                for watcher in watchers:
                    await watcher.is_filled.wait()
                self.is_up.set()
                await self._looks.run()
        finally:
            for _, server in self._servers.values():
                server.close()
            for task in self._open:
                task.cancel()

    def _changed(self, change: Change) -> None:
        self._looks.add(Key(change.kind, *(change.after or change.before).key))

    async def _look_at(self, key: Key) -> float | None:
        """A Service: its listeners follow it. A pod: what it says of its port."""
        one: Workload | None = self._cache.get(*key)
        if one is None:
            self._looks.forget(key)
        elif key.kind is Kind.POD:
            self._looks.mention(key, oddities(one))
        if key.kind is Kind.SERVICE:
            return await self._listen(key, {} if one is None else ways(one))
        return None

    async def _listen(self, key: Key, wanted: dict[int, Way]) -> float | None:
        own = {number: way for number, (way, _) in self._servers.items() if (way.namespace, way.service) == key[1:]}
        for number in own.keys() - wanted.keys():
            self._servers.pop(number)[1].close()
        for number, way in wanted.items():
            if number in own:
                self._servers[number] = (way, self._servers[number][1])
            elif number in self._servers:
                raise OSError(f"nodePort {number} is that of {self._servers[number][0].service}")
            else:
                self._servers[number] = (way, await self._server(number))
                log.info("listening", port=number, service=way.service)
        return None

    async def _server(self, number: int) -> asyncio.Server:
        try:
            return await asyncio.start_server(self._taker(number), self._host, number)
        except OSError as error:
            raise OSError(f"nodePort {number} cannot be listened on; it is tried again: {error}") from error

    def _taker(self, port: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(self._pass_on(port, reader, writer))
            self._open.add(task)
            task.add_done_callback(self._open.discard)

        return take

    async def _pass_on(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            found = await self._connected(number)
            if found is not None:
                there_reader, there_writer = found
                await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer))
        finally:
            writer.close()

    async def _connected(self, number: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """To the next pod in turn that answers; None if none does."""
        way = self._servers[number][0] if number in self._servers else None
        service: Workload | None = self._cache.get(Kind.SERVICE, way.namespace, way.service) if way else None
        if way is None or service is None:
            return None
        pods = sorted((one for one in self._cache.all(Kind.POD) if is_endpoint(service, one)), key=lambda one: one.name)
        wish: Document = next((one for one in ports(service) if one.get("port") == way.port), {})
        first = self._turns[way] = self._turns.get(way, -1) + 1
        for step in range(len(pods)):
            pod = pods[(first + step) % len(pods)]
            if found := await self._opened(pod, wish.get("targetPort", way.port)):
                return found
        return None

    async def _opened(self, pod: Workload, wish: int | str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """None for a pod that does not answer, whatever is wrong with it: the next one may."""
        try:
            address = address_of(pod, wish)
            if address is None:
                return None
            async with asyncio.timeout(CONNECT_SECONDS):
                return await asyncio.open_connection(*address)
        except (OSError, TimeoutError):
            return None
        except Exception as error:  # it is about this pod, and said there
            log.exception("no way to a pod", pod=pod.name, error=str(error))
            self._looks.warn(Key(Kind.POD, *pod.key), EventReason.CANNOT_ACT, words_of(error))
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
