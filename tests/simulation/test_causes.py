"""Why a revision came, in the words of whoever made it, stays with it (`kubernetes.io/change-cause`, as Deployments have it)."""

import pytest

from arkwright.model.names import ABORT, CHANGE_CAUSE
from arkwright.model.resources import Kind
from simulation.world import World

pytestmark = pytest.mark.looptime(noop_cycles=0)  # there is no real I/O to wait for


def causes(world):
    """By version."""
    found = world.kube.all(Kind.MODULE_REPLICASET)
    return {
        one["spec"]["template"]["spec"]["module"]["version"]: one["metadata"].get("annotations", {}).get(CHANGE_CAUSE)
        for one in found
    }


async def test_each_revision_keeps_its_cause_and_a_new_word_is_that_of_the_current_one():
    world = World()
    world.add_pods(2)
    async with world.running():
        world.apply(version="1", replicas=-1)
        world.annotate(**{CHANGE_CAUSE: "the first"})
        await world.until(lambda: world.progress() == "Completed")
        world.apply(version="2")
        world.annotate(**{CHANGE_CAUSE: "a better one"})
        await world.until(lambda: len(world.available("2")) == 2)
        await world.until(lambda: causes(world) == {"1": "the first", "2": "a better one"})
        world.annotate(**{CHANGE_CAUSE: "much better"})
        await world.until(lambda: causes(world) == {"1": "the first", "2": "much better"})
        world.annotate(**{CHANGE_CAUSE: None})
        await world.settle()
        assert causes(world) == {"1": "the first", "2": "much better"}


async def test_the_way_back_of_an_abort_takes_no_cause_of_what_is_given_up():
    world = World()
    world.add_pods(2)
    async with world.running():
        world.apply(version="1", replicas=-1, operationStrategy={"batchCount": 2, "needConfirm": True})
        world.annotate(**{CHANGE_CAUSE: "the first"})
        await world.until(lambda: world.progress() == "Paused")
        world.patch(pause=False)
        await world.until(lambda: world.progress() == "Completed")
        world.apply(version="2")
        world.annotate(**{CHANGE_CAUSE: "a mistake"})
        await world.until(lambda: world.progress() == "Paused")
        world.annotate(**{ABORT: "demo-replicas-2"})
        await world.until(lambda: world.progress() == "Aborted")
        await world.settle()
        assert causes(world) == {"1": "the first", "2": "a mistake"}
