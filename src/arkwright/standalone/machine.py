"""The only node as an object: what `kubectl get nodes`, `cordon` and `drain` look at.

In: what this machine says of itself. Out: one Node, which is there as long as the site is up; all that people set on it stays as
they set it. Not done here: what a cordoned node means for pods (`scheduling`).
"""

import asyncio
import os
import platform
import socket
from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version

from arkwright.clients.errors import Conflict
from arkwright.clients.kube import KubeClient
from arkwright.controller.cache import Change, Key
from arkwright.controller.events import Events
from arkwright.controller.watch import Watcher
from arkwright.model.cluster import Document, Workload
from arkwright.model.codec import stamp
from arkwright.model.resources import RESOURCES, Kind
from arkwright.standalone.followed import Followed
from arkwright.standalone.looks import Looks
from arkwright.standalone.readers import condition
from arkwright.supervision import Supervisor

NODES = RESOURCES[Kind.NODE]
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
MOST_PODS = "500"


def node_status(before: Workload, now: datetime) -> Document:
    """As a kubelet writes it. `before`: the node as it is known; since when it has been ready stays."""
    system, machine = platform.system().lower(), platform.machine()
    had = condition(before, "Ready")
    since = had.get("lastTransitionTime") if had.get("status") == "True" else None
    ready = {"type": "Ready", "status": "True", "reason": "SiteUp", "message": "pods are run as processes"}
    ready |= {"lastHeartbeatTime": stamp(now), "lastTransitionTime": since or stamp(now)}
    there = {"cpu": str(os.cpu_count() or 1), "memory": f"{_memory_bytes() // 1024}Ki", "pods": MOST_PODS}
    info = {
        "architecture": ARCHITECTURES.get(machine, machine),
        "operatingSystem": system,
        "osImage": _system_name() or platform.platform(),
        "kernelVersion": platform.release(),
        "containerRuntimeVersion": f"process://{platform.python_version()}",
        "kubeletVersion": f"arkwright-{version('arkwright')}",
    }
    return {
        "capacity": there,
        "allocatable": there,
        "conditions": [ready],
        "addresses": [
            {"type": "InternalIP", "address": "127.0.0.1"},
            {"type": "Hostname", "address": socket.gethostname()},
        ],
        "nodeInfo": info,
    }


def node_labels(name: str) -> dict[str, str]:
    machine = platform.machine()
    return {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": platform.system().lower(),
        "kubernetes.io/arch": ARCHITECTURES.get(machine, machine),
    }


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _system_name() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return ""


class Machine:
    """Keeps the Node of that name. `clock`: the time of day."""

    def __init__(self, kube: KubeClient, name: str, clock: Callable[[], datetime]) -> None:
        self._kube, self._key, self._clock = kube, Key(Kind.NODE, "", name), clock
        self._cache = Followed(clock, self._changed)
        self._looks = Looks(self._cache, Events(kube, clock), self._look_at)
        self._is_told = False  # what it is, since this site came up
        self.is_up = asyncio.Event()

    async def run(self, loops: Supervisor | None = None) -> None:
        """Until cancelled."""
        loops = loops or Supervisor()
        loops.name_failing("Machine", self._looks.set_aside)
        async with asyncio.TaskGroup() as tasks:
            watcher = Watcher(self._kube, self._cache, Kind.NODE)
            tasks.create_task(loops.keep(f"Machine: {watcher.name}", watcher.run))
            await watcher.is_filled.wait()
            self._looks.add(self._key)
            self.is_up.set()
            await self._looks.run()

    def _changed(self, change: Change) -> None:
        if change.kind is Kind.NODE and (change.after or change.before).name == self._key.name:
            self._looks.add(self._key)

    async def _look_at(self, key: Key) -> None:
        node: Workload | None = self._cache.get(*key)
        try:
            if node is None:
                about = {"name": key.name, "labels": node_labels(key.name)}
                made = await self._kube.create(NODES, "", {"apiVersion": "v1", "kind": "Node", "metadata": about})
                self._cache.apply(Kind.NODE, made)
            elif not self._is_told or condition(node, "Ready").get("status") != "True":
                path = NODES.path("", key.name, "status")
                patch = {"status": node_status(node, self._clock())}
                told = await self._kube.patch(NODES, path, patch)
                self._is_told = True
                self._cache.apply(Kind.NODE, told)
        except Conflict:
            return  # the watch brings what is there
