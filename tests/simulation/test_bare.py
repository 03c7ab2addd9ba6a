"""ReplicaSets without a ModuleDeployment, Modules without a ReplicaSet, and what is let go of and adopted again (semantics 7)."""

import asyncio

import pytest

from arkwright.model.names import BASE_DEPLOYMENT, MODULE_DEPLOYMENT
from arkwright.model.resources import RESOURCES, Kind
from simulation.world import BASE, NAMESPACE, World

pytestmark = pytest.mark.looptime(noop_cycles=0)  # there is no real I/O to wait for
MODULE = {"name": "provider", "version": "1.0", "url": "http://archives/provider-1.0.whl"}
TO_BASE = {"labels": {BASE_DEPLOYMENT: BASE}}
SERVICE = {"enableModuleService": True, "port": 80, "drainSeconds": 0}


def bare_set(replicas, **more):
    return {"replicas": replicas, "template": {"spec": {"module": MODULE}}, **more}


def replica_sets(world):
    return {one["metadata"]["name"]: one["metadata"] for one in world.kube.all(Kind.MODULE_REPLICASET)}


def scale(world, replicas):
    world.kube.change(RESOURCES[Kind.MODULE_REPLICASET].path(NAMESPACE, "alone"), {"spec": {"replicas": replicas}})


def status_of(world, kind, name):
    return (world.kube.one(kind, NAMESPACE, name) or {}).get("status", {})


@pytest.mark.parametrize("how", [{}, {"selector": {"matchLabels": {"app": BASE}}}], ids=["base label", "selector"])
async def test_a_bare_replica_set_keeps_its_replicas(how):
    world = World()
    world.add_pods(3)
    async with world.running():
        world.put(Kind.MODULE_REPLICASET, "alone", bare_set(2, **how), **({} if how else TO_BASE))
        await world.until(lambda: len(world.available("1.0")) == 2 and len(world.serves_labels()) == 2)
        scale(world, 3)
        await world.until(lambda: len(world.available("1.0")) == 3)
        scale(world, 1)
        await world.until(lambda: len(world.serving()) == len(world.modules(live=False)) == 1)
        world.delete(Kind.MODULE, world.modules()[0]["metadata"]["name"])
        await world.until(lambda: len(world.available()) == 1)
        world.remove_pod(world.serving()[0])
        await world.until(lambda: len(world.available()) == 1 and len(world.serving()) == 1)
        world.delete(Kind.MODULE_REPLICASET, "alone")
        await world.until(lambda: not world.modules(live=False) and not world.serving() and not replica_sets(world))


async def test_a_bare_replica_set_that_names_no_pods_says_so():
    world = World()
    world.add_pods(1)
    async with world.running():
        world.put(Kind.MODULE_REPLICASET, "alone", bare_set(1))
        await world.until(lambda: status_of(world, Kind.MODULE_REPLICASET, "alone").get("conditions"))
        (said,) = status_of(world, Kind.MODULE_REPLICASET, "alone")["conditions"]
        assert said["reason"] == "InsufficientBases" and BASE_DEPLOYMENT in said["message"]


@pytest.mark.parametrize("how", [{}, {"selector": {"matchLabels": {"app": BASE}}}], ids=["base label", "selector"])
async def test_a_bare_module_is_placed_and_installed(how):
    world = World()
    async with world.running():
        world.put(Kind.MODULE, "alone", {"module": MODULE, **how}, **({} if how else TO_BASE))
        await world.until(lambda: status_of(world, Kind.MODULE, "alone").get("reason") == "InsufficientBases")
        world.add_pods(2)
        await world.until(lambda: len(world.available("1.0")) == 1 and len(world.serves_labels()) == 1)
        world.restart_base(world.serving()[0])
        await world.until(lambda: not world.serving())
        await world.until(lambda: len(world.available("1.0")) == len(world.serving()) == 1)
        world.delete(Kind.MODULE, "alone")
        await world.until(lambda: not world.modules(live=False) and not world.serving())


async def test_a_bare_module_that_fits_nowhere_says_where_it_could_go():
    world = World()
    world.add_pods(1)
    async with world.running():
        world.put(Kind.MODULE, "alone", {"module": MODULE})
        await world.until(lambda: "spec.selector means" in status_of(world, Kind.MODULE, "alone").get("message", ""))


async def test_what_is_orphaned_stays_installed_and_is_adopted_again():
    world = World()
    world.add_pods(2)
    async with world.running():
        wish = {"replicas": 2, "operationStrategy": {"serviceStrategy": SERVICE}}
        world.apply(version="1.0", **wish)
        await world.until(lambda: world.progress() == "Completed")
        world.orphan()
        await world.until(lambda: world.deployment() is None)
        await world.settle()
        assert len(world.serves_labels()) == 2 and not world.calls("uninstallBiz"), world.told()
        world.delete(Kind.MODULE, world.modules()[0]["metadata"]["name"])
        await world.until(lambda: world.calls("uninstallBiz") == 1)
        await world.until(lambda: len(world.available("1.0")) == 2)
        installs = world.calls("installBiz")
        world.apply(version="1.0", **wish)
        await world.until(lambda: world.progress() == "Completed" and world.status()["availableReplicas"] == 2)
        assert world.calls("installBiz") == installs and world.condition("ReplicaFailure")["status"] == "False"
        world.apply(version="2.0", **wish)
        await world.until(lambda: world.progress() == "Completed" and len(world.available("2.0")) == 2)
        world.delete()
        await world.until(lambda: world.deployment() is None)
        await world.until(lambda: not (world.serving() or replica_sets(world) or world.kube.all(Kind.SERVICE)))


