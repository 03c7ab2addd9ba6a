"""What one object has in it keeps nobody from the others: not the collector, not a watcher, not a list."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from apiserver.asking import MERGE, TABLE
from arkwright.apiserver.objects import Collector
from arkwright.apiserver.store.records import Change, Key, Record
from arkwright.apiserver.store.watches import Watches

JSON = {"Content-Type": "application/json"}
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "metadata",
    [
        {"labels": {"a": None}},
        {"annotations": {"a": None}},
        {"finalizers": None},
        {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "x", "uid": "u", "blockOwnerDeletion": None}]},
    ],
)
def test_null_is_what_go_makes_of_it(embedded_api, metadata):
    status, _, body = embedded_api.raw("POST", CONFIGMAPS, {"metadata": {"name": "n"} | metadata}, **JSON)
    assert status == 201, body
    assert b"null" not in body
    embedded_api.raw("DELETE", f"{CONFIGMAPS}/n")


STATUSES = [
    {"containerStatuses": [{"name": "c"}]},
    {"containerStatuses": [{"state": {"waiting": {}}, "restartCount": -1}]},
    {"conditions": [{"type": ""}], "phase": "Odd"},
    {"podIP": "nonsense", "startTime": "2026-01-01T00:00:00Z"},
]


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_written_by_hand_keeps_nobody_from_the_list(embedded_api, status):
    spec = {"containers": [{"name": "c", "image": "i"}]}
    for name in ("odd", "fine"):
        embedded_api.raw("POST", PODS, {"metadata": {"name": name}, "spec": spec}, **JSON)
    embedded_api.raw("PATCH", f"{PODS}/odd/status", {"status": status}, **{"Content-Type": MERGE})
    code, _, body = embedded_api.raw("GET", PODS, Accept=TABLE)
    assert code == 200
    assert {"odd", "fine"} <= {row["cells"][0] for row in json.loads(body)["rows"]}


def test_a_listener_that_fails_keeps_no_watcher_from_a_change():
    watches, heard = Watches(), []

    def fail(change):
        raise ValueError("a mistake of ours")

    watches.listeners += [fail, heard.append]
    watcher = watches.add("configmaps")
    change = Change(None, Record(1, Key("configmaps", "default", "c"), 0, b"{}"))
    watches.publish(change)
    assert heard == [change] and watcher.events.qsize() == 1


class Failing:
    """Objects of which one cannot be looked at. It stands in for the store, too."""

    def __init__(self):
        self.looked = []
        self.store = self.registry = self

    def named(self, resource):
        return None

    def latest(self, key):
        self.looked.append(key.name)
        if key.name == "odd":
            raise ValueError("a mistake of ours")
        return None


async def test_the_collector_goes_on_past_what_it_cannot_look_at():
    objects = Failing()
    collector = Collector(objects, Watches())
    for name in ("odd", "fine"):
        collector._waiting.put_nowait(Key("configmaps", "default", name))
    task = asyncio.create_task(collector.run())
    while "fine" not in objects.looked:
        await asyncio.sleep(0)
    task.cancel()
    assert collector.failures == {Key("configmaps", "default", "odd"): 1}
