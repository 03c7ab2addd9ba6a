"""A wish that is changed ends in the state that the new one names, and loses nothing on the way (semantics 1, 7)."""

import asyncio

import pytest

from arkwright.model.names import ABORT
from arkwright.model.resources import RESOURCES, Kind
from simulation.invariants import service_is_never_thinner_than_promised
from simulation.world import BASE, NAMESPACE, World

pytestmark = pytest.mark.looptime(noop_cycles=0)  # there is no real I/O to wait for
POLICIES = ("install_then_uninstall", "uninstall_then_install", "scaleup_then_scaledown")
SERVICE = {"enableModuleService": True, "port": 80, "drainSeconds": 0}


def two_bases(here=2, there=2, seed=0, chance=0.0):
    world = World(seed, chance)
    world.add_base("store")
    return world, set(world.add_pods(here)), set(world.add_pods(there, app="store"))


def is_done(world, version="1.0"):
    return (
        world.progress() == "Completed"
        and world.condition("Ready").get("status") == "True"
        and world.available(version)
    )


@pytest.mark.parametrize("replicas", [2, -1])
@pytest.mark.parametrize("policy", POLICIES)
async def test_modules_move_to_the_base_that_is_named_in_batches_and_none_stays(policy, replicas):
    world, here, there = two_bases()
    strategy = {"upgradePolicy": policy, "batchCount": 2, "needConfirm": True}
    async with world.running():
        world.apply(version="1.0", replicas=replicas)
        await world.until(lambda: is_done(world))
        assert set(world.serving()) == here
        world.promised, world.invariants = 2, [service_is_never_thinner_than_promised]
        world.apply(baseDeploymentName="store", operationStrategy=strategy)
        await world.until(lambda: world.progress() == "Paused" and world.batch() == 1)
        assert len(set(world.serving()) & there) == 1, "the first batch is one pod"
        world.patch(pause=False)
        await world.until(lambda: world.progress() == "Completed")
        assert set(world.serving()) == there and len(world.modules(live=False)) == 2, world.told()


async def test_a_base_without_pods_or_without_a_deployment_empties_no_other():
    world, here, _ = two_bases(there=0)
    async with world.running():
        world.apply(version="1.0", replicas=-1)
        await world.until(lambda: is_done(world))
        for name, said in (("store", "InsufficientBases"), ("nowhere", "BaseNotFound")):
            world.apply(baseDeploymentName=name)
            await world.until(lambda: world.condition("ReplicaFailure").get("reason") == said)  # noqa: B023
            await world.settle()
            assert set(world.serving()) == here and world.progress() != "Completed"
        world.apply(baseDeploymentName="store")
        (late,) = world.add_pods(1, app="store")
        await world.until(lambda: is_done(world) and world.serving() == [late])


async def test_a_move_that_is_taken_back_and_one_that_is_aborted_end_where_they_began():
    world, here, _ = two_bases()
    strategy = {"batchCount": 2, "needConfirm": True}
    async with world.running():
        world.apply(version="1.0", replicas=2)
        await world.until(lambda: is_done(world))
        for way_back in (
            lambda: world.apply(baseDeploymentName=BASE),
            lambda: world.annotate(**{ABORT: world.status()["releaseStatus"]["updateRevision"]}),
        ):
            world.apply(baseDeploymentName="store", operationStrategy=strategy)
            await world.until(lambda: world.progress() == "Paused")
            world.apply(operationStrategy={"needConfirm": False})
            way_back()
            await world.until(lambda: world.progress() in ("Completed", "Aborted") and set(world.serving()) == here)
            await world.settle()
            assert len(world.modules(live=False)) == 2


