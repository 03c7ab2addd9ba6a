"""The order of old and new on a base pod (semantics 5), and the module's Service (contract 7)."""

import asyncio

import pytest

from arkwright.model.resources import Kind
from scenarios.site import module

SERVICE = {"enableModuleService": True, "port": 8080, "targetPort": 8080, "drainSeconds": 1}


async def test_install_then_uninstall_switches_before_the_old_version_goes(site):
    (agent,) = await site.add_pods(1)
    await site.apply(version="1.0.2", replicas=1)
    await site.until_progress("Completed", 1, 1)
    await site.apply(version="2.0.0")
    await site.until_progress("Completed", 1, 1)
    await site.until(lambda: agent.base.modules == {"provider:2.0.0": "activated"})
    changes = [call for call in agent.base.log if call[0] != "queryAllBiz"]
    order = ["installBiz provider:1.0.2", "installBiz provider:2.0.0", "switchBiz provider:2.0.0"]
    assert [" ".join(call) for call in changes] == [*order, "uninstallBiz provider:1.0.2"]


async def test_the_old_version_stays_available_while_the_new_one_is_being_installed(site):
    (agent,) = await site.add_pods(1)
    await site.apply(version="1.0.2", replicas=1)
    await site.until_progress("Completed", 1, 1)
    agent.delays["installBiz"] = 2
    await site.apply(version="2.0.0")
    await site.until(lambda: _is_upgrading(site))
    (old,) = await site.modules(status="Available")
    assert old["spec"]["module"]["version"] == "1.0.2"
    assert (await site.condition("Available"))["status"] == "True"


async def _is_upgrading(site):
    return bool(await site.modules(status="Upgrading"))


async def test_the_service_label_stays_on_while_a_version_is_replaced_in_place(site):
    await site.add_pods(1)
    await site.apply(version="1.0.2", replicas=1, operationStrategy={"serviceStrategy": SERVICE})
    await site.until_progress("Completed", 1, 1)
    seen = []

    async def watch():
        while True:
            seen.append(len(await site.serves_labels()))
            await asyncio.sleep(0.01)

    watching = asyncio.create_task(watch())
    await site.apply(version="2.0.0")
    await site.until_progress("Completed", 1, 1)
    watching.cancel()
    assert set(seen) == {1} and site.serving("2.0.0")


async def test_uninstall_then_install_takes_traffic_off_drains_and_only_then_uninstalls(site):
    (agent,) = await site.add_pods(1)
    draining = SERVICE | {"drainSeconds": 3}
    strategy = {"upgradePolicy": "uninstallThenInstall", "serviceStrategy": draining, "maxUnavailable": 1}
    await site.apply(version="1.0.2", replicas=1, operationStrategy=strategy)
    await site.until_progress("Completed", 1, 1)
    await site.apply(version="2.0.0")
    await site.until(lambda: _has_no_label(site))
    off, loop = asyncio.get_running_loop().time(), asyncio.get_running_loop()
    await site.until(lambda: agent.base.calls("uninstallBiz") == ["provider:1.0.2"])
    assert loop.time() - off > 1.5  # of 3 s, for the label was seen to be off a little later than it was
    await site.until_progress("Completed", 1, 1)
    assert site.serving("2.0.0") == await site.serves_labels()


async def _has_no_label(site):
    return not await site.serves_labels()


async def test_uninstall_then_install_never_takes_more_out_of_service_than_allowed(site):
    for agent in await site.add_pods(3):
        agent.delays["installBiz"] = 0.2
    strategy = {"upgradePolicy": "uninstall_then_install", "maxUnavailable": 1}
    await site.apply(version="1.0.2", replicas=3, operationStrategy=strategy)
    await site.until_progress("Completed", 1, 3)
    await site.apply(version="2.0.0")
    assert await site.fewest_serving_until(lambda: len(site.serving("2.0.0")) == 3) == 2


async def test_what_is_out_of_service_for_any_cause_uses_up_what_may_be(site):
    agents = await site.add_pods(3)
    strategy = {"upgradePolicy": "uninstall_then_install", "maxUnavailable": 1}
    await site.apply(version="1.0.2", replicas=3, operationStrategy=strategy)
    await site.until_progress("Completed", 1, 3)
    for agent in agents:
        agent.delays["installBiz"] = 0.2
    agents[0].base.broken_versions |= {"1.0.2"}
    await site.restart_base(agents[0])
    await site.until(lambda: _has_failed_alone(site))
    await site.apply(version="2.0.0")
    await site.until(lambda: len(site.serving("2.0.0")) == 1)  # where nothing served, nothing is lost
    assert await site.fewest_serving_until(lambda: len(site.serving("2.0.0")) == 3) == 2


