"""What random hand work has brought to light, each kind once, as a short story. The work itself: test_odd_hands."""

import asyncio

import pytest

from arkwright.model.names import BASE_DEPLOYMENT, MODULE_REPLICASET
from arkwright.model.resources import Kind
from simulation.hands import change, give_to_another_pod, name_of, take_labels, take_labels_of_replica_sets
from simulation.invariants import service_is_never_thinner_than_promised
from simulation.world import BASE, World

pytestmark = pytest.mark.looptime(noop_cycles=0)  # there is no real I/O to wait for
SERVICE = {"serviceStrategy": {"enableModuleService": True, "port": 80, "drainSeconds": 0}}


def archive(version, name="provider"):
    return {"name": name, "version": version, "url": f"http://archives/{name}-{version}.whl"}


def is_done(world, version, count):
    return world.progress() == "Completed" and len(world.available(version)) == len(world.modules(live=False)) == count


def replica_sets(world):
    return {name_of(one): one for one in world.kube.all(Kind.MODULE_REPLICASET)}


def said_of(world, kind, name):
    status = world.kube.one(kind, "default", name).get("status", {})
    return " ".join([status.get("message", ""), *(one.get("message", "") for one in status.get("conditions", []))])


@pytest.mark.parametrize("divided", [{"batchCount": 3}, {"batchCount": 2, "useBeta": True}])
async def test_batches_divided_anew_in_the_middle_take_nothing_back(divided):
    world = World()
    world.add_pods(4)
    async with world.running():
        world.apply(version="1.0", replicas=4)
        await world.until(lambda: is_done(world, "1.0", 4))
        world.promised, world.invariants = 4, [service_is_never_thinner_than_promised]
        world.apply(version="2.0", operationStrategy={"batchCount": 2, "needConfirm": True})
        await world.until(lambda: len(world.installed("2.0")) == 2)
        world.apply(operationStrategy=divided | {"needConfirm": False})
        await world.until(lambda: is_done(world, "2.0", 4))
        assert world.calls("uninstallBiz") == 4, "each old one, and nothing else"


async def test_modules_of_an_older_replica_set_that_was_orphaned_are_counted_again_and_leave():
    world = World()
    world.add_pods(2)
    async with world.running():
        world.apply(version="1.0", replicas=2)
        await world.until(lambda: is_done(world, "1.0", 2))
        world.apply(version="2.0", operationStrategy={"batchCount": 2, "needConfirm": True})
        await world.until(lambda: world.progress() == "Paused")
        world.promised, world.invariants = 2, [service_is_never_thinner_than_promised]
        world.orphan(Kind.MODULE_REPLICASET, "demo-replicas-1")
        await world.settle()
        assert len(world.serving("1.0")) == 1 and "demo-replicas-1" in replica_sets(world)
        world.patch(pause=False)
        await world.until(lambda: is_done(world, "2.0", 2))
        assert not world.installed("1.0")


async def test_an_orphaned_revision_is_made_anew_as_it_was_whatever_somebody_writes_meanwhile():
    world = World()
    world.add_pods(2)
    async with world.running():
        world.apply(version="1.0", replicas=2)
        await world.until(lambda: is_done(world, "1.0", 2))
        world.apply(version="2.0", operationStrategy={"batchCount": 2, "needConfirm": True})
        await world.until(lambda: world.progress() == "Paused")
        world.orphan(Kind.MODULE_REPLICASET, "demo-replicas-1")
        change(world, Kind.MODULE, name_of(world.modules("1.0")[0]), {"spec": {"module": {"version": "9.9"}}})
        await world.settle()
        assert replica_sets(world)["demo-replicas-1"]["spec"]["template"]["spec"]["module"]["version"] == "1.0"
        world.patch(pause=False)
        await world.until(lambda: is_done(world, "2.0", 2))
        assert not any(world.installed(one) for one in ("1.0", "9.9")), "nothing is left behind"


async def test_a_module_whose_labels_were_taken_counts_before_they_can_be_put_back():
    world = World()
    world.add_pods(3)
    async with world.running():
        world.apply(version="1.0", replicas=2)
        await world.until(lambda: is_done(world, "1.0", 2))
        world.promised, world.invariants = 2, [service_is_never_thinner_than_promised]
        world.forbidden = {("patch", "modules")}
        take_labels(world, None, world.modules()[0])
        await world.settle()
        assert (world.calls("installBiz"), len(world.modules())) == (2, 2), "nobody takes its place"
        world.forbidden = set()
        await world.until(lambda: all(MODULE_REPLICASET in one["metadata"]["labels"] for one in world.modules()))
        await world.settle()
        assert world.calls("uninstallBiz") == 0 and is_done(world, "1.0", 2)


