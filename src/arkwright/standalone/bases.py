"""Plays the node for base pods: no kubelet, no containers, one process a pod, each with a loopback address of its own.

In: pods whose `spec.nodeName` is ours, from any Kubernetes API. Out: processes, and the pods' status as a kubelet writes
it. A process that dies is started again; a pod that is deleted gets no new requests, then its process is asked to end,
then the pod is let go.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from arkwright.clients.errors import ClientError, Conflict, NotFound
from arkwright.clients.kube import KubeClient
from arkwright.controller.cache import Change, Key
from arkwright.controller.events import Events
from arkwright.controller.watch import Watcher
from arkwright.model.arklet import DEFAULT_PORT
from arkwright.model.cluster import Document, Pod
from arkwright.model.codec import stamp
from arkwright.model.outcomes import EventReason
from arkwright.model.resources import RESOURCES, Kind
from arkwright.standalone.addresses import NoSeat, Seat, Seats
from arkwright.standalone.followed import Followed
from arkwright.standalone.looks import Looks, words_of
from arkwright.standalone.podlogs import output_of
from arkwright.standalone.process import BaseProcess, application_port, farewell_seconds, is_listening
from arkwright.standalone.ranges import USUAL
from arkwright.standalone.readers import seconds
from arkwright.supervision import Supervisor

log = structlog.get_logger()
PODS = RESOURCES[Kind.POD]
ENDED = ("Succeeded", "Failed")
ASK_SECONDS = 0.05
AGAIN_SECONDS = 1.0
LEAST_GRACE_SECONDS = 2  # a kubelet's: what a preStop hook takes for itself does not leave a process without warning
LONGEST_PAUSE_SECONDS = 10.0


@dataclass(frozen=True)
class Place:
    """Which pods, which addresses (None: any range that is free), where their output goes (None: where ours goes), what their environment has besides."""

    node: str = "arkwright"
    addresses: str | None = None
    log_directory: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Run:
    """One pod's life here. `seat`: no address until one is free; `started`: when the present process began; `last_end`: how the
    one before ended; `is_leaving`: deleted, and its address not free yet."""

    pod: Pod
    seat: Seat = field(default_factory=lambda: Seat(""))
    task: asyncio.Task[None] | None = None
    process: BaseProcess | None = None
    restarts: int = 0
    started: datetime | None = None
    last_end: Document | None = None
    is_leaving: bool = False


class Node:
    """Runs all pods of one node name. `clock`: the time of day."""

    def __init__(self, kube: KubeClient, place: Place, clock: Callable[[], datetime]) -> None:
        self._kube, self._place, self._clock = kube, place, clock
        self._cache = Followed(clock, self._changed)
        self._runs: dict[str, Run] = {}
        self._goodbyes: set[asyncio.Task[None]] = set()
        self._seats = Seats(place.addresses or USUAL[0])
        self._looks = Looks(self._cache, Events(kube, clock), self._look_at)
        self.is_up = asyncio.Event()  # it knows what is there

    async def run(self, loops: Supervisor | None = None) -> None:
        """Until cancelled; then every process is stopped."""
        loops = loops or Supervisor()
        loops.name_failing("Node", self._looks.set_aside)
        try:
            async with asyncio.TaskGroup() as tasks:
                watcher = Watcher(self._kube, self._cache, Kind.POD)
                tasks.create_task(loops.keep(f"Node: {watcher.name}", watcher.run))
                await watcher.is_filled.wait()
                self.is_up.set()
                await self._looks.run()
        finally:
            for task in (*self._goodbyes, *(run.task for run in self._runs.values() if run.task)):
                task.cancel()
            stopping = (run.process.stop(5) for run in self._runs.values() if run.process)
            await asyncio.gather(*stopping, return_exceptions=True)

    def _changed(self, change: Change) -> None:
        self._looks.add(Key(Kind.POD, *(change.after or change.before).key))

    async def _look_at(self, key: Key) -> float | None:
        pod: Pod | None = self._cache.get(*key)
        for run in list(self._runs.values()):
            is_gone = pod is None or pod.is_terminating or pod.metadata.uid != run.pod.metadata.uid
            if run.pod.key == key[1:] and is_gone and not run.is_leaving:
                run.is_leaving = True
                self._later(self._end(run))
        if pod is None:
            self._looks.forget(key)
        elif pod.spec.node_name == self._place.node and pod.metadata.uid not in self._runs:
            self._begin(pod)
        return None

    def _begin(self, pod: Pod) -> None:
        if pod.is_terminating:
            self._later(self._let_go(pod))
        elif pod.status.phase not in ENDED:
            run = self._runs[pod.metadata.uid] = Run(pod)
            run.task = asyncio.create_task(self._live(run))

    def _later(self, goodbye: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(goodbye)
        self._goodbyes.add(task)
        task.add_done_callback(self._goodbyes.discard)

    async def _live(self, run: Run) -> None:
        """Until cancelled. Whatever goes wrong with one pod is said on it, and tried again."""
        pause = AGAIN_SECONDS
        while True:
            try:
                await self._keep_running(run)
            except Exception as error:
                log.exception("pod given a rest", pod=run.pod.name, in_seconds=pause)
                await self._say(run, error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _say(self, run: Run, error: Exception) -> None:
        """An Event, and the pod's own status."""
        words = words_of(error)
        self._looks.warn(Key(Kind.POD, *run.pod.key), EventReason.CANNOT_ACT, words)
        await self._report(run, "Running" if run.process else "Pending", words)

    async def _seat_for(self, pod: Pod) -> Seat:
        """The pod says so while there is none."""
        is_told = False
        while True:
            taken = {run.seat.address for run in self._runs.values()}
            try:
                seat = self._seats.next(taken, {DEFAULT_PORT, *declared_ports(pod)})
            except NoSeat as error:
                if not is_told:
                    await self._write(pod, "status", {"status": {"phase": "Pending", "message": str(error)}})
                is_told = True
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                return Seat(pod.status.pod_ip) if pod.status.pod_ip and not seat.ports else seat

    async def _keep_running(self, run: Run) -> None:
        pause = 0.5
        run.seat = await self._seat_for(run.pod)
        await self._annotate(run)
        while True:
            with output_of(self._place.log_directory, run.pod, self._clock()) as output:
                try:
                    run.process = await BaseProcess.start(run.pod, run.seat, output, self._place.variables)
                except (OSError, ValueError) as error:  # ValueError: a word or a variable that no process can have
                    if output:
                        output.write(f"cannot be started: {error}\n".encode())
                    await self._report(run, "Pending", f"cannot be started: {error}")
                else:
                    await self._while_alive(run, run.process)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            run.restarts += 1

    async def _while_alive(self, run: Run, process: BaseProcess) -> None:
        run.started = self._clock()
        log.info("base started", pod=run.pod.name, address=run.seat.address, pid=process.pid, restarts=run.restarts)
        await self._report(run, "Running")
        becoming_ready = asyncio.create_task(self._report_when_ready(run))
        code = await process.ended()
        becoming_ready.cancel()
        run.process = None
        run.last_end = {
            "exitCode": code if code >= 0 else 128 - code,  # as a shell and a kubelet count signals
            "reason": "Error" if code else "Completed",
            "startedAt": stamp(run.started),
            "finishedAt": stamp(self._clock()),
        }
        log.warning("base ended", pod=run.pod.name, exit_code=code)
        await self._report(run, "Running", f"its process ended with code {code}")

    async def _report_when_ready(self, run: Run) -> None:
        """Ready once every port that the containers declare is open."""
        ports = [run.seat.port(one) for one in declared_ports(run.pod)]
        try:
            while not all([await is_listening(run.seat.address, port) for port in ports]):  # noqa: ASYNC110 (a port sends no Event)
                await asyncio.sleep(ASK_SECONDS)
        except Exception as error:
            await self._say(run, error)
        else:
            await self._report(run, "Running", is_ready=True)

    async def _annotate(self, run: Run) -> None:
        """Where its ports are, if they are not where they were declared."""
        application = application_port(run.pod.spec.containers[0])
        if found := run.seat.annotations(DEFAULT_PORT, application):
            await self._write(run.pod, "", {"metadata": {"annotations": found}})

    async def _report(self, run: Run, phase: str, message: str = "", is_ready: bool = False) -> None:
        await self._write(run.pod, "status", {"status": pod_status(run, phase, message, is_ready)})

    async def _write(self, pod: Pod, part: str, patch: Document) -> None:
        path = PODS.path(pod.metadata.namespace, pod.name, part)
        patch["metadata"] = {"uid": pod.metadata.uid} | patch.get("metadata", {})
        await self._insist(pod, lambda: self._kube.patch(PODS, path, patch))

    async def _insist(self, pod: Pod, ask: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Until it is done, or the pod, or this very pod, is gone: the watch will say so."""
        while True:
            try:
                await ask()
                return
            except (NotFound, Conflict):
                return
            except ClientError as error:
                log.warning("pod not written", pod=pod.name, error=str(error))
                await asyncio.sleep(AGAIN_SECONDS)

    async def _end(self, run: Run) -> None:
        """However its process ends, the pod is let go."""
        if run.task:
            run.task.cancel()
        try:
            if run.process:
                await self._stop(run.pod, run.process)
        except Exception as error:
            log.exception("base not stopped", pod=run.pod.name, error=str(error))
        log.info("base stopped", pod=run.pod.name, address=run.seat.address)
        del self._runs[run.pod.metadata.uid]
        await self._let_go(run.pod)

    async def _stop(self, pod: Pod, process: BaseProcess) -> None:
        grace = seconds(pod.spec.termination_grace_period_seconds)
        farewell = min(farewell_seconds(pod.spec.containers[0]), grace)
        await asyncio.sleep(farewell)
        await process.stop(max(grace - farewell, LEAST_GRACE_SECONDS))

    async def _let_go(self, pod: Pod) -> None:
        """What a kubelet does at the end: the object goes for good."""
        body: Document = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod.metadata.uid}}
        path = PODS.path(pod.metadata.namespace, pod.name)
        await self._insist(pod, lambda: self._kube.request("DELETE", path, body=body))


def declared_ports(pod: Pod) -> list[int]:
    return [port.container_port for container in pod.spec.containers for port in container.ports]


def pod_status(run: Run, phase: str, message: str, is_ready: bool) -> Document:
    """As a kubelet writes it. The containerID names the process: another one is another container."""
    is_running = run.process is not None
    started = stamp(run.started) if run.started else None
    name = run.pod.spec.containers[0].name
    pid = run.process.pid if run.process else 0
    state = {"running": {"startedAt": started}, "waiting": None}
    if not is_running:
        state = {"running": None, "waiting": {"reason": "BaseNotRunning", "message": message}}
    container = {
        "name": name,
        "image": "process",
        "imageID": "",
        "containerID": f"process://{run.pod.metadata.uid}/{run.restarts}/{pid}",
        "restartCount": run.restarts,
        "ready": is_ready,
        "started": is_running,
        "state": state,
        "lastState": {"terminated": run.last_end} if run.last_end else {},
    }
    said = "True" if is_ready else "False"
    conditions = [{"type": kind, "status": said} for kind in ("Ready", "ContainersReady")]
    conditions += [{"type": kind, "status": "True"} for kind in ("PodScheduled", "Initialized")]
    return {
        "phase": phase,
        "message": message,
        "podIP": run.seat.address,
        "podIPs": [{"ip": run.seat.address}],
        "hostIP": "127.0.0.1",
        "startTime": started,
        "conditions": conditions,
        "containerStatuses": [container],
    }