async def test_two_versions_that_share_a_web_path_are_exchanged_pod_by_pod(site):
    agents = await site.add_pods(2)
    for agent in agents:
        agent.base.holds_one_version, agent.delays["installBiz"] = True, 0.2
    await site.apply(version="1.0.2", replicas=2)
    await site.until_progress("Completed", 1, 2)
    await site.apply(version="2.0.0")
    assert await site.fewest_serving_until(lambda: len(site.serving("2.0.0")) == 2) == 1
    await site.until_progress("Completed")


async def test_a_version_on_the_same_web_path_that_fails_gives_the_pod_back_to_the_old_one(site):
    agents = await site.add_pods(2)
    for agent in agents:
        agent.base.holds_one_version = True
        agent.base.broken_versions.add("2.0.0")
    await site.apply(version="1.0.2", replicas=2)
    await site.until_progress("Completed", 1, 2)
    await site.apply(version="2.0.0")
    await site.until(lambda: _has_failed_alone(site))
    await site.until(lambda: len(site.serving("1.0.2")) == 2)
    assert (await site.progress())[0] == "Executing"
    for agent in agents:
        agent.base.broken_versions.clear()
    await site.until_progress("Completed", 1, 2)
    assert len(site.serving("2.0.0")) == 2


async def _has_failed_alone(site):
    return bool(await site.modules(status="Failed", reason="InstallFailed"))


async def test_the_module_service_is_as_documented_follows_its_port_and_goes_with_the_strategy(site):
    await site.add_pods(1)
    await site.apply(version="1.0.2", replicas=1, operationStrategy={"serviceStrategy": SERVICE})
    await site.until_progress("Completed", 1, 1)
    spec = (await site.get(Kind.SERVICE, "provider-service"))["spec"]
    port = {key: value for key, value in spec["ports"][0].items() if key != "nodePort"}
    assert port == {"name": "http", "port": 8080, "protocol": "TCP", "targetPort": 8080}
    assert (spec["type"], spec["selector"]) == ("NodePort", {"module.serverless.alipay.com/provider": "true"})
    await site.apply(operationStrategy={"serviceStrategy": SERVICE | {"port": 9090}})
    await site.until(lambda: _port_is(site, 9090))
    assert (await site.get(Kind.SERVICE, "provider-service"))["spec"]["ports"][0]["nodePort"] == spec["ports"][0][
        "nodePort"
    ]
    await site.apply(operationStrategy={"serviceStrategy": {"enableModuleService": False}})
    await site.until(lambda: _has_no_service(site))


async def _port_is(site, port):
    return (await site.get(Kind.SERVICE, "provider-service"))["spec"]["ports"][0]["port"] == port


async def _has_no_service(site):
    return await site.get(Kind.SERVICE, "provider-service") is None


async def test_a_service_of_somebody_else_is_left_alone_and_said_so(site):
    await site.add_pods(1)
    foreign = {"metadata": {"name": "provider-service"}, "spec": {"ports": [{"port": 1}], "selector": {"a": "b"}}}
    await site.create(Kind.SERVICE, foreign)
    await site.apply(version="1.0.2", replicas=1, operationStrategy={"serviceStrategy": SERVICE})
    await site.until_progress("Completed", 1, 1)
    failure = await site.condition("ReplicaFailure")
    assert (failure["status"], failure["reason"]) == ("True", "ServiceTaken")
    assert (await site.get(Kind.SERVICE, "provider-service"))["spec"]["selector"] == {"a": "b"}


async def test_another_url_alone_calls_nobody_and_is_what_the_next_install_uses(site):
    (first,) = await site.add_pods(1)
    await site.apply(version="1.0.2", replicas=1)
    await site.until_progress("Completed", 1, 1)
    before = list(first.base.log)
    moved = module("1.0.2") | {"url": "http://elsewhere/provider.whl"}
    await site.apply(template={"spec": {"module": moved}})
    await site.is_calm()
    assert first.base.log == before and len(await site.all(Kind.MODULE_REPLICASET)) == 1
    urls = []
    (second,) = await site.add_pods(1)
    answer = second.base.answer
    second.base.answer = lambda command, body: urls.append(body.get("bizUrl")) or answer(command, body)
    await site.apply(replicas=2)
    await site.until_progress("Completed", 1, 2)
    assert "http://elsewhere/provider.whl" in urls


