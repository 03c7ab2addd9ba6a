"""More and fewer replicas, replaced Modules, and where they go (semantics 7, 10)."""

import pytest

from arkwright.model.names import MODULE_INSTANCE_COUNT
from arkwright.model.resources import Kind
from scenarios.site import module


async def test_scaling_out_and_in_goes_in_batches(site):
    await site.add_pods(4)
    await site.apply(version="1.0.2", replicas=1, operationStrategy={"batchCount": 2, "needConfirm": True})
    await site.until_progress("Completed", 1, 1)
    await site.apply(replicas=4)
    await site.until_progress("Paused", 1, 3)
    await site.apply(pause=False)
    await site.until_progress("Completed", 2, 4)
    await site.apply(replicas=0)
    await site.until_progress("Paused", 1, 2)
    await site.apply(pause=False)
    await site.until_progress("Completed", 2, 0)
    await site.until(lambda: not site.serving())


async def _apply_other(site, pods):
    """A second ModuleDeployment whose module lies on `pods` pods."""
    await site.apply(name="other", replicas=pods, template={"spec": {"module": module("1", name="other")}})
    await site.until_progress("Completed", 1, pods, name="other")


@pytest.mark.parametrize(
    "policy, expected",
    [("scatter", "the empty one"), ("Stacking", "the full one")],
)
async def test_placement_follows_the_policy(site, policy, expected):
    await site.add_pods(2)
    await _apply_other(site, 1)
    (full,) = site.serving(name="other")
    await site.apply(version="1.0.2", replicas=1, schedulingStrategy={"schedulingPolicy": policy})
    await site.until_progress("Completed", 1, 1)
    assert (site.serving() == [full]) == (expected == "the full one")


async def test_a_cap_is_kept_and_the_message_counts_the_pods(site):
    await site.add_pods(2, **{"serverless.alipay.com/max-module-count": "1"})
    await _apply_other(site, 1)
    await site.apply(version="1.0.2", replicas=2)
    await site.until(lambda: _says(site, "0/2 base pods fit: 1 already holds provider, 1 at max-module-count"))
    assert (await site.condition("ReplicaFailure"))["reason"] == "InsufficientBases" and len(site.serving()) == 1
    await site.delete(name="other")
    await site.until_progress("Completed", 1, 2)
    assert (await site.condition("ReplicaFailure"))["status"] == "False"


async def test_a_pod_that_is_still_starting_is_counted_and_gets_its_module_once_it_runs(site):
    _, starting = await site.add_pods(2)
    await site.set_pod_status("stock-2", starting.address, phase="Pending")
    await site.apply(version="1.0.2", replicas=2)
    await site.until(lambda: _says(site, "0/2 base pods fit: 1 already holds provider, 1 not running"))
    await site.set_pod_status("stock-2", starting.address)
    await site.until_progress("Completed", 1, 2)


async def test_an_upgrade_works_on_pods_that_are_full(site):
    await site.add_pods(2, **{"serverless.alipay.com/max-module-count": "1"})
    await site.apply(version="1.0.2", replicas=2)
    await site.until_progress("Completed", 1, 2)
    await site.apply(version="2.0.0")
    await site.until_progress("Completed", 1, 2)
    assert len(site.serving("2.0.0")) == 2


async def test_a_cap_in_the_base_deployment_holds_for_its_pods(site):
    await site.add_pods(1)
    await site.label(Kind.DEPLOYMENT, "stock", max_module_count="0")
    await site.apply(version="1.0.2", replicas=1)
    await site.until(lambda: _says(site, "0/1 base pods fit: 1 at max-module-count"))


async def _says(site, message, name="demo"):
    return (await site.condition("ReplicaFailure", name)).get("message") == message


async def test_a_deleted_module_is_uninstalled_and_replaced(site):
    (agent,) = await site.add_pods(1)
    await site.apply(version="1.0.2", replicas=1)
    await site.until_progress("Completed", 1, 1)
    (old,) = await site.modules()
    await site.delete(Kind.MODULE, old["metadata"]["name"])
    await site.until(lambda: agent.base.calls("uninstallBiz") == ["provider:1.0.2"])
    await site.until(lambda: _is_replaced(site, old))
    assert agent.base.calls("installBiz") == ["provider:1.0.2"] * 2


async def _is_replaced(site, old):
    found = await site.modules(status="Available")
    return [one["metadata"]["uid"] for one in found] not in ([], [old["metadata"]["uid"]])


async def test_the_delete_module_label_uninstalls_and_the_direct_one_does_not(site):
    (agent,) = await site.add_pods(1)
    await site.apply(version="1.0.2", replicas=1)
    await site.until_progress("Completed", 1, 1)
    (first,) = await site.modules()
    await site.label(Kind.MODULE, first["metadata"]["name"], delete_module="true")
    await site.until(lambda: _is_replaced(site, first))
    assert len(agent.base.calls("uninstallBiz")) == 1
    (second,) = await site.modules()
    await site.label(Kind.MODULE, second["metadata"]["name"], delete_module_directly="true")
    await site.until(lambda: _is_replaced(site, second))
    assert len(agent.base.calls("uninstallBiz")) == 1


async def test_the_count_of_modules_on_a_pod_is_derived(site):
    await site.add_pods(1)
    await site.apply(version="1.0.2", replicas=1)
    await site.until_progress("Completed", 1, 1)
    await _apply_other(site, 1)
    await site.until(lambda: _count_is(site, "2"))
    await site.label(Kind.POD, "stock-1", module_instance_count="77")
    await site.until(lambda: _count_is(site, "2"))


async def _count_is(site, wanted):
    (pod,) = await site.all(Kind.POD)
    return pod["metadata"]["labels"].get(MODULE_INSTANCE_COUNT) == wanted


async def test_two_module_deployments_of_one_module_never_share_a_pod_nor_touch_each_other(site):
    await site.add_pods(3)
    await site.apply(name="one", version="1.0.2", replicas=1)
    await site.until_progress("Completed", 1, 1, name="one")
    await site.apply(name="two", version="2.0.0", replicas=3)
    await site.until(
        lambda: _says(site, "0/3 base pods fit: 2 already holds provider, 1 already holds provider of one", name="two")
    )
    assert (len(site.serving("1.0.2")), len(site.serving("2.0.0"))) == (1, 2)
    await site.delete(name="one")
    await site.until_progress("Completed", 1, 3, name="two")
    assert len(site.serving("2.0.0")) == 3


async def test_what_does_not_serve_goes_first_when_scaling_in(site):
    agents = await site.add_pods(3)
    agents[1].base.broken_versions.add("1.0.2")
    await site.apply(version="1.0.2", replicas=3)
    await site.until(lambda: len(site.serving()) == 2)
    await site.until(lambda: _has_failed(site))
    await site.apply(replicas=2)
    await site.until_progress("Completed")
    await site.until(lambda: _has_modules(site, 2))
    assert site.calls("uninstallBiz") == 0 and len(site.serving()) == 2


async def _has_failed(site):
    return bool(await site.modules(status="Failed"))


async def _has_modules(site, count):
    return len(await site.modules()) == len(await site.modules(status="Available")) == count
