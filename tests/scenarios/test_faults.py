"""Agents and bases that err (semantics 2, 7, 8): nothing is done twice, nothing is lost, and the reason is there to read."""

import asyncio

import pytest

from arkwright.model.resources import Kind
from scenarios.site import Site


async def test_a_hung_agent_among_ten_delays_no_other(site):
    hung, *rest = await site.add_pods(10)
    hung.hangs.add("*")
    began = asyncio.get_running_loop().time()
    await site.apply(version="1.0.2", replicas=10)
    await site.until(lambda: len(site.serving()) == 9)
    assert asyncio.get_running_loop().time() - began < 4.0  # the hung one's first time-out is 4 s
    await site.until(lambda: _failed_with(site, "AgentUnreachable"))
    hung.hangs.clear()
    await site.until_progress("Completed", 1, 10)


async def _failed_with(site, reason):
    failed = await site.modules(status="Failed")
    return [one["status"]["reason"] for one in failed] == [reason]


@pytest.mark.parametrize("fault", ["loses", "garbles"])
async def test_an_install_whose_answer_is_lost_is_asked_about_and_not_repeated(site, fault):
    (agent,) = await site.add_pods(1)
    getattr(agent, fault)["installBiz"] = 1
    await site.apply(version="1.0.2", replicas=1)
    await site.until_progress("Completed", 1, 1)
    assert agent.base.calls("installBiz") == ["provider:1.0.2"]


async def test_what_is_in_the_base_already_is_taken_over_without_an_install(site):
    (agent,) = await site.add_pods(1)
    agent.base.modules["provider:1.0.2"] = "activated"
    await site.apply(version="1.0.2", replicas=1)
    await site.until_progress("Completed", 1, 1)
    assert agent.base.calls("installBiz") == []


async def test_a_failure_shows_on_the_module_in_an_event_and_in_the_condition_and_is_retried(site):
    (agent,) = await site.add_pods(1)
    agent.base.failures["installBiz"] = 2
    await site.apply(version="1.0.2", replicas=1)
    await site.until(lambda: _failed_with(site, "InstallFailed"))
    (module,) = await site.modules()
    words = "java.lang.IllegalStateException: this module never starts"
    assert module["status"]["message"] == words and module["status"]["attempts"] >= 1
    await site.until(lambda: _event_says(site, "ModuleInstallFailed", words))
    await site.until_progress("Completed", 1, 1)
    assert len(agent.base.calls("installBiz")) == 3


async def _event_says(site, reason, words):
    return any(words in one["message"] for one in await site.events(reason))


async def test_an_archive_that_cannot_be_pulled_completes_by_itself_once_its_url_is_corrected(site):
    (agent,) = await site.add_pods(1)
    agent.base.unreachable_archives.add("http://archives/provider-1.0.2.whl")
    await site.apply(version="1.0.2", replicas=1)
    await site.until(lambda: _has_tried(site, 4))  # the next try is due in about 8 s
    corrected = {"name": "provider", "version": "1.0.2", "url": "http://mirror/provider-1.0.2.whl"}
    await site.apply(template={"spec": {"module": corrected}})
    await site.until(lambda: site.serving("1.0.2"), seconds=5)
    await site.until_progress("Completed", 1, 1)


async def _has_tried(site, times):
    failed = await site.modules(status="Failed", reason="PullFailed")
    return [one["status"]["attempts"] for one in failed] == [times]


async def test_an_archive_of_another_version_is_never_available(site):
    (agent,) = await site.add_pods(1)
    agent.base.real_identity["provider:7.7.7"] = "provider:1.0.2"
    await site.apply(version="7.7.7", replicas=1)
    await site.until(lambda: _failed_with(site, "IdentityMismatch"))
    (module,) = await site.modules()
    assert "asked for provider:7.7.7" in module["status"]["message"] and "1.0.2" in module["status"]["message"]
    await asyncio.sleep(0.5)
    assert len(agent.base.calls("installBiz")) <= 2  # it is tried again, but in no hurry


