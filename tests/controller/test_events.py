"""Events: repeated failures are counted in one, a release's story is a list, and a lost Event stops nothing."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from arkwright.clients.errors import ApiUnreachable
from arkwright.controller.events import Events
from arkwright.model.outcomes import EventReason
from arkwright.model.resources import Kind
from arkwright.plan.intents import Target, Tell
from fakes.kube import FakeKube

pytestmark = pytest.mark.looptime
MODULE = Target(Kind.MODULE, "default", "m", "uid-m")


def clock():
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=asyncio.get_running_loop().time())


def failed(words):
    return Tell(MODULE, EventReason.MODULE_INSTALL_FAILED, words, is_warning=True)


async def told(kube, *all_told):
    events = Events(kube, clock)
    for one in all_told:
        events.tell(one)
    await events.flush(60)
    return [(one["reason"], one["count"], one["message"]) for one in kube.all(Kind.EVENT)]


async def test_a_failure_that_repeats_is_one_event_with_a_count_and_the_newest_words():
    kube = FakeKube(clock, lag=lambda: 0.01)
    found = await told(kube, failed("no"), failed("no"), failed("still no"))
    assert found == [("ModuleInstallFailed", 3, "still no")]


async def test_the_steps_of_a_release_are_events_of_their_own():
    steps = (Tell(MODULE, EventReason.BATCH_STARTED, f"batch {number}/3 begins") for number in (2, 3))
    assert len(await told(FakeKube(clock), *steps)) == 2


async def test_an_event_that_cannot_be_written_is_only_logged():
    def refuse(verb, path):
        raise ApiUnreachable("no answer")

    assert await told(FakeKube(clock, refuse=refuse), failed("no")) == []


async def test_what_fails_again_in_the_same_words_is_written_the_2nd_4th_8th_time_and_after_a_while():
    kube = FakeKube(clock)
    events, counts = Events(kube, clock), []
    for _ in range(20):
        events.tell(failed("no"))
        await events.flush(60)
        counts += [one["count"] for one in kube.all(Kind.EVENT)]
    await asyncio.sleep(301)
    events.tell(failed("no"))
    await events.flush(60)
    assert sorted({*counts}) == [1, 2, 4, 8, 16]
    assert [one["count"] for one in kube.all(Kind.EVENT)] == [21]
    assert len(kube.writes) == 6


async def test_an_event_that_has_ended_meanwhile_is_told_anew_and_one_of_an_earlier_life_is_counted_on():
    kube = FakeKube(clock)
    await told(kube, failed("no"), failed("no"))
    events = Events(kube, clock)
    events.tell(failed("no"))
    await events.flush(60)
    assert [one["count"] for one in kube.all(Kind.EVENT)] == [3]
    kube.remove(kube.path(kube.all(Kind.EVENT)[0]))
    events.tell(failed("no"))
    await events.flush(60)
    assert [one["count"] for one in kube.all(Kind.EVENT)] == [1]
