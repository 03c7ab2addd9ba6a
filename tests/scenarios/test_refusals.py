"""The API server refuses what the controller writes: its words stand where people look, and all goes on when it relents."""

import asyncio
import json

import pytest

from arkwright.clients.errors import Forbidden
from scenarios.kubectl import kubectl
from scenarios.site import Site

POLICY = "company policy: 6.6.6 is forbidden here"


@pytest.fixture
def a_rule():
    """On Modules and ReplicaSets of one version, as a CRD has it; `lift()` takes it away."""
    lifts = []

    def make(plural, version_path, version):
        rule = [{"rule": f"self.{version_path} != '{version}'", "message": POLICY.replace("6.6.6", version)}]
        name = f"{plural}.serverless.alipay.com"
        path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/x-kubernetes-validations"
        before = json.loads(kubectl("get", "crd", name, "-o", "json"))
        schema = before["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
        known = schema.get("x-kubernetes-validations")
        act = "replace" if known else "add"
        kubectl(
            "patch",
            "crd",
            name,
            "--type=json",
            "-p",
            json.dumps([{"op": act, "path": path, "value": [*(known or []), *rule]}]),
        )

        def lift():
            value = [{"op": "replace", "path": path, "value": known}] if known else [{"op": "remove", "path": path}]
            kubectl("patch", "crd", name, "--type=json", "-p", json.dumps(value))

        lifts.append(lift)
        return lambda: lifts.pop()()

    yield make
    for lift in lifts:
        lift()


@pytest.mark.parametrize(
    ("plural", "version_path", "version"),
    [("modules", "module.version", "6.6.6"), ("modulereplicasets", "template.spec.module.version", "6.6.7")],
)
async def test_what_a_rule_refuses_is_told_in_its_words_and_goes_on_when_it_is_lifted(
    site, a_rule, plural, version_path, version
):
    await site.add_pods(2)
    await site.apply(version="1.0.2", replicas=2)
    await site.until_progress("Completed", 1, 2)
    lift = await asyncio.to_thread(a_rule, plural, version_path, version)
    await site.apply(version=version)
    await site.until(
        lambda: _says(site, "ReplicaFailure", "WriteRefused", f"company policy: {version} is forbidden here")
    )
    assert "is forbidden here" in (await site.condition("Progressing"))["message"]
    assert len(site.serving("1.0.2")) == 2 and (await site.status())["availableReplicas"] == 2
    told = await site.events("WriteRefused")
    assert {one["involvedObject"]["kind"] for one in told} >= {"ModuleDeployment"}
    await asyncio.to_thread(lift)
    await site.until(lambda: len(site.serving(version)) == 2, 40)
    await site.until(lambda: _says(site, "ReplicaFailure", "NoFailure", ""))


async def _says(site, kind, reason, words):
    found = await site.condition(kind)
    return found.get("reason") == reason and words in found.get("message", "")


class Refusing:
    """A client of the API whose server refuses some writes: `refused` holds (verb, kind, subresource)."""

    words = "denied the request: exceeded quota or missing right"

    def __init__(self, kube):
        self._kube, self.refused = kube, set()

    def __getattr__(self, name):
        return getattr(self._kube, name)

    def _look(self, verb, resource, subresource=""):
        if (verb, resource.plural, subresource) in self.refused:
            raise Forbidden(f"{verb} {resource.plural}{subresource and '/'}{subresource} {self.words}", 403)

    async def create(self, resource, namespace, document):
        self._look("create", resource)
        return await self._kube.create(resource, namespace, document)

    async def patch(self, resource, path, patch):
        self._look("patch", resource, "status" if path.endswith("/status") else "")
        return await self._kube.patch(resource, path, patch)

    async def delete(self, resource, namespace, name, uid=""):
        self._look("delete", resource)
        return await self._kube.delete(resource, namespace, name, uid)


class RefusedSite(Site):
    """Its controller may not write everything."""

    def start_controller(self):
        plain, self._acting = self._acting, Refusing(self._acting)
        self.refused = self._acting.refused
        super().start_controller()
        self._acting = plain


@pytest.fixture
def site_class():
    return RefusedSite


REFUSED = [
    ("create", "modulereplicasets", ""),
    ("create", "modules", ""),
    ("create", "services", ""),
    ("patch", "modulereplicasets", ""),
    ("patch", "modulereplicasets", "status"),
    ("patch", "moduledeployments", ""),
    ("patch", "modules", ""),
    ("patch", "modules", "status"),
    ("patch", "pods", ""),
    ("delete", "modules", ""),
]


@pytest.mark.parametrize("write", REFUSED, ids=" ".join)
async def test_whatever_write_is_refused_is_told_on_the_release_that_waits_for_it(site, write):
    await site.add_pods(2)
    await site.apply(version="1.0.2", replicas=2)
    await site.until_progress("Completed", 1, 2)
    site.refused.add(write)
    service = {"enableModuleService": True, "port": 1080, "targetPort": 8080}
    strategy = {
        "batchCount": 2,
        "needConfirm": True,
        "upgradePolicy": "uninstall_then_install",
        "serviceStrategy": service,
    }
    await site.apply(version="2.0.0", operationStrategy=strategy)
    await site.until(lambda: _says(site, "ReplicaFailure", "WriteRefused", Refusing.words))
    assert not (await site.condition("Ready"))["status"] == "True"
    site.refused.clear()
    await site.until(lambda: _is_asked(site), 40)
    await site.apply(confirmBatchNum=1)
    await site.until(lambda: _is_complete(site), 40)
    await site.until(lambda: _says(site, "ReplicaFailure", "NoFailure", ""), 40)


async def _is_complete(site):
    return (await site.progress())[0] == "Completed" and len(site.serving("2.0.0")) == 2


async def _is_asked(site):
    return await site.progress() == ("Paused", 1, 1)