async def test_a_move_in_the_middle_of_anything_arrives(seed):
    world, here, there = two_bases(here=3, there=3, seed=seed, chance=0.04)
    pick = world.random
    async with world.running():
        for _ in range(4):
            strategy = {"upgradePolicy": pick.choice(POLICIES), "batchCount": pick.randint(1, 3)}
            base, version = pick.choice((BASE, "store")), pick.choice(("1.0", "2.0"))
            replicas = pick.choice((-1, 1, 2))
            world.apply(version=version, baseDeploymentName=base, replicas=replicas, operationStrategy=strategy)
            await asyncio.sleep(pick.uniform(0, 12))
        world.apply(operationStrategy={"upgradePolicy": POLICIES[0]})
        world.stop_faults()
        pods, count = (here if base == BASE else there), (3 if replicas < 0 else replicas)
        await world.until(
            lambda: (
                is_done(world, version)
                and len(world.available(version)) == len(world.modules(live=False)) == count
                and set(world.serving()) == set(world.serving(version)) <= pods
            ),
            seconds=600,
        )


def renamed(name, version="1.0"):
    return {"spec": {"module": {"name": name, "version": version, "url": f"http://archives/{name}-{version}.whl"}}}


async def test_a_renamed_module_takes_its_service_and_its_labels_along_once_it_serves():
    world = World()
    world.add_pods(2)
    async with world.running():
        world.apply(version="1.0", replicas=2, operationStrategy={"serviceStrategy": SERVICE, "batchCount": 2})
        await world.until(lambda: is_done(world))
        world.invariants = [
            lambda world: (
                world.kube.one(Kind.SERVICE, NAMESPACE, "provider-service") or not world.serving() or _fail(world)
            )
        ]
        world.apply(template=renamed("supplier"))
        await world.until(
            lambda: [one["metadata"]["name"] for one in world.kube.all(Kind.SERVICE)] == ["supplier-service"]
        )
        await world.until(lambda: is_done(world))
        assert not world.serves_labels() and not world.serving() and len(world.available()) == 2


def _fail(world):
    raise AssertionError("the old Service went while the old module served\n" + world.told())


async def test_two_that_want_one_module_on_one_base_are_told_of_each_other():
    world = World()
    world.add_pods(2)
    async with world.running():
        world.apply("first", version="1.0", replicas=-1)
        await world.until(lambda: world.progress("first") == "Completed")
        world.apply("second", version="2.0", replicas=-1)
        await world.until(
            lambda: (
                "2 already holds provider of first" in world.condition("ReplicaFailure", "second").get("message", "")
            )
        )
        assert world.condition("Ready", "second")["status"] == "False" and len(world.serving("1.0")) == 2
        world.delete(name="first")
        await world.until(lambda: len(world.serving("2.0")) == 2)


async def test_what_an_install_uses_is_never_an_older_url(seed):
    """A url that is changed in the same moment as pods come is the one that they install."""
    world = World(seed, chance=0.02)
    world.add_pods(1)
    async with world.running():
        world.apply(version="1.0", replicas=-1)
        await world.until(lambda: world.available("1.0"))
        url = "http://archives/moved/provider-1.0.whl"
        world.apply(template={"spec": {"module": {"name": "provider", "version": "1.0", "url": url}}})
        await asyncio.sleep(world.random.choice((0.06, 0.1, 0.3)))  # the watch has brought it
        late = world.add_pods(3)
        await world.until(lambda: set(late) <= set(world.serving("1.0")))
        assert {one for address, one in world.arklet.urls if address.partition(":")[0] in late} == {url}


async def test_a_module_whose_version_somebody_changes_by_hand_is_put_right():
    world = World()
    world.add_pods(1)
    async with world.running():
        world.apply(version="1.0", replicas=1)
        await world.until(lambda: is_done(world))
        (one,) = world.modules()
        path = RESOURCES[Kind.MODULE].path(NAMESPACE, one["metadata"]["name"])
        world.kube.change(path, {"spec": {"module": {"version": "9.9"}}})
        await world.until(lambda: world.available("1.0") and len(world.serves_labels()) == 1)
        assert world.calls("installBiz") == 1