async def test_a_revision_that_lost_its_labels_is_in_the_base_that_its_modules_are_in():
    world = World()
    world.add_base("store")
    world.add_pods(2)
    world.add_pods(2, app="store")
    async with world.running():
        world.apply(version="1.0", replicas=2)
        await world.until(lambda: is_done(world, "1.0", 2))
        before = set(world.serving())
        take_labels_of_replica_sets(world, None, None)
        world.apply(baseDeploymentName="store")
        await world.until(lambda: is_done(world, "1.0", 2) and not before & set(world.serving()))
        assert not before & set(world.installed("1.0")) and len(replica_sets(world)) == 2


async def test_a_bare_replica_set_of_another_version_exchanges_what_it_has():
    world = World()
    world.add_pods(2)
    async with world.running():
        labels = {BASE_DEPLOYMENT: BASE}
        world.put(
            Kind.MODULE_REPLICASET,
            "alone",
            {"replicas": 2, "template": {"spec": {"module": archive("1.0")}}},
            labels=labels,
        )
        await world.until(lambda: len(world.available("1.0")) == 2)
        change(world, Kind.MODULE_REPLICASET, "alone", {"spec": {"template": {"spec": {"module": archive("2.0")}}}})
        await world.until(lambda: len(world.available("2.0")) == len(world.serves_labels()) == 2)
        assert not world.installed("1.0")
        change(world, Kind.MODULE_REPLICASET, "alone", {"spec": {"template": {"spec": {"module": archive("3.0")}}}})
        world.delete(Kind.MODULE_REPLICASET, "alone")
        await world.until(lambda: not replica_sets(world))
        assert not any(base.modules for base in world.arklet.bases.values()), (
            "it takes along what it had, whatever it says"
        )


@pytest.mark.parametrize("is_deleted", [False, True])
async def test_a_module_that_is_given_to_another_pod_stays_on_its_own_and_leaves_from_there(is_deleted):
    world = World()
    world.add_pods(2)
    async with world.running():
        world.apply(version="1.0", replicas=1)
        await world.until(lambda: is_done(world, "1.0", 1))
        (holder,), (one,) = world.serving(), world.modules()
        (other,) = set(world.arklet.bases) - {holder}
        give_to_another_pod(world, world.pod_at(other), one)
        if is_deleted:
            world.delete()
        await world.settle()
        assert world.serving() == ([] if is_deleted else [holder]) and not world.arklet.bases[other].modules
        assert is_deleted or world.serves_labels() == [holder]


async def test_a_version_that_somebody_else_is_about_to_take_away_is_waited_for():
    world = World()
    world.add_pods(1)
    async with world.running():
        world.apply("first", version="1.0", replicas=1)
        await world.until(lambda: world.progress("first") == "Completed")
        world.apply("second", version="1.0", replicas=1)
        await world.settle()
        world.delete(name="first")
        await world.until(lambda: world.progress("second") == "Completed")
        await world.settle()
        assert world.serving("1.0") == world.serves_labels() and world.serving("1.0"), world.told()
        assert (world.calls("installBiz"), world.calls("uninstallBiz")) == (2, 1)


async def test_a_wish_whose_module_waits_for_one_of_another_that_cannot_leave_says_why():
    world = World()
    (address,) = world.add_pods(1)
    async with world.running():
        world.apply("first", version="1.0", replicas=1)
        await world.until(lambda: world.progress("first") == "Completed")
        world.apply("second", version="1.0", replicas=1)
        await world.settle()
        world.arklet.bases[address].failures["uninstallBiz"] = 3
        world.delete(name="first")
        await world.until(
            lambda: "delete-module-directly" in world.condition("ReplicaFailure", "second").get("message", "")
        )
        await world.until(lambda: world.progress("second") == "Completed" and world.serving("1.0"))


async def test_the_service_of_an_orphaned_wish_goes_with_the_module_that_it_was_made_for():
    world = World()
    world.add_pods(1)
    async with world.running():
        world.apply(version="1.0", replicas=1, operationStrategy=SERVICE)
        await world.until(lambda: is_done(world, "1.0", 1))
        world.orphan()
        await world.until(lambda: world.deployment() is None)
        world.apply(template={"spec": {"module": archive("1.0", "supplier")}}, replicas=1)
        await world.until(lambda: is_done(world, "1.0", 1) and not world.kube.all(Kind.SERVICE))


