"""What a preview says is what then happens: by seed, previews of wishes at quiet moments, compared with what the controller does about them without faults.

What happened is told by the API and by the agents, not by the controller. One seed alone: pytest tests/simulation/test_previews.py --seed 17
"""

import asyncio
from itertools import combinations

import pytest

from arkwright.controller.workqueue import PACE_SECONDS
from arkwright.model.codec import decode
from arkwright.model.kinds import ModuleDeployment
from arkwright.model.names import ABORT, MODULE_DEPLOYMENT, MODULE_REPLICASET, RESTARTED_AT
from arkwright.model.resources import PLANNED_FROM, RESOURCES, Kind
from arkwright.preview.outlook import foresee, preview
from arkwright.preview.rehearsal import Deletion, wished
from simulation import documents
from simulation.world import BASE, NAMESPACE, World

pytestmark = pytest.mark.looptime(noop_cycles=0)  # there is no real I/O to wait for
STORE = "store"
POLICIES = ("install_then_uninstall", "uninstall_then_install", "scaleup_then_scaledown")
DOINGS = {"installBiz": "install", "uninstallBiz": "uninstall", "switchBiz": "switch to"}
PATH = RESOURCES[Kind.MODULE_DEPLOYMENT].path(NAMESPACE, "demo")
USUAL_SEEDS = 25  # each is four releases, or two
QUIET_SECONDS, SAME_MOMENT_SECONDS, LONGEST_DRAIN_SECONDS = 12, 0.02, 2


class Watched(World):
    """Notes what is done on each base pod, by the batch that was under way when the pod was taken, in the order in which it is sent: what is sent at once
    arrives as it will, and how long a call takes, chance decides."""

    def __init__(self, seed):
        super().__init__(seed)
        self._answered, self.arklet._call = self.arklet._call, self._heard
        self._created, self.kube.create = self.kube.create, self._creates
        self._deleted, self.kube.delete = self.kube.delete, self._deletes
        self._place_of = {}
        self.begin()

    def begin(self):
        self.done, self.batch_of, self.confirmed = {}, {}, []
        self.taken, self.moments, self.called = {}, {}, {}

    async def _creates(self, resource, namespace, document):
        if resource == RESOURCES[Kind.MODULE]:
            (owner,) = document["metadata"]["ownerReferences"]
            self._place_of[document["metadata"]["name"]] = (
                owner["name"],
                document["metadata"]["labels"][MODULE_REPLICASET],
            )
            self._take(document["metadata"]["name"])
        return await self._created(resource, namespace, document)

    async def _deletes(self, resource, namespace, name, uid=""):
        if resource == RESOURCES[Kind.MODULE]:
            self._take(name)
        return await self._deleted(resource, namespace, name, uid)

    async def _heard(self, address, command, body):
        if command in DOINGS:
            pod = self.pod_at(address.partition(":")[0])["metadata"]["name"]
            self.taken.setdefault(pod, (self._loop.time(), pod))
            self.called.setdefault(pod, []).append(self._loop.time())
            self._on(pod).append(f"{DOINGS[command]} {body['bizName']}:{body['bizVersion']}")
        return await self._answered(address, command, body)

    def _take(self, module):
        pod, replica_set = self._place_of[module]
        self.taken.setdefault(pod, (self._loop.time(), replica_set))
        self.moments.setdefault(pod, []).append(self._loop.time())
        self._on(pod)

    def could_be_exchanged(self, one, other):
        """Two plans took them in the same moment, of two revisions or of two Modules: nobody knows which of the two was the first."""
        (at, revision), (then, another) = self.taken[one], self.taken[other]
        by_two_plans = revision != another or (self._is_called_at(one, at) and self._is_called_at(other, then))
        return by_two_plans and abs(at - then) < SAME_MOMENT_SECONDS

    def _is_called_at(self, pod, moment):
        return any(abs(at - moment) < SAME_MOMENT_SECONDS for at in self.called.get(pod, []))

    def is_as_said(self, steps, done, pod):
        """Where one leaves a pod as another comes, one look sooner or later decides which of the two is quicker, and whether both meet there."""
        moments = self.moments.get(pod, [])
        is_meeting = len(moments) > 1 and max(moments) - min(moments) < 2 * PACE_SECONDS
        return steps == done or (is_meeting and _without_switches(steps) == _without_switches(done))

    def _on(self, pod):
        batch = self.batch_of[pod] = self.batch_of.get(pod) or self._batch_that_counts()
        return self.done.setdefault(batch, {}).setdefault(pod, [])

    def _batch_that_counts(self):
        """That of a release that was under way as it was deleted is over."""
        one = self.deployment()
        is_going = one is not None and "deletionTimestamp" in one["metadata"]
        return 0 if is_going and self.progress() not in ("Terminating", "Terminated") else self.batch() or 0

    def live(self):
        return {kind: [decode(one, RESOURCES[kind].type) for one in self.kube.all(kind)] for kind in PLANNED_FROM}

    async def confirm(self):
        """A person who says yes whenever they are asked and all is quiet, in one of the two ways, and resumes what is paused."""
        while True:
            await asyncio.sleep(self.random.uniform(0.5, 5))
            if self._is_asking():
                await self.settle(LONGEST_DRAIN_SECONDS + 0.5)
            if self._is_asking():
                self.confirmed.append(self.batch())
                is_asked = self.status()["releaseStatus"]["batchProgress"] == "Completed"
                by_number = is_asked and self.random.random() < 0.5
                self.patch(**({"confirmBatchNum": self.batch()} if by_number else {"pause": False}))

    def _is_asking(self):
        one = self.deployment()
        return one is not None and one["spec"].get("pause") and self.progress() == "Paused"


