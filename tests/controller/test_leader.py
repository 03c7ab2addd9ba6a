"""One controller acts at a time, and another takes over when it is silent or lets go."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from arkwright.clients.errors import ApiUnreachable
from arkwright.controller.leader import Leadership
from arkwright.controller.leases import Terms
from arkwright.model.names import ANSWERS_AT
from arkwright.model.resources import RESOURCES, Kind
from fakes.kube import FakeKube

pytestmark = pytest.mark.looptime
TERMS = Terms(duration=15, renew=3)


def clock():
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=asyncio.get_running_loop().time())


def now():
    return asyncio.get_running_loop().time()


async def test_the_first_leads_at_once_and_the_second_waits_while_it_renews():
    kube = FakeKube(clock)
    first, second = (Leadership(kube, TERMS, name, clock) for name in ("first", "second"))
    await first.lead()
    holding = asyncio.create_task(first.hold())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(second.lead(), 120)
    assert not holding.done()
    holding.cancel()


async def test_a_silent_leader_is_replaced_once_its_lease_is_over():
    kube = FakeKube(clock)
    first, second = (Leadership(kube, TERMS, name, clock) for name in ("first", "second"))
    await first.lead()
    await second.lead()
    assert 15 <= now() <= 15 + 2 * TERMS.renew


async def test_one_that_lets_go_is_replaced_at_the_next_look():
    kube = FakeKube(clock)
    first, second = (Leadership(kube, TERMS, name, clock) for name in ("first", "second"))
    await first.lead()
    await first.let_go()
    await second.lead()
    assert now() == 0


async def told_by_the_lease(kube):
    found = await kube.get(RESOURCES[Kind.LEASE], TERMS.namespace, TERMS.name)
    return found.metadata.annotations.get(ANSWERS_AT)


async def test_the_lease_says_where_its_holder_may_be_asked_and_nothing_once_it_has_gone():
    kube = FakeKube(clock)
    first, second, silent = (Leadership(kube, TERMS, name, clock) for name in ("first", "second", "silent"))
    first.answers_at, second.answers_at = "http://first:8081", "http://second:8081"
    for one, said in ((first, "http://first:8081"), (second, "http://second:8081"), (silent, None)):
        await one.lead()
        assert await told_by_the_lease(kube) == said
        await one.let_go()
        assert await told_by_the_lease(kube) is None
    await first.lead()
    await silent.lead()  # it was silent for too long
    assert await told_by_the_lease(kube) is None


async def test_a_leader_that_cannot_reach_the_api_stops_before_another_may_start():
    is_cut_off = False

    def refuse(verb, path):
        if is_cut_off:
            raise ApiUnreachable("no answer")

    leader = Leadership(FakeKube(clock, refuse=refuse), TERMS, "first", clock)
    await leader.lead()
    is_cut_off = True
    await leader.hold()
    assert now() < TERMS.duration


async def test_of_two_that_reach_for_it_at_once_one_gets_it():
    kube = FakeKube(clock, lag=lambda: 0.01)
    both = [asyncio.create_task(Leadership(kube, TERMS, name, clock).lead()) for name in ("first", "second")]
    done, waiting = await asyncio.wait(both, timeout=2)
    assert (len(done), len(waiting)) == (1, 1)
    waiting.pop().cancel()
