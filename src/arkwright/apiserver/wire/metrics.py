"""What pods and the node use now, as `kubectl top` and terminal UIs ask for it: metrics.k8s.io, measured when somebody asks.

In: pods whose containers are processes of this machine. Out: cores and bytes of each with all its children (the processes of its
modules among them; what they share is counted once), and of the whole machine for its node.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import psutil
from starlette.responses import Response

from arkwright.apiserver.objects import Objects
from arkwright.apiserver.wire import requests
from arkwright.apiserver.wire.bodies import as_json
from arkwright.apiserver.wire.calls import Call
from arkwright.apiserver.wire.requests import Target
from arkwright.turns import those

Document = dict[str, Any]
CLOCK_SECONDS = 60.0  # a process that began at another time than its pod says is another one
API_VERSION, RUNTIME = "metrics.k8s.io/v1beta1", "process://"
LEAST_SECONDS, MOST_SECONDS = 0.5, 60.0  # between the two looks that a number of cores is told from


class Run(NamedTuple):
    """One process, and when it began: another one may have its number later, or on another machine. 0: this machine."""

    number: int
    started: str = ""


@dataclass(frozen=True)
class Sample:
    """`cpu`: seconds since the beginning; `memory`: bytes; `at`: on a clock that only goes on."""

    cpu: float
    memory: int
    at: float


class Metrics:
    """`clock`: the time of day. Keeps the last look at each process: the next one tells from both."""

    def __init__(self, objects: Objects, clock: Callable[[], datetime]) -> None:
        self._objects, self._clock = objects, clock
        self._last: dict[Run, Sample] = {}

    async def answer(self, call: Call, asked: Target) -> Response:
        """Of one pod or node, or a list. Raises NotFound, BadRequest."""
        kind = self._objects.registry.named(asked.resource.plural)
        assert kind
        stored = Target(kind, asked.namespace, asked.name)
        if asked.name:
            records = [self._objects.get(kind, asked.namespace, asked.name)]
        else:
            wanted = requests.listing(stored, call.query).filter
            records = await those(wanted.wants, self._objects.store.find(kind.name, asked.namespace))
        found = await self._measured([self._objects.document(kind, one) for one in records])
        if asked.name and found:
            return as_json({"kind": asked.resource.kind, "apiVersion": API_VERSION} | found[0])
        if asked.name:
            raise requests.nothing_of(asked)
        metadata: Document = {}
        about = {"kind": f"{asked.resource.kind}List", "apiVersion": API_VERSION, "metadata": metadata}
        return as_json(about | {"items": found})

    async def _measured(self, documents: list[Document]) -> list[Document]:
        """Of those that run here."""
        every = {run: one for one in documents for run in [process_of(one)] if run is not None}
        before = await asyncio.to_thread(self._first, list(every))
        if any(time.monotonic() - one.at < LEAST_SECONDS for one in before.values()):
            await asyncio.sleep(LEAST_SECONDS)
        after = await asyncio.to_thread(samples, list(every))
        now = time.monotonic()
        self._last = {run: one for run, one in (self._last | after).items() if now - one.at < MOST_SECONDS}
        return [self._document(every[run], before[run], after[run]) for run in every if run in before and run in after]

    def _first(self, runs: list[Run]) -> dict[Run, Sample]:
        """The last look, where it is not long ago."""
        now = time.monotonic()
        known = {one: self._last[one] for one in runs if one in self._last and now - self._last[one].at < MOST_SECONDS}
        return known | samples([one for one in runs if one not in known])

    def _document(self, of: Document, before: Sample, after: Sample) -> Document:
        seconds = after.at - before.at
        cores = max(0.0, after.cpu - before.cpu) / seconds
        usage = {"cpu": f"{round(cores * 1e9)}n", "memory": f"{after.memory // 1024}Ki"}
        now = self._clock().strftime("%Y-%m-%dT%H:%M:%SZ")
        kept = {name: of["metadata"][name] for name in ("name", "namespace", "labels") if name in of["metadata"]}
        about = {"metadata": kept | {"creationTimestamp": now}, "timestamp": now, "window": f"{seconds:.3f}s"}
        if of["kind"] == "Node":
            return about | {"usage": usage}
        return about | {"containers": [{"name": of["spec"]["containers"][0]["name"], "usage": usage}]}


def process_of(document: Document) -> Run | None:
    """A pod's process; for the node, the machine; None for what does not run here. Pure.

    >>> status = {"containerID": "process://uid/0/4711", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}
    >>> process_of({"kind": "Pod", "status": {"containerStatuses": [status]}})
    Run(number=4711, started='2026-01-01T00:00:00Z')
    >>> process_of({"kind": "Pod", "status": {}}), process_of({"kind": "Node", "status": {}})
    (None, None)
    """
    status = document.get("status") or {}
    if document["kind"] == "Node":
        runtime = (status.get("nodeInfo") or {}).get("containerRuntimeVersion", "")
        return Run(0) if str(runtime).startswith(RUNTIME) else None
    for one in status.get("containerStatuses") or ():
        text = str(one.get("containerID") or "")
        number, running = text.rpartition("/")[2], (one.get("state") or {}).get("running")
        if text.startswith(RUNTIME) and number.isdigit() and int(number) and running is not None:
            return Run(int(number), str(running.get("startedAt") or ""))
    return None


def samples(runs: list[Run]) -> dict[Run, Sample]:
    """Of those that are there."""
    found = {one: _family(one) if one.number else _machine() for one in runs}
    return {one: sample for one, sample in found.items() if sample is not None}


def _machine() -> Sample:
    times, memory = psutil.cpu_times(), psutil.virtual_memory()
    idle = times.idle + getattr(times, "iowait", 0.0)
    return Sample(sum(times[:8]) - idle, memory.total - memory.available, time.monotonic())


def _family(run: Run) -> Sample | None:
    """A process with its children; what a child has used that is no more is told by its parent."""
    try:
        first = psutil.Process(run.number)
        if abs(first.create_time() - datetime.fromisoformat(run.started).timestamp()) > CLOCK_SECONDS:
            return None
        family = [first, *first.children(recursive=True)]
    except (psutil.Error, ValueError):
        return None
    found = [one for one in map(_one, family) if one is not None]
    at = time.monotonic()
    return Sample(sum(cpu for cpu, _ in found), sum(memory for _, memory in found), at) if found else None


def _one(process: psutil.Process) -> tuple[float, int] | None:
    try:
        times, memory = process.cpu_times(), process.memory_full_info()
    except psutil.Error:
        return None
    ended = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return times.user + times.system + ended, int(getattr(memory, "pss", memory.uss))
