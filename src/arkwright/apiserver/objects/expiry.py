"""Events end an hour after their last word, as in a cluster. In: the events that are there. Out: deletions."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import structlog

from arkwright.apiserver.errors import ApiError
from arkwright.apiserver.objects.removals import Removal
from arkwright.apiserver.objects.verbs import Objects
from arkwright.apiserver.store import Record
from arkwright.turns import those

log = structlog.get_logger()
EVENTS = "events"
KEPT = timedelta(hours=1)
LOOK_SECONDS = 60.0


async def end_events(objects: Objects) -> None:
    """Until cancelled."""
    while True:
        await end_old_events(objects)
        await asyncio.sleep(LOOK_SECONDS)


async def end_old_events(objects: Objects) -> None:
    """Those whose last word is an hour old; one that cannot be deleted holds up no other."""
    kind, now = objects.registry.named(EVENTS), objects.now()
    assert kind
    for record in await those(lambda one: now - last_word(one, now) > KEPT, objects.store.find(EVENTS)):
        with contextlib.suppress(ApiError):
            await objects.delete(kind, record.key, Removal())


def last_word(record: Record, now: datetime) -> datetime:
    """The latest time that it tells, as far as it tells any and that has come."""
    body: Any = msgspec.json.decode(record.body)
    series = body.get("series") or {}
    told = (
        body["metadata"].get("creationTimestamp"),
        body.get("eventTime"),
        body.get("lastTimestamp"),
        series.get("lastObservedTime") if isinstance(series, dict) else None,
    )
    known = [moment for one in told if (moment := _moment(one)) is not None and moment <= now]
    return max(known, default=datetime.fromtimestamp(0, UTC))


def _moment(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found and found.tzinfo else None
