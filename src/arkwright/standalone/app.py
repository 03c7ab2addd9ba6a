"""Builds what runs on one machine, owns its clock, and runs it until it is told to stop: a node, or a whole site."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib import resources
from typing import Any

import structlog
import yaml

from arkwright.clients.credentials import find_access
from arkwright.clients.errors import Conflict, NotFound
from arkwright.clients.kube import KubeClient
from arkwright.model.cluster import Document
from arkwright.model.resources import RESOURCES, Kind
from arkwright.standalone.addresses import free_ports, port_like
from arkwright.standalone.agentkeys import AgentKeys, agent_keys
from arkwright.standalone.announcing import Announcer
from arkwright.standalone.bases import ASK_SECONDS, Node, Place
from arkwright.standalone.dashboard import dashboard_part, is_open
from arkwright.standalone.deployments import Workloads
from arkwright.standalone.logfiles import LogFiles
from arkwright.standalone.machine import Machine
from arkwright.standalone.nodeports import NodePorts
from arkwright.standalone.parts import Part, PartFailed
from arkwright.standalone.process import is_listening
from arkwright.standalone.ranges import held_range
from arkwright.standalone.site import HEALTH_PORT, Ports, Site, Wish
from arkwright.standalone.strays import end_strays, mark_of
from arkwright.supervision import Supervisor

log = structlog.get_logger()
NODE = "arkwright"
TELL_SECONDS = 1.0
Worker = Node | Workloads | NodePorts | Announcer | Machine
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


async def run_node(place: Place) -> None:
    """Until SIGTERM or SIGINT. Raises BadCredentials if there is no API server to talk to, RangeTaken."""
    async with KubeClient(await find_access()) as kube:
        with held_range(place.addresses, f"`arkwright pods` (process {os.getpid()})") as addresses:
            node = Node(kube, replace(place, addresses=addresses), _now)
            logs = (LogFiles(place.log_directory),) if place.log_directory else ()
            await _until_told(_run_all((node,), logs, _begun((node,)), Supervisor()))


async def run_site(site: Site, wish: Wish) -> None:
    """API server, controller, base pods and node ports, until SIGTERM or SIGINT. Raises PartFailed, SiteTaken, RangeTaken."""
    with site.kept(), held_range(wish.addresses, f"the site in {site.directory}") as addresses:
        end_strays(site.directory)
        await _run_site(site, replace(wish, addresses=addresses))


async def _run_site(site: Site, wish: Wish) -> None:
    here = {"KUBECONFIG": str(site.kubeconfig)}
    port = wish.port or next(free_ports(wish.host))  # the same one for a server that is started again
    words = ["api", "--data-dir", str(site.directory), "--host", wish.host, "--port", str(port)]
    api = Part(words, site.logs / "api.log", here)
    health = port_like("127.0.0.1", HEALTH_PORT)  # the controller takes it a moment later
    dashboard, shown = dashboard_part(site, wish, here)
    keys = agent_keys(site.directory)
    words = ["controller", "--health-port", str(health), "--agent-signing-key", str(keys.private)]
    controller = Part(words, site.logs / "controller.log", here)
    server = await api.first_line()
    os.environ |= here
    try:
        async with KubeClient(await find_access()) as kube:
            await _prepare(kube, wish)
            place = Place(NODE, wish.addresses, site.pod_logs, mark_of(site.directory) | _variables(wish, health, keys))
            workers = _workers(kube, place)
            parts = (api, *((controller,) if wish.with_controller else ()), *((dashboard,) if dashboard else ()))
            begun = (
                _begun(workers),
                *((_answers(controller, health),) if wish.with_controller else ()),
                *((is_open(dashboard, shown),) if dashboard else ()),
            )
            loops = _supervisor(parts)
            kept = (*parts, LogFiles(site.logs, site.pod_logs))
            await _until_told(
                _run_all(workers, kept, _say_up(site, (server, Ports(health, shown), loops), begun), loops)
            )
    finally:
        await _stop(dashboard, controller, api)
        site.say_down()


async def _stop(*parts: Part | None) -> None:
    for one in parts:
        if one:
            await one.stop()


def _workers(kube: KubeClient, place: Place) -> tuple[Worker, ...]:
    return (
        Node(kube, place, _now),
        Workloads(kube, place.node, _now),
        NodePorts(kube, _now),
        Announcer(kube, _now),
        Machine(kube, place.node, _now),
    )


def _supervisor(parts: tuple[Part, ...]) -> Supervisor:
    loops = Supervisor()
    loops.name_failing("parts", lambda: [one.name for one in parts if one.is_failing])
    return loops


async def _say_up(
    site: Site, about: tuple[str, Ports, Supervisor], begun: tuple[Coroutine[Any, Any, None], ...]
) -> None:
    """Once every part has run once; then what does not run, whenever that changes. Raises PartFailed, also if nothing can be said at all:
    nobody would find it. What cannot be said later, as the disk is full, is said when it can be."""
    await asyncio.gather(*begun)
    server, ports, loops = about
    try:
        site.say_up(server, ports, said := loops.troubles())
    except OSError as error:
        raise PartFailed(f"{site.directory} cannot be written: {error.strerror}") from error
    while True:
        await asyncio.sleep(TELL_SECONDS)
        if (found := loops.troubles()) != said:
            try:
                site.say_up(server, ports, found)
                said = found
            except OSError as error:
                log.warning("what does not run cannot be told", error=str(error), troubles=found)


async def _begun(workers: tuple[Worker, ...]) -> None:
    for one in workers:
        await one.is_up.wait()


async def _answers(controller: Part, port: int) -> None:
    """Its health can be asked for. Raises PartFailed if it ends before that."""
    while not await is_listening("127.0.0.1", port):
        if controller.has_ended.is_set():
            raise PartFailed(f"the controller does not start: {controller.last_words()}")
        await asyncio.sleep(ASK_SECONDS)


def _variables(wish: Wish, health: int, keys: AgentKeys) -> dict[str, str]:
    """Bases know whose calls to take, and ask our controller what they should hold, if there is to be one."""
    baseline = {"ARKWRIGHT_BASELINE_URL": f"http://127.0.0.1:{health}"} if wish.with_controller else {}
    return {"ARKWRIGHT_CONTROLLER_KEYS": str(keys.public)} | baseline


async def _run_all(
    workers: tuple[Worker, ...],
    parts: tuple[Part | LogFiles, ...],
    telling: Coroutine[Any, Any, None],
    loops: Supervisor,
) -> None:
    """Raises what keeps `telling` from saying that all is up, and ends with it."""
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(telling)
            for part in parts:
                tasks.create_task(loops.keep(part.name, part.keep_running))
            for one in workers:
                tasks.create_task(loops.keep(type(one).__name__, partial(one.run, loops)))
    except* PartFailed as group:
        raise PartFailed(str(group.exceptions[0])) from group


async def _prepare(kube: KubeClient, wish: Wish) -> None:
    """Our kinds, and the bases that are asked for."""
    files = resources.files("arkwright.standalone").joinpath("crds")
    for file in sorted(files.iterdir(), key=lambda one: one.name):
        await _apply(kube, CRDS, yaml.safe_load(file.read_text()))
    if wish.bases is not None:
        await _apply(kube, RESOURCES[Kind.DEPLOYMENT].path("default"), base_deployment(wish.bases))


async def _apply(kube: KubeClient, collection: str, document: Document) -> None:
    try:
        await kube.request("PATCH", f"{collection}/{document['metadata']['name']}", body=document)
    except NotFound:
        with contextlib.suppress(Conflict):
            await kube.request("POST", collection, body=document)


def base_deployment(replicas: int) -> Document:
    """Bases that have nothing but modules; one process a pod."""
    labels = {"app": "base"}
    fields = {"POD_IP": "status.podIP", "POD_NAME": "metadata.name", "POD_UID": "metadata.uid"}
    container = {
        "name": "base",
        "image": "process",
        "command": ["arkwright", "base", "--host", "$(POD_IP)"],
        "env": [{"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in fields.items()],
        "ports": [{"containerPort": 8080}, {"containerPort": 1238}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "base", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


async def _until_told(work: Coroutine[Any, Any, None]) -> None:
    running = asyncio.create_task(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await running


def _now() -> datetime:
    return datetime.now(UTC)
