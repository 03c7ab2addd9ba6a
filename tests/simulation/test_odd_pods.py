"""Pods that are not, or not any more, the base's: by seed, in the middle of releases (semantics 8)."""

import asyncio

import pytest

from arkwright.model.names import DETACHED, MODULE_REPLICASET
from arkwright.model.resources import Kind
from simulation.invariants import no_call_to_a_pod_nobody_planned, one_live_module_per_replica_set_and_pod
from simulation.world import BASE, World

pytestmark = pytest.mark.looptime(noop_cycles=0)  # there is no real I/O to wait for
POLICIES = ("install_then_uninstall", "uninstall_then_install")


def held(world, address):
    return [
        one for one in world.modules() if one["metadata"]["labels"]["serverless.alipay.com/base-instance-ip"] == address
    ]


def attached(world):
    return [one for one in world.modules(live=False) if MODULE_REPLICASET in one["metadata"]["labels"]]


async def test_a_quarantined_pod_keeps_its_module_gets_no_request_and_is_replaced():
    world = World()
    first, second, third = world.add_pods(3)
    async with world.running():
        world.apply(version="1.0", replicas=2)
        await world.until(lambda: world.progress() == "Completed")
        taken = world.serving()[0]
        (spare,) = {first, second, third} - set(world.serving())
        world.relabel(taken, app="debug")
        await world.until(lambda: len(world.available("1.0")) == 3)
        assert taken not in world.serves_labels() and spare in world.serves_labels()
        world.apply(version="2.0")
        await world.until(lambda: world.progress() == "Completed" and len(world.installed("2.0")) == 2)
        assert world.installed("1.0") == [taken]
        world.delete()
        await world.until(lambda: world.deployment() is None)
        assert world.installed("1.0") == [taken], "it is left to whoever looks into it"
        (left,) = world.modules()
        assert DETACHED in left["metadata"]["labels"] and left["status"]["reason"] == "Detached"
        world.delete(Kind.MODULE, left["metadata"]["name"])
        await world.until(lambda: not world.installed("1.0"))


async def test_a_pod_that_comes_back_is_counted_again_and_no_version_is_lost():
    world = World()
    first, _ = world.add_pods(2)
    async with world.running():
        world.apply(version="1.0", replicas=-1)
        await world.until(lambda: world.progress() == "Completed")
        calls = world.calls("installBiz")
        world.relabel(first, app="debug")
        await world.until(lambda: world.status()["replicas"] == 1 and first not in world.serves_labels())
        await world.settle()
        assert first in world.installed("1.0") and world.status()["availableReplicas"] == 1
        world.relabel(first, app=BASE)
        await world.until(lambda: first in world.serves_labels() and world.status()["availableReplicas"] == 2)
        assert world.calls("installBiz") == calls, "it was there all the time"


@pytest.mark.parametrize("kind", ["Job", "StatefulSet", "DaemonSet"])
async def test_a_pod_of_somebody_else_is_no_candidate_and_gives_up_what_it_has(kind):
    world = World()
    first, second = world.add_pods(2)
    async with world.running():
        world.apply(version="1.0", replicas=-1)
        await world.until(lambda: world.progress() == "Completed")
        world.give_to(first, kind, "migration")
        await world.until(lambda: world.installed("1.0") == [second] and world.status()["replicas"] == 1)


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
async def test_a_pod_that_has_ended_holds_nothing(phase):
    world = World()
    first, second = world.add_pods(2)
    async with world.running():
        world.apply(version="1.0", replicas=1)
        await world.until(lambda: world.progress() == "Completed")
        (holder,) = world.serving()
        world.end_pod(holder, phase)
        await world.until(lambda: world.serving() == [({first, second} - {holder}).pop()])
        await world.until(lambda: len(world.modules(live=False)) == 1)


async def test_odd_pods_beside_releases_change_nothing_for_the_others(seed):
    """Relabelled, taken over and ended pods at any moment: the rest ends as the last wish says."""
    world = World(seed, chance=0.03)
    world.add_pods(5)
    world.invariants = [one_live_module_per_replica_set_and_pod, no_call_to_a_pod_nobody_planned]
    pick, debugged, lost = world.random, set(), set()
    strategy = {"upgradePolicy": pick.choice(POLICIES), "batchCount": pick.randint(1, 3)}
    async with world.running():
        for version in ("1.0", "2.0", "3.0"):
            world.apply(version=version, replicas=pick.choice((-1, 2, 3)), operationStrategy=strategy)
            await asyncio.sleep(pick.uniform(0, 10))
            one = pick.choice(sorted(set(world.arklet.bases) - debugged - lost))
            if pick.random() < 0.5:
                debugged.add(one)
                world.relabel(one, app="debug")
            else:
                lost.add(one)
                pick.choice((lambda: world.give_to(one, "Job", "other"), lambda: world.end_pod(one, "Failed")))()  # noqa: B023
        world.stop_faults()
        staying = set(world.arklet.bases) - debugged - lost
        wanted = world.deployment()["spec"]["replicas"]
        count = len(staying) if wanted < 0 else min(wanted, len(staying))
        await world.until(
            lambda: (
                set(world.serves_labels()) <= staying
                and len(set(world.serving("3.0")) & staying) == count
                and len(world.serves_labels()) == count
                and not any(held(world, one) for one in lost)
                and len(attached(world)) == count
            ),
            seconds=600,
        )
