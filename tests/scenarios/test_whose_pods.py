"""Whose pods a base has: its whole selector, its ReplicaSets, and pods that leave or belong to somebody else (semantics 8)."""

import pytest

from arkwright.model.resources import Kind

APP = {"matchLabels": {"app": "stock"}}
EXPRESSIONS = {"matchExpressions": [{"key": "app", "operator": "In", "values": ["stock"]}]}
NOT_CANARY = APP | {"matchExpressions": [{"key": "track", "operator": "NotIn", "values": ["canary"]}]}


async def labelled(site, address, **labels):
    name = f"stock-{address.rpartition('.')[2]}"
    await site.patch(Kind.POD, name, {"metadata": {"labels": labels}})


async def given_to(site, address, owner):
    """`owner`: a Service, which is as good as a Job here, and needs nothing that runs."""
    await site.create(Kind.SERVICE, {"metadata": {"name": owner}, "spec": {"ports": [{"port": 80}]}})
    uid = (await site.get(Kind.SERVICE, owner))["metadata"]["uid"]
    reference = {"apiVersion": "v1", "kind": "Service", "name": owner, "uid": uid, "controller": True}
    await site.patch(Kind.POD, f"stock-{address.rpartition('.')[2]}", {"metadata": {"ownerReferences": [reference]}})


async def base_named(site, name, selector, labels):
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "base", "image": "x"}]}}
    spec = {"replicas": 0, "selector": selector, "template": template}
    base = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}
    await site.create(Kind.DEPLOYMENT, base)


async def test_a_pod_relabelled_out_of_its_base_keeps_its_module_gets_no_request_and_is_replaced(site):
    await site.add_pods(2)
    await site.apply(version="1.0.2", replicas=1)
    await site.until_progress("Completed", 1, 1)
    (taken,) = site.serving()
    await labelled(site, taken, app="debug")
    await site.until(lambda: len(site.serving()) == 2)
    await site.until(lambda: _leaves_the_service(site, taken))
    (left,) = await site.modules(reason="Detached")
    assert "relabelled out of base stock" in left["status"]["message"]
    await site.delete()
    await site.until(lambda: _is_gone(site))
    assert site.serving() == [taken], "it is left to whoever looks into it"
    await site.delete(Kind.MODULE, left["metadata"]["name"])
    await site.until(lambda: not site.serving())


async def _leaves_the_service(site, address):
    labels = await site.serves_labels()
    return address not in labels and len(labels) == 1


async def _is_gone(site):
    return await site.deployment() is None


@pytest.mark.parametrize("selector", [EXPRESSIONS, NOT_CANARY], ids=["expressions only", "labels and an expression"])
async def test_every_expression_of_a_bases_selector_counts(site, selector):
    await base_named(site, "chosen", selector, {"app": "stock"})
    agents = await site.add_pods(2)
    (canary,) = await site.add_pods(1, app="stock", track="canary")
    await site.apply(baseDeploymentName="chosen", version="1.0.2", replicas=-1)
    expected = 3 if selector is EXPRESSIONS else 2
    await site.until_progress("Completed", 1, expected)
    assert {one.address for one in agents} <= set(site.serving())
    assert (canary.address in site.serving()) is (selector is EXPRESSIONS)


async def test_a_pod_of_somebody_else_is_no_candidate_and_gives_up_its_module(site):
    first, second = await site.add_pods(2)
    await site.apply(version="1.0.2", replicas=-1)
    await site.until_progress("Completed", 1, 2)
    await given_to(site, first.address, "somebody-else")
    await site.until(lambda: site.serving() == [second.address])
    await site.until_progress("Completed", 1, 1)


async def test_a_helper_pod_without_an_agent_holds_up_nobody_and_is_named(site):
    await site.add_silent_pod("a-helper")
    await site.add_pods(2)
    strategy = {"useBeta": True, "batchCount": 3}
    for version in ("1.0.2", "2.0.0"):
        await site.apply(version=version, replicas=-1, operationStrategy=strategy)
        await site.until_progress("Completed", 3, 2)
        assert len(site.serving(version)) == 2
    await site.until(lambda: _is_named(site, "a-helper"))
    assert (await site.condition("Ready"))["status"] == "True"
    await site.delete()
    await site.until(lambda: _is_gone(site))


async def _is_named(site, name):
    said = (await site.condition("Available"))["message"]
    return said.endswith(f"not waited for: {name}, whose agent has never answered")
