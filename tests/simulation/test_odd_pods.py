"""Pods that are not, or not any more, the base's: by seed, in the middle of releases (semantics 8)."""

import asyncio

import pytest

from arkwright.model.names import DETACHED, MODULE_REPLICASET
from arkwright.model.resources import Kind
from fakes.base import FakeBase
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


@pytest.mark.parametrize("app, is_deleted", [(BASE, True), ("store", False), ("store", True)])
async def test_a_quarantined_pod_that_a_base_uses_again_gives_up_what_no_replica_set_counts(app, is_deleted):
    world = World()
    world.add_base("store")
    world.add_pods(2)
    async with world.running():
        world.apply(version="1.0", replicas=1)
        await world.until(lambda: world.progress() == "Completed")
        (taken,) = world.serving()
        world.relabel(taken, app="debug")
        await world.until(lambda: len(world.available("1.0")) == 2)
        if is_deleted:
            world.delete()
            await world.until(lambda: world.deployment() is None)
        assert taken in world.installed("1.0")
        world.relabel(taken, app=app)
        await world.until(lambda: taken not in world.installed("1.0"))
        assert len(world.serving()) == len(world.modules(live=False)) == (0 if is_deleted else 1)
        told = [one["message"] for one in world.kube.all(Kind.EVENT) if one["reason"] == "ModuleDetached"]
        assert any(f"is used by base {app} again" in one and "it is uninstalled" in one for one in told)


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


def silent_pod(world):
    """A pod with the base's labels and no agent, such as a person's helper; first of all by its name."""
    address = world.add_pod()
    del world.arklet.bases[address]
    return address


async def test_a_silent_pod_is_no_beta_once_it_is_known_and_holds_up_a_release_no_longer_than_its_deadline():
    world = World()
    silent_pod(world)
    world.add_pods(2)
    async with world.running():
        strategy = {"useBeta": True, "batchCount": 3}
        world.apply(version="1.0", replicas=-1, progressDeadlineSeconds=30, operationStrategy=strategy)
        await asyncio.sleep(25)
        assert not world.available("1.0"), "its own batch waits for it"
        await world.until(lambda: world.progress() == "Completed", seconds=20)
        assert "stock-1, whose agent has never answered" in world.condition("Available")["message"]
        assert world.condition("Available")["status"] == "False", "it says that it is ready, so it is missed"
        world.apply(version="2.0")
        await world.until(lambda: len(world.available("2.0")) == 2, seconds=20)
        assert world.progress() == "Executing", "it is the last one, and waited for"
        await world.until(lambda: world.progress() == "Completed", seconds=60)
        assert [one["spec"]["module"]["version"] for one in world.modules() if "Failed" in str(one["status"])] == [
            "2.0"
        ]
        world.delete()
        await world.until(lambda: world.deployment() is None, seconds=20)


@pytest.mark.parametrize("policy", POLICIES)
async def test_a_silent_pod_that_is_not_ready_is_not_missed_in_symmetric_mode(policy):
    world = World()
    address = silent_pod(world)
    world.add_pods(2)
    pod = world.pod_at(address)
    unready = pod["status"] | {"conditions": [{"type": "Ready", "status": "False"}]}
    world.kube.change(world.kube.path(pod) + "/status", {"status": unready})
    async with world.running():
        strategy = {"upgradePolicy": policy, "maxUnavailable": 1}
        for version in ("1.0", "2.0"):
            world.apply(version=version, replicas=-1, operationStrategy=strategy)
            await world.until(lambda: len(world.available(version)) == 2, seconds=20)  # noqa: B023
            await world.until(lambda: world.condition("Ready").get("status") == "True", seconds=20)
        assert (world.status()["replicas"], world.status()["availableReplicas"]) == (3, 2)
        world.arklet.bases[address] = FakeBase()
        await world.until(lambda: len(world.available("2.0")) == 3, seconds=90)


async def test_no_release_is_complete_by_excuses_alone():
    world = World()
    silent_pod(world)
    silent_pod(world)
    async with world.running():
        world.apply(version="1.0", replicas=2, progressDeadlineSeconds=10)
        await asyncio.sleep(60)
        assert world.progress() == "Executing" and world.condition("Stalled")["status"] == "True"
