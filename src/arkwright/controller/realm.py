"""What one controller looks after: one namespace, or all. In: what the process shares. Out: a loop that follows it and may act on it.

A realm is a whole loop of its own: watchers, cache, queue, workers, calls to agents. Whoever acts on several namespaces has several;
one that is given up is cancelled, and what was under way in its agents is found by asking, as after a restart. One of several sleeps until
it is woken, because something of ours is there: it watches nothing but Deployments, whose pods may wait for keys.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from arkwright.clients.arklet import ArkletClient
from arkwright.clients.kube import KubeClient
from arkwright.controller import triggers
from arkwright.controller.agentcalls import AgentCalls, Ended, Places
from arkwright.controller.cache import Cache
from arkwright.controller.events import Events
from arkwright.controller.execute import Executor
from arkwright.controller.figures import Book, Figures
from arkwright.controller.lastcalls import LastCalls
from arkwright.controller.metrics import Metrics
from arkwright.controller.objects import Change, Key
from arkwright.controller.observe import Observer
from arkwright.controller.reconcile import Reconciler
from arkwright.controller.requirement import Requirement
from arkwright.controller.slots import Slots
from arkwright.controller.unread import Unread
from arkwright.controller.watch import Watcher
from arkwright.controller.workqueue import PACE_SECONDS, PACED, WorkQueue
from arkwright.model.resources import PLANNED_FROM, Kind
from arkwright.supervision import Supervisor

WATCHED_ASLEEP = (Kind.DEPLOYMENT,)
WATCHED_AWAKE = tuple(one for one in PLANNED_FROM if one not in WATCHED_ASLEEP)


@dataclass(frozen=True)
class Looks:
    """How keys are looked at: by how many workers, and at what intervals in seconds."""

    workers: int = 64
    pace_seconds: float = PACE_SECONDS
    drift_seconds: float = 60.0


@dataclass(frozen=True)
class Shared:
    """What all realms of a process have in common: clients, limits, figures."""

    kube: KubeClient
    arklet: ArkletClient
    clock: Callable[[], datetime]
    metrics: Metrics
    figures: Figures
    events: Events
    requirement: Requirement
    supervisor: Supervisor
    slots: Slots
    places: Places
    looks: Looks
    is_sure: Callable[[], bool]


class Realm:
    """`namespace` "" means all."""

    def __init__(self, shared: Shared, namespace: str) -> None:
        self._shared, self.namespace = shared, namespace
        kube, clock = shared.kube, shared.clock
        self.book = Book(shared.figures, clock, lambda: self.cache.all(Kind.MODULE_DEPLOYMENT))
        self.queue = WorkQueue(self._pace)
        self.cache = Cache(clock, self._changed)
        self.agents = AgentCalls(shared.arklet, clock, shared.metrics, self._called, shared.places)
        self.calls = LastCalls()
        self.agents.unmet, self.agents.is_sure = shared.requirement.unmet, shared.is_sure
        self.unread = Unread(kube, shared.events, shared.metrics, clock)
        self._first, self._others = (self._watching(kinds) for kinds in (WATCHED_ASLEEP, WATCHED_AWAKE))
        self._woken = asyncio.Event()
        self.observer = Observer(self.cache, self.agents, shared.looks.drift_seconds)
        executor = Executor(kube, self.cache, self.agents, shared.events, shared.slots)
        self._reconciler = Reconciler(self.queue, self.cache, self.observer, executor, clock)
        self._where = f" in {namespace}" if namespace else ""

    def _watching(self, kinds: Iterable[Kind]) -> list[Watcher]:
        watchers = [Watcher(self._shared.kube, self.cache, kind, self.namespace) for kind in kinds]
        for one in watchers:
            one.unread = self.unread
        return watchers

    @property
    def is_filled(self) -> bool:
        """Whether everything that is there is known."""
        return all(one.is_filled.is_set() for one in (*self._first, *self._others))

    @property
    def is_asleep(self) -> bool:
        """Whether nobody has found anything of ours there yet."""
        return not self._woken.is_set()

    def wake(self) -> None:
        self._woken.set()

    async def filled(self) -> None:
        await _filled((*self._first, *self._others))

    async def live(self, workers: int) -> None:
        """Follow and act, once it is woken, until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._begin(self._first, group)
            await self._woken.wait()
            self._begin(self._others, group)
            await self.filled()
            group.create_task(self.act(workers))

    async def follow(self) -> None:
        """Watch, until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._begin((*self._first, *self._others), group)

    def _begin(self, watchers: Iterable[Watcher], group: asyncio.TaskGroup) -> None:
        keep = self._shared.supervisor.keep
        for one in watchers:
            group.create_task(keep(f"{one.name}{self._where}", one.run, is_needed=True))

    async def act(self, workers: int) -> None:
        """Plan and execute, until cancelled; then calls to agents are given up."""
        self.unread.begin()
        name, supervisor = f"reconcile{self._where}", self._shared.supervisor
        supervisor.name_failing(name, self._reconciler.set_aside)
        try:
            with self.book.opened():
                await supervisor.keep(name, partial(self._reconciler.run, workers), is_needed=True)
        finally:
            await self.agents.stop()
            await self.unread.stop()
            self.queue.stop()
            for pod in self.cache.all(Kind.POD):
                self._shared.requirement.forget(pod)

    def _pace(self, key: Key) -> float:
        return self._shared.looks.pace_seconds if key.kind in PACED else 0.0

    def _changed(self, change: Change) -> None:
        self.book.note(change)
        for key in triggers.keys(change, self.cache):
            self.queue.add(key)
        if change.after is None and change.kind is Kind.MODULE:
            self.agents.forget_module(Key(Kind.MODULE, *change.before.key))
        if change.after is None and change.kind is Kind.POD:
            self.agents.forget_pod(change.before)
            self.calls.forget(change.before.metadata.uid)
            self._shared.requirement.forget(change.before)

    def _called(self, call: Ended) -> None:
        """A call to the pod's agent ended: those that wait for it, and whom it tells something, are looked at again."""
        known = self.cache.get(Kind.POD, *call.pod.key)
        if known is not None and known.metadata.uid == call.pod.metadata.uid:
            self.calls.note(known.metadata.uid, call.call)
        for key in triggers.after_call(call.pod, call.askers, call.names, self.cache):
            self.queue.add(key)


async def _filled(watchers: Iterable[Watcher]) -> None:
    for one in watchers:
        await one.is_filled.wait()
