"""Hours of what a fleet lives through: is anything that grows, and does what agents hold ever differ from what the cluster says?

    python bench/soak.py [--minutes 180] [--pods 120] [--seed 1] [--every 5] [--out figures.csv]

A real API server, the controller as a process of its own, scripted agents. Once a second something happens at random: a release in batches,
some of which are confirmed, held or given up, scaling, a base that restarts, an agent that hangs for a while, a pod that goes while another
comes (twenty a minute); now and then the API server is killed and begun anew, or stands still for some seconds. Every few minutes nothing
happens until all is calm: then Modules and agents are compared, and figures are taken of the controller: memory, descriptors, threads,
tasks, keys that wait. At the end: the slope of each an hour, with its standard error; the first tenth, in which caches fill, is left out.
"""

import argparse
import asyncio
import contextlib
import csv
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "kubernetes"), str(ROOT / "bench")]
import aiohttp  # noqa: E402
from fleet import BASE, Fleet, about, address, api_with_our_kinds, module, pod, running_at  # noqa: E402

from arkwright.clients.credentials import find_access  # noqa: E402
from arkwright.clients.errors import ClientError, NotFound  # noqa: E402
from arkwright.clients.kube import KubeClient  # noqa: E402
from arkwright.listening import raise_descriptors  # noqa: E402
from arkwright.model.resources import Kind  # noqa: E402
from fakes.agent_server import FakeAgent  # noqa: E402

NAMES = tuple(f"m{number}" for number in range(6))
POLICIES = ("install_then_uninstall", "uninstall_then_install")
ROOMY = frozenset(NAMES[-2:])  # these are scaled up before they are scaled down, which needs pods that are free of them
LONGEST_CALM_SECONDS = 300.0
HEALTH = 18081
WEIGHTS = {
    "release": 6,
    "scale": 4,
    "confirm": 10,
    "abort": 2,
    "churn": 16,
    "restart": 3,
    "hang": 3,
    "kill_api": 0.15,
    "stop_api": 0.3,
}
FIGURES = ("memory_mb", "descriptors", "threads", "tasks", "queue")