async def test_modules_of_an_orphaned_replica_set_stay_and_its_successor_takes_them_over():
    world = World()
    world.add_pods(2)
    async with world.running():
        world.apply(version="1.0", replicas=2)
        await world.until(lambda: world.progress() == "Completed")
        uid = replica_sets(world)["demo-replicas-1"]["uid"]
        world.orphan(Kind.MODULE_REPLICASET, "demo-replicas-1")
        await world.until(lambda: replica_sets(world).get("demo-replicas-1", {"uid": uid})["uid"] != uid)
        await world.until(lambda: world.progress() == "Completed" and world.status()["availableReplicas"] == 2)
        assert (world.calls("installBiz"), world.calls("uninstallBiz")) == (2, 0)


TAKEN = [
    pytest.param({}, 2, id="a bare one of that name: numbered past"),
    pytest.param({"labels": {MODULE_DEPLOYMENT: "demo"}}, 1, id="one that demo would have made: adopted"),
    pytest.param({"labels": {MODULE_DEPLOYMENT: "other"}}, 2, id="one of another ModuleDeployment: numbered past"),
]


@pytest.mark.parametrize("metadata, number", TAKEN)
async def test_a_name_that_is_taken_stops_no_release(metadata, number):
    world = World()
    world.add_pods(2)
    async with world.running():
        world.put(Kind.MODULE_REPLICASET, "demo-replicas-1", bare_set(0), **metadata)
        world.apply(version="1.0", replicas=2)
        await world.until(lambda: world.progress() == "Completed" and len(world.available("1.0")) == 2)
        assert world.status()["releaseStatus"]["updateRevision"] == f"demo-replicas-{number}"
        world.apply(version="2.0")
        await world.until(lambda: world.progress() == "Completed" and len(world.available("2.0")) == 2)
        world.delete()
        await world.until(lambda: world.deployment() is None)
        assert ("demo-replicas-1" in replica_sets(world)) is (number == 2), "only its own goes with it"


async def test_objects_restored_with_owners_that_are_no_more_are_adopted():
    world = World()
    world.add_pods(1)
    stale = {
        "apiVersion": "serverless.alipay.com/v1alpha1",
        "kind": "ModuleDeployment",
        "name": "demo",
        "uid": "before",
    }
    metadata = {
        "ownerReferences": [stale | {"controller": True}],
        "labels": {MODULE_DEPLOYMENT: "demo", **TO_BASE["labels"]},
    }
    async with world.running():
        world.put(Kind.MODULE_REPLICASET, "demo-replicas-1", bare_set(1), **metadata)
        world.apply(version="1.0", replicas=1)
        await world.until(lambda: world.progress() == "Completed" and len(world.available("1.0")) == 1)
        (owner,) = replica_sets(world)["demo-replicas-1"]["ownerReferences"]
        assert owner["uid"] == world.deployment()["metadata"]["uid"]


async def test_orphaning_in_the_middle_of_anything_loses_nothing_that_serves(seed):
    """A person lets go of a ModuleDeployment at any moment and applies it again, perhaps with another version."""
    world = World(seed, chance=0.03)
    world.add_pods(4)
    pick = world.random
    async with world.running():
        strategy = {"batchCount": pick.randint(1, 3)}
        replicas = pick.choice((-1, 2, 4))
        world.apply(version="1.0", replicas=replicas, operationStrategy=strategy)
        await world.until(lambda: world.progress() == "Completed", seconds=300)
        count = len(world.serving())
        for version in ("2.0", pick.choice(("2.0", "3.0", "1.0"))):
            world.apply(version=version, replicas=replicas, operationStrategy=strategy)
            await asyncio.sleep(pick.uniform(0, 6))
            world.orphan()
            await world.until(lambda: world.deployment() is None, seconds=300)
            await asyncio.sleep(pick.uniform(0, 6))
            assert len(world.serving()) == count, world.told()
        world.stop_faults()
        world.apply(version="3.0", replicas=replicas, operationStrategy=strategy)
        await world.until(
            lambda: (
                world.progress() == "Completed"
                and len(world.available("3.0")) == len(world.modules(live=False)) == len(world.serves_labels()) == count
            ),
            seconds=600,
        )
        world.delete()
        await world.until(lambda: world.deployment() is None, seconds=600)
        await world.settle(10)
        assert not (world.modules(live=False) or world.serving() or replica_sets(world)), world.told()


async def test_two_bare_modules_of_one_name_that_are_bound_at_once_go_to_different_pods():
    world = World()
    world.add_pods(2)
    async with world.running():
        for name in ("one", "two", "three"):
            world.put(Kind.MODULE, name, {"module": MODULE}, **TO_BASE)
        await world.until(lambda: len(world.available("1.0")) == 2)
        await world.settle()
        assert len({world.address_of(one) for one in world.available("1.0")}) == 2
        (waiting,) = [one for one in world.modules() if one["status"]["status"] == "Pending"]
        assert "1 already holds provider of " in waiting["status"]["message"]
