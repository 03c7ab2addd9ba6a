"""What goes, in which order, and what may hold it up (semantics 5, 7, 8; contract 7)."""

import pytest

from arkwright.model.resources import Kind
from scenarios.site import module

SCALEUP = {"upgradePolicy": "scaleup_then_scaledown"}
RECYCLE = "serverless.alipay.com/recycle-base-pod"
SERVICE = {"serviceStrategy": {"enableModuleService": True, "port": 8080, "targetPort": 8080, "drainSeconds": 0}}


def pod_name(agent):
    return f"stock-{agent.address.rpartition('.')[2]}"


async def _is_gone(site, kind, name):
    return await site.get(kind, name) is None


async def _nothing_is_left(site):
    kinds = (Kind.MODULE_DEPLOYMENT, Kind.MODULE_REPLICASET, Kind.MODULE)
    return not [one for kind in kinds for one in await site.all(kind)]


async def test_deleting_the_base_takes_everything_along_even_if_its_pods_are_unreachable(site):
    agents = await site.add_pods(2)
    await site.apply(version="1.0.2", replicas=2)
    await site.until_progress("Completed", 1, 2)
    for agent in agents:
        agent.hangs.add("*")
        await site.delete_pod(agent, seconds=300)  # nobody confirms it: the pods stay, terminating
    await site.delete(Kind.DEPLOYMENT, "stock")
    # The cluster's garbage collector takes up to half a minute to learn of kinds that are new to it.
    await site.until(lambda: _nothing_is_left(site), seconds=60)
    assert len(await site.all(Kind.POD)) == 2 and site.calls("uninstallBiz") == 0


async def test_a_finalizer_of_somebody_else_keeps_an_object_that_is_terminated(site):
    await site.add_pods(1)
    await site.apply(version="1.0.2", replicas=1)
    await site.until_progress("Completed", 1, 1)
    theirs = "example.com/keep"
    ours = (await site.deployment())["metadata"]["finalizers"]
    await site.patch(Kind.MODULE_DEPLOYMENT, "demo", {"metadata": {"finalizers": [*ours, theirs]}})
    await site.delete()
    await site.until(lambda: _is_terminated(site, theirs))
    assert not await site.modules() and not site.serving()
    await site.patch(Kind.MODULE_DEPLOYMENT, "demo", {"metadata": {"finalizers": None}})
    await site.until(lambda: _is_gone(site, Kind.MODULE_DEPLOYMENT, "demo"))


async def _is_terminated(site, finalizer):
    return (await site.progress())[0] == "Terminated" and (await site.deployment())["metadata"]["finalizers"] == [
        finalizer
    ]


async def test_a_deletion_goes_in_batches_and_tells_them(site):
    agents = await site.add_pods(3)
    await site.apply(version="1.0.2", replicas=3, operationStrategy={"batchCount": 3})
    await site.until_progress("Completed", 3, 3)
    for agent in agents:
        agent.delays["uninstallBiz"] = 0.3
    await site.delete()
    most = 0

    async def is_done():
        nonlocal most
        most = max(most, sum(bool(agent.base.busy) for agent in agents))
        return await _nothing_is_left(site)

    await site.until(is_done)
    assert most == 1
    await site.until_told({"ModuleUninstalled": [f"Uninstalled {k} of 3, batch {k}/3 is over" for k in (1, 2, 3)]})


async def test_under_scaleup_then_scaledown_a_deleted_module_serves_until_its_replacement_does(site):
    first, second = await site.add_pods(2)
    await site.apply(version="1.0.2", replicas=1, operationStrategy=SCALEUP | SERVICE)
    await site.until_progress("Completed", 1, 1)
    holder, other = (first, second) if first.base.modules else (second, first)
    other.delays["installBiz"] = 1
    (old,) = await site.modules()
    fewest = 1

    async def is_replaced():
        nonlocal fewest
        fewest = min(fewest, len(site.serving()), len(await site.serves_labels()))
        return site.serving() == [other.address]

    await site.delete(Kind.MODULE, old["metadata"]["name"])
    await site.until(lambda: _names_its_replacement(site, old))
    await site.until(is_replaced)
    assert fewest == 1
    await site.until(lambda: _is_gone(site, Kind.MODULE, old["metadata"]["name"]))
    assert holder.base.modules == {}


async def _names_its_replacement(site, old):
    found = await site.get(Kind.MODULE, old["metadata"]["name"]) or old
    name = found["metadata"]["labels"].get("serverless.alipay.com/new-replicated-module")
    return bool(name) and await site.get(Kind.MODULE, name) is not None


