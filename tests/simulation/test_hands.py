"""What people change by hand in objects that are ours: put right, and told; by seed, beside releases (semantics 7)."""

import asyncio

import pytest

from arkwright.model.names import DETACHED, SERVES_PREFIX
from arkwright.model.resources import Kind
from simulation.hands import ACTS, TOLD, name_of
from simulation.world import NAMESPACE, World

pytestmark = pytest.mark.looptime(noop_cycles=0)  # there is no real I/O to wait for
SERVICE = {"serviceStrategy": {"enableModuleService": True, "port": 80, "drainSeconds": 0}}


def told(world, reason="PutRight"):
    return [one["message"] for one in world.kube.all(Kind.EVENT) if one["reason"] == reason]


def is_right(world, version="1.0", count=2):
    modules = world.modules(live=False)
    return (
        world.progress() == "Completed"
        and len(world.available(version)) == len(modules) == count
        and world.serves_labels() == world.serving(version)
        and all(one["metadata"].get("finalizers") and one["metadata"].get("ownerReferences") for one in modules)
        and all(DETACHED not in one["metadata"]["labels"] for one in modules)
        and all(one["metadata"].get("finalizers") for one in world.kube.all(Kind.MODULE_REPLICASET))
        and _selector_of(world) == {SERVES_PREFIX + "provider": "true"}
    )


def _selector_of(world):
    return (world.kube.one(Kind.SERVICE, NAMESPACE, "provider-service") or {"spec": {}})["spec"].get("selector")


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
async def test_what_somebody_changes_by_hand_is_put_right(act):
    world = World()
    world.add_pods(2)
    async with world.running():
        world.apply(version="1.0", replicas=2, operationStrategy=SERVICE)
        await world.until(lambda: is_right(world))
        installs = world.calls("installBiz")
        (module, *_) = world.modules()
        address = module["metadata"]["labels"]["serverless.alipay.com/base-instance-ip"]
        act(world, world.pod_at(address), module)
        await world.settle()
        await world.until(lambda: is_right(world))
        assert (world.calls("installBiz"), world.calls("uninstallBiz")) == (installs, 0), world.told()
        assert act not in TOLD or told(world), "it is told"
        world.apply(version="2.0")
        await world.until(lambda: is_right(world, "2.0"))
        world.delete()
        await world.until(lambda: world.deployment() is None and not world.modules(live=False) and not world.serving())


async def test_a_release_alone_is_no_hand():
    world = World()
    world.add_pods(3)
    async with world.running():
        for policy in ("install_then_uninstall", "uninstall_then_install"):
            for version in ("1.0", "2.0"):
                strategy = SERVICE | {"upgradePolicy": policy}
                world.apply(version=version, replicas=3, operationStrategy=strategy)
                await world.until(lambda: is_right(world, version, 3))  # noqa: B023
        world.restart_base(world.serving()[0])
        await world.settle()
        assert not told(world)


async def test_hands_in_the_middle_of_releases_change_nothing_in_the_end(seed):
    world = World(seed, chance=0.03)
    world.add_pods(3)
    pick = world.random
    async with world.running():
        for version in ("1.0", "2.0", "3.0"):
            strategy = SERVICE | {"batchCount": pick.randint(1, 3)}
            world.apply(version=version, replicas=pick.choice((2, -1)), operationStrategy=strategy)
            for _ in range(3):
                await asyncio.sleep(pick.uniform(0, 5))
                if world.modules() and world.kube.one(Kind.SERVICE, NAMESPACE, "provider-service"):
                    pods = sorted(world.kube.all(Kind.POD), key=name_of)
                    pick.choice(ACTS)(world, pick.choice(pods), pick.choice(sorted(world.modules(), key=name_of)))
        world.stop_faults()
        count = 2 if world.deployment()["spec"]["replicas"] == 2 else 3
        await world.until(lambda: is_right(world, "3.0", count), seconds=600)
