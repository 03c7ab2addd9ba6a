"""A release that waits for a person, and everything else that writes to it: kubectl, GitOps tools, scripts (semantics 4)."""

import asyncio
import json

import pytest

from arkwright.model.resources import Kind
from scenarios.kubectl import Refused, kubectl
from scenarios.site import BASE, module

WAYS = ("declared", "silent")
SERVER_SIDE = ("apply", "--server-side", "--field-manager=flux")


def manifest(site, way, version="2.0.0"):
    pause = {"pause": False} if way == "declared" else {}
    spec = {
        "baseDeploymentName": BASE,
        "template": {"spec": {"module": module(version)}},
        "replicas": 3,
        "operationStrategy": {"batchCount": 3, "needConfirm": True},
        **pause,
    }
    about = {"apiVersion": "serverless.alipay.com/v1alpha1", "kind": "ModuleDeployment"}
    return json.dumps({**about, "metadata": {"name": "demo", "namespace": site.namespace}, "spec": spec})


def _kubectl(site, *words, text=None):
    return kubectl("-n", site.namespace, *words, text=text)


async def _waits(site, way, first):
    """A release that waits after its first batch of three; `first`: how the manifest is brought in."""
    await site.add_pods(3)
    await asyncio.to_thread(_kubectl, site, *first, "-f", "-", text=manifest(site, way))
    await site.until_progress("Paused", 1, 1)


async def _stays(site, batch=1):
    """What was written has been seen, and changes nothing."""
    await site.until(lambda: _is_held(site, batch))
    await asyncio.sleep(0.5)
    assert await _is_held(site, batch)
    assert site.calls("installBiz") == batch


async def _is_held(site, batch):
    one = await site.deployment()
    is_seen = one["status"]["observedGeneration"] == one["metadata"]["generation"]
    release = one["status"]["releaseStatus"]
    return is_seen and one["spec"].get("pause") and (release["progress"], release["currentBatch"]) == ("Paused", batch)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("first", "again"),
    [
        (("apply",), ("apply",)),
        (("apply",), ("replace",)),
        (("create",), ("replace",)),
        (SERVER_SIDE, (*SERVER_SIDE, "--force-conflicts")),
        (SERVER_SIDE, ("replace",)),
    ],
    ids=["apply", "apply, replace", "create, replace", "server-side", "server-side, replace"],
)
async def test_a_manifest_that_is_applied_again_confirms_nothing(site, way, first, again):
    await _waits(site, way, first)
    for _ in range(2):
        await asyncio.to_thread(_kubectl, site, *again, "-f", "-", text=manifest(site, way))
        await _stays(site)
    await site.patch(Kind.MODULE_DEPLOYMENT, "demo", {"spec": {"confirmBatchNum": 1}})
    await site.until_progress("Paused", 2, 2)
    await asyncio.to_thread(_kubectl, site, *again, "-f", "-", text=manifest(site, way))
    await _stays(site, 2)


async def test_server_side_without_force_is_told_who_holds_the_field(site):
    await _waits(site, "declared", SERVER_SIDE)
    with pytest.raises(Refused, match=r'conflict with "arkwright".*\.spec\.pause'):
        await asyncio.to_thread(_kubectl, site, *SERVER_SIDE, "-f", "-", text=manifest(site, "declared"))
    await _stays(site)


PATCH = ("patch", "mddeploy", "demo", "--type=merge", "-p")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "words",
    [
        (*PATCH, '{"spec":{"pause":false}}'),
        (*PATCH, '{"spec":{"pause":null}}'),
        (*PATCH, '{"spec":{"confirmBatchNum":1}}'),
    ],
    ids=["pause false", "pause away", "confirmBatchNum"],
)
async def test_a_person_confirms_whatever_the_manifest_says(site, way, words):
    await _waits(site, way, ("apply",))
    await asyncio.to_thread(_kubectl, site, *words)
    await site.until_progress("Paused", 2, 2)


async def test_a_manifest_that_says_newly_to_go_on_confirms(site):
    await _waits(site, "silent", ("apply",))
    await asyncio.to_thread(_kubectl, site, "apply", "-f", "-", text=manifest(site, "declared"))
    await site.until_progress("Paused", 2, 2)


async def test_what_is_ignored_is_told_with_the_way_out(site):
    await _waits(site, "declared", ("apply",))
    await asyncio.to_thread(_kubectl, site, "apply", "-f", "-", text=manifest(site, "declared"))
    await _stays(site)
    said = "kubectl-client-side-apply has taken spec.pause away: a manifest that is applied again confirms nothing"
    way_out = "to go on: arkwright confirm demo, or spec.confirmBatchNum 1"
    await site.until_told({"ConfirmationIgnored": [f"{said}; {way_out}"]})


async def test_another_version_in_the_manifest_goes_ahead(site):
    await _waits(site, "declared", ("apply",))
    await asyncio.to_thread(_kubectl, site, "apply", "-f", "-", text=manifest(site, "declared", "3.0.0"))
    await site.until(lambda: len(site.serving("3.0.0")) == 1)