class Soak(Fleet):
    """The fleet with agents in this process. `differences`: what was wrong in a calm moment."""

    def __init__(self, kube, namespace, chance):
        super().__init__(kube, namespace, None)
        self.random, self.agents, self.restarts, self.next_number = chance, {}, {}, 0
        self._tasks = set()
        self.versions = dict.fromkeys(NAMES, 1)
        self.deeds, self.differences, self.samples = {}, [], []

    # ── pods ──

    async def add_pod(self):
        number, self.next_number = self.next_number, self.next_number + 1
        agent = FakeAgent(address(number))
        await agent.__aenter__()
        self.agents[number] = agent
        await self.kube.request("POST", self.path(Kind.POD), body=pod(number) | about("v1", "Pod"))
        await self.patch(self.path(Kind.POD, f"{BASE}-{number}", "status"), running_at(number))

    async def remove_pod(self, number):
        agent = self.agents.pop(number)
        self.restarts.pop(number, None)
        with contextlib.suppress(NotFound):
            await self.kube.request("DELETE", self.path(Kind.POD, f"{BASE}-{number}"), body={"gracePeriodSeconds": 0})
        await agent.__aexit__()

    async def restart_base(self, number):
        again = self.restarts[number] = self.restarts.get(number, 0) + 1
        self.agents[number].base.restart()
        status = running_at(number)
        status["status"]["containerStatuses"][0] |= {"containerID": f"fake://{number}/{again}", "restartCount": again}
        await self.patch(self.path(Kind.POD, f"{BASE}-{number}", "status"), status)

    # ── deeds ──

    async def deed(self, plane):
        what = self.random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        self.deeds[what] = self.deeds.get(what, 0) + 1
        if what.endswith("api"):
            await getattr(self, what)(plane)
        elif what in ("churn", "restart", "hang"):
            await getattr(self, what)(self.random.choice(list(self.agents)))
        else:
            await getattr(self, what)(self.random.choice(NAMES))

    async def release(self, name):
        self.versions[name] += 1
        strategy = {
            "batchCount": self.random.randint(1, 4),
            "needConfirm": self.random.random() < 0.4,
            "upgradePolicy": "scaleup_then_scaledown" if name in ROOMY else self.random.choice(POLICIES),
        }
        await self.wish(name, template=module(name, str(self.versions[name])), operationStrategy=strategy)

    async def scale(self, name):
        some = range(len(self.agents) // 3)
        await self.wish(name, replicas=self.random.choice(some if name in ROOMY else (-1, *some)))

    async def confirm(self, name):
        await self.wish(name, pause=False)

    async def abort(self, name):
        _, _, revision = await self.stood(name)
        note = {"metadata": {"annotations": {"serverless.alipay.com/abort": revision or None}}}
        await self.patch(self.path(Kind.MODULE_DEPLOYMENT, name), note)

    async def churn(self, number):
        await self.remove_pod(number)
        await self.add_pod()

    async def restart(self, number):
        await self.restart_base(number)

    async def hang(self, number):
        self.later(self._hang(self.agents[number], self.random.uniform(1, 20)))

    async def _hang(self, agent, seconds):
        agent.hangs.add("*")
        await asyncio.sleep(seconds)
        wake(agent)

    async def kill_api(self, plane):
        await asyncio.to_thread(again, plane)

    async def stop_api(self, plane):
        os.kill(plane_pid(plane), signal.SIGSTOP)
        await asyncio.sleep(self.random.uniform(1, 8))
        os.kill(plane_pid(plane), signal.SIGCONT)

    def later(self, work):
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def start(self):
        words = ["controller", "--namespace", self.namespace, "--no-leader-election", "--log-level=error"]
        self.process = subprocess.Popen([sys.executable, "-m", "arkwright", *words, f"--health-port={HEALTH}"])

    # ── calm moments ──

    async def rest(self):
        """Let everything that is asked for come about; nobody is waited for."""
        for agent in self.agents.values():
            wake(agent)
        until = time.monotonic() + LONGEST_CALM_SECONDS
        while time.monotonic() < until:
            standing = [await self.stood(name) for name in NAMES]
            held = [name for name, (progress, *_) in zip(NAMES, standing, strict=True) if progress == "Paused"]
            for name in held:
                await self.wish(name, pause=False)
            differing = await self.differing()
            if not held and not differing and all(one[0] in ("Completed", "Aborted") for one in standing):
                await self.calm(30)
                return []
            await asyncio.sleep(2)
        return differing or [f"not complete: {standing}"]

    async def differing(self):
        """Where agents hold what no Module says, or the other way round."""
        listed = json.loads(await self.kube.request("GET", self.path(Kind.MODULE)))["items"]
        said = {number: set() for number in self.agents}
        for one in listed:
            number = int(one["metadata"]["labels"]["serverless.alipay.com/base-instance-name"].rpartition("-")[2])
            about_it = one["spec"]["module"]
            if one.get("status", {}).get("status") != "Available":
                return [f"{one['metadata']['name']} is {one.get('status', {}).get('status')}"]
            said.setdefault(number, set()).add(f"{about_it['name']}:{about_it['version']}")
        held = {number: set(agent.base.modules) for number, agent in self.agents.items()}
        return [
            f"{BASE}-{number}: only said {said[number] - held.get(number, set())}, only held {held.get(number, set()) - said[number]}"
            for number in said
            if said[number] != held.get(number, set())
        ]

    async def sample(self, began):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        figures = await self.figures()
        found = {
            "hours": (time.monotonic() - began) / 3600,
            "memory_mb": int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024,
            "descriptors": len(list(Path(f"/proc/{self.process.pid}/fd").iterdir())),
            "threads": int(re.search(r"Threads:\s+(\d+)", status)[1]),
            "tasks": figures.get("arkwright_tasks", 0.0),
            "queue": figures.get("arkwright_queue_length", 0.0),
        }
        self.samples.append(found)
        return found

    async def figures(self):
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{HEALTH}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        return {one.split()[0]: float(one.split()[1]) for one in lines if one and one[0] != "#" and "{" not in one}


def wake(agent):
    """It hangs no more; whom it has kept waiting is hung up on, as by a process that was killed."""
    agent.hangs.discard("*")
    for task in list(agent._tasks):
        task.cancel()


def plane_pid(plane):
    return int((plane.directory / "pids").read_text().split()[1])


def again(plane):
    """The API server is killed and begun anew, with the same words."""
    file, pid = plane.directory / "pids", plane_pid(plane)
    words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
    os.kill(pid, signal.SIGKILL)
    time.sleep(1)
    with (plane.directory / "kube-apiserver.again.log").open("ab") as log:
        new = subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True)
    first, _, *rest = file.read_text().split()
    file.write_text("\n".join((first, str(new.pid), *rest)))