@pytest.mark.parametrize("policy", ["install_then_uninstall", "uninstall_then_install"])
async def test_a_restart_exchanges_the_same_version_pod_by_pod(site, policy):
    for agent in await site.add_pods(2):
        agent.delays["installBiz"] = 0.2
    await site.apply(version="1.0.2", replicas=2, operationStrategy={"upgradePolicy": policy})
    await site.until_progress("Completed", 1, 2)
    restarted = {
        "metadata": {"annotations": {"serverless.alipay.com/restartedAt": "now"}},
        "spec": {"module": module("1.0.2")},
    }
    await site.apply(template=restarted)
    assert await site.fewest_serving_until(lambda: _is_installed_again(site)) == 1
    assert site.calls("uninstallBiz") == 2


async def _is_installed_again(site):
    return (await site.progress())[0] == "Completed" and site.calls("installBiz") == 4


async def test_where_no_other_pod_serves_a_version_on_the_same_web_path_waits_and_names_the_way_out(site):
    (agent,) = await site.add_pods(1)
    agent.base.holds_one_version = True
    await site.apply(version="1.0.2", replicas=1)
    await site.until_progress("Completed", 1, 1)
    await site.apply(version="2.0.0")
    await site.until(lambda: _fails_with(site, "MaxUnavailableExceeded", "set upgradePolicy uninstall_then_install"))
    await site.is_calm(0.2)
    assert site.serving("1.0.2") and site.calls("uninstallBiz") == 0
    await site.apply(operationStrategy={"upgradePolicy": "uninstall_then_install"})
    await site.until_progress("Completed", 1, 1)
    assert site.serving("2.0.0")


async def _fails_with(site, reason, words):
    failure = await site.condition("ReplicaFailure")
    return failure.get("reason") == reason and words in failure["message"]


async def test_an_allowance_that_rounds_down_to_nothing_is_told_and_nothing_is_uninstalled(site):
    await site.add_pods(1)
    strategy = {"upgradePolicy": "uninstall_then_install", "maxUnavailable": "50%"}
    await site.apply(version="1.0.2", replicas=1, operationStrategy=strategy)
    await site.until_progress("Completed", 1, 1)
    await site.apply(version="2.0.0")
    await site.until(lambda: _fails_with(site, "MaxUnavailableExceeded", "maxUnavailable 50% of 1 replicas is 0"))
    await site.until(lambda: site.events("MaxUnavailableExceeded"))
    assert site.calls("uninstallBiz") == 0


async def test_scaleup_then_scaledown_moves_to_a_pod_that_does_not_run_the_module(site):
    await site.add_pods(2)
    await site.apply(version="1.0.2", replicas=1, operationStrategy={"upgradePolicy": "scaleUpThenScaleDown"})
    await site.until_progress("Completed", 1, 1)
    (old,) = site.serving("1.0.2")
    await site.apply(version="2.0.0")
    await site.until_progress("Completed", 1, 1)
    await site.until(lambda: len(site.serving()) == 1)
    assert site.serving("2.0.0") != [old]


async def test_scaleup_then_scaledown_without_a_free_pod_waits_and_says_so(site):
    await site.add_pods(1)
    await site.apply(version="1.0.2", replicas=1, operationStrategy={"upgradePolicy": "scaleup_then_scaledown"})
    await site.until_progress("Completed", 1, 1)
    await site.apply(version="2.0.0")
    await site.until(lambda: _fails_with(site, "InsufficientBases", "0/1 base pods fit: 1 already holds provider"))
    assert site.serving("1.0.2")


async def test_old_revisions_are_kept_up_to_the_limit_and_used_again(site):
    await site.add_pods(1)
    for version in ("1", "2", "3", "1"):
        await site.apply(version=version, replicas=1, revisionHistoryLimit=1)
        await site.until_progress("Completed", 1, 1)
    await site.until(lambda: _kept(site, {"1", "3"}))
    await site.until(lambda: site.events("ReleaseStarted"))


async def _kept(site, versions):
    found = await site.all(Kind.MODULE_REPLICASET)
    return {one["spec"]["template"]["spec"]["module"]["version"] for one in found} == versions
