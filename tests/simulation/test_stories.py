"""Golden stories: what the controller does in a few rollouts, and why, in its own words, for a person to review.

Rewrite them after a change that is meant: pytest tests/simulation/test_stories.py --rewrite-stories, then read the diff.
"""

from pathlib import Path

import pytest
import structlog

from arkwright.model.names import GROUP
from simulation.invariants import ALL
from simulation.world import World

pytestmark = pytest.mark.looptime(noop_cycles=0)  # there is no real I/O to wait for
STORIES = Path(__file__).parent / "stories"
TOLD = {"Create", "Patch", "SetStatus", "Delete", "Call", "Tell"}


@pytest.fixture
def told(request):
    """told(name, world): compares the world's story with the golden one."""
    worlds = []

    def begin(name):
        world = World()
        world.invariants = list(ALL)
        world.name = name
        worlds.append(world)
        structlog.configure(
            processors=[lambda _, __, event: _note(world, event)],
            wrapper_class=structlog.make_filtering_bound_logger(20),
            cache_logger_on_first_use=False,
        )
        return world

    yield begin
    for world in worlds:
        _compare(world, request.config.getoption("--rewrite-stories"))


def _note(world, event):
    if event["event"] in TOLD:
        kind, _, name = event["of"].replace("/default/", "/").partition("/")
        world.tell(f"{event['event']:<10}{kind} {name}: {event['because'].replace(GROUP + '/', '')}")
    raise structlog.DropEvent


def _compare(world, is_rewritten):
    story = "".join(f"{line}\n" for line in world.story if " patch " not in line and " create " not in line)
    path = STORIES / f"{world.name}.txt"
    if is_rewritten:
        path.write_text(story)
    assert path.read_text() == story


async def test_a_module_goes_online_in_two_batches_with_a_confirm(told):
    world = told("online")
    world.add_pods(2)
    async with world.running():
        world.apply(version="1.0", replicas=2, operationStrategy={"batchCount": 2, "needConfirm": True})
        await world.until(lambda: world.progress() == "Paused")
        await world.settle()
        assert len(world.available("1.0")) == 1
        world.patch(pause=False)
        await world.until(lambda: world.progress() == "Completed")
        await world.settle()
    assert world.serving("1.0") == ["127.1.0.1", "127.1.0.2"]


async def test_a_release_in_place_loses_no_pod_of_the_service(told):
    world = told("release-in-place")
    world.add_pods(2)
    service = {"enableModuleService": True, "port": 80, "targetPort": 8080, "drainSeconds": 2}
    async with world.running():
        world.apply(version="1.0", replicas=2, operationStrategy={"batchCount": 2, "serviceStrategy": service})
        await world.until(lambda: world.progress() == "Completed")
        world.promised = 2
        world.apply(version="2.0")
        await world.until(lambda: world.progress() == "Completed")
        await world.settle()
    assert world.serving("2.0") == world.serves_labels() == ["127.1.0.1", "127.1.0.2"]


async def test_a_version_that_does_not_start_stops_at_its_batch_and_goes_on_once_it_does(told):
    world = told("failing-version")
    addresses = world.add_pods(2)
    async with world.running():
        world.apply(version="1.0", replicas=2, operationStrategy={"batchCount": 2})
        await world.until(lambda: world.progress() == "Completed")
        world.promised = 2
        for address in addresses:
            world.arklet.bases[address].failures["installBiz"] = 2
        world.apply(version="2.0")
        await world.until(lambda: world.condition("ReplicaFailure").get("status") == "True")
        assert (world.batch(), len(world.available("1.0"))) == (1, 2)
        await world.until(lambda: world.progress() == "Completed")
        await world.settle()
    assert len(world.serving("2.0")) == 2


async def test_one_pod_at_a_time_where_the_old_version_has_to_go_first(told):
    world = told("uninstall-then-install")
    world.add_pods(3)
    strategy = {"upgradePolicy": "uninstall_then_install", "maxUnavailable": 1}
    async with world.running():
        world.apply(version="1.0", replicas=3, operationStrategy=strategy)
        await world.until(lambda: world.progress() == "Completed")
        world.promised = 2
        world.apply(version="2.0")
        await world.until(lambda: world.progress() == "Completed")
        await world.settle()
    assert len(world.serving("2.0")) == 3


async def test_a_deletion_takes_everything_with_it(told):
    world = told("deletion")
    world.add_pods(2)
    async with world.running():
        world.apply(version="1.0", replicas=2)
        await world.until(lambda: world.progress() == "Completed")
        world.delete()
        await world.until(lambda: world.deployment() is None)
        await world.settle()
    assert not world.serving() and not world.modules(live=False)