async def test_without_a_free_pod_a_deleted_module_goes_first(site):
    (agent,) = await site.add_pods(1)
    await site.apply(version="1.0.2", replicas=1, operationStrategy=SCALEUP)
    await site.until_progress("Completed", 1, 1)
    (old,) = await site.modules()
    await site.delete(Kind.MODULE, old["metadata"]["name"])
    await site.until(lambda: agent.base.calls("installBiz") == ["provider:1.0.2"] * 2)
    await site.until(lambda: _is_available(site))


async def _is_available(site):
    return bool(await site.modules(status="Available"))


@pytest.mark.parametrize("hosts_another, recycled", [(False, True), (True, False)])
async def test_a_base_pod_is_recycled_only_where_asked_for_and_only_without_another_module(
    site, hosts_another, recycled
):
    first, second = await site.add_pods(2)
    await site.apply(version="1.0.2", replicas=1, operationStrategy=SCALEUP)
    await site.until_progress("Completed", 1, 1)
    await site.annotate(Kind.MODULE_DEPLOYMENT, "demo", **{RECYCLE: "true"})
    if hosts_another:
        await site.apply(name="other", replicas=2, template={"spec": {"module": module("1", name="other")}})
        await site.until_progress("Completed", 1, 2, name="other")
    left = first if "provider:1.0.2" in first.base.modules else second
    await site.apply(version="2.0.0")
    await site.until_progress("Completed", 1, 1)
    await site.until(lambda: "provider:1.0.2" not in left.base.modules)
    if recycled:
        await site.until(lambda: _is_going(site, pod_name(left)))
        await site.until(lambda: site.events("BasePodRecycled"))
    else:
        await site.is_calm(0.3)
        assert not await _is_going(site, pod_name(left))


async def _is_going(site, name):
    pod = await site.get(Kind.POD, name)
    return pod is None or "deletionTimestamp" in pod["metadata"]


async def test_a_service_that_two_module_deployments_share_lives_as_long_as_one_wants_it(site):
    await site.add_pods(2)
    for name in ("one", "two"):
        await site.apply(name=name, version="1.0.2", replicas=1, operationStrategy=SERVICE)
        await site.until_progress("Completed", 1, 1, name=name)
    uid = (await site.get(Kind.SERVICE, "provider-service"))["metadata"]["uid"]
    await site.delete(name="one")
    await site.until(lambda: _is_gone(site, Kind.MODULE_DEPLOYMENT, "one"))
    await site.is_calm(0.5)
    assert (await site.get(Kind.SERVICE, "provider-service"))["metadata"]["uid"] == uid
    assert len(await site.serves_labels()) == 1
    await site.delete(name="two")
    await site.until(lambda: _is_gone(site, Kind.SERVICE, "provider-service"))


async def test_a_module_deleted_while_its_install_is_under_way_is_uninstalled_once_that_has_ended(site):
    (agent,) = await site.add_pods(1)
    agent.delays["installBiz"] = 1
    await site.apply(version="1.0.2", replicas=1)
    await site.until(lambda: bool(agent.base.busy))
    await site.delete()
    await site.until(lambda: _nothing_is_left(site))
    await site.until(lambda: not agent.base.busy)
    assert agent.base.modules == {} and agent.base.calls("installBiz") == agent.base.calls("uninstallBiz")


async def test_the_agent_of_a_live_pod_that_cannot_be_reached_holds_its_module_and_the_way_out_is_named(site):
    (agent,) = await site.add_pods(1)
    await site.apply(version="1.0.2", replicas=1)
    await site.until_progress("Completed", 1, 1)
    agent.stop()
    await site.delete()
    await site.until(lambda: _names_the_way_out(site))
    (held,) = await site.modules()
    await site.label(Kind.MODULE, held["metadata"]["name"], delete_module_directly="true")
    await site.until(lambda: _nothing_is_left(site))


async def _names_the_way_out(site):
    found = await site.modules(status="Terminating", reason="AgentUnreachable")
    return bool(found) and "delete-module-directly=true or delete the base pod" in found[0]["status"]["message"]


async def test_a_module_on_a_pod_that_is_asked_to_leave_says_so(site):
    (agent,) = await site.add_pods(1)
    await site.apply(version="1.0.2", replicas=1)
    await site.until_progress("Completed", 1, 1)
    agent.delays["uninstallBiz"] = 2
    await site.label(Kind.POD, pod_name(agent), delete_pod="true")
    await site.until(lambda: _says(site, "BaseTerminating"))


async def _says(site, reason):
    return bool(await site.modules(status="Terminating", reason=reason))


async def test_a_cap_that_is_no_number_is_no_cap_and_is_told(site):
    await site.add_pods(1, **{"serverless.alipay.com/max-module-count": "many"})
    await site.apply(version="1", replicas=1)
    await site.until_progress("Completed", 1, 1)
    said = "serverless.alipay.com/max-module-count 'many' is not a whole number, 0 or more"
    await site.until_told({"InvalidMaxModuleCount": [f"{said}: no limit is applied to base pod stock-1"]})