async def test_a_base_that_restarts_gets_its_modules_back(site):
    (agent,) = await site.add_pods(1)
    await site.apply(version="1.0.2", replicas=1)
    await site.until_progress("Completed", 1, 1)
    await site.restart_base(agent)
    await site.until(lambda: len(agent.base.calls("installBiz")) == 2)
    await site.until(lambda: _is_available(site))
    assert site.serving("1.0.2") == await site.serves_labels()


async def _is_available(site):
    return (await site.condition("Available"))["status"] == "True" and len(await site.modules(status="Available")) == 1


async def test_a_pod_that_is_deleted_takes_its_module_along_without_a_call_and_it_is_replaced(site):
    first, second = await site.add_pods(2)
    await site.apply(version="1.0.2", replicas=1)
    await site.until_progress("Completed", 1, 1)
    holder, other = (first, second) if first.base.modules else (second, first)
    await site.delete_pod(holder)
    await site.until(lambda: other.base.modules == {"provider:1.0.2": "activated"})
    await site.until(lambda: _is_available(site))
    assert holder.base.calls("uninstallBiz") == []


async def test_a_refused_uninstall_keeps_the_module_and_names_the_way_out(site):
    (agent,) = await site.add_pods(1)
    await site.apply(version="1.0.2", replicas=1)
    await site.until_progress("Completed", 1, 1)
    agent.base.failures["uninstallBiz"] = 99
    await site.delete()
    await site.until(lambda: _says_how_to_remove(site))
    assert (await site.progress())[0] == "Terminating"
    agent.base.failures["uninstallBiz"] = 0
    await site.until(lambda: _is_gone(site))
    assert not agent.base.modules


async def _says_how_to_remove(site):
    found = await site.modules(status="Terminating", reason="UninstallFailed")
    return bool(found) and "delete-module-directly=true" in found[0]["status"]["message"]


async def _is_gone(site):
    return await site.deployment() is None and not await site.modules()


@pytest.mark.parametrize("is_failing", [False, True])
async def test_a_deletion_is_held_up_by_neither_pause_nor_confirm_nor_failure(site, is_failing):
    agents = await site.add_pods(3)
    for agent in agents:
        agent.base.failures["installBiz"] = 99 if is_failing else 0
    await site.apply(version="1.0.2", replicas=3, operationStrategy={"batchCount": 3, "needConfirm": True})
    await (site.until(lambda: _has_failed(site)) if is_failing else site.until_progress("Paused", 1, 1))
    await site.delete()
    await site.until(lambda: _is_gone(site))
    assert not any(agent.base.modules for agent in agents)
    pods = await site.all(Kind.POD)
    assert not [key for pod in pods for key in pod["metadata"]["labels"] if "serverless.alipay.com" in key]
    assert not await site.all(Kind.MODULE_REPLICASET)


async def _has_failed(site):
    return bool(await site.modules(status="Failed"))


async def test_a_controller_that_starts_again_repeats_nothing(site):
    await site.add_pods(3)
    for agent in site.agents.values():
        agent.delays["installBiz"] = 0.4
    await site.apply(version="1.0.2", replicas=3, operationStrategy={"batchCount": 3})
    for calls in (1, 2, 3):
        await site.until(lambda calls=calls: site.calls("installBiz") >= calls)
        await site.stop_controller()
        site.start_controller()
    await site.until_progress("Completed", 3, 3)
    assert site.calls("installBiz") == 3 and site.calls("uninstallBiz") == 0


async def test_an_install_under_way_when_the_controller_died_is_not_left_behind_by_a_deletion(site):
    (agent,) = await site.add_pods(1)
    agent.delays["installBiz"] = 1.5
    await site.apply(version="1.0.2", replicas=1)
    await site.until(lambda: bool(agent.base.busy))
    await site.stop_controller()
    await site.delete()
    site.start_controller()
    await site.until(lambda: _is_gone(site))
    assert agent.base.modules == {} and not agent.base.busy


