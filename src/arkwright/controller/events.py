"""Kubernetes Events: what `kubectl describe` shows. In: Tell intents. Out: one Event per object and reason, counted.

Nobody waits for an Event, and one that cannot be written is only logged. What is told in the same words again and again is counted here and
written now and then: a thousand modules that fail would else keep an API server busy with nothing new.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

import structlog

from arkwright.clients.errors import ClientError, Conflict, NotFound
from arkwright.clients.kube import KubeClient
from arkwright.model.cluster import Document, Event
from arkwright.model.codec import stamp
from arkwright.model.names import cut, short_hash
from arkwright.model.resources import RESOURCES, Kind
from arkwright.model.text import plain
from arkwright.plan.intents import Tell

log = structlog.get_logger()
EVENTS = RESOURCES[Kind.EVENT]
MAX_MESSAGE = 1024
MAX_NAME = 200
REMEMBERED = 5000  # Events, of which one takes 300 bytes
STALE = timedelta(minutes=5)  # a count that is older is written, whatever it is


@dataclass(frozen=True)
class Counted:
    """An Event as it was told last, and when it was written last."""

    count: int
    message: str
    written: datetime

    def again(self, message: str, now: datetime) -> tuple["Counted", bool]:
        """Told once more; whether that is worth a write: other words, the 2nd, 4th, 8th time, or a while since the last."""
        count = self.count + 1
        is_due = message != self.message or not count & (count - 1) or now - self.written >= STALE
        return Counted(count, message, now if is_due else self.written), is_due


class Events:
    """One Event per object, reason and message; repeated ones are counted."""

    def __init__(self, kube: KubeClient, clock: Callable[[], datetime], at_once: int = 8) -> None:
        self._kube, self._clock = kube, clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(at_once)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._told: OrderedDict[str, Counted] = OrderedDict()

    def tell(self, told: Tell) -> None:
        task = asyncio.create_task(self._write(told))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def flush(self, seconds: float = 2.0) -> None:
        """Let what is on its way arrive."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    async def _write(self, told: Tell) -> None:
        name = event_name(told)
        async with (
            self._locks.setdefault(name, asyncio.Lock()),
            self._slots,
        ):  # one Event at a time, or a count gets lost
            try:
                await self._count_up(told, name)
            except ClientError as error:
                log.warning("event not written", reason=told.reason, error=str(error))
            except Exception:  # nobody waits for it, and nobody else would say so
                log.exception("event not written", reason=told.reason)

    async def _count_up(self, told: Tell, name: str) -> None:
        document = event_document(told, name, self._clock())
        if name not in self._told:
            self._remember(name, Counted(await self._first(told, name, document), document["message"], self._clock()))
            return
        counted, is_due = self._told[name].again(document["message"], self._clock())
        if is_due and not await self._rewrite(told, name, document | {"count": counted.count}):
            counted = replace(counted, count=await self._first(told, name, document))
        self._remember(name, counted)

    async def _first(self, told: Tell, name: str, document: Document) -> int:
        """The count that is written: another controller, or this one in an earlier life, may have told it."""
        with contextlib.suppress(Conflict):
            await self._kube.create(EVENTS, told.target.namespace, document)
            return 1
        with contextlib.suppress(NotFound):
            had = await self._kube.get(EVENTS, told.target.namespace, name)
            count = had.count + 1 if isinstance(had, Event) else 1
            await self._rewrite(told, name, document | {"count": count})
            return count
        return 1

    async def _rewrite(self, told: Tell, name: str, document: Document) -> bool:
        """False if it is not there any more: Events end after an hour."""
        again = {key: document[key] for key in ("count", "lastTimestamp", "message")}
        with contextlib.suppress(NotFound):
            await self._kube.patch(EVENTS, EVENTS.path(told.target.namespace, name), again)
            return True
        return False

    def _remember(self, name: str, counted: Counted) -> None:
        self._told[name] = counted
        self._told.move_to_end(name)
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)


def event_name(told: Tell) -> str:
    """The same for the same object and reason: so they are counted, by whichever controller tells them."""
    target = told.target
    # A release's story is a list, not one repeated event: its words belong to the name.
    words = told.because if not told.is_warning else ""
    return f"{cut(target.name, MAX_NAME)}.{short_hash(f'{target.kind}/{target.uid}/{told.reason}/{words}')}"


def event_document(told: Tell, name: str, now: datetime) -> Document:
    target = told.target
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": target.namespace},
        "involvedObject": {
            "apiVersion": RESOURCES[target.kind].api_version,
            "kind": target.kind.value,
            "namespace": target.namespace,
            "name": target.name,
            "uid": target.uid,
        },
        "reason": told.reason,
        "message": plain(told.because)[:MAX_MESSAGE],
        "type": "Warning" if told.is_warning else "Normal",
        "count": 1,
        "firstTimestamp": stamp(now),
        "lastTimestamp": stamp(now),
        "source": {"component": "arkwright"},
        "reportingComponent": "arkwright",
    }
