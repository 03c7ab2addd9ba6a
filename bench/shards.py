"""What sharing namespaces out divides: one controller with everything beside several that share, on the API that arkwright brings along.

    python bench/shards.py [--namespaces 80] [--pods 25] [--deployments 5] [--shards 4]
    python bench/shards.py --namespaces 400 --deployments 10 --copied      # a hundred thousand Modules on ten thousand bases

Each namespace has a base of so many pods and so many ModuleDeployments with a module on each pod. One controller brings all of it online and
is started again: how long until it knows everything, its memory, and what it reads of the API while one ModuleDeployment of each namespace
is released. Then the same with as many shards; then one of them is killed (-9), and one is told to end: how long until all namespaces are
followed again. With `--copied` one namespace is brought online, and the others are made from it in the store: what is measured then is what it costs
to know them all, and one release in each. Last, what agents did is compared with what was wished: each version in once and out once. Ratios are comparable between
machines; times are not. Agents are scripted, one process for all.
"""

import argparse
import asyncio
import contextlib
import http.client
import multiprocessing
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import fleet
from copies import multiply
from fleet import Fleet, address, api_with_our_kinds, module

from arkwright.clients.credentials import find_access
from arkwright.clients.kube import KubeClient
from arkwright.listening import raise_descriptors
from fakes.agent_server import FakeAgent
from fakes.base import FakeBase

FIRST_PORT = 18_100
OWNED = re.compile(r'^arkwright_owned_namespaces\{namespace="([^"]+)"\}', re.MULTILINE)


# ── agents ──


class Doing(FakeBase):
    """Counts what is done, by command and module."""

    done = None

    def answer(self, command, body):
        answer = super().answer(command, body)
        if command in ("installBiz", "uninstallBiz") and answer["code"] == "SUCCESS":
            self.done[str(command), body["bizName"], body["bizVersion"]] += 1
        return answer


def play_agents(bases, ready, asked, told):
    """In a process of its own; says what was done when it is asked. `bases`: what each holds."""
    asyncio.run(_play(bases, ready, asked, told))


async def _play(bases, ready, asked, told):
    raise_descriptors()
    Doing.done = Counter()
    async with contextlib.AsyncExitStack() as stack:
        for number, held in enumerate(bases):
            await stack.enter_async_context(FakeAgent(address(number), base=Doing(dict.fromkeys(held, "activated"))))
        ready.set()
        while not asked.is_set():  # noqa: ASYNC110 (the Event is another process's)
            await asyncio.sleep(0.2)
        told.put(dict(Doing.done))


@contextlib.contextmanager
def agents(bases):
    """A function that ends them and returns what they did."""
    ready, asked, told = multiprocessing.Event(), multiprocessing.Event(), multiprocessing.Queue()
    process = multiprocessing.Process(target=play_agents, args=(bases, ready, asked, told), daemon=True)
    process.start()
    ready.wait(120)

    def done():
        asked.set()
        return told.get(timeout=60)

    try:
        yield done
    finally:
        process.terminate()


# ── controllers ──


