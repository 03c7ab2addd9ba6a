"""What a change costs among thousands: modules by the ten thousand on scripted agents, on a real Kubernetes API server, all on this machine.

    python bench/fleet.py [--pods 1000] [--deployments 10] [--rounds 10] [--embedded]

One ModuleDeployment of forty modules is released a pod at a time, each batch confirmed: first alone, then among as many other modules as
pods times deployments. Prints, for both, the controller's CPU time a change and how long it takes from the confirm to the first call of
an agent; between them how fast the others come online, how much CPU, how many writes a module, and which share that is of the rate that
the same API server reaches with as many plain writes. Then one of the others is upgraded in place, and the controller rests. Ratios are
comparable between machines; times are not.

The agents are one process that listens on an address of 127.64.0.0/10 for each pod; their pods are made in bulk, without a kubelet.
"""

import argparse
import asyncio
import contextlib
import json
import math
import multiprocessing
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "kubernetes"), str(ROOT / "bench")]
import embedded  # noqa: E402
from control_plane import running  # noqa: E402
from inpod import account  # noqa: E402
from releases import CHANGING, IN_FLIGHT, WRITES  # noqa: E402

from arkwright.clients.credentials import find_access  # noqa: E402
from arkwright.clients.errors import NotFound  # noqa: E402
from arkwright.clients.kube import KubeClient  # noqa: E402
from arkwright.listening import raise_descriptors  # noqa: E402
from arkwright.model.resources import RESOURCES, Kind  # noqa: E402
from fakes.agent_server import FakeAgent  # noqa: E402
from fakes.base import FakeBase  # noqa: E402
from scenarios.kubectl import kubectl  # noqa: E402

BASE, SMALL, CHANGED = "stock", "small", 40
BATCHES = {"batchCount": 1000, "needConfirm": True}


def address(number):
    return f"127.{64 + number // 62500}.{number // 250 % 250}.{number % 250 + 1}"


# ── agents ──


class Timed(FakeBase):
    """Says when it was first asked to change anything for the small one."""

    calls = None

    def answer(self, command, body):
        if body.get("bizName") == SMALL and command == "installBiz":
            self.calls.put(time.monotonic())
        return super().answer(command, body)


def play_agents(pods, ready, calls):
    """In a process of its own, until it is ended."""
    Timed.calls = calls
    asyncio.run(_play(pods, ready))


async def _play(pods, ready):
    raise_descriptors()
    async with contextlib.AsyncExitStack() as stack:
        for number in range(pods):
            await stack.enter_async_context(FakeAgent(address(number), base=Timed()))
        ready.set()
        await asyncio.Event().wait()


@contextlib.contextmanager
def agents(pods):
    """The queue of the moments at which the small one's installs were asked for."""
    calls, ready = multiprocessing.Queue(), multiprocessing.Event()
    process = multiprocessing.Process(target=play_agents, args=(pods, ready, calls), daemon=True)
    process.start()
    ready.wait(120)
    try:
        yield calls
    finally:
        process.terminate()
        process.join()


# ── objects ──