def slope(hours, values):
    """(an hour, its standard error), by least squares."""
    if len(hours) < 3:
        return 0.0, float("inf")
    middle = statistics.mean(hours)
    spread = sum((one - middle) ** 2 for one in hours)
    rise, start = statistics.linear_regression(hours, values)
    left = sum((value - start - rise * hour) ** 2 for hour, value in zip(hours, values, strict=True))
    return rise, (left / (len(hours) - 2) / spread) ** 0.5


def told_slopes(samples):
    last = samples[-1]["hours"]
    chosen = [one for one in samples if one["hours"] > last / 10]
    hours = [one["hours"] for one in chosen]
    print(f"slopes an hour, of {len(chosen)} calm moments over {last - min(hours):.2f} h:")
    for name in FIGURES:
        rise, error = slope(hours, [one[name] for one in chosen])
        print(f"  {name:12} {chosen[-1][name]:8.1f}   {rise:+.2f} ± {error:.2f}", flush=True)


async def run(asked, plane):
    async with KubeClient(await find_access()) as kube:
        soak = Soak(kube, f"soak-{os.getpid()}", random.Random(asked.seed))
        await soak.begin(0)
        for _ in range(asked.pods):
            await soak.add_pod()
        soak.start()
        for name in NAMES:
            replicas = asked.pods // 3 if name in ROOMY else -1
            await soak.wish(name, replicas=replicas, template=module(name, "1"), operationStrategy={"batchCount": 1})
        began = time.monotonic()
        try:
            while time.monotonic() - began < 60 * asked.minutes:
                await stretch(soak, plane, asked.every * 60)
                soak.differences += (wrong := await soak.rest())
                found = await soak.sample(began)
                shown = ", ".join(f"{name} {found[name]:.0f}" for name in FIGURES)
                print(f"{found['hours']:.2f} h: {shown}; {'; '.join(wrong) or 'no difference'}", flush=True)
        finally:
            await soak.stop()
        told_slopes(soak.samples)
        print(f"deeds: {soak.deeds}; differences: {len(soak.differences)}")
        if asked.out:
            write(asked.out, soak.samples)


def write(path, samples):
    with Path(path).open("w", newline="") as file:
        writer = csv.DictWriter(file, samples[0])
        writer.writeheader()
        writer.writerows(samples)


async def stretch(soak, plane, seconds):
    """Something a second. An API server that is away, or somebody else's write in between, is the lot of whoever asks."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(ClientError):
            await soak.deed(plane)
        await asyncio.sleep(soak.random.uniform(0.5, 1.5))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=180)
    parser.add_argument("--pods", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=float, default=5, help="minutes between two calm moments")
    parser.add_argument("--out", default="", help="a CSV file for the figures of each calm moment")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended
    raise_descriptors()
    with api_with_our_kinds() as plane:
        asyncio.run(run(asked, plane))


if __name__ == "__main__":
    main()
