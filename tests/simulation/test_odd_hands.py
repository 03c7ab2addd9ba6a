"""Random sequences of legal but odd hand work beside a release: they end as the last wish says, nothing is lost, nobody is silent.

A failing seed prints its acts in order. One seed alone: pytest tests/simulation/test_odd_hands.py --seed 17
"""

import asyncio

import pytest

from arkwright.model.names import ABORT
from arkwright.model.resources import Kind
from simulation.acts import ACTS
from simulation.endings import differences, leftovers, silences
from simulation.invariants import no_call_to_a_pod_nobody_planned
from simulation.wishes import IN_PLACE, NAMES, STORE, VERSIONS, Operator
from simulation.world import BASE, EPOCH

pytestmark = pytest.mark.looptime(noop_cycles=0)  # there is no real I/O to wait for


class Hands:
    """One seed: a release, odd acts beside it, a last wish."""

    def __init__(self, seed):
        self.seed, self.is_gentle = seed, seed % 3 == 0
        self.operator = Operator(seed, chance=0.03 if seed % 2 else 0.0, is_gentle=self.is_gentle)
        self.world, self.pick = self.operator.world, self.operator.pick
        self.acts = [one for one in ACTS if not (self.is_gentle and one.is_costly)]
        self.done = []

    async def play(self):
        try:
            async with self.world.running():
                await self._play()
        except AssertionError as error:
            what, _, story = str(error).partition("\n")
            raise AssertionError(f"{what}\n{self._acts_told()}\n{story}") from None

    def _acts_told(self):
        acts = "\n".join(f"  {number}. {said}" for number, said in enumerate(self.done, 1))
        again = f"pytest tests/simulation/test_odd_hands.py --seed {self.seed}"
        return f"the acts, in order:\n{acts}\nto run it again: {again}\n"

    async def _play(self):
        operator, world = self.operator, self.world
        world.invariants = [no_call_to_a_pod_nobody_planned, no_request_goes_where_nothing_serves(operator)]
        operator.begin(**self._some_wish(), needs_confirm=False, pause=self.pick.choice((None, False)))
        await self._until_it_is_as_wished("the first release")
        if self.is_gentle:
            world.promised = operator.count()
            world.invariants.append(nothing_that_serves_is_lost(operator))
        operator.say(
            version=self.pick.choice(VERSIONS), batches=self.pick.randint(1, 3), needs_confirm=self.pick.random() < 0.5
        )
        for _ in range(self.pick.randint(3, 15)):
            await asyncio.sleep(self.pick.choice((0, self.pick.uniform(0, 1), self.pick.uniform(0, 12))))
            await self._act()
        await self._last_wish()

    def _some_wish(self):
        return {
            "version": self.pick.choice(VERSIONS),
            "base": self.pick.choice((BASE, STORE)),
            "replicas": self.pick.choice((-1, 1, 2, 3)),
            "has_service": self.pick.random() < 0.5,
            "batches": self.pick.randint(1, 3),
        }

    async def _act(self):
        self.world.raise_broken()
        possible = [one for one in self.acts if one.can(self.operator)]
        chosen = self.pick.choice([*possible, None, None])
        if chosen is None:
            return await self._another_controller()
        self.done.append(f"{self._seconds():7.2f}  {chosen.name}")
        self.world.tell(f"── {chosen.name}")
        chosen.do(self.operator)
        if chosen.name == "take_finalizer":
            await asyncio.sleep(0.3)  # until somebody has seen it: what is deleted in that moment goes without a call
        if not self.world.chance and self.pick.random() < 0.3:
            await self._nobody_is_silent()

    def _seconds(self):
        return (self.world.now() - EPOCH).total_seconds()

    async def _another_controller(self):
        """Not while a ReplicaSet is being let go of: whoever comes later cannot see that it is not deleted with all it has."""
        going = (one["metadata"] for one in self.world.kube.all(Kind.MODULE_REPLICASET))
        if any("deletionTimestamp" in one and one["uid"] in self.operator.let_go for one in going):
            return
        self.done.append("the controller dies, and another takes over")
        await self.world.kill_controller()
        await asyncio.sleep(self.pick.uniform(0, 2))
        self.world.start_controller()
        await self.world.until(lambda: self.world.controller.is_ready)  # who is let go of before that looks deleted

    async def _nobody_is_silent(self):
        await self.world.settle(5)
        assert not (mute := silences(self.operator)), f"not as wished, and silent: {mute}\n{self.world.told()}"

    async def _last_wish(self):
        """Troubles end; somebody says what is wanted in the end, and lets it go on where it waits."""
        operator, world = self.operator, self.world
        self.done.append("the troubles end")
        operator.end_troubles()
        if world.deployment("rival"):
            world.delete(name="rival")
        await world.until(lambda: not world.deployment("rival"), seconds=600)
        if not operator.is_there():
            await world.until(operator.is_away, seconds=600)
        await world.settle()
        world.kube.collect()
        wish = self._some_wish() | {
            "policy": IN_PLACE,
            "module": self.pick.choice(NAMES),
            "needs_confirm": self.pick.random() < 0.5,
        }
        wish["replicas"] = min(wish["replicas"], len(operator.own_pods(wish["base"])))
        operator.say(**wish)
        world.annotate(**{ABORT: None})
        world.patch(pause=None)
        self.done.append(f"the last wish: {operator.wish}")
        await self._until_it_is_as_wished("the last wish")
        await self._nobody_is_silent()
        self.done.append("the wish is deleted")
        world.promised = 0
        world.delete()
        await self._until_none("of the deleted wish is left", leftovers)

    async def _until_it_is_as_wished(self, what):
        await self._until_none(f"{what} does not come true", differences)

    async def _until_none(self, what, found):
        """Confirming where it waits for a person."""
        deadline = self._seconds() + 900
        while left := found(self.operator):
            self.world.raise_broken()
            assert self._seconds() < deadline, f"{what}: {left}\n{self.world.status()}\n{self.world.told()}"
            await asyncio.sleep(0.5)
            if self.operator.waits():
                self.operator.confirm(by_number=self.pick.random() < 0.5)


def no_request_goes_where_nothing_serves(operator):
    """Of pods whose base nobody has hurt; a label that somebody has just written by hand counts for nobody."""

    def holds(world):
        for name in NAMES:
            lost = set(world.serves_labels(name)) - set(world.serving(module=name)) - operator.hurt
            assert not lost, f"requests go to {lost}, where {name} does not serve\n{world.told()}"

    return holds


def nothing_that_serves_is_lost(operator):
    """What was wished serves on some base at every moment, under its old name or its new one."""

    def holds(world):
        served = {one for name in NAMES for one in world.serving(module=name)}
        assert len(served) >= world.promised, f"{len(served)} serve, {world.promised} are promised\n{world.told()}"

    return holds


async def test_odd_hand_work_ends_as_the_last_wish_says_and_loses_nothing_that_was_promised(seed):
    await Hands(seed).play()
