"""Releases in batches, with confirm, beta, gray time and pause (semantics 3, 4)."""

import asyncio

import pytest


async def test_a_module_goes_online_batch_by_batch_with_a_confirm_between(site):
    await site.add_pods(2)
    await site.apply(version="1.0.2", replicas=2, operationStrategy={"batchCount": 2, "needConfirm": True})
    await site.until_progress("Paused", 1, 1)
    await site.is_calm()
    assert len(site.serving("1.0.2")) == 1 and (await site.deployment())["spec"]["pause"] is True
    await site.apply(pause=False)
    await site.until_progress("Completed", 2, 2)
    assert len(site.serving("1.0.2")) == 2 and not (await site.deployment())["spec"].get("pause")


async def test_a_confirm_by_number_moves_one_batch_however_often_it_is_given(site):
    await site.add_pods(3)
    await site.apply(version="1.0.2", replicas=3, operationStrategy={"batchCount": 3, "needConfirm": True})
    await site.until_progress("Paused", 1, 1)
    await site.apply(confirmBatchNum=1)
    await site.until_progress("Paused", 2, 2)
    await site.apply(confirmBatchNum=1)
    await site.is_calm()
    assert await site.progress() == ("Paused", 2, 2)
    await site.apply(confirmBatchNum=2)
    await site.until_progress("Completed", 3, 3)
    assert not (await site.deployment())["spec"].get("confirmBatchNum")


async def test_a_confirm_above_the_batch_confirms_through_it_but_skips_nothing(site):
    await site.add_pods(3)
    await site.apply(version="1.0.2", replicas=3, operationStrategy={"batchCount": 3, "needConfirm": True})
    await site.until_progress("Paused", 1, 1)
    await site.apply(confirmBatchNum=2)
    await site.until_progress("Completed", 3, 3)
    assert site.calls("installBiz") == 3


async def test_a_confirm_left_from_an_earlier_release_confirms_nothing(site):
    await site.add_pods(2)
    strategy = {"batchCount": 2, "needConfirm": True}
    await site.apply(version="1.0.2", replicas=2, operationStrategy=strategy)
    await site.until_progress("Paused", 1)
    await site.apply(confirmBatchNum=1)
    await site.until_progress("Completed", 2, 2)
    await site.apply(confirmBatchNum=1)  # somebody confirms once more, too late
    await site.apply(version="2.0.0")
    await site.until_progress("Paused", 1, 1)
    await site.is_calm()
    assert site.serving("2.0.0") and len(site.serving("1.0.2")) == 1


async def test_beta_is_one_pod_and_waits_for_nobody(site):
    await site.add_pods(4)
    await site.apply(version="1.0.2", replicas=4, operationStrategy={"batchCount": 2, "useBeta": True})
    await site.until_progress("Completed", 2, 4)
    await site.until_told({"ModuleInstalled": ["Installed 1 of 1 in batch 1/2", "Installed 3 of 3 in batch 2/2"]})


async def test_gray_time_ends_by_itself(site):
    await site.add_pods(2)
    await site.apply(version="1.0.2", replicas=2, operationStrategy={"batchCount": 2, "grayTime": 2})
    await site.until(lambda: _is_in_gray_time(site))
    assert len(site.serving()) == 1 and "gray time until" in (await site.condition("Progressing"))["message"]
    await site.until_progress("Completed", 2, 2)


async def _is_in_gray_time(site):
    return bool((await site.status()).get("releaseStatus", {}).get("nextReconcileTime"))


async def test_a_pause_holds_the_release_before_its_next_move(site):
    first, *_ = await site.add_pods(2)
    for agent in site.agents.values():
        agent.delays["installBiz"] = 0.5
    await site.apply(version="1.0.2", replicas=2, operationStrategy={"batchCount": 2})
    await site.until(lambda: site.calls("installBiz") or _has_modules(site))
    await site.apply(pause=True)
    await site.until(lambda: len(site.serving()) == 1)
    await site.is_calm()
    assert len(site.serving()) == 1 and (await site.progress())[0] == "Paused"
    await site.apply(pause=False)
    await site.until_progress("Completed", 2, 2)


async def _has_modules(site):
    return bool(await site.modules())


@pytest.mark.parametrize("policy", ["install_then_uninstall", "uninstallThenInstall"])
async def test_a_failing_version_never_rolls_past_its_batch_and_a_rollback_supersedes_it(site, policy):
    agents = await site.add_pods(3)
    await site.apply(version="1.0.2", replicas=3, operationStrategy={"batchCount": 3, "upgradePolicy": policy})
    await site.until_progress("Completed", 3, 3)
    for agent in agents:
        agent.base.failures["installBiz"] = 99
    await site.apply(version="2.0.0")
    await site.until(lambda: _failed(site))
    await asyncio.sleep(0.5)
    assert len(site.serving("1.0.2")) == (3 if policy == "install_then_uninstall" else 2)
    assert "this module never starts" in (await site.condition("ReplicaFailure"))["message"]
    for agent in agents:
        agent.base.failures["installBiz"] = 0
    await site.apply(version="1.0.2")
    await site.until_progress("Completed")
    await site.until(lambda: len(site.serving("1.0.2")) == 3 and not site.serving("2.0.0"))
    await site.until(lambda: site.events("ReleaseSuperseded"))


async def _failed(site):
    return bool(await site.modules(status="Failed"))


async def test_events_tell_the_story_of_a_release(site):
    await site.add_pods(2)
    await site.apply(version="1.0.2", replicas=2, operationStrategy={"batchCount": 2, "needConfirm": True})
    await site.until_progress("Paused", 1, 1)
    await site.apply(pause=False)
    await site.until_progress("Completed", 2, 2)
    expected = {
        "ReleaseStarted": ["demo-replicas-1: 2 replicas, in 2 batches"],
        "ModuleInstalled": ["Installed 1 of 1 in batch 1/2", "Installed 1 of 1 in batch 2/2"],
        "BatchCompleted": ["batch 1/2 is complete", "batch 2/2 is complete"],
        "BatchAwaitingConfirmation": ["batch 1/2 waits for a person: set spec.pause to false"],
        "BatchStarted": ["batch 2/2 begins"],
        "ReleaseCompleted": ["demo-replicas-1: 2 replicas, in 2 batches"],
    }
    await site.until_told(expected)
    found = await site.deployment()
    assert not found["spec"].get("pause") and not found["spec"].get("confirmBatchNum")
