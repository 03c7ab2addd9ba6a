"""A clock that is set, by a day back or ahead, in the middle of whatever waits for time: nothing waits longer than the longest pause for it."""

from datetime import timedelta

import pytest

from simulation.world import World as PlainWorld

pytestmark = pytest.mark.looptime(noop_cycles=0)  # there is no real I/O to wait for
LONGEST_PAUSE_SECONDS = 75  # back-off: 60 s and a fifth
DAY = timedelta(days=1)


class World(PlainWorld):
    """Whose clock may be set. The API's clock is the same one."""

    offset = timedelta()

    def now(self):
        return super().now() + self.offset

    def set_clock(self, by):
        self.offset += by
        self.tell(f"the clock is set by {by}")


async def is_tried_again(world):
    (address,) = world.add_pods(1)
    world.arklet.bases[address].failures["installBiz"] = 6
    world.apply(version="1.0", replicas=1)
    await world.until(lambda: world.arklet.bases[address].failures["installBiz"] == 0)


async def is_in_gray_time(world):
    world.add_pods(2)
    strategy = {"batchCount": 2, "grayTimeBetweenBatchSeconds": 60}
    world.apply(version="1.0", replicas=2, operationStrategy=strategy)
    await world.until(lambda: world.status().get("releaseStatus", {}).get("nextReconcileTime"))


async def is_to_be_ready_for_a_while(world):
    world.add_pods(2)
    world.apply(version="1.0", replicas=2, minReadySeconds=30)
    await world.until(lambda: len(world.available("1.0")) == 2)


async def is_just_begun(world):
    world.add_pods(2)
    world.apply(version="1.0", replicas=2)


async def has_lost_an_answer(world):
    (address,) = world.add_pods(1)
    base = world.arklet.bases.pop(address)
    world.apply(version="1.0", replicas=1)
    await world.until(lambda: world.modules("1.0") and world.modules("1.0")[0].get("status", {}).get("attempts", 0) > 3)
    world.arklet.bases[address] = base


WAITING = (is_tried_again, is_in_gray_time, is_to_be_ready_for_a_while, is_just_begun, has_lost_an_answer)


@pytest.mark.parametrize("by", [-DAY, DAY], ids=["back", "ahead"])
@pytest.mark.parametrize("restarts", [False, True], ids=["", "restarted"])
@pytest.mark.parametrize("state", WAITING, ids=lambda one: one.__name__)
async def test_a_clock_that_is_set_holds_up_nothing_for_longer_than_the_longest_pause(state, restarts, by):
    world = World()
    async with world.running():
        await state(world)
        if restarts:
            await world.kill_controller()
        world.set_clock(by)
        if restarts:
            world.start_controller()
        await world.until(lambda: world.progress() == "Completed", seconds=2 * LONGEST_PAUSE_SECONDS)
        world.apply(version="2.0", operationStrategy={"grayTimeBetweenBatchSeconds": 0}, minReadySeconds=0)
        await world.until(lambda: world.progress() == "Completed", seconds=LONGEST_PAUSE_SECONDS)
        count = len(world.installed("1.0")) + len(world.installed("2.0"))
        await world.until(lambda: len(world.serving("2.0")) == count, seconds=LONGEST_PAUSE_SECONDS)


@pytest.mark.parametrize("seconds", [30, 90, 600])
async def test_a_try_waits_for_no_moment_that_its_own_pause_would_not_have_set(seconds):
    world = World()
    async with world.running():
        await has_lost_an_answer(world)
        world.set_clock(timedelta(seconds=-seconds))
        await world.until(lambda: world.available("1.0"), seconds=25)
