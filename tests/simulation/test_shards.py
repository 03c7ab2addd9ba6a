"""Several controllers in one cluster, by seed: they come, end, are killed and cut off, answers get lost and clocks are set, while releases go on.

No namespace is ever followed by two of them, and no base does anything twice: a call that was under way when its controller ended may be made
again, and the base says that it is done already.
"""

import asyncio
import contextlib
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from arkwright.controller.app import Controller, Settings
from arkwright.model.resources import Kind
from fakes import plans_that_ended
from fakes.arklet import FakeArklet
from fakes.base import FakeBase
from fakes.kube import FakeKube
from fakes.line import Line
from simulation import documents
from simulation.recount import recounted

pytestmark = pytest.mark.looptime(noop_cycles=0)  # there is no real I/O to wait for
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
DAY = 86400
NAMESPACES = [f"team-{number}" for number in range(5)]
CHANGING = ("installBiz", "uninstallBiz")
ACTS = ("join", "leave", "kill", "cut", "mend", "lossy", "clock", "release", "release", "wait")


class One:
    """A controller, its way to the API and to the agents, and its clock."""

    def __init__(self, cluster):
        self.line, self.ahead, self._cluster = Line(cluster.kube, cluster.random), 0.0, cluster
        self.controller = Controller(self.line, self, Settings(shares=True), self.now)
        self.task = asyncio.create_task(self.controller.run())

    def now(self):
        return self._cluster.now() + timedelta(seconds=self.ahead)

    def __getattr__(self, name):
        """An agent's answer."""
        return getattr(self._cluster.arklet, name)

    async def end(self):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        assert not plans_that_ended(self.controller, "bug")


class Doing(FakeBase):
    """`done`: what it was asked to change, and did."""

    def __init__(self):
        super().__init__()
        self.done = []

    def answer(self, command, body):
        answer = super().answer(command, body)
        if command in CHANGING and answer["code"] == "SUCCESS":
            self.done.append((str(command), f"{body['bizName']}:{body['bizVersion']}"))
        return answer


class Cluster:
    """`ones`: controllers that live, by name."""

    def __init__(self, seed):
        self.random, self.story, self.broken = random.Random(seed), [], None
        self.kube = FakeKube(self.now, lambda: self.random.uniform(0, 0.05), on_write=self._wrote)
        self.arklet = FakeArklet(lambda command: self.random.uniform(0, 2.0), on_call=self._called)
        self.ones, self.killed, self.names, self.versions = {}, [], iter(range(1000)), {}

    def now(self):
        return EPOCH + timedelta(seconds=asyncio.get_running_loop().time())

    def tell(self, line):
        self.story.append(f"{asyncio.get_running_loop().time():7.2f}  {line}")

    def _wrote(self, verb, path):
        if "leases" not in path and "events" not in path:
            self.tell(f"{verb} {path.partition('/namespaces/')[2]}")
        self.check()

    def _called(self, address, command, identity):
        self.tell(f"{command} {identity} on {address}")
        self.check()

    def check(self):
        try:
            realms = [realm for one in self.ones.values() for realm in one.controller.realms]
            followed = Counter(realm.namespace for realm in realms)
            assert max(followed.values(), default=0) <= 1, followed
            for realm in realms:
                recounted(realm.cache, self.now())
        except Exception as error:
            self.broken = self.broken or error

    def add_namespace(self, name):
        self.kube.put(documents.namespace(name))
        self.kube.put(documents.base("stock", name))
        address = f"127.1.{len(self.arklet.bases)}.1"
        self.arklet.bases[address] = Doing()
        self.kube.put(documents.pod("stock-1", address, {}, name))
        self.release(name)

    def release(self, name):
        """The next version, if the one before is in."""
        number = self.versions.get(name, 0)
        if number and not self.is_complete(name):
            return
        self.versions[name] = number + 1
        self.tell(f"user releases {number + 1}.0 in {name}")
        module = {"name": "provider", "version": f"{number + 1}.0", "url": f"http://archives/{number + 1}.whl"}
        spec = {"replicas": 1, "template": {"spec": {"module": module}}}
        document = documents.module_deployment("demo", spec, name)
        if number:
            self.kube.change(self.kube.path(document), {"spec": spec})
        else:
            self.kube.put(document)

    def is_complete(self, name):
        found = self.kube.one(Kind.MODULE_DEPLOYMENT, name, "demo")
        status = found.get("status", {})
        is_seen = status.get("observedGeneration") == found["metadata"]["generation"]
        return is_seen and status["releaseStatus"]["progress"] == "Completed" and self._is_alone(name)

    def _is_alone(self, name):
        """Whether the versions before are gone."""
        modules = [one for one in self.kube.all(Kind.MODULE) if one["metadata"]["namespace"] == name]
        return [one["spec"]["module"]["version"] for one in modules] == [f"{self.versions[name]}.0"]

    def join(self):
        self.ones[f"c{next(self.names)}"] = One(self)

    async def leave(self, name):
        """As by SIGTERM."""
        await self.ones[name].end()
        del self.ones[name]

    def kill(self, name):
        """What it was sending arrives."""
        one = self.ones.pop(name)
        one.line.is_cut = True
        one.task.cancel()
        self.killed.append(one)

    async def until(self, is_so, seconds):
        deadline = asyncio.get_running_loop().time() + seconds
        while not is_so():
            assert asyncio.get_running_loop().time() < deadline, "\n".join(self.story[-60:])
            await asyncio.sleep(0.2)