async def test_modules_of_others_in_a_base_are_never_touched(site):
    (agent,) = await site.add_pods(1)
    agent.base.modules["foreign:1"] = "activated"
    await site.apply(version="1.0.2", replicas=1)
    await site.until_progress("Completed", 1, 1)
    await site.delete()
    await site.until(lambda: _is_gone(site))
    assert agent.base.modules == {"foreign:1": "activated"}


async def test_a_pod_lost_in_the_middle_of_a_release_is_made_up_for_at_the_stable_version(site):
    await site.add_pods(3)
    strategy = {"batchCount": 2, "needConfirm": True}
    await site.apply(version="1.0.2", replicas=2)
    await site.until_progress("Completed", 1, 2)
    await site.apply(version="2.0.0", operationStrategy=strategy)
    await site.until_progress("Paused", 1, 1)
    await site.until(lambda: len(site.serving("1.0.2")) == 1)
    (old,) = site.serving("1.0.2")
    await site.delete_pod(site.agents.pop(old))
    await site.until(lambda: len(site.serving("1.0.2")) == 1 and len(site.serving("2.0.0")) == 1)
    await site.apply(pause=False)
    await site.until_progress("Completed")
    await site.until(lambda: len(site.serving("2.0.0")) == 2 and not site.serving("1.0.2"))


@pytest.fixture
def asks_often(monkeypatch):
    monkeypatch.setattr(Site, "drift_seconds", 0.5)


async def test_a_module_that_vanished_from_its_base_is_found_missing_and_installed_again(asks_often, site):
    (agent,) = await site.add_pods(1)
    await site.apply(version="1.0.2", replicas=1)
    await site.until_progress("Completed", 1, 1)
    agent.base.modules.clear()
    await site.until(lambda: agent.base.modules == {"provider:1.0.2": "activated"})
    await site.until(lambda: _event_says(site, "ModuleDrifted", "provider:1.0.2 is no longer in base pod stock-1"))


async def test_foreign_modules_are_reported_once_they_are_seen(asks_often, site):
    (agent,) = await site.add_pods(1)
    await site.apply(version="1.0.2", replicas=1)
    await site.until_progress("Completed", 1, 1)
    agent.base.modules["foreign:1"] = "activated"
    await site.until(lambda: _event_says(site, "ModuleDrifted", "base pod stock-1 holds foreign:1"))
    assert agent.base.calls("uninstallBiz") == []


async def test_an_old_version_left_behind_beside_the_new_one_is_taken_away(asks_often, site):
    (agent,) = await site.add_pods(1)
    await site.apply(version="1.0.2", replicas=1)
    await site.until_progress("Completed", 1, 1)
    await site.apply(version="2.0.0")
    await site.until_progress("Completed", 1, 1)
    agent.base.modules["provider:1.0.2"] = "deactivated"
    await site.until(lambda: agent.base.modules == {"provider:2.0.0": "activated"})


@pytest.mark.parametrize("label, uninstalls", [("delete_pod", 1), ("delete_pod_directly", 0)])
async def test_a_pod_labelled_for_deletion_is_emptied_and_deleted(site, label, uninstalls):
    first, second = await site.add_pods(2)
    await site.apply(version="1.0.2", replicas=1)
    await site.until_progress("Completed", 1, 1)
    holder, other = (first, second) if first.base.modules else (second, first)
    name = f"stock-{holder.address.rpartition('.')[2]}"
    await site.label(Kind.POD, name, **{label: "true"})
    await site.until(lambda: _is_deleted(site, name))
    await site.until(lambda: other.base.modules == {"provider:1.0.2": "activated"})
    assert len(holder.base.calls("uninstallBiz")) == uninstalls


async def _is_deleted(site, name):
    pod = await site.get(Kind.POD, name)
    return pod is None or "deletionTimestamp" in pod["metadata"]
