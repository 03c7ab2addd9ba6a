"""A release that a person stops, turns round or changes on its way (semantics 3, 4, 7)."""

import asyncio

import pytest

from arkwright.model.resources import Kind
from scenarios.site import module

ABORT = "serverless.alipay.com/abort"
TWO_BATCHES = {"batchCount": 2, "needConfirm": True}


@pytest.fixture
async def half_moved(site):
    """Two pods; 1.0.2 is replaced by 2.0.0 on one of them, and a person is asked."""
    await site.add_pods(2)
    await site.apply(version="1.0.2", replicas=2)
    await site.until_progress("Completed", 1, 2)
    await site.apply(version="2.0.0", operationStrategy=TWO_BATCHES)
    await site.until_progress("Paused", 1, 1)
    await site.until(lambda: len(site.serving("1.0.2")) == len(site.serving("2.0.0")) == 1)
    return site


async def _abort(site, revision="demo-replicas-2"):
    await site.annotate(Kind.MODULE_DEPLOYMENT, "demo", **{ABORT: revision})


async def test_an_aborted_release_goes_back_at_once_and_waits_for_nobody(half_moved):
    site = half_moved
    calls = site.calls("installBiz")
    await _abort(site)
    await site.until_progress("Aborted")
    assert len(site.serving("1.0.2")) == 2 and site.calls("installBiz") == calls + 1
    assert not (await site.deployment())["spec"].get("pause")
    said = (await site.condition("Progressing"))["message"]
    assert said.startswith("demo-replicas-2 was aborted, 1.0.2 serves; to go on: set another version")
    assert (await site.condition("Ready"))["status"] == "False"
    assert (await site.condition("Available"))["status"] == "True"
    await site.until_told({"ReleaseSuperseded": ["demo-replicas-2 is aborted in batch 1/2"]})


async def test_a_release_whose_version_fails_can_be_aborted(site):
    agents = await site.add_pods(2)
    await site.apply(version="1.0.2", replicas=2)
    await site.until_progress("Completed", 1, 2)
    for agent in agents:
        agent.base.broken_versions.add("2.0.0")
    await site.apply(version="2.0.0", operationStrategy={"batchCount": 2})
    await site.until(lambda: _has_failed(site))
    await _abort(site)
    await site.until_progress("Aborted")
    await site.until(lambda: _holds_only(site, "1.0.2"))
    assert len(site.serving("1.0.2")) == 2


async def _has_failed(site):
    return bool(await site.modules(status="Failed"))


async def _holds_only(site, version):
    return {one["spec"]["module"]["version"] for one in await site.modules()} == {version}


async def test_an_aborted_release_begins_anew_when_the_annotation_is_taken_away(half_moved):
    await _abort(half_moved)
    await half_moved.until_progress("Aborted")
    await half_moved.annotate(Kind.MODULE_DEPLOYMENT, "demo", **{ABORT: None})
    await half_moved.until_progress("Paused", 1, 1)
    await half_moved.apply(pause=False)
    await half_moved.until_progress("Completed", 2, 2)


async def test_an_abort_dies_with_its_release(half_moved):
    await _abort(half_moved)
    await half_moved.until_progress("Aborted")
    await half_moved.apply(version="3.0.0", operationStrategy={"needConfirm": False})
    await half_moved.until_progress("Completed", 2, 2)
    assert ABORT not in (await half_moved.deployment())["metadata"].get("annotations", {})
    await half_moved.apply(version="2.0.0")
    await half_moved.until_progress("Completed", 2, 2)
    assert len(half_moved.serving("2.0.0")) == 2


async def test_after_an_abort_the_version_that_serves_may_be_asked_for(half_moved):
    await _abort(half_moved)
    await half_moved.until_progress("Aborted")
    before = half_moved.calls("installBiz")
    await half_moved.apply(version="1.0.2")
    await half_moved.until_progress("Completed")
    assert half_moved.calls("installBiz") == before


async def test_a_rollback_while_paused_moves_back_only_what_had_moved(half_moved):
    site = half_moved
    untouched = site.serving("1.0.2")
    calls = len(site.agents[untouched[0]].base.log)
    await site.apply(version="1.0.2", operationStrategy={"needConfirm": False})
    await site.until_progress("Completed")
    await site.until(lambda: len(site.serving("1.0.2")) == 2)
    assert not [call for call in site.agents[untouched[0]].base.log[calls:] if call[0] != "queryAllBiz"]
    await site.until(lambda: site.events("ReleaseRolledBack"))
    assert not (await site.deployment())["spec"].get("pause")


async def test_a_third_version_supersedes_a_release_that_waits(half_moved):
    await half_moved.apply(version="3.0.0", operationStrategy={"needConfirm": False, "batchCount": 2})
    await half_moved.until_progress("Completed", 2, 2)
    await half_moved.until(
        lambda: all(set(one.base.modules) == {"provider:3.0.0"} for one in half_moved.agents.values())
    )
    assert await half_moved.events("ReleaseSuperseded")


@pytest.mark.parametrize("replicas, moves", [(4, 4), (1, 1)])
async def test_replicas_changed_in_the_middle_of_a_release_change_its_plan_and_take_nothing_back(
    half_moved, replicas, moves
):
    site = half_moved
    (moved,) = site.serving("2.0.0")
    await site.add_pods(2)
    await site.apply(replicas=replicas)
    await site.until(lambda: _moves_are(site, moves))
    await site.until(lambda: _confirmed_is(site, replicas))
    assert moved in site.serving("2.0.0") and len(site.serving()) == replicas


async def _moves_are(site, moves):
    return (await site.status())["releaseStatus"]["originalDeltaReplicas"] == moves


async def _confirmed_is(site, replicas):
    """A person confirms whenever asked; in the end the release is complete."""
    found = await site.deployment()
    release = found["status"]["releaseStatus"]
    if release["progress"] == "Paused" and found["spec"].get("pause"):
        await site.apply(pause=False)
    return release["progress"] == "Completed" and len(site.serving("2.0.0")) == replicas


async def test_a_url_changed_in_the_middle_of_a_release_is_used_by_every_install_from_then_on(half_moved):
    site, urls = half_moved, []
    for agent in site.agents.values():
        answer = agent.base.answer
        agent.base.answer = lambda command, body, answer=answer: (
            (urls.append(body["bizUrl"]) if command == "installBiz" else None) or answer(command, body)
        )
    moved = module("2.0.0") | {"url": "http://mirror/provider-2.0.0.whl"}
    await site.apply(template={"spec": {"module": moved}})
    await site.is_calm(0.3)
    assert await site.progress() == ("Paused", 1, 1) and urls == []
    await site.apply(pause=False)
    await site.until_progress("Completed", 2, 2)
    assert urls == ["http://mirror/provider-2.0.0.whl"]


async def test_a_batch_counts_only_after_min_ready_seconds(site):
    await site.add_pods(2)
    await site.apply(version="1.0.2", replicas=2, minReadySeconds=2, operationStrategy={"batchCount": 2})
    await site.until(lambda: len(site.serving("1.0.2")) == 1)
    began = asyncio.get_running_loop().time()
    assert (await site.condition("Available"))["status"] == "False"
    await site.until(lambda: len(site.serving("1.0.2")) == 2)
    assert asyncio.get_running_loop().time() - began > 1
    await site.until_progress("Completed", 2, 2)
    assert (await site.condition("Available"))["status"] == "True"