@contextlib.asynccontextmanager
async def cluster(seed, controllers):
    it = Cluster(seed)
    for name in NAMESPACES:
        it.add_namespace(name)
    for _ in range(controllers):
        it.join()
    yield it
    for one in (*it.ones.values(), *it.killed):
        await one.end()
    if it.broken:
        raise AssertionError("\n".join(it.story[-60:])) from it.broken


def wanted_on_base(versions):
    """Each version once, and each but the last taken away once."""
    return sorted(
        [("installBiz", f"provider:{number}.0") for number in range(1, versions + 1)]
        + [("uninstallBiz", f"provider:{number}.0") for number in range(1, versions)]
    )


async def test_each_base_does_each_change_once_whoever_comes_and_goes(seed):
    async with cluster(seed, controllers=2) as it:
        for _ in range(15):
            await _one_act(it)
            await asyncio.sleep(it.random.choice((0.05, 0.5, 2.0, 12.0)))
        for one in it.ones.values():
            one.line.is_cut, one.line.losses = False, 0.0
        await it.until(lambda: all(map(it.is_complete, NAMESPACES)), seconds=240)
        done = [sorted(base.done) for base in it.arklet.bases.values()]
        assert done == [wanted_on_base(it.versions[name]) for name in NAMESPACES], "\n".join(it.story)


async def _one_act(it):
    name = it.random.choice(list(it.ones))
    whole = [other for other, one in it.ones.items() if not one.line.is_cut]
    act = it.random.choice(ACTS)
    it.tell(f"{act} {name}")
    match act:
        case "join" if len(it.ones) < 5:
            it.join()
        case "leave" if len(whole) > 1:
            await it.leave(it.random.choice(whole))
        case "kill" if len(whole) > 1:
            it.kill(it.random.choice(whole))
        case "cut" | "mend":
            it.ones[name].line.is_cut = act == "cut"
        case "lossy":
            it.ones[name].line.losses = it.random.choice((0.0, 0.2))
        case "clock":
            it.ones[name].ahead = it.random.uniform(-DAY, DAY)
        case "release":
            it.release(it.random.choice(NAMESPACES))


async def test_a_namespace_that_comes_later_is_somebodys_and_one_without_anything_of_ours_sleeps():
    async with cluster(0, controllers=2) as it:
        it.kube.put(documents.namespace("empty"))
        it.add_namespace("late")
        await it.until(lambda: all(map(it.is_complete, (*NAMESPACES, "late"))), seconds=60)
        (empty,) = (realm for one in it.ones.values() for realm in one.controller.realms if realm.namespace == "empty")
        assert empty.is_asleep and all(one.controller.is_ready for one in it.ones.values())


async def test_a_controller_that_acts_on_everything_and_those_that_share_never_act_together():
    async with cluster(0, controllers=0) as it:
        sole = Controller(it.kube, it.arklet, Settings(), it.now)
        leading = asyncio.create_task(sole.run())
        await it.until(lambda: all(map(it.is_complete, NAMESPACES)), seconds=60)
        it.join()
        await asyncio.sleep(30)
        (one,) = it.ones.values()
        assert one.controller.is_ready and not one.controller.realms
        leading.cancel()
        await it.until(lambda: len(one.controller.realms) == len(NAMESPACES), seconds=1)
        again = Controller(it.kube, it.arklet, Settings(), it.now)
        leading = asyncio.create_task(again.run())
        await asyncio.sleep(30)
        assert again.is_ready and not again.metrics.leading._value.get()
        await it.leave(*it.ones)
        await it.until(again.metrics.leading._value.get, seconds=5)
        leading.cancel()
        await asyncio.gather(leading, return_exceptions=True)
