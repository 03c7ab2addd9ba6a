"""Whole rollouts by seed: random strategies, users, faults and controller deaths, with invariants at every moment.

A failing seed prints its story. One seed alone: pytest tests/simulation/test_rollouts.py --seed 17
"""

import asyncio

import pytest

from arkwright.model.names import ABORT
from arkwright.model.resources import Kind
from simulation.invariants import (
    ALL,
    labels_only_where_a_version_serves,
    no_batch_before_its_turn,
    service_is_never_thinner_than_promised,
)
from simulation.world import World

pytestmark = pytest.mark.looptime(noop_cycles=0)  # there is no real I/O to wait for
LONGEST_QUIET_SECONDS = 15
IN_PLACE = ("install_then_uninstall", "uninstall_then_install")


class Rollout:
    """The choices of one seed, and the users that act in it."""

    def __init__(self, seed, **world):
        self.world = World(seed, chance=0.05, **world)
        pick = self.world.random
        self.pods, self.replicas = pick.randint(2, 6), 0
        self.replicas = pick.randint(1, self.pods)
        self.policy = pick.choice((*IN_PLACE, "scaleup_then_scaledown") if self.replicas < self.pods else IN_PLACE)
        self.strategy = {
            "upgradePolicy": self.policy,
            "useBeta": pick.random() < 0.3,
            "needConfirm": pick.random() < 0.4,
            "grayTimeBetweenBatchSeconds": pick.choice((0, 0, 5)),
        }
        self.max_unavailable = pick.choice((None, 1, "50%")) if self.policy == "uninstall_then_install" else None
        if self.max_unavailable:
            self.strategy["maxUnavailable"] = self.max_unavailable
        if pick.random() < 0.4:
            service = {"enableModuleService": True, "port": 80, "targetPort": 8080, "drainSeconds": pick.choice((0, 2))}
            self.strategy["serviceStrategy"] = service
        self.world.cap = pick.choice((None, None, 1))
        self.shares_a_web_path = self.policy == "install_then_uninstall" and pick.random() < 0.3
        if self.shares_a_web_path and self.replicas == 1:
            self.strategy["maxUnavailable"] = 1
        self.world.base_traits = {
            "holds_one_version": self.shares_a_web_path,
            "broken_versions": set(pick.choice(((), ("3.0",)))),
        }

    async def play(self):
        world = self.world
        labels = {} if world.cap is None else {"serverless.alipay.com/max-module-count": str(world.cap)}
        world.add_pods(self.pods, **labels)
        world.invariants = list(ALL)
        async with world.running():
            others = [asyncio.ensure_future(self._confirm()), asyncio.ensure_future(self._kill())]
            try:
                await self._release("1.0", replicas=self.replicas)
                world.promised = self._floor()
                await self._release("2.0")
                await self._replace_one()
                await self._change_of_mind()
                world.promised = 0
                await self._go_offline()
            finally:
                for task in others:
                    task.cancel()
                await asyncio.gather(*others, return_exceptions=True)

    def _floor(self):
        """Base pods that must serve at every moment of a release."""
        if self.shares_a_web_path:
            return self.replicas - 1
        if self.policy != "uninstall_then_install":
            return self.replicas
        share = {None: self.replicas, 1: 1, "50%": self.replicas // 2}[self.max_unavailable]
        return self.replicas - share

    async def _release(self, version, **more):
        self.strategy["batchCount"] = self.world.random.randint(0, 4)
        self.world.apply(version=version, operationStrategy=self.strategy, **more)
        await self._is_done(version)

    async def _is_done(self, version):
        world = self.world
        goal = 0 if self.max_unavailable == "50%" and self.replicas == 1 else None
        if goal == 0 and len(world.available("1.0")) and version != "1.0":
            await world.settle(30)  # floor(50% of 1) is 0: nothing may move, and nothing does
            world.promised = 0
            world.patch(operationStrategy=self.strategy | {"maxUnavailable": 1})
            self.strategy["maxUnavailable"] = self.max_unavailable = 1
        await world.until(
            lambda: (
                world.progress() == "Completed"
                and len(world.available(version)) == len(world.modules(live=False)) == self.replicas
                and world.status()["releaseStatus"]["updateRevision"] == self._revision(version)
            ),
            seconds=900,
        )

    def _revision(self, version):
        return next(
            one["metadata"]["name"]
            for one in self.world.kube.all(Kind.MODULE_REPLICASET)
            if one["spec"]["template"]["spec"]["module"]["version"] == version
        )

    async def _replace_one(self):
        """A user deletes a Module: another comes, before it goes where that is promised."""
        world = self.world
        chosen = world.random.choice(sorted(one["metadata"]["name"] for one in world.modules()))
        uid = world.kube.one(Kind.MODULE, "default", chosen)["metadata"]["uid"]
        promised = world.promised
        if self.policy != "scaleup_then_scaledown":
            world.promised = 0
        world.delete(Kind.MODULE, chosen)
        await world.until(lambda: uid not in {one["metadata"]["uid"] for one in world.modules(live=False)}, seconds=300)
        await self._is_done("2.0")
        world.promised = promised

    async def _change_of_mind(self):
        """A third version that is given up, or superseded by a rollback, somewhere on its way."""
        world = self.world
        world.apply(version="3.0")
        await asyncio.sleep(world.random.uniform(0, 15))
        if world.random.random() < 0.5 and world.progress() in ("Executing", "Paused"):
            world.annotate(**{ABORT: world.status()["releaseStatus"]["updateRevision"]})
            await world.until(lambda: world.progress() in ("Aborted", "Completed"), seconds=900)
        world.apply(version="2.0")
        await self._is_done("2.0")

    async def _go_offline(self):
        world = self.world
        world.delete()
        await world.until(lambda: world.deployment() is None, seconds=900)
        world.stop_faults()
        await world.settle(10)
        assert not any(base.modules for base in world.arklet.bases.values()), world.told()
        assert not world.modules(live=False) and not world.kube.all(Kind.MODULE_REPLICASET), world.told()
        assert not world.kube.all(Kind.SERVICE), world.told()
        left = [key for one in world.kube.all(Kind.POD) for key in one["metadata"]["labels"] if "module" in key]
        assert set(left) <= {"serverless.alipay.com/max-module-count"}, world.told()

    async def _confirm(self):
        """A person who confirms in one of the two ways, sooner or later."""
        world = self.world
        while True:
            await asyncio.sleep(world.random.uniform(0.5, 5))
            deployment = world.deployment()
            if deployment and deployment["spec"].get("pause") and world.progress() == "Paused":
                world.patch(**world.random.choice(({"pause": False}, {"confirmBatchNum": world.batch()})))

    async def _kill(self):
        """The controller dies now and then, and another takes over."""
        world = self.world
        while world.chance:
            await asyncio.sleep(world.random.uniform(1, 40))
            world.tell("the controller dies")
            await world.kill_controller()
            await asyncio.sleep(world.random.uniform(0, 2))
            world.start_controller()


class RoughRollout(Rollout):
    """Base pods come, go and restart, and users scale, while versions are released. What a pod held is lost with it."""

    async def play(self):
        world = self.world
        world.add_pods(self.pods)
        world.cap, world.invariants = None, [one for one in ALL if one not in BROKEN_BY_LOSS]
        async with world.running():
            others = [asyncio.ensure_future(actor()) for actor in (self._confirm, self._kill, self._trouble)]
            try:
                for version in ("1.0", "2.0", "3.0", "2.0"):
                    world.apply(version=version, replicas=self.replicas, operationStrategy=self.strategy)
                    await asyncio.sleep(world.random.uniform(0, 40))
                    self.replicas = world.random.choice((-1, 0, *range(1, self.pods + 1)))
                world.stop_faults()
                await asyncio.sleep(LONGEST_QUIET_SECONDS)  # the last trouble may be on its way
                await self._is_settled("2.0")
                await self._go_offline()
            finally:
                for task in others:
                    task.cancel()
                await asyncio.gather(*others, return_exceptions=True)

    async def _is_settled(self, version):
        world = self.world
        wanted = world.deployment()["spec"]["replicas"]
        pods = len(world.arklet.bases)
        if self.policy == "scaleup_then_scaledown" and (wanted < 0 or wanted >= pods):
            world.patch(operationStrategy=self.strategy | {"upgradePolicy": "install_then_uninstall"})
        # What is missing uses up what may be: nothing moves, as it should be.
        if self.shares_a_web_path:
            world.patch(operationStrategy=self.strategy | {"maxUnavailable": "100%"})
        elif self.max_unavailable and wanted > pods:
            world.patch(operationStrategy=self.strategy | {"maxUnavailable": None})
        elif self.max_unavailable == "50%":
            world.patch(operationStrategy=self.strategy | {"maxUnavailable": 1})
        await world.until(lambda: self._is_as_wished(version, wanted), seconds=600)

    def _is_as_wished(self, version, wanted):
        world = self.world
        pods = len(world.arklet.bases)
        count = pods if wanted < 0 else min(wanted, pods)
        return (
            len(world.available(version)) == len(world.modules(live=False)) == len(world.serving(version)) == count
            and (world.progress() == "Completed" or wanted > pods)
            and world.serves_labels() == world.serving()
        )

    async def _trouble(self):
        world = self.world
        while world.chance:
            await asyncio.sleep(world.random.uniform(0.5, LONGEST_QUIET_SECONDS))
            address = world.random.choice(sorted(world.arklet.bases))
            world.random.choice((self._lose, world.restart_base, self._add, self._delete_module))(address)

    def _add(self, _):
        self.world.add_pod()

    def _delete_module(self, _):
        if found := sorted(one["metadata"]["name"] for one in self.world.modules()):
            self.world.delete(Kind.MODULE, self.world.random.choice(found))

    def _lose(self, address):
        if len(self.world.arklet.bases) > 1:
            self.world.remove_pod(address)


BROKEN_BY_LOSS = (labels_only_where_a_version_serves, no_batch_before_its_turn, service_is_never_thinner_than_promised)


async def test_a_rollout_keeps_every_promise_and_arrives(seed):
    await Rollout(seed).play()


async def test_a_rough_rollout_arrives_all_the_same(seed):
    await RoughRollout(seed).play()
