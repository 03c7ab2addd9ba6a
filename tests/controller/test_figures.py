"""Figures on a wall: how releases end, what their time goes into, how they stand, and why modules are not there."""

import asyncio

import pytest
from prometheus_client import generate_latest

from arkwright.model.names import ABORT
from arkwright.model.resources import RESOURCES, Kind
from fakes.kube import FakeKube
from simulation.world import NAMESPACE, World

pytestmark = pytest.mark.looptime(noop_cycles=0)  # there is no real I/O to wait for
IN_TWO = {"batchCount": 2, "needConfirm": True}


def figure(world, name, **labels):
    return world.controller.metrics.registry.get_sample_value(name, labels)


def spent(world):
    stages = ("working", "failing", "waiting_for_person", "waiting_for_time")
    return {one: figure(world, "arkwright_release_stage_seconds_total", stage=one) or 0 for one in stages}


async def until_complete(world, version):
    await world.until(lambda: world.progress() == "Completed" and len(world.available(version)) == 2)
    await world.settle()


async def test_a_release_is_counted_and_its_time_is_told_by_what_it_went_into():
    world = World()
    world.add_pods(2)
    async with world.running():
        world.apply(version="1", replicas=-1, operationStrategy=IN_TWO | {"grayTimeBetweenBatchSeconds": 30})
        await world.until(lambda: world.progress() == "Paused")
        await asyncio.sleep(600)
        assert figure(world, "arkwright_releases", stage="waiting_for_person") == 1
        assert 590 < figure(world, "arkwright_oldest_confirm_seconds") < 610
        world.patch(pause=False)
        await until_complete(world, "1")
        went = spent(world)
        assert 590 < went["waiting_for_person"] < 610 and 25 < went["waiting_for_time"] < 35, went
        assert 0 < went["working"] < 10 and not went["failing"], went
        assert figure(world, "arkwright_releases_ended_total", result="complete") == 1
        assert 620 < figure(world, "arkwright_release_seconds_sum", result="complete") < 660
        assert figure(world, "arkwright_release_batches_total") == 2
        assert figure(world, "arkwright_oldest_confirm_seconds") == 0
        assert figure(world, "arkwright_modules", phase="Available") == 2
        assert figure(world, "arkwright_releases", stage="complete") == 1


async def test_a_release_that_is_superseded_aborted_or_deleted_says_so():
    world = World()
    world.add_pods(2)
    async with world.running():
        world.apply(version="1", replicas=-1)
        await until_complete(world, "1")
        world.apply(version="2", operationStrategy=IN_TWO)
        await world.until(lambda: world.progress() == "Paused")
        world.apply(version="3")
        await world.until(lambda: figure(world, "arkwright_releases_ended_total", result="superseded") == 1)
        await world.until(lambda: world.progress() == "Paused" and world.available("3"))
        world.annotate(**{ABORT: "demo-replicas-3"})
        await world.until(lambda: world.progress() == "Aborted")
        assert figure(world, "arkwright_releases_ended_total", result="aborted") == 1
        world.annotate(**{ABORT: None})
        world.apply(version="4")
        await world.until(lambda: world.progress() == "Paused" and world.available("4"))
        world.delete()
        await world.until(lambda: not world.deployment())
        assert figure(world, "arkwright_releases_ended_total", result="deleted") == 1
        assert figure(world, "arkwright_releases_ended_total", result="complete") == 1


async def test_what_fails_is_told_by_its_cause_and_others_words_make_no_series():
    world = World()
    address, _ = world.add_pods(2)
    world.arklet.bases[address].broken_versions.add("1")
    async with world.running():
        world.apply(version="1", replicas=-1)
        await world.until(lambda: figure(world, "arkwright_releases", stage="failing"))
        assert figure(world, "arkwright_failing_releases", reason="InstallFailed") == 1
        assert figure(world, "arkwright_unavailable_modules", cause="InstallFailed") == 1
        (failed,) = (one for one in world.modules() if one["status"]["status"] == "Failed")
        world.kube.change(
            RESOURCES[Kind.MODULE].path(NAMESPACE, failed["metadata"]["name"]) + "/status",
            {"status": failed["status"] | {"reason": "words of somebody's own"}},
        )
        assert figure(world, "arkwright_unavailable_modules", cause="Other") in (1, None)
        assert "somebody" not in generate_latest(world.controller.metrics.registry).decode()


async def test_who_only_waits_for_the_lease_counts_nothing():
    world = World()
    world.add_pods(2)
    async with world.running():
        world.apply(version="1", replicas=-1)
        await until_complete(world, "1")
        acting = world.controller
    assert isinstance(world.kube, FakeKube) and acting.realms[0].book.phases["Available"] == 2
    assert figure(world, "arkwright_modules", phase="Available") == 0
    assert figure(world, "arkwright_releases_ended_total", result="complete") == 1, "what was counted stays"