def on_one_path(world):
    """Java bases: supplier 1.0 and 2.0 have the web path of provider, supplier 0.9 has one of its own."""
    world.base_traits = {
        "holds_one_version": True,
        "web_paths": {"supplier:1.0": "provider", "supplier:2.0": "provider", "supplier:0.9": "own"},
    }
    world.add_pods(2)


def supplier(version):
    return {"spec": {"module": archive(version, "supplier")}}


async def test_one_web_path_wanted_by_two_names_the_other_and_is_taken_when_that_goes():
    world = World()
    on_one_path(world)
    async with world.running():
        world.apply("first", version="1.0", replicas=-1)
        await world.until(lambda: world.progress("first") == "Completed")
        world.apply("second", template=supplier("1.0"), replicas=-1)
        await world.until(
            lambda: "provider:1.0 of first" in world.condition("ReplicaFailure", "second").get("message", "")
        )
        assert world.condition("ReplicaFailure", "second")["reason"] == "WebPathConflict"
        said = [one["message"] for one in world.kube.all(Kind.EVENT) if one["reason"] == "ModuleInstallFailed"]
        assert any("give supplier another one, or take provider:1.0 out" in one for one in said)
        await asyncio.sleep(200)
        assert len(world.serving("1.0")) == 2 and world.condition("Ready", "first")["status"] == "True", (
            "it is not harmed"
        )
        world.delete(name="first")
        await world.until(lambda: not world.serving())
        await world.until(lambda: world.progress("second") == "Completed" and len(world.available()) == 2, seconds=5)


@pytest.mark.parametrize("policy", ["install_then_uninstall", "scaleup_then_scaledown"])
async def test_a_version_whose_web_path_is_another_modules_costs_its_predecessor_nothing(policy):
    world = World()
    on_one_path(world)
    async with world.running():
        world.apply("first", version="1.0", replicas=-1)
        world.apply("second", template=supplier("0.9"), replicas=1, operationStrategy={"upgradePolicy": policy})
        await world.until(lambda: world.progress("second") == world.progress("first") == "Completed")
        world.invariants = [lambda world: world.serving("0.9", "supplier") or pytest.fail("the old version has gone")]
        world.apply("second", template=supplier("2.0"))
        await world.until(
            lambda: "provider:1.0 of first" in world.condition("ReplicaFailure", "second").get("message", "")
        )
        await asyncio.sleep(300)
        world.invariants = []
        world.delete(name="first")
        await world.until(
            lambda: world.progress("second") == "Completed" and world.serving("2.0", "supplier"), seconds=90
        )


async def test_a_deletion_that_the_api_server_refuses_says_so():
    world = World()
    world.add_pods(1)
    async with world.running():
        world.apply(version="1.0", replicas=1)
        await world.until(lambda: is_done(world, "1.0", 1))
        world.forbidden = {("delete", "modules")}
        world.delete()
        await world.until(lambda: "exceeded quota" in world.condition("ReplicaFailure").get("message", ""))
        world.forbidden = set()
        await world.until(lambda: world.deployment() is None)


async def test_a_bare_module_whose_pod_cannot_be_labelled_says_so():
    world = World()
    world.add_pods(1)
    world.forbidden = {("patch", "pods")}
    async with world.running():
        world.put(Kind.MODULE, "lone", {"module": archive("1.0")}, labels={BASE_DEPLOYMENT: BASE})
        await world.until(lambda: "exceeded quota" in said_of(world, Kind.MODULE, "lone"))
        world.forbidden = set()
        await world.until(lambda: world.available("1.0") and world.serves_labels())


async def test_a_replica_set_says_that_a_module_which_cannot_leave_holds_up_its_successor():
    world = World()
    (address,) = world.add_pods(1)
    async with world.running():
        world.apply(version="1.0", replicas=1)
        await world.until(lambda: is_done(world, "1.0", 1))
        world.arklet.bases[address].failures["uninstallBiz"] = 3
        world.delete(Kind.MODULE, name_of(world.modules()[0]))
        await world.until(lambda: "delete-module-directly" in said_of(world, Kind.MODULE_REPLICASET, "demo-replicas-1"))
        await world.until(lambda: is_done(world, "1.0", 1))
        await asyncio.sleep(1)
        assert not said_of(world, Kind.MODULE_REPLICASET, "demo-replicas-1").strip()
