"""How fast modules come and go: N modules on N scripted agents, on a real Kubernetes API server, all on this machine.

    python bench/releases.py [--modules 200]

Prints, for online and for deletion: wall time, API writes per module (the API server's own count), the share of the write
rate that the same API server reached in the same run with as many plain writes, and the controller's CPU time per module
(a process of its own). Then 20 modules whose install takes a second. Against a control plane of its own, or the cluster
that KUBECONFIG names. Ratios are comparable between machines; times are not.
"""

import argparse
import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "kubernetes")]
from control_plane import running  # noqa: E402

from arkwright.clients.credentials import find_access  # noqa: E402
from arkwright.clients.kube import KubeClient  # noqa: E402
from arkwright.model.resources import RESOURCES, Kind  # noqa: E402
from scenarios.kubectl import kubectl  # noqa: E402
from scenarios.site import Site  # noqa: E402

WRITES = re.compile(r'apiserver_request_total\{.*group="([^"]*)".*resource="([^"]*)".*verb="([A-Z]+)"\S* (\d+)')
CHANGING = {"POST", "PUT", "PATCH", "APPLY", "DELETE"}
IN_FLIGHT = 32


class Bench(Site):
    """A Site whose controller is a process of its own, so that its CPU time is only its own."""

    def start_controller(self):
        command = [
            "arkwright",
            "controller",
            "--namespace",
            self.namespace,
            "--no-leader-election",
            "--log-level=warning",
        ]
        self.process = subprocess.Popen([*command, "--health-port=0"])

    async def stop_controller(self):
        self.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(self.process.wait, 20)

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def writes(self):
        """Changing requests that the API server has answered, events and leases left out."""
        text = (await self._kube.request("GET", "/metrics")).decode()
        found = (one.groups() for one in map(WRITES.match, text.splitlines()) if one)
        return sum(
            int(count)
            for _, resource, verb, count in found
            if verb in CHANGING and resource not in ("events", "leases")
        )

    async def events_written(self):
        return len(await self.all(Kind.EVENT))

    async def plain_rate(self, writes):
        """Writes per second of the API server itself: label patches of base pods, as many in flight as it likes best."""
        slots, pods = asyncio.Semaphore(IN_FLIGHT), sorted(self.agents)

        async def patch(number):
            name = f"stock-{number % len(pods) + 1}"
            async with slots:
                path = RESOURCES[Kind.POD].path(self.namespace, name)
                await self._patch(path, {"metadata": {"labels": {"bench": str(number)}}})

        began = time.perf_counter()
        await asyncio.gather(*(patch(number) for number in range(writes)))
        return writes / (time.perf_counter() - began)

    async def measured(self, what, modules, act, is_done):
        await self.is_calm(1.0)
        cpu, writes, began = self.cpu_seconds(), await self.writes(), time.perf_counter()
        await act()
        while not is_done():
            await asyncio.sleep(0.005)
        wall = time.perf_counter() - began
        await self.is_calm(1.0)
        cpu, writes = self.cpu_seconds() - cpu, await self.writes() - writes - 1
        rate = await self.plain_rate(1000)
        print(
            f"{what}: {wall:.2f} s, {writes / modules:.2f} writes a module, {writes / wall:.0f} writes/s"
            f" = {100 * writes / wall / rate:.0f} % of the API server's {rate:.0f}/s,"
            f" {1000 * cpu / modules:.1f} ms CPU a module",
            flush=True,
        )


async def run(modules):
    async with KubeClient(await find_access()) as kube, contextlib.AsyncExitStack() as stack:
        bench = Bench(kube, stack, f"bench-{os.getpid()}", "127.40.1")
        await bench.begin()
        try:
            await bench.add_pods(modules)
            await bench.is_calm(2.0)
            await bench.measured(
                f"{modules} modules online ",
                modules,
                lambda: bench.apply(version="1.0.2", replicas=modules),
                lambda: len(bench.serving("1.0.2")) == modules,
            )
            await bench.until_progress("Completed")
            await bench.measured(
                f"{modules} modules released",
                modules,
                lambda: bench.apply(version="2.0.0"),
                lambda: all(agent.base.modules == {"provider:2.0.0": "activated"} for agent in bench.agents.values()),
            )
            await bench.until_progress("Completed")
            await bench.measured(
                f"{modules} modules deleted",
                modules,
                bench.delete,
                lambda: not any(agent.base.modules for agent in bench.agents.values()),
            )
            await slow_installs(bench)
        finally:
            await bench.end()


async def slow_installs(bench, modules=20):
    for agent in bench.agents.values():
        agent.delays["installBiz"] = 1.0
    began = time.perf_counter()
    await bench.apply(name="slow", version="1.0.2", replicas=modules)
    while len(bench.serving("1.0.2")) < modules:
        await asyncio.sleep(0.005)
    print(f"{modules} modules whose install takes 1 s: {time.perf_counter() - began:.2f} s together")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--modules", type=int, default=200)
    asked = parser.parse_args()
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # arkwright and kubectl
    with contextlib.ExitStack() as stack:
        if "KUBECONFIG" not in os.environ:
            work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="arkwright-bench-")))
            os.environ["KUBECONFIG"] = str(stack.enter_context(running(work)).kubeconfig)
        kubectl("apply", "-f", ROOT / "deploy")
        kubectl("scale", "deployment/arkwright", "--replicas=0")
        kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        asyncio.run(run(asked.modules))


if __name__ == "__main__":
    main()
