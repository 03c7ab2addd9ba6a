"""The in-memory API of the simulations is held to the real one: the same deeds, the same answers."""

import asyncio
import contextlib
from datetime import UTC, datetime

import msgspec
import pytest

from arkwright.clients.credentials import find_access
from arkwright.clients.errors import ClientError
from arkwright.clients.kube import KubeClient
from arkwright.model.resources import RESOURCES, Kind
from fakes.kube import FakeKube

MODULES = RESOURCES[Kind.MODULE]
LEASES = RESOURCES[Kind.LEASE]


@pytest.fixture(params=["in memory", "real"])
async def api(request, cluster, worker_number):
    """(client, namespace) of the one or the other."""
    if request.param == "in memory":
        yield FakeKube(lambda: datetime.now(UTC)), "default"
        return
    async with KubeClient(await find_access()) as kube:
        name = f"contract-{worker_number}-{request.node.name.partition('[')[0].replace('_', '-')[:40]}"
        await kube.request("POST", "/api/v1/namespaces", body={"metadata": {"name": name}})
        yield kube, name
        await kube.request("DELETE", f"/api/v1/namespaces/{name}")


def document(name="m", **metadata):
    module = {"name": "provider", "version": "1", "url": "http://a/b.whl"}
    whole = {"apiVersion": "serverless.alipay.com/v1alpha1", "kind": "Module", "spec": {"module": module}}
    return whole | {"metadata": {"name": name, **metadata}}


async def refusal(deed):
    """The name of the error a deed ends with."""
    try:
        await deed
    except ClientError as error:
        return type(error).__name__
    return "nothing"


async def test_an_object_is_made_once(api):
    kube, namespace = api
    made = await kube.create(MODULES, namespace, document() | {"status": {"status": "Available"}})
    assert (made.metadata.generation, made.metadata.uid != "") == (1, True)
    assert await refusal(kube.create(MODULES, namespace, document())) == "Conflict"


async def test_generations_count_changes_of_the_spec_and_versions_count_changes(api):
    kube, namespace = api
    made = await kube.create(MODULES, namespace, document())
    path = MODULES.path(namespace, "m")
    same = await kube.patch(MODULES, path, {"spec": {"module": {"version": "1"}}})
    assert same.metadata.resource_version == made.metadata.resource_version
    labelled = await kube.patch(MODULES, path, {"metadata": {"labels": {"a": "b"}}})
    assert labelled.metadata.generation == 1
    changed = await kube.patch(MODULES, path, {"spec": {"module": {"version": "2"}}})
    assert changed.metadata.generation == 2
    assert int(changed.metadata.resource_version) > int(labelled.metadata.resource_version)


async def test_status_is_written_apart(api):
    kube, namespace = api
    await kube.create(MODULES, namespace, document())
    path = MODULES.path(namespace, "m")
    ignored = await kube.patch(MODULES, path, {"status": {"status": "Available"}})
    assert ignored.status.status is None
    written = await kube.patch(MODULES, path + "/status", {"status": {"status": "Available"}, "spec": {"module": None}})
    assert (written.status.status, written.metadata.generation, written.spec.module.version) == ("Available", 1, "1")


async def test_a_patch_with_an_old_version_is_a_conflict(api):
    kube, namespace = api
    made = await kube.create(MODULES, namespace, document())
    path, old = MODULES.path(namespace, "m"), {"resourceVersion": made.metadata.resource_version}
    await kube.patch(MODULES, path, {"metadata": {"labels": {"a": "1"}}})
    assert await refusal(kube.patch(MODULES, path, {"metadata": old | {"labels": {"a": "2"}}})) == "Conflict"


async def test_a_finalizer_keeps_an_object_until_it_is_taken_off(api):
    kube, namespace = api
    made = await kube.create(MODULES, namespace, document(finalizers=["serverless.alipay.com/allocate-pod"]))
    await kube.delete(MODULES, namespace, "m", made.metadata.uid)
    going = await kube.get(MODULES, namespace, "m")
    assert (going.is_terminating, going.metadata.generation) == (True, 2)
    await kube.patch(MODULES, MODULES.path(namespace, "m"), {"metadata": {"finalizers": None}})
    assert await refusal(kube.get(MODULES, namespace, "m")) == "NotFound"


async def test_what_is_gone_or_another_is_not_deleted(api):
    kube, namespace = api
    await kube.create(MODULES, namespace, document())
    assert await refusal(kube.delete(MODULES, namespace, "m", "another-uid")) == "Conflict"
    await kube.delete(MODULES, namespace, "m")
    assert await refusal(kube.delete(MODULES, namespace, "m")) == "NotFound"
    assert await refusal(kube.patch(MODULES, MODULES.path(namespace, "m"), {"metadata": {}})) == "NotFound"


def lease(name, **metadata):
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name, **metadata}, "spec": {}}


async def test_what_an_object_owned_alone_goes_with_it(api):
    kube, namespace = api  # with a kind that is built in: a garbage collector takes half a minute to notice a new CRD
    owner = await kube.create(LEASES, namespace, lease("owner"))
    reference = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "name": "owner", "uid": owner.metadata.uid}
    await kube.create(LEASES, namespace, lease("owned", ownerReferences=[reference]))
    await kube.delete(LEASES, namespace, "owner")
    async with asyncio.timeout(20):
        while await refusal(kube.get(LEASES, namespace, "owned")) != "NotFound":
            await asyncio.sleep(0.05)


async def test_a_watch_tells_every_change_in_order(api):
    assert await watched(*api, comes_first=True) == TOLD


async def test_a_watch_that_comes_later_tells_every_change_since_its_version(api):
    assert await watched(*api, comes_first=False) == TOLD


TOLD = [("ADDED", None), ("MODIFIED", "1"), ("MODIFIED", "2"), ("DELETED", "2")]


async def watched(kube, namespace, *, comes_first):
    """What a watch from before a Module's life tells of it."""
    version, seen = (await kube.list(MODULES, namespace)).version, []

    async def follow():
        async for line in kube.watch(MODULES, namespace, version):
            seen.append((str(line.type), msgspec.json.decode(line.object)["metadata"].get("labels", {}).get("a")))

    following = asyncio.create_task(follow()) if comes_first else None
    await asyncio.sleep(0.1)
    await kube.create(MODULES, namespace, document())
    for value in ("1", "2"):
        await kube.patch(MODULES, MODULES.path(namespace, "m"), {"metadata": {"labels": {"a": value}}})
    await kube.delete(MODULES, namespace, "m")
    following = following or asyncio.create_task(follow())
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5):
            while len(seen) < len(TOLD):
                await asyncio.sleep(0.02)
    following.cancel()
    return seen
