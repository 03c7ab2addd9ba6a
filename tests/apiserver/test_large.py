"""Thousands of objects: whoever reads or removes them all leaves the loop to others all the while, and is answered as for a few."""

import asyncio
import json

import pytest

from apiserver.asking import TABLE
from apiserver.inside import Inside
from arkwright import turns
from arkwright.apiserver.kinds import Registry
from arkwright.apiserver.objects import Collector, Removal
from arkwright.apiserver.store import Key
from arkwright.turns import TOGETHER, each, those

MANY = 1000
METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
MAPS, EVENTS = "/api/v1/namespaces/many/configmaps", "/apis/events.k8s.io/v1/namespaces/many/events"
READINGS = {
    "a list": (MAPS, "", "*/*"),
    "a table": (MAPS, "", TABLE),
    "metadata": (MAPS, "", METADATA),
    "by label": (MAPS, "labelSelector=half=1", "*/*"),
    "by field": (MAPS, "fieldSelector=metadata.name!=one-3", "*/*"),
    "a watch from the beginning": (MAPS, "watch=1&timeoutSeconds=0", "*/*"),
    "a watch from before": (MAPS, "watch=1&timeoutSeconds=0&resourceVersion=1", "*/*"),
    "a watch as tables": (MAPS, "watch=1&timeoutSeconds=0", TABLE),
    "a watch of metadata": (MAPS, "watch=1&timeoutSeconds=0", METADATA.replace("List", "")),
    "Events by their other name": (EVENTS, "", "*/*"),
    "a watch of Events by their other name": (EVENTS, "watch=1&timeoutSeconds=0", "*/*"),
}


@pytest.fixture
async def api(tmp_path):
    found = Inside(tmp_path)
    made = [found.store.put(Key("namespaces", "", "many"), b'{"metadata":{"name":"many","uid":"n"},"spec":{}}')]
    for number in range(MANY):
        about = {"name": f"one-{number}", "namespace": "many", "uid": f"u{number}", "labels": {"half": str(number % 2)}}
        for resource in ("configmaps", "events"):
            metadata = about | {"resourceVersion": str(found.store.next_version())}
            body = json.dumps({"metadata": metadata}, separators=(",", ":")).encode()
            made.append(found.store.put(Key(resource, "many", about["name"]), body))
    await asyncio.gather(*made)
    yield found
    await found.store.close()


@pytest.mark.parametrize("reading", READINGS)
async def test_others_have_their_turns_while_all_is_read(api, reading, monkeypatch):
    monkeypatch.setattr(turns, "TURN_SECONDS", -1.0)  # each is over at once
    path, query, accept = READINGS[reading]
    others = 0

    async def go_on():
        nonlocal others
        while True:
            others += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(go_on())
    status, body = await api.ask("GET", path, query=query, accept=accept)
    other.cancel()
    assert status == 200 and body.count(b"one-") >= MANY / 2
    assert others >= (1 if reading == "a list" else MANY / TOGETHER / 2)


@pytest.mark.parametrize("limit", [0, 1, 7, MANY])
@pytest.mark.parametrize("accept", ["*/*", TABLE, METADATA])
@pytest.mark.parametrize("path", [MAPS, EVENTS])
async def test_a_list_in_pieces_is_the_same_list(api, path, accept, limit):
    _, body = await api.ask("GET", path, query=f"limit={limit}" if limit else "", accept=accept)
    found = json.loads(body)
    assert len(found.get("items") or found.get("rows")) == (limit or MANY)
    assert found["metadata"]["resourceVersion"] == str(api.store.version)
    assert bool(found["metadata"].get("continue")) == (0 < limit < MANY)
    if accept == "*/*":
        assert found["apiVersion"] == ("v1" if path is MAPS else "events.k8s.io/v1")


@pytest.mark.parametrize("accept", ["*/*", TABLE, METADATA])
async def test_a_list_of_nothing_is_one(api, accept):
    _, body = await api.ask("GET", MAPS, query="labelSelector=half=3", accept=accept)
    found = json.loads(body)
    assert (found.get("rows") if accept is TABLE else found["items"]) == []


async def test_each_and_those_keep_the_order_and_raise_what_is_raised():
    numbers = list(range(TOGETHER * 3 + 1))
    assert await each(str, numbers) == [str(one) for one in numbers]
    assert await those(lambda one: one % 3 == 0, numbers) == numbers[::3]
    assert await each(str, []) == await those(bool, []) == []
    with pytest.raises(ZeroDivisionError):
        await each(lambda one: 1 // (one - TOGETHER), numbers)


class Counting(Collector):
    """How often it looks through all that a namespace holds."""

    looks = 0

    async def _empty(self, namespace):
        self.looks += 1
        await super()._empty(namespace)


async def test_a_namespace_is_looked_through_when_it_is_deleted_and_when_it_is_empty_and_not_for_each_that_goes(
    tmp_path,
):
    api = Inside(tmp_path)
    collector = Counting(api.objects, api.watches)
    task = asyncio.create_task(collector.run())
    await api.ask("POST", "/api/v1/namespaces", b'{"metadata":{"name":"many"}}')
    for number in range(50):
        held = {"metadata": {"name": f"one-{number}", "finalizers": ["example.com/held"]}}
        await api.ask("POST", MAPS, json.dumps(held).encode())
    namespace = Registry().named("namespaces")
    await api.objects.delete(namespace, Key("namespaces", "", "many"), Removal())
    while b'"deletionTimestamp"' not in api.store.get(Key("configmaps", "many", "one-49")).body:
        await asyncio.sleep(0)
    for number in range(50):
        freed = b'{"metadata":{"finalizers":null}}'
        status, _ = await api.ask("PATCH", f"{MAPS}/one-{number}", freed, "application/merge-patch+json")
        assert status == 200
    while api.store.get(Key("namespaces", "", "many")):
        await asyncio.sleep(0)
    task.cancel()
    await api.store.close()
    assert collector.looks <= 3
