"""Bare kinds, orphans and names that are taken: nothing waits in silence (semantics 7)."""

import pytest

from arkwright.model.resources import RESOURCES, Kind
from scenarios.site import BASE, module

TO_BASE = {"serverless.alipay.com/deployment-name": BASE}
BY_SELECTOR = {"selector": {"matchExpressions": [{"key": "app", "operator": "In", "values": [BASE]}]}}
SERVICE = {"enableModuleService": True, "port": 80, "drainSeconds": 0}
HOW = [pytest.param({}, TO_BASE, id="base label"), pytest.param(BY_SELECTOR, {}, id="selector")]


async def made(site, kind, name, spec, **metadata):
    api_version = RESOURCES[kind].api_version
    document = {"apiVersion": api_version, "kind": str(kind), "metadata": {"name": name, **metadata}, "spec": spec}
    await site.create(kind, document)


def bare_set(replicas, **more):
    return {"replicas": replicas, "template": {"spec": {"module": module("1.0.2")}}, **more}


async def is_empty(site):
    return not (await site.modules() or site.serving() or await site.all(Kind.MODULE_REPLICASET))


@pytest.mark.parametrize("how, labels", HOW)
async def test_a_bare_replica_set_keeps_its_replicas(site, how, labels):
    await site.add_pods(3)
    await made(site, Kind.MODULE_REPLICASET, "alone", bare_set(2, **how), labels=labels)
    await site.until(lambda: len(site.serving("1.0.2")) == 2)
    await site.patch(Kind.MODULE_REPLICASET, "alone", {"spec": {"replicas": 3}})
    await site.until(lambda: len(site.serving("1.0.2")) == 3)
    await site.delete(Kind.MODULE_REPLICASET, "alone")
    await site.until(lambda: is_empty(site))


@pytest.mark.parametrize("how, labels", HOW)
async def test_a_bare_module_is_placed_and_installed(site, how, labels):
    await made(site, Kind.MODULE, "alone", {"module": module("1.0.2"), **how}, labels=labels)
    await site.until(lambda: site.modules(reason="InsufficientBases"))
    await site.add_pods(2)
    await site.until(lambda: len(site.serving("1.0.2")) == 1)
    await site.until(lambda: site.modules(status="Available"))
    await site.delete(Kind.MODULE, "alone")
    await site.until(lambda: is_empty(site))


async def test_what_is_orphaned_stays_installed_and_is_adopted_again(site):
    await site.add_pods(2)
    wish = {"version": "1.0.2", "replicas": 2, "operationStrategy": {"serviceStrategy": SERVICE}}
    await site.apply(**wish)
    await site.until_progress("Completed", 1, 2)
    await site.orphan()
    await site.until(lambda: _is_gone(site), seconds=90)  # a real collector takes half a minute to know a new kind
    await site.is_calm()
    assert len(site.serving("1.0.2")) == len(await site.serves_labels()) == 2
    await site.apply(**wish)
    await site.until_progress("Completed", 0, 2)
    assert (site.calls("installBiz"), site.calls("uninstallBiz")) == (2, 0)
    assert (await site.condition("ReplicaFailure"))["status"] == "False", "the Service is its own again"
    await site.apply(**wish | {"version": "2.0.0"})
    await site.until_progress("Completed", 1, 2)
    await site.delete()
    await site.until(lambda: is_empty(site))


async def _is_gone(site):
    return await site.deployment() is None


async def test_a_replica_set_name_that_is_taken_is_numbered_past(site):
    await site.add_pods(1)
    await made(site, Kind.MODULE_REPLICASET, "demo-replicas-1", bare_set(0))
    await site.apply(version="1.0.2", replicas=1)
    await site.until_progress("Completed", 1, 1)
    assert (await site.status())["releaseStatus"]["updateRevision"] == "demo-replicas-2"


async def test_a_replica_set_that_lost_its_owner_is_adopted(site):
    await site.add_pods(1)
    await made(
        site,
        Kind.MODULE_REPLICASET,
        "demo-replicas-1",
        bare_set(0),
        labels={"serverless.alipay.com/module-deployment": "demo"},
    )
    await site.apply(version="1.0.2", replicas=1)
    await site.until_progress("Completed", 1, 1)
    (one,) = await site.all(Kind.MODULE_REPLICASET)
    assert [owner["name"] for owner in one["metadata"]["ownerReferences"]] == ["demo"]
