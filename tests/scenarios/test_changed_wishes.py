"""A wish that is changed ends in the state that the new one names (semantics 1, 7)."""

import pytest

from arkwright.model.resources import Kind
from scenarios.site import module

SERVICE = {"serviceStrategy": {"enableModuleService": True, "port": 80, "drainSeconds": 0}}


async def another_base(site, name="store"):
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "base", "image": "x"}]}}
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": template}
    await site.create(
        Kind.DEPLOYMENT, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}
    )


@pytest.mark.parametrize("replicas", [2, -1])
async def test_modules_move_to_the_base_that_is_named_in_batches(site, replicas):
    await another_base(site)
    await site.add_pods(2)
    there = {agent.address for agent in await site.add_pods(2, app="store")}
    await site.apply(version="1.0.2", replicas=replicas)
    await site.until_progress("Completed", 1, 2)
    await site.apply(baseDeploymentName="store", operationStrategy={"batchCount": 2, "needConfirm": True})
    await site.until_progress("Paused", 1, 1)
    assert len(set(site.serving()) & there) == 1 and len(site.serving()) == 2
    await site.apply(pause=False)
    await site.until_progress("Completed", 2, 2)
    assert set(site.serving()) == there


async def test_a_base_without_pods_empties_no_other(site):
    await another_base(site)
    await site.add_pods(2)
    await site.apply(version="1.0.2", replicas=-1)
    await site.until_progress("Completed", 1, 2)
    await site.apply(baseDeploymentName="store")
    await site.until(lambda: _says(site, "InsufficientBases"))
    await site.is_calm()
    assert len(site.serving()) == 2 and (await site.progress())[0] == "Executing"


async def _says(site, reason, name="demo"):
    return (await site.condition("ReplicaFailure", name)).get("reason") == reason


async def test_a_renamed_module_takes_its_service_along_once_it_serves(site):
    await site.add_pods(2)
    await site.apply(version="1.0.2", replicas=2, operationStrategy=SERVICE)
    await site.until_progress("Completed", 1, 2)
    await site.apply(template={"spec": {"module": module("1.0.2", name="supplier")}})
    await site.until_progress("Completed", 1, 2)
    await site.until(lambda: _has_services(site, "supplier-service"))
    assert not site.serving() and len(site.serving(name="supplier")) == 2
    assert not await site.serves_labels() and len(await site.serves_labels("supplier")) == 2


async def _has_services(site, *names):
    return {one["metadata"]["name"] for one in await site.all(Kind.SERVICE)} == set(names)


async def test_two_that_want_one_module_on_one_base_are_told_of_each_other(site):
    await site.add_pods(2)
    await site.apply("first", version="1.0.2", replicas=-1)
    await site.until_progress("Completed", 1, 2, name="first")
    await site.apply("second", version="2.0.0", replicas=-1)
    await site.until(lambda: _says(site, "InsufficientBases", "second"))
    said = (await site.condition("ReplicaFailure", "second"))["message"]
    assert said == "0/2 base pods fit: 2 already holds provider of first"