def base():
    labels = {"app": BASE}
    container = {"name": "base", "image": "x"}
    return {
        "metadata": {"name": BASE},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def pod(number):
    container = {"name": "base", "image": "x", "ports": [{"containerPort": 1238}]}
    return {
        "metadata": {"name": f"{BASE}-{number}", "labels": {"app": BASE}},
        "spec": {"containers": [container], "nodeName": "bench", "automountServiceAccountToken": False},
    }


def running_at(number):
    container = {"name": "base", "image": "x", "imageID": "", "ready": True, "restartCount": 0}
    container["containerID"] = f"fake://{number}"
    return {"status": {"phase": "Running", "podIP": address(number), "containerStatuses": [container]}}


def module(name, version):
    return {"spec": {"module": {"name": name, "version": version, "url": f"http://archives/{name}-{version}.whl"}}}


class Fleet:
    """One namespace of a cluster, with a controller that is a process of its own."""

    def __init__(self, kube, namespace, calls):
        self.kube, self.namespace, self.calls = kube, namespace, calls

    def path(self, kind, name="", subresource=""):
        return RESOURCES[kind].path(self.namespace, name, subresource)

    async def begin(self, pods):
        await self.kube.request("POST", "/api/v1/namespaces", body={"metadata": {"name": self.namespace}})
        await self.kube.request("POST", self.path(Kind.DEPLOYMENT), body=base() | about("apps/v1", "Deployment"))
        slots = asyncio.Semaphore(IN_FLIGHT)

        async def make(number):
            async with slots:
                await self.kube.request("POST", self.path(Kind.POD), body=pod(number) | about("v1", "Pod"))
                await self.patch(self.path(Kind.POD, f"{BASE}-{number}", "status"), running_at(number))

        await asyncio.gather(*(make(number) for number in range(pods)))

    async def patch(self, path, body):
        return await self.kube.request("PATCH", path, body=body)

    async def wish(self, name, **spec):
        try:
            await self.patch(self.path(Kind.MODULE_DEPLOYMENT, name), {"spec": spec})
        except NotFound:
            wanted = about("serverless.alipay.com/v1alpha1", "ModuleDeployment") | {
                "metadata": {"name": name},
                "spec": {"baseDeploymentName": BASE, **spec},
            }
            await self.kube.request("POST", self.path(Kind.MODULE_DEPLOYMENT), body=wanted)

    async def stood(self, name):
        """(progress, batch, revision)"""
        found = json.loads(await self.kube.request("GET", self.path(Kind.MODULE_DEPLOYMENT, name)))
        release = found.get("status", {}).get("releaseStatus", {})
        return release.get("progress"), release.get("currentBatch"), release.get("updateRevision")

    async def until(self, name, is_so):
        while not is_so(*await self.stood(name)):
            await asyncio.sleep(0.02)

    # ── the controller ──

    def start(self):
        """As in a pod: it does not read kubeconfig files there."""
        self._account = tempfile.TemporaryDirectory(prefix="arkwright-account-")
        words = ["controller", "--namespace", self.namespace, "--no-leader-election", "--log-level=warning"]
        command = [sys.executable, str(ROOT / "bench" / "inpod.py"), self._account.name, *words, "--health-port=0"]
        self.process = subprocess.Popen(command, env=account(Path(self._account.name)))

    async def stop(self):
        self.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(self.process.wait, 20)
        self._account.cleanup()

    def cpu(self):
        """Milliseconds."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """MB, resident."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return int(next(one for one in lines if one.startswith("VmRSS")).split()[1]) // 1024

    async def calm(self, quiet_ms=10):
        """Until the controller does next to nothing for a second."""
        before = -1000.0
        while self.cpu() - before > quiet_ms:
            before = self.cpu()
            await asyncio.sleep(1)

    # ── measuring ──

    async def writes(self):
        """nan on the embedded API, which does not count them."""
        try:
            text = (await self.kube.request("GET", "/metrics")).decode()
        except NotFound:
            return math.nan
        found = (one.groups() for one in map(WRITES.match, text.splitlines()) if one)
        return sum(int(n) for _, kind, verb, n in found if verb in CHANGING and kind not in ("events", "leases"))

    async def plain_rate(self, number=2000):
        slots, plain = asyncio.Semaphore(IN_FLIGHT), f"/api/v1/namespaces/{self.namespace}/configmaps"

        async def one(it):
            async with slots:
                body = {"metadata": {"labels": {"bench": str(it)}}}
                await self.patch(f"{plain}/plain-{it % 100}", body)

        for it in range(100):
            made = about("v1", "ConfigMap") | {"metadata": {"name": f"plain-{it}"}}
            with contextlib.suppress(Exception):
                await self.kube.request("POST", plain, body=made)
        began = time.perf_counter()
        await asyncio.gather(*(one(it) for it in range(number)))
        return number / (time.perf_counter() - began)

    async def changes(self, rounds):
        """(CPU ms of each change, ms from the confirm to the first call of each)"""
        cpu, waits = [], []
        for _ in range(rounds):
            await self.calm()
            while not self.calls.empty():
                self.calls.get()
            (_, batch, _), before, began = await self.stood(SMALL), self.cpu(), time.monotonic()
            await self.wish(SMALL, pause=False)
            first = await asyncio.to_thread(self.calls.get, True, 30)
            waits.append(1000 * (first - began))
            await self.until(SMALL, lambda progress, at, _, batch=batch: at == batch + 1 and progress == "Paused")
            await asyncio.sleep(1)
            cpu.append(self.cpu() - before)
        return cpu, waits

    async def idle(self, seconds):
        before = self.cpu()
        await asyncio.sleep(seconds)
        return (self.cpu() - before) / seconds / 10


def about(version, kind):
    return {"apiVersion": version, "kind": kind}


def told(what, cpu, waits):
    p99 = sorted(waits)[-1]
    print(
        f"{what}: {statistics.mean(cpu):.1f} ms CPU a change, first call after {statistics.median(waits):.0f} ms (worst {p99:.0f})",
        flush=True,
    )


async def run(asked, calls):
    async with KubeClient(await find_access()) as kube:
        fleet = Fleet(kube, f"fleet-{os.getpid()}", calls)
        await fleet.begin(asked.pods)
        fleet.start()
        try:
            await measure(fleet, asked)
        finally:
            await fleet.stop()


async def measure(fleet, asked):
    await fleet.wish(SMALL, replicas=CHANGED, template=module(SMALL, "1"))
    await fleet.until(SMALL, lambda progress, *_: progress == "Completed")
    await fleet.wish(SMALL, template=module(SMALL, "2"), operationStrategy=BATCHES)
    await fleet.until(SMALL, lambda progress, at, _: (progress, at) == ("Paused", 1))
    alone, waits = await fleet.changes(asked.rounds)
    told(f"alone, on {asked.pods} pods", alone, waits)
    print(await crowd(fleet, asked.pods, asked.deployments), flush=True)
    among, waits_among = await fleet.changes(asked.rounds)
    told(f"among {asked.pods * asked.deployments}", among, waits_among)
    ratio = statistics.mean(among) / statistics.mean(alone)
    print(
        f"ratio: {ratio:.2f} CPU, {statistics.median(waits_among) / statistics.median(waits):.2f} until the first call"
    )
    await upgrade(fleet, asked)
    print(f"at rest: {await fleet.idle(60):.1f} % of a core, {fleet.memory()} MB resident", flush=True)


@dataclass(frozen=True)
class Online:
    """What it took to bring so many modules online. `cpu_ms`, `writes`: of all of them; `writes` nan where the server does not count them; `rate`: plain
    writes each second that the same server does; `memory_mb`: of the controller, resident."""

    modules: int
    seconds: float
    cpu_ms: float
    writes: float
    rate: float
    memory_mb: int

    def __str__(self):
        share = 100 * self.writes / self.seconds / self.rate
        counted = not math.isnan(self.writes)
        written = (
            f"{self.writes / self.modules:.2f} writes, {share:.0f} % of the API server's "
            if counted
            else "API server of "
        )
        cpu = f"{self.cpu_ms / self.modules:.2f} ms CPU a module"
        return f"{self.modules} online: {self.seconds:.1f} s, {cpu}, {written}{self.rate:.0f} writes/s, {self.memory_mb} MB resident"


async def crowd(fleet, pods, deployments):
    names = [f"crowd-{number}" for number in range(deployments)]
    await fleet.calm()
    cpu, writes, began = fleet.cpu(), await fleet.writes(), time.monotonic()
    for name in names:
        await fleet.wish(name, replicas=pods, template=module(name, "1"))
    for name in names:
        await fleet.until(name, lambda progress, *_: progress == "Completed")
    wall = time.monotonic() - began
    await fleet.calm()
    cpu, writes = fleet.cpu() - cpu, await fleet.writes() - writes - len(names)
    return Online(pods * len(names), wall, cpu, writes, await fleet.plain_rate(), fleet.memory())


async def upgrade(fleet, asked):
    await fleet.calm()
    cpu, began = fleet.cpu(), time.monotonic()
    _, _, before = await fleet.stood("crowd-0")
    await fleet.wish("crowd-0", template=module("crowd-0", "2"))
    await fleet.until("crowd-0", lambda progress, _, now: progress == "Completed" and now != before)
    wall = time.monotonic() - began
    await fleet.calm()
    print(
        f"{asked.pods} upgraded in place: {wall:.1f} s, {(fleet.cpu() - cpu) / asked.pods:.2f} ms CPU a module",
        flush=True,
    )


@contextlib.contextmanager
def api_with_our_kinds(work=None, *, is_embedded=False):
    """A Kubernetes API, for as long as the block lasts: the commands of this very environment are found, and ask it. A real one is a ControlPlane.
    `work`: a directory of its own, which it leaves as it is."""
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with contextlib.ExitStack() as stack:
        work = work or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="arkwright-bench-")))
        plane = stack.enter_context(embedded.alone(work) if is_embedded else running(work))
        os.environ["KUBECONFIG"] = str(plane if is_embedded else plane.kubeconfig)
        apply_our_kinds()
        yield plane


def apply_our_kinds():
    """To the API that KUBECONFIG names; they are served once this returns."""
    for file in sorted((ROOT / "deploy").glob("*-crd.yaml")):
        kubectl("apply", "-f", file)
    kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pods", type=int, default=1000)
    parser.add_argument("--deployments", type=int, default=10, help="each with a module on every pod")
    parser.add_argument("--rounds", type=int, default=10, help="how many batches of one pod are confirmed")
    parser.add_argument("--embedded", action="store_true", help="on the API that arkwright brings along")
    asked = parser.parse_args()
    with agents(asked.pods) as calls, api_with_our_kinds(is_embedded=asked.embedded):
        asyncio.run(run(asked, calls))


if __name__ == "__main__":
    main()
