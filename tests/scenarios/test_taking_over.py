"""Objects that an earlier controller has left, and bases that hold their modules: they are taken over as they are (contract 4, semantics 7)."""

import asyncio
import json

import pytest
import yaml

from arkwright.model.resources import Kind
from scenarios.conftest import ROOT
from scenarios.kubectl import kubectl
from scenarios.site import BASE, Site, module
from scenarios.test_commands import run

GROUP = "serverless.alipay.com"


class UnattendedSite(Site):
    """Its controller begins when it is told to."""

    def start_controller(self):
        if self.agents:
            super().start_controller()


@pytest.fixture
def site_class():
    return UnattendedSite


def _owner(kind, name, uid, version=f"{GROUP}/v1alpha1"):
    return {
        "apiVersion": version,
        "kind": kind,
        "name": name,
        "uid": uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


async def _left_by_another(site, pods, replicas):
    """A ModuleDeployment that is complete, with its ReplicaSet and a Module on each pod, as programs of before made them: Modules belong to
    their ReplicaSet, and only labels say where they are."""
    base = await site.get(Kind.DEPLOYMENT, BASE)
    spec = {
        "baseDeploymentName": BASE,
        "replicas": replicas,
        "template": {"metadata": {"creationTimestamp": None}, "spec": {"module": module("1.0.2")}},
        "operationStrategy": {"batchCount": 1, "upgradePolicy": "installThenUninstall", "serviceStrategy": {}},
        "schedulingStrategy": {"schedulingPolicy": "Scatter"},
    }
    about = {"deployment-name": BASE, "module-name": "provider", "module-version": "1.0.2", "module-deployment": "demo"}
    labels = {f"{GROUP}/{key}": value for key, value in about.items()}
    finalizers = [f"{GROUP}/module-replicaset-existed", f"{GROUP}/module-existed"]
    wish = await _made(
        site,
        Kind.MODULE_DEPLOYMENT,
        "demo",
        spec,
        owner=_owner("Deployment", BASE, base["metadata"]["uid"], "apps/v1"),
        finalizers=finalizers,
    )
    revision = {f"{GROUP}/module-replicaset-revision": "1", f"{GROUP}/module-scheduling-strategy": "Scatter"}
    of_set = {key: spec[key] for key in ("template", "operationStrategy", "schedulingStrategy")}
    selector = {"matchLabels": {f"{GROUP}/module-deployment": "demo"}}
    made = await _made(
        site,
        Kind.MODULE_REPLICASET,
        "demo-replicas-6f7d8c",
        of_set | {"replicas": len(pods), "selector": selector},
        owner=_owner("ModuleDeployment", "demo", wish["metadata"]["uid"]),
        labels=labels | revision,
        finalizers=finalizers[1:],
    )
    for pod in pods:
        where = {"base-instance-name": pod["metadata"]["name"], "base-instance-ip": pod["status"]["podIP"]}
        on = (
            labels
            | {f"{GROUP}/module-replicaset": "demo-replicas-6f7d8c"}
            | {f"{GROUP}/{key}": one for key, one in where.items()}
        )
        await _made(
            site,
            Kind.MODULE,
            f"demo-replicas-6f7d8c-{pod['metadata']['name']}",
            {"module": module("1.0.2"), "selector": selector},
            owner=_owner("ModuleReplicaSet", "demo-replicas-6f7d8c", made["metadata"]["uid"]),
            labels=on,
            finalizers=[f"{GROUP}/allocate-pod"],
        )


async def _made(site, kind, name, spec, *, owner, finalizers, labels=None):
    metadata = {"name": name, "ownerReferences": [owner], "finalizers": finalizers, "labels": labels or {}}
    await site.create(kind, {"apiVersion": f"{GROUP}/v1alpha1", "kind": kind.value, "metadata": metadata, "spec": spec})
    return await site.get(kind, name)


@pytest.mark.parametrize("replicas", [2, -1])
async def test_what_runs_is_taken_over_without_a_call_that_changes_anything_and_releases_go_on(site, replicas):
    agents = await site.add_pods(3 if replicas > 0 else 2)
    pods = sorted(await site.all(Kind.POD), key=lambda pod: pod["metadata"]["name"])[-2:]
    holding = {pod["status"]["podIP"] for pod in pods}
    for agent in agents:
        if agent.address in holding:
            agent.base.modules["provider:1.0.2"] = "activated"
    await _left_by_another(site, pods, replicas)
    site.start_controller()
    await site.until_progress("Completed")
    await site.until(lambda: _are_available(site, 2))
    assert site.calls("installBiz") == site.calls("uninstallBiz") == site.calls("switchBiz") == 0
    assert {one["metadata"]["labels"][f"{GROUP}/base-instance-ip"] for one in await site.modules()} == holding
    assert len(await site.all(Kind.MODULE_REPLICASET)) == 1
    await site.apply(version="2.0.0")
    await site.until(lambda: len(site.serving("2.0.0")) == 2 and not site.serving("1.0.2"))
    await site.until_progress("Completed")
    await site.delete()
    await site.until(lambda: _is_gone(site))


async def _are_available(site, count):
    return len(await site.modules(status="Available")) == count == len(await site.modules())


async def _is_gone(site):
    return await site.deployment() is None and not await site.modules() and not site.serving()


OTHER = "koupleless.io"


def _kinds_of_another_group():
    """As the earlier controller's: the same kinds, without any rule."""
    for file in sorted((ROOT / "deploy").glob("*crd.yaml")):
        one = yaml.safe_load(file.read_text())
        names = one["spec"]["names"]
        open_schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        version = {"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": open_schema}}
        spec = {"group": OTHER, "names": {key: names[key] for key in ("kind", "plural", "singular") if key in names}}
        spec |= {"scope": "Namespaced", "versions": [version]}
        yield {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{names['plural']}.{OTHER}"},
            "spec": spec,
        }