def _without_switches(steps):
    return sorted(one for one in steps if not one.startswith("switch"))


class Wishes:
    """The wishes of one seed."""

    def __init__(self, seed):
        self.world = Watched(seed)
        self.pick = self.world.random
        self.version, self.strategy = "1.0", self._strategy()

    def _strategy(self):
        pick = self.pick
        strategy = {
            "upgradePolicy": pick.choice(POLICIES),
            "batchCount": pick.randint(0, 4),
            "useBeta": pick.random() < 0.3,
            "needConfirm": pick.random() < 0.3,
            "grayTimeBetweenBatchSeconds": pick.choice((0, 0, 5)),
        }
        if pick.random() < 0.3:
            strategy["maxUnavailable"] = pick.choice((0, 1, 2, "50%"))
        if pick.random() < 0.4:
            service = {
                "enableModuleService": True,
                "port": 80,
                "targetPort": 8080,
                "drainSeconds": pick.choice((0, LONGEST_DRAIN_SECONDS)),
            }
            strategy["serviceStrategy"] = service
        return strategy

    def furnish(self):
        """Two bases, some of whose pods are nearly full, and neighbours with modules of their own."""
        world, pick = self.world, self.pick
        world.add_base(STORE)
        for _ in range(pick.randint(2, 6)):
            cap = {"serverless.alipay.com/max-module-count": str(pick.randint(1, 2))} if pick.random() < 0.3 else {}
            world.add_pod(**cap)
        world.add_pods(3, app=STORE)
        for name in ("other", "third")[: pick.randint(0, 2)]:
            module = pick.choice(("other", "third", "provider"))
            archive = {"name": module, "version": "1.0", "url": f"http://archives/{module}.whl"}
            spec = {"replicas": pick.randint(1, 3), "template": {"spec": {"module": archive}}}
            world.kube.put(documents.module_deployment(name, spec))

    def first(self):
        spec = {
            "baseDeploymentName": BASE,
            "replicas": self._replicas(),
            "operationStrategy": self.strategy,
            "schedulingStrategy": {"schedulingPolicy": self.pick.choice(("scatter", "stacking"))},
            "minReadySeconds": self.pick.choice((0, 0, 3)),
            "template": {"spec": {"module": self.archive("provider", "1.0")}},
        }
        return documents.module_deployment("demo", spec)

    def _replicas(self):
        return self.pick.choice((-1, 0, 1, 2, 3, 4, 5, 6))

    def archive(self, module, version):
        return {"name": module, "version": version, "url": f"http://archives/{module}-{version}.whl"}

    def next(self):
        """Another wish: a merge patch."""
        acts = (self.release, self.release, self.scale, self.restart, self.move, self.rename, self.correct, self.keep)
        return self.pick.choice(acts)()

    def doomed(self):
        """What somebody deletes, by kind: one of its Modules, or the whole."""
        modules = self.world.modules()
        own = [one for one in modules if one["metadata"]["labels"].get(MODULE_DEPLOYMENT) == "demo"]
        kind = Kind.MODULE if own and self.pick.random() < 0.5 else Kind.MODULE_DEPLOYMENT
        return kind, self.pick.choice(own) if kind is Kind.MODULE else self.world.deployment()

    def release(self):
        version = self.pick.choice(("1.0", "2.0", "3.0"))
        patch = {"template": {"spec": {"module": self.archive("provider", version)}}}
        if self.pick.random() < 0.5:
            patch["operationStrategy"] = self._strategy() | {"maxUnavailable": self.pick.choice((None, 1))}
        return {"spec": patch}

    def another(self):
        """Version, by the same strategy."""
        return {"spec": {"template": {"spec": {"module": self.archive("provider", "2.0")}}}}

    def scale(self):
        return {"spec": {"replicas": self._replicas()}}

    def restart(self):
        at = str(self.pick.random())
        return {"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: at}}}}}

    def move(self):
        return {"spec": {"baseDeploymentName": self.pick.choice((BASE, STORE))}}

    def rename(self):
        return {"spec": {"template": {"spec": {"module": self.archive("renamed", "1.0")}}}}

    def correct(self):
        return {"spec": {"template": {"spec": {"module": {"url": "http://archives/elsewhere.whl"}}}}}

    def keep(self):
        return {"spec": {"replicas": self.world.deployment()["spec"]["replicas"]}}


async def compared(world, wish, say):
    """Previews a wish at a quiet moment, says it, lets it happen, and compares."""
    live = world.live()
    foretold = preview(live, wish, world.now())
    world.begin()
    say()
    await world.settle(QUIET_SECONDS)
    _is_done_as_said(foretold, foretold.release.batches if foretold.release else (), world)
    _ends_as(foretold, world)


async def compared_as_it_goes(world, kind, doomed, say):
    """The same of a deletion. `say`: what else is done at that moment."""
    foretold = foresee(world.live(), Deletion(decode(doomed, RESOURCES[kind].type)), world.now())
    name = doomed["metadata"]["name"]
    world.begin()
    world.delete(kind, name)
    say()
    await world.settle(QUIET_SECONDS)
    _is_done_as_said(foretold, foretold.batches, world)
    _leaves_as(foretold, world)


def _leaves_as(foretold, world):
    failure = world.condition("ReplicaFailure")
    waits_for = f"{failure['reason']}: {failure['message']}" if failure.get("status") == "True" else ""
    assert foretold.waits_for == waits_for, f"{foretold}\n{world.told()}"
    found = [one for one in (world.kube.one(foretold.deletes, NAMESPACE, foretold.name),) if one]
    is_another = found and "deletionTimestamp" not in found[0]["metadata"]
    assert bool(found) == bool(is_another), f"{foretold}\n{world.told()}"
    if foretold.deletes == Kind.MODULE_DEPLOYMENT:
        services = {f"Service {one['metadata']['name']}" for one in world.kube.all(Kind.SERVICE)}
        left = [one for one in world.modules(live=False) if one["metadata"]["labels"].get(MODULE_DEPLOYMENT) == "demo"]
        assert not left and set(foretold.stays) <= services, f"{foretold}\n{world.told()}"


def _is_done_as_said(foretold, batches, world):
    """The same calls to the same base pods, in the same batches and order; the same questions."""
    said = {one.number: {pod.pod: list(pod.steps) for pod in one.pods} for one in batches if one.pods}
    pods_of = {number: set(pods) for number, pods in said.items()}
    assert pods_of == {number: set(pods) for number, pods in world.done.items()}, f"{foretold}\n{world.told()}"
    for number, pods in world.done.items():
        for pod, done in pods.items():
            assert world.is_as_said(said[number][pod], done, pod), f"{foretold}\n{pod}: {done}\n{world.told()}"
        order = list(said[number])
        wrong = [pair for pair in combinations(pods, 2) if order.index(pair[0]) > order.index(pair[1])]
        assert all(world.could_be_exchanged(*pair) for pair in wrong), f"{foretold}\n{world.told()}"
    asked = [one.number for one in batches for _ in range(one.asks_before + one.asks_after)]
    assert asked == world.confirmed, f"{foretold}\n{world.told()}"


def _ends_as(foretold, world):
    release, told = world.status()["releaseStatus"], world.told()
    assert foretold.ends == release["progress"], f"{foretold}\n{told}"
    failure = world.condition("ReplicaFailure")
    waits_for = f"{failure['reason']}: {failure['message']}" if failure.get("status") == "True" else ""
    assert foretold.waits_for.partition("it stays")[0] == waits_for, f"{foretold}\n{told}"
    if foretold.release:
        assert foretold.release.revision == release["updateRevision"], told
        assert foretold.release.batch_count == release["realBatchCount"], told
        made = world.kube.one(Kind.MODULE_REPLICASET, NAMESPACE, foretold.release.revision)
        number = made["metadata"]["labels"]["serverless.alipay.com/module-replicaset-revision"] if made else "0"
        assert str(foretold.release.number) == number, told


async def test_what_is_foretold_happens(seed):
    wishes = Wishes(seed)
    world = wishes.world
    wishes.furnish()
    async with world.running():
        await world.settle(QUIET_SECONDS)
        person = asyncio.ensure_future(world.confirm())
        try:
            first = wishes.first()
            await compared(world, decode(first, ModuleDeployment), lambda: world.kube.put(first))
            for _ in range(3):
                patch = wishes.next()
                world.tell(f"the next wish: {patch}")
                before = decode(world.deployment(), ModuleDeployment)
                await compared(world, wished(before, patch), lambda patch=patch: world.kube.change(PATH, patch))
        finally:
            await _ended(person)


async def test_what_is_foretold_of_a_deletion_happens(seed):
    """Of a Module, which may be replaced, and of the whole; after a release, and as one waits for a confirm."""
    wishes = Wishes(seed)
    world, pick = wishes.world, wishes.pick
    is_waiting = pick.random() < 0.5
    if is_waiting:
        wishes.strategy |= {"needConfirm": True, "batchCount": pick.randint(2, 4)}
    wishes.furnish()
    async with world.running():
        world.kube.put(wishes.first())
        persons = [asyncio.ensure_future(world.confirm())]
        await world.settle(QUIET_SECONDS)
        if is_waiting:
            await _ended(persons.pop())
            world.kube.change(PATH, pick.choice((wishes.another(), wishes.restart())))
            await world.settle(QUIET_SECONDS)
        for _ in range(3):
            if world.deployment() is None:
                first = wishes.first()
                await compared(world, decode(first, ModuleDeployment), lambda first=first: world.kube.put(first))
            else:
                await compared_as_it_goes(world, *wishes.doomed(), lambda: _sees_to_it(world, persons))
        await _ended(*persons)


def _sees_to_it(world, persons):
    """Somebody does, from now on."""
    if not persons:
        persons.append(asyncio.ensure_future(world.confirm()))


async def test_what_is_foretold_of_a_release_that_waits_happens(seed):
    """A version or a restart waits for a confirm when it is looked at, and goes on, is given up, superseded or scaled."""
    wishes = Wishes(seed)
    world, pick = wishes.world, wishes.pick
    wishes.strategy |= {"needConfirm": True, "batchCount": pick.randint(2, 4)}
    wishes.furnish()
    async with world.running():
        world.kube.put(wishes.first())
        person = asyncio.ensure_future(world.confirm())
        await world.settle(QUIET_SECONDS)
        await _ended(person)
        world.kube.change(PATH, pick.choice((wishes.another(), wishes.another(), wishes.restart())))
        await world.settle(QUIET_SECONDS)
        before = decode(world.deployment(), ModuleDeployment)
        abort = {"metadata": {"annotations": {ABORT: world.status()["releaseStatus"]["updateRevision"]}}}
        patch = pick.choice(({}, {}, abort, wishes.release(), wishes.scale()))
        world.tell(f"the next wish: {patch}")
        persons = []

        def say():
            world.kube.change(PATH, patch)
            persons.append(asyncio.ensure_future(world.confirm()))

        await compared(world, wished(before, patch), say)
        await _ended(*persons)


async def _ended(*tasks):
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
