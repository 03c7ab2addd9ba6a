"""What a preview of a deletion tells besides what the simulation compares: of what nobody owns, what stays, what is there already, what does not end."""

import pytest

from arkwright.model.codec import decode
from arkwright.model.kinds import ModuleDeployment
from arkwright.model.names import BASE_DEPLOYMENT, MODULE_DEPLOYMENT, MODULE_REPLICASET
from arkwright.model.resources import RESOURCES, Kind
from arkwright.preview.outlook import foresee
from arkwright.preview.rehearsal import Deletion
from arkwright.preview.wording import headline, lines
from preview.worlds import SERVICE, in_a_world_that_serves, live
from simulation.world import NAMESPACE

pytestmark = pytest.mark.looptime(noop_cycles=0)
ARCHIVE = {"name": "lonely", "version": "1.0", "url": "http://archives/lonely.whl"}


def foretold(world, kind=Kind.MODULE_DEPLOYMENT, name="demo"):
    one = decode(world.kube.one(kind, NAMESPACE, name), RESOURCES[kind].type)
    return foresee(live(world), Deletion(one), world.now())


def steps(found):
    return [(pod.pod, *pod.steps) for batch in found.batches for pod in batch.pods]


@in_a_world_that_serves
async def test_all_of_a_release_goes_in_its_batches_and_its_service_with_it(world):
    world.apply(operationStrategy={"batchCount": 2, "serviceStrategy": SERVICE})
    await world.settle(6)
    found = foretold(world)
    assert headline(found) == "its deletion uninstalls from 2 base pods, in 2 batches"
    assert [one.number for one in found.batches] == [1, 2]
    assert {step for _, *each in steps(found) for step in each} == {"uninstall provider:1.0"}
    assert "Service provider-service: no ModuleDeployment asks for it any more" in found.besides
    assert "revision demo-replicas-2 is deleted: its ModuleDeployment is deleted" in found.besides
    assert (found.deployment, found.stays, found.waits_for, found.would_change) == ("demo", (), "", True)


@in_a_world_that_serves
async def test_a_service_that_another_shares_stays_and_so_does_what_somebody_else_holds(world):
    world.apply("twin", version="1.0", replicas=0, operationStrategy={"serviceStrategy": SERVICE})
    await world.settle(6)
    held = world.deployment()["metadata"]["finalizers"] + ["example.com/mine"]
    world.kube.change(world.kube.path(world.deployment()), {"metadata": {"finalizers": held}})
    found = foretold(world)
    stays = ("ModuleDeployment demo, held by its finalizers: example.com/mine", "Service provider-service")
    assert (found.stays, found.waits_for) == (stays, "somebody else's finalizers hold it")
    assert lines(found)[-3:] == [*(f"{one} stays" for one in stays), f"it does not come to its end: {found.waits_for}"]


@in_a_world_that_serves
async def test_a_service_of_that_name_which_is_somebody_elses_is_not_told_of(world):
    archive = ARCHIVE | {"name": "other"}
    world.apply("other", replicas=0, template={"spec": {"module": archive}})
    world.put(Kind.SERVICE, "other-service", {"ports": []})
    found = foretold(world, name="other")
    assert (found.stays, found.waits_for) == ((), "")


@in_a_world_that_serves
async def test_a_module_is_uninstalled_and_another_takes_its_place(world):
    (name,) = [one["metadata"]["name"] for one in world.modules() if world.address_of(one) == "127.1.0.1"]
    found = foretold(world, Kind.MODULE, name)
    assert steps(found) == [("stock-1", "uninstall provider:1.0", "install provider:1.0")]
    assert lines(found) == ["1 base pod: stock-1: uninstall provider:1.0, then install provider:1.0"]
    assert (headline(found), found.deployment) == ("its deletion uninstalls from 1 base pod", "demo")


@in_a_world_that_serves
async def test_a_module_whose_labels_somebody_took_away_is_of_its_release_all_the_same(world):
    (one,) = [one for one in world.modules() if world.address_of(one) == "127.1.0.1"]
    world.kube.change(
        world.kube.path(one), {"metadata": {"labels": {MODULE_REPLICASET: None, MODULE_DEPLOYMENT: None}}}
    )
    found = foretold(world, Kind.MODULE, one["metadata"]["name"])
    assert found.deployment == "demo"
    assert steps(found) == [("stock-1", "uninstall provider:1.0", "install provider:1.0")]


@in_a_world_that_serves
async def test_a_module_that_nothing_counts_is_gone_for_good(world):
    world.put(Kind.MODULE, "lonely", {"module": ARCHIVE}, labels={BASE_DEPLOYMENT: "stock"})
    await world.settle(6)
    found = foretold(world, Kind.MODULE, "lonely")
    assert [each[1:] for each in steps(found)] == [("uninstall lonely:1.0",)]
    assert (found.deployment, found.stays) == ("", ())


@in_a_world_that_serves
async def test_a_module_of_a_bare_replica_set_is_replaced(world):
    template = {"spec": {"module": ARCHIVE}}
    world.put(Kind.MODULE_REPLICASET, "bare", {"replicas": 1, "template": template}, labels={BASE_DEPLOYMENT: "stock"})
    await world.settle(6)
    (name,) = [one["metadata"]["name"] for one in world.modules() if one["spec"]["module"]["name"] == "lonely"]
    found = foretold(world, Kind.MODULE, name)
    assert [step for _, *each in steps(found) for step in each] == ["uninstall lonely:1.0", "install lonely:1.0"]


@in_a_world_that_serves
async def test_what_is_on_its_way_out_goes_on_whatever_is_wished_of_it(world):
    world.delete()
    await world.settle(0.3)
    one = decode(world.deployment(), ModuleDeployment)
    found = foresee(live(world), one, world.now())
    assert found.deletes == "ModuleDeployment" and found.would_change
    assert {step for _, *each in steps(found) for step in each} == {"uninstall provider:1.0"}


@in_a_world_that_serves
async def test_a_preview_of_a_deletion_writes_nothing(world):
    seen, writes = live(world), len(world.kube.writes)
    first = foretold(world)
    assert live(world) == seen and len(world.kube.writes) == writes and foretold(world) == first
