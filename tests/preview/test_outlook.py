"""What a preview tells besides what the simulation compares: the kind of revision, what else is done, what a base is known to refuse, what would not change."""

import asyncio

import pytest

from arkwright.model.codec import decode
from arkwright.model.kinds import ModuleDeployment
from arkwright.model.names import ABORT
from arkwright.preview import rehearsal
from arkwright.preview.effects import TURNS_IN_CIRCLES
from arkwright.preview.outlook import preview
from arkwright.preview.rehearsal import wished
from preview.worlds import SERVICE, in_a_world_that_serves, live

pytestmark = pytest.mark.looptime(noop_cycles=0)
STRATEGY = {"batchCount": 2, "grayTimeBetweenBatchSeconds": 30, "serviceStrategy": SERVICE}


def foretold(world, **spec):
    before = decode(world.deployment(), ModuleDeployment)
    return preview(live(world), wished(before, {"spec": spec}), world.now())


def version(number):
    return {"spec": {"module": {"version": number}}}


@in_a_world_that_serves
async def test_a_wish_that_is_there_already_changes_nothing(world):
    found = foretold(world)
    assert (found.would_change, found.release, found.changed, found.besides, found.warnings) == (
        False,
        None,
        (),
        (),
        (),
    )


@in_a_world_that_serves
async def test_what_others_do_meanwhile_is_not_told(world):
    for base in world.arklet.bases.values():
        base.broken_versions.add("9")
    archive = {"name": "other", "version": "9", "url": "http://archives/other.whl"}
    world.apply("other", replicas=2, template={"spec": {"module": archive}})
    await world.settle(0.5)
    assert not foretold(world).would_change
    steps = {step for pod in foretold(world, template=version("3.0")).release.batches[0].pods for step in pod.steps}
    assert steps == {"install provider:3.0", "switch to provider:3.0", "uninstall provider:1.0"}


@in_a_world_that_serves
async def test_another_url_alone_changes_something_and_installs_nothing(world):
    found = foretold(world, template={"spec": {"module": {"url": "http://archives/moved.whl"}}})
    assert (found.would_change, found.release) == (True, None)
    assert [one.after for one in found.changed] == ["http://archives/moved.whl"]


KINDS = [("2.0", "again", "demo-replicas-1"), ("3.0", "new", "demo-replicas-3")]


@pytest.mark.parametrize("wanted, kind, name", KINDS, ids=[kind for _, kind, _ in KINDS])
@in_a_world_that_serves
async def test_a_release_says_which_revision_it_makes(world, wanted, kind, name):
    release = foretold(world, template=version(wanted), operationStrategy=STRATEGY).release
    assert (release.kind, release.revision, release.number, release.version) == (kind, name, 3, wanted)
    assert [one.gray_time_seconds for one in release.batches] == [30, 0]


@in_a_world_that_serves
async def test_what_is_done_besides_is_told(world):
    found = foretold(
        world, operationStrategy={"serviceStrategy": {"enableModuleService": False}}, revisionHistoryLimit=0
    )
    assert any(one.startswith("Service provider-service: ") for one in found.besides)
    assert "revision demo-replicas-1 is deleted: revisionHistoryLimit is 0" in found.besides


@in_a_world_that_serves
async def test_a_base_that_is_known_to_hold_one_version_only_holds_one_here(world):
    for base in world.arklet.bases.values():
        base.holds_one_version = True
    world.apply(replicas=1)
    await world.settle(6)
    world.apply(version="3.0")
    await world.settle(6)
    stuck = foretold(world)
    assert stuck.waits_for.startswith("MaxUnavailableExceeded: the base cannot hold two versions on one web path")
    (batch,) = foretold(world, operationStrategy={"maxUnavailable": 1}).release.batches
    (pod,) = (one for one in batch.pods if "install provider:3.0" in one.steps)
    assert pod.steps[-2:] == ("uninstall provider:1.0", "install provider:3.0")


@in_a_world_that_serves
async def test_a_release_that_is_given_up_goes_back(world):
    world.apply(version="3.0", operationStrategy={"batchCount": 2, "needConfirm": True})
    await world.settle(6)
    before = decode(world.deployment(), ModuleDeployment)
    patch = {"metadata": {"annotations": {ABORT: "demo-replicas-3"}}}
    found = preview(live(world), wished(before, patch), world.now())
    assert (found.release.version, found.ends) == ("1.0", "Aborted")
    assert "demo-replicas-3 is aborted in batch 1/2" in found.besides


@in_a_world_that_serves
async def test_what_turns_in_circles_is_cut_and_said(world, monkeypatch):
    monkeypatch.setattr(rehearsal, "LOOKS", 5)
    monkeypatch.setattr(rehearsal, "LOOKS_FOR_EACH", 0)
    assert foretold(world, template=version("3.0")).waits_for == TURNS_IN_CIRCLES


@in_a_world_that_serves
async def test_a_preview_writes_nothing_and_leaves_what_it_was_made_of_as_it_was(world):
    seen, writes = live(world), len(world.kube.writes)
    before = decode(world.deployment(), ModuleDeployment)
    first = preview(seen, wished(before, {"spec": {"template": version("3.0")}}), world.now())
    await asyncio.sleep(5)
    assert len(world.kube.writes) == writes and live(world) == seen
    assert preview(seen, wished(before, {"spec": {"template": version("3.0")}}), world.now()) == first
