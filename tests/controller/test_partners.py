"""Controllers that come, go, are cut off and lose writes: no namespace ever has two, and each has one soon after."""

import asyncio
import contextlib
import random
from datetime import UTC, datetime, timedelta

import pytest

from arkwright.clients.errors import ApiUnreachable
from arkwright.controller.leases import Terms
from arkwright.controller.partners import Hands, Partner
from arkwright.model.names import ACTS_BY, SHARES_WITH
from arkwright.model.resources import Kind
from arkwright.model.shares import may_act, owner
from fakes.kube import FakeKube
from fakes.line import Line

pytestmark = pytest.mark.looptime
NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAMESPACES = [f"team-{number}" for number in range(24)]
TERMS = Terms(namespace="arkwright", name="arkwright", duration=15.0, renew=3.0)
CIRCLES = [frozenset({"a", "b", "c"}), frozenset({"a", "b"}), frozenset({"b", "c"}), frozenset()]


def clock():
    return NOW + timedelta(seconds=asyncio.get_running_loop().time())


def lease_of(holder):
    metadata = {"name": "arkwright-odd", "namespace": "arkwright", "labels": {SHARES_WITH: "arkwright"}}
    spec = {"holderIdentity": holder, "leaseDurationSeconds": 15}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


class Group:
    """Partners, and who acts on which namespace at this moment."""

    def __init__(self, seed=0, stopping=0.2):
        self.random = random.Random(seed)
        self.kube = FakeKube(lambda: NOW)
        self.actors = {one: set() for one in NAMESPACES}
        self.lines, self.tasks, self.stopping = {}, {}, stopping
        self.most = 0

    def join(self, name, ahead=0.0):
        partner = self.partner(name, ahead)
        self.tasks[name] = asyncio.create_task(partner.run())
        return partner

    def partner(self, name, ahead=0.0):
        """Whose turns are somebody else's to take."""
        line = self.lines[name] = Line(self.kube, self.random)
        return Partner(line, TERMS, name, lambda: clock() + timedelta(seconds=ahead), self._hands(name))

    def _hands(self, name):
        async def keep(is_kept):
            going = [one for one, actors in self.actors.items() if name in actors and not is_kept(one)]
            await asyncio.sleep(self.random.uniform(0, self.stopping) if going else 0)
            for one in going:
                self.actors[one].discard(name)

        def begin(is_ours):
            for one in NAMESPACES:
                if is_ours(one):
                    self.actors[one].add(name)
                    self.most = max(self.most, len(self.actors[one]))

        return Hands(keep, begin)

    async def leave(self, name):
        """As by SIGTERM."""
        self.tasks[name].cancel()
        await asyncio.gather(self.tasks.pop(name), return_exceptions=True)

    def kill(self, name):
        """As by SIGKILL: nothing of it is told to anybody."""
        self.lines[name].is_cut = True
        self.tasks.pop(name).cancel()
        for actors in self.actors.values():
            actors.discard(name)

    def owners(self):
        return {one: set(actors) for one, actors in self.actors.items()}

    async def settled(self, names, within):
        """Seconds until every namespace is acted on by whom all living agree upon."""
        circle, loop = frozenset(names), asyncio.get_running_loop()
        began = loop.time()
        while self.owners() != {one: {owner(one, circle)} for one in NAMESPACES}:
            assert loop.time() - began < within, self.owners()
            await asyncio.sleep(0.05)
        return loop.time() - began

    async def end(self):
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)


@contextlib.asynccontextmanager
async def group(*names, seed=0):
    it = Group(seed)
    for name in names:
        it.join(name)
    try:
        yield it
    finally:
        await it.end()
    assert it.most <= 1, "a namespace had two"


def test_one_more_or_less_moves_its_own_share_only():
    before = {one: owner(one, frozenset("abc")) for one in NAMESPACES}
    after = {one: owner(one, frozenset("abcd")) for one in NAMESPACES}
    assert all(after[one] in (before[one], "d") for one in NAMESPACES) and "d" in after.values()
    assert set(before.values()) == {"a", "b", "c"}


def test_whatever_each_takes_for_alive_no_two_act_on_one():
    for first in CIRCLES:
        for second in CIRCLES:
            for third in CIRCLES:
                claims = {"a": first, "b": second, "c": third}
                for namespace in NAMESPACES:
                    assert sum(may_act(one, namespace, claims) for one in "abc") <= 1


async def test_they_share_out_and_one_that_comes_gets_its_share():
    async with group("a", "b", "c") as it:
        await it.settled("abc", within=5)
        it.join("d")
        await it.settled("abcd", within=3)