def _in_the_other_group(one):
    """The object as it is there."""
    text = json.dumps(one).replace(f"module.{GROUP}/", f"module.{OTHER}/").replace(f"{GROUP}/", f"{OTHER}/")
    document = json.loads(text)
    for field in ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "ownerReferences"):
        document["metadata"].pop(field, None)
    return document


async def test_objects_of_another_group_are_made_anew_and_what_runs_goes_on_running(site):
    agents = await site.add_pods(3)
    pods = sorted(await site.all(Kind.POD), key=lambda pod: pod["metadata"]["name"])[1:]
    for agent in agents[1:]:
        agent.base.modules["provider:1.0.2"] = "activated"
    await _left_by_another(site, pods, 2)
    kinds = (Kind.MODULE, Kind.MODULE_REPLICASET, Kind.MODULE_DEPLOYMENT)
    left = [_in_the_other_group(one) for kind in kinds for one in await site.all(kind)]
    for kind in kinds:
        for one in await site.all(kind):
            await site.patch(kind, one["metadata"]["name"], {"metadata": {"finalizers": None}})
            await site.delete(kind, one["metadata"]["name"])
    for definition in _kinds_of_another_group():
        await asyncio.to_thread(kubectl, "apply", "-f", "-", text=json.dumps(definition))
    await asyncio.to_thread(kubectl, "wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    for one in left:
        await asyncio.to_thread(kubectl, "-n", site.namespace, "create", "-f", "-", text=json.dumps(one))
    code, out, said = await run(site, "migrate", "--from", OTHER)
    assert code == 0 and f"moduledeployments.{OTHER}: demo" in out and "nothing is written yet" in said
    assert await site.deployment() is None
    code, _, said = await run(site, "migrate", "--from", OTHER, "--apply")
    assert code == 0 and "4 objects made in serverless.alipay.com" in said
    site.start_controller()
    await site.until(lambda: _are_available(site, 2))
    await site.until_progress("Completed")
    assert site.calls("installBiz") == site.calls("uninstallBiz") == site.calls("switchBiz") == 0
    await site.apply(version="2.0.0")
    await site.until(lambda: len(site.serving("2.0.0")) == 2 and not site.serving("1.0.2"))
