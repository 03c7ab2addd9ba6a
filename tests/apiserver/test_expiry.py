"""Events of the embedded API end an hour after their last word, whatever else stands in them."""

from datetime import UTC, datetime, timedelta

import pytest

from arkwright.apiserver.kinds import Registry
from arkwright.apiserver.objects import Objects, Options, end_old_events
from arkwright.apiserver.store import Store

BEGAN = datetime(2026, 1, 1, 12, tzinfo=UTC)
TOMORROW = "2026-01-02T12:00:00Z"


class Clock:
    now = BEGAN

    def __call__(self):
        return self.now


@pytest.fixture
async def objects(tmp_path):
    store, clock = Store(tmp_path / "store.db", lambda change: None), Clock()
    found = Objects(store, Registry(), clock)
    found.clock = clock
    await found.create(found.registry.named("namespaces"), "", {"metadata": {"name": "default"}}, Options())
    yield found
    await store.close()


async def tell(objects, name, **fields):
    about = {"kind": "Pod", "name": "stock", "namespace": "default"}
    document = {"metadata": {"name": name}, "involvedObject": about, **fields}
    await objects.create(objects.registry.named("events"), "default", document, Options())


async def left_after(objects, minutes):
    objects.clock.now = BEGAN + timedelta(minutes=minutes)
    await end_old_events(objects)
    return [record.key.name for record in objects.store.find("events")]


@pytest.mark.parametrize(
    ("fields", "minutes"),
    [
        ({}, 60),
        ({"lastTimestamp": "2026-01-01T12:30:00Z"}, 90),
        ({"eventTime": "2026-01-01T12:30:00.000000Z"}, 90),
        ({"series": {"count": 2, "lastObservedTime": "2026-01-01T12:30:00.000000Z"}}, 90),
        ({"lastTimestamp": "2026-01-01T11:00:00Z"}, 60),
        ({"lastTimestamp": TOMORROW}, 60),
        ({"lastTimestamp": None, "series": None}, 60),
    ],
)
async def test_an_event_ends_an_hour_after_its_last_word(objects, fields, minutes):
    await tell(objects, "one", **fields)
    assert await left_after(objects, minutes) == ["one"]
    assert await left_after(objects, minutes + 1) == []


async def test_what_is_told_again_stays(objects):
    await tell(objects, "old")
    objects.clock.now = BEGAN + timedelta(minutes=30)
    await tell(objects, "young")
    assert await left_after(objects, 61) == ["young"]