async def test_the_share_of_one_that_leaves_moves_on_within_a_second():
    async with group("a", "b", "c") as it:
        await it.settled("abc", within=5)
        await it.leave("b")
        await it.settled("ac", within=1)


async def test_the_share_of_one_that_was_killed_moves_on_once_its_lease_is_over():
    async with group("a", "b", "c") as it:
        await it.settled("abc", within=5)
        it.kill("b")
        assert await it.settled("ac", within=TERMS.duration + 1) > TERMS.duration / 2


async def test_one_that_comes_after_a_death_does_not_wait_for_the_dead():
    async with group("a", "b", "c") as it:
        await it.settled("abc", within=5)
        it.kill("b")
        await it.settled("ac", within=TERMS.duration)
        it.join("d")
        await it.settled("acd", within=3)
        assert len(it.kube.all(Kind.LEASE)) == 3


async def test_one_that_is_cut_off_has_stopped_before_another_begins_and_comes_back():
    async with group("a", "b", "c") as it:
        await it.settled("abc", within=5)
        it.lines["b"].is_cut = True
        await it.settled("ac", within=TERMS.duration + 1)
        it.lines["b"].is_cut = False
        await it.settled("abc", within=5)


async def test_one_whose_word_did_not_arrive_says_it_again_before_it_acts_by_it():
    async with group("a", "b") as it:
        await it.settled("ab", within=5)
        it.kill("b")
        await asyncio.sleep(10)
        patch, refused = it.kube.patch, []

        async def refuse(resource, path, document):
            if document["metadata"]["annotations"][ACTS_BY] == "a" and len(refused) < 3:
                refused.append(it.owners())
                raise ApiUnreachable("no answer")
            return await patch(resource, path, document)

        it.kube.patch = refuse
        await it.settled("a", within=10)
        assert len(refused) == 3 and all(one == refused[0] for one in refused), "it acts on what it has not said"


async def test_a_lease_whose_holder_somebody_took_away_is_nobodys_share():
    async with group("a") as it:
        it.kube.put(lease_of(""))
        await it.settled("a", within=5)


async def test_clocks_that_differ_by_days_change_nothing():
    async with group("a") as it:
        it.join("b", ahead=86400)
        it.join("c", ahead=-86400)
        await it.settled("abc", within=5)


async def test_whatever_happens_no_namespace_has_two_and_in_the_end_each_has_one(seed):
    """Joins, ends, deaths, cuts and lost answers at random."""
    async with group("a", "b", seed=seed) as it:
        for number in range(30):
            await _one_act(it, f"m{number}")
            await asyncio.sleep(it.random.choice((0.01, 0.3, 2.0, 12.0)))
        for one in it.tasks:
            it.lines[one].is_cut, it.lines[one].losses = False, 0.0
        await it.settled(it.tasks, within=2 * TERMS.duration)


async def _one_act(it, newcomer):
    line = it.lines[it.random.choice(list(it.tasks))]
    whole = [one for one in it.tasks if not it.lines[one].is_cut]
    match it.random.choice(("join", "leave", "kill", "cut", "mend", "lossy", "wait")):
        case "join" if len(it.tasks) < 6:
            it.join(newcomer, ahead=it.random.uniform(-9e4, 9e4))
        case "leave" if len(whole) > 1:
            await it.leave(it.random.choice(whole))
        case "kill" if len(whole) > 1:
            it.kill(it.random.choice(whole))
        case "cut" | "mend" as act:
            line.is_cut = act == "cut"
        case "lossy":
            line.losses = it.random.choice((0.0, 0.3))


async def test_one_that_stood_still_has_stopped_before_it_says_that_it_lives():
    """As by SIGSTOP: it finds its Lease over only once others act on what was its own."""
    async with group("b") as it:
        still = it.partner("a")
        for _ in range(20):
            await still._turn()
            await asyncio.sleep(0.4)
        had = [one for one, actors in it.actors.items() if "a" in actors]
        assert had and len(had) < len(NAMESPACES)
        for one in had:
            it.actors[one].discard("a")  # who stands still does nothing
        await it.settled("b", within=TERMS.duration + 1)
        acting = []
        create = it.kube.create

        async def note(*words):
            acting.append([one for one in had if "a" in it.actors[one]])
            return await create(*words)

        it.kube.create = note
        for one in had:
            it.actors[one].add("a")  # it goes on as it was
        for _ in range(2):
            await still._turn()
        assert acting == [[]]