class Running:
    """A controller that is a process of its own."""

    numbers = iter(range(1000))

    def __init__(self, *words):
        self.port = FIRST_PORT + next(self.numbers)
        command = [sys.executable, "-m", "arkwright", "controller", "--log-level=error", f"--health-port={self.port}"]
        self.process, self.began = subprocess.Popen([*command, *words]), time.monotonic()

    def asked(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        return 0, ""

    def owned(self):
        return set(OWNED.findall(self.asked("/metrics")[1])) if self.asked("/readyz")[0] == 200 else set()

    def of_proc(self, file, name):
        lines = Path(f"/proc/{self.process.pid}/{file}").read_text().splitlines()
        return int(next(one for one in lines if one.startswith(name)).split()[1])

    @property
    def memory(self):
        return self.of_proc("status", "VmRSS") / 1024

    @property
    def read(self):
        """MB: from connections for the most part."""
        return self.of_proc("io", "rchar") / 1e6

    def end(self):
        self.process.terminate()
        self.process.wait(30)


async def until(is_so, seconds=300):
    deadline = time.monotonic() + seconds
    while not await asyncio.to_thread(is_so):
        if time.monotonic() > deadline:
            raise TimeoutError
        await asyncio.sleep(0.05)


# ── the story ──


class Story:
    """Namespaces of one cluster, and who acts on them."""

    def __init__(self, kube, asked):
        self.kube, self.asked, self.versions = kube, asked, Counter()
        self.fleets = [Fleet(kube, f"team-{number}", None) for number in range(asked.namespaces)]
        self.names = {one.namespace for one in self.fleets}

    async def begin(self, fleets):
        for number, one in enumerate(fleets):
            await self._begin(one, number * self.asked.pods)

    async def _begin(self, one, first):
        """Its pods have addresses of their own."""
        told = fleet.running_at
        fleet.running_at = lambda number: told(first + number)
        try:
            await one.begin(self.asked.pods)
        finally:
            fleet.running_at = told

    async def release(self, name, fleets=None):
        """In all of them, if not told otherwise; seconds."""
        self.versions[name] += 1
        version, began = str(self.versions[name]), time.monotonic()
        for one in fleets or self.fleets:
            await one.wish(name, replicas=self.asked.pods, template=module(name, version))
        for one in fleets or self.fleets:
            await one.until(name, lambda progress, *_: progress == "Completed")
            await self._until_alone(one, name)
        return time.monotonic() - began

    async def _until_alone(self, one, name):
        """Until its status speaks of this version, and the one before is out."""
        version = self.versions[name]
        while True:
            _, _, revision = await one.stood(name)
            if revision and revision.endswith(f"-replicas-{version}") and (await one.stood(name))[0] == "Completed":
                return
            await asyncio.sleep(0.05)

    def is_followed(self, controllers):
        return Counter(name for one in controllers for name in one.owned() if name in self.names) == Counter(self.names)

    async def moved(self, controllers, gone, end):
        began = time.monotonic()
        end()
        await until(lambda: self.is_followed([one for one in controllers if one is not gone]))
        return time.monotonic() - began


async def brought_online(story, fleets):
    await story.begin(fleets)
    one = Running("--no-leader-election")
    await until(lambda: one.asked("/readyz")[0] == 200)
    seconds = sum([await story.release(name, fleets) for name in names_of(story.asked)])
    modules = len(fleets) * story.asked.pods * story.asked.deployments
    print(f"{modules} online: {seconds:.0f} s, {one.memory:.0f} MB", flush=True)
    one.end()


async def alone(story):
    one = Running("--no-leader-election")
    await until(lambda: one.asked("/readyz")[0] == 200)
    known = f"{one.read:.0f} MB read, {one.memory:.0f} MB"
    print(f"alone: everything is known after {time.monotonic() - one.began:.1f} s ({known})", flush=True)
    await asyncio.sleep(story.asked.rest)
    memory, read = one.memory, one.read
    seconds = await story.release("crowd-0")
    print(f"alone: {memory:.0f} MB, {one.read - read:.1f} MB read for a release in each namespace ({seconds:.0f} s)")
    figures = memory, one.read - read
    one.end()
    return figures


async def idle():
    """MB of a controller that has nothing to know."""
    one = Running("--namespace=nothing", "--no-leader-election")
    await until(lambda: one.asked("/readyz")[0] == 200)
    memory = one.memory
    one.end()
    return memory


async def shared(story, memory_alone, read_alone):
    ones = [Running("--shards") for _ in range(story.asked.shards)]
    await until(lambda: story.is_followed(ones))
    known = f"{told([one.read for one in ones])} MB read"
    print(
        f"{len(ones)} shards: everything is known after {time.monotonic() - ones[0].began:.1f} s ({known})", flush=True
    )
    await asyncio.sleep(story.asked.rest)
    memory, read = [one.memory for one in ones], [one.read for one in ones]
    seconds = await story.release("crowd-0")
    read = [one.read - before for one, before in zip(ones, read, strict=True)]
    nothing = await idle()
    counts = [len(story.names & one.owned()) for one in ones]
    print(f"shards of {counts} namespaces: {told(memory)} MB, {told(read, 1)} MB read ({seconds:.0f} s)")
    of_data = max(memory) - nothing, memory_alone - nothing
    print(
        f"largest shard to one controller: {max(memory) / memory_alone:.2f} of its memory"
        f" ({of_data[0] / of_data[1]:.2f} without the {nothing:.0f} MB that each has), {max(read) / read_alone:.2f} of what it reads",
        flush=True,
    )
    await hand_over(story, ones)
    await story.release("crowd-0")
    for one in ones:
        one.end()


async def hand_over(story, ones):
    gone = random.Random(1).choice(ones)
    print(f"killed: its share has moved after {await story.moved(ones, gone, gone.process.kill):.1f} s", flush=True)
    ones.remove(gone)
    gone.process.wait()
    gone = ones.pop(0)
    seconds = await story.moved(ones, gone, gone.process.terminate)
    print(f"told to end: its share has moved after {seconds:.2f} s", flush=True)
    gone.process.wait()


def told(values, digits=0):
    return ", ".join(f"{one:.{digits}f}" for one in values)


def compare(done, story):
    """Raises AssertionError if anything was done twice, or not at all."""
    pods, wanted = story.asked.namespaces * story.asked.pods, Counter()
    for name, versions in story.versions.items():
        for version in range(1, versions + 1):
            is_made = version == 1 and story.asked.copied  # in one namespace; the others had it from the start
            wanted["installBiz", name, str(version)] = story.asked.pods if is_made else pods
            if version < versions:
                wanted["uninstallBiz", name, str(version)] = pods
    assert Counter(done) == wanted, (done, wanted)
    print(f"agents: {sum(done.values())} installs and uninstalls, each done once")


async def with_story(asked, tell):
    async with KubeClient(await find_access()) as kube:
        await tell(Story(kube, asked))


def names_of(asked):
    return [f"crowd-{number}" for number in range(asked.deployments)]


def begin(asked, work):
    """All namespaces online; with `copied` the first, from which the others are made while no server runs."""

    async def first(story):
        await brought_online(story, story.fleets[:1] if asked.copied else story.fleets)

    with serving(work):
        asyncio.run(with_story(asked, first))
    if asked.copied:
        others = [f"team-{number}" for number in range(1, asked.namespaces)]
        pods = range(asked.pods)
        multiply(
            work / "store.db",
            "team-0",
            others,
            lambda number: {address(pod): address((number + 1) * asked.pods + pod) for pod in pods},
        )


def serving(work):
    (work / "reader.kubeconfig").unlink(missing_ok=True)  # the sign of the server before
    return api_with_our_kinds(work, is_embedded=True)


def bases_of(asked):
    """What each holds from the start."""
    copies = asked.pods * (asked.namespaces - 1) if asked.copied else 0
    held = [f"{name}:1" for name in names_of(asked)]
    return [()] * (asked.pods * asked.namespaces - copies) + [held] * copies


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--namespaces", type=int, default=80)
    parser.add_argument("--pods", type=int, default=25, help="in each namespace")
    parser.add_argument("--deployments", type=int, default=5, help="in each namespace, with a module on every pod")
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--copied", action="store_true", help="bring one namespace online, make the others from it")
    parser.add_argument("--rest", type=float, default=20, help="seconds before memory is measured")
    asked = parser.parse_args()

    with agents(bases_of(asked)) as done, tempfile.TemporaryDirectory(prefix="arkwright-shards-") as directory:
        work = Path(directory)
        begin(asked, work)

        async def rest(story):
            story.versions.update(dict.fromkeys(names_of(asked), 1))
            await shared(story, *await alone(story))
            await asyncio.sleep(10)
            compare(done(), story)

        with serving(work):
            asyncio.run(with_story(asked, rest))


if __name__ == "__main__":
    main()
