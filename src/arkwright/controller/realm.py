"""What one controller looks after: one namespace, or all. In: what the process shares. Out: a loop that follows it and may act on it.

A realm is a whole loop of its own: watchers, cache, queue, workers, calls to agents. Whoever acts on several namespaces has several;
one that is given up is cancelled, and what was under way in its agents is found by asking, as after a restart.
"""

import asyncio
from collections.abc import Callable
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
from arkwright.controller.metrics import Metrics
from arkwright.controller.objects import Change, Key
from arkwright.controller.observe import Observer
from arkwright.controller.reconcile import Reconciler
from arkwright.controller.requirement import Requirement
from arkwright.controller.slots import Slots
from arkwright.controller.unread import Unread
from arkwright.controller.watch import Watcher
from arkwright.controller.workqueue import WorkQueue
from arkwright.model.resources import Kind
from arkwright.plan.contention import path_holder
from arkwright.supervision import Supervisor

WATCHED = (
    Kind.DEPLOYMENT,
    Kind.REPLICASET,
    Kind.POD,
    Kind.SERVICE,
    Kind.MODULE_DEPLOYMENT,
    Kind.MODULE_REPLICASET,
    Kind.MODULE,
)
PACED = frozenset({Kind.MODULE_DEPLOYMENT, Kind.MODULE_REPLICASET})


@dataclass(frozen=True)
class Looks:
    """How keys are looked at: by how many workers, and at what intervals in seconds."""

    workers: int = 64
    pace_seconds: float = 0.05
    drift_seconds: float = 60.0


@dataclass(frozen=True)
class Shared:
    """What all realms of a process have in common: clients, limits, figures."""

    kube: KubeClient
    arklet: ArkletClient
    clock: Callable[[], datetime]
    metrics: Metrics
    events: Events
    requirement: Requirement
    supervisor: Supervisor
    slots: Slots
    places: Places
    looks: Looks


class Realm:
    """`namespace` "" means all."""

    def __init__(self, shared: Shared, namespace: str) -> None:
        self._shared, self.namespace = shared, namespace
        kube, clock = shared.kube, shared.clock
        self.queue = WorkQueue(self._pace)
        self.cache = Cache(clock, self._changed)
        self.agents = AgentCalls(shared.arklet, clock, shared.metrics, self._called, shared.places)
        self.agents.unmet = shared.requirement.unmet
        self.unread = Unread(kube, shared.events, shared.metrics, clock)
        self._watchers = [Watcher(kube, self.cache, kind, namespace) for kind in WATCHED]
        for watcher in self._watchers:
            watcher.unread = self.unread
        self.observer = Observer(self.cache, self.agents, shared.looks.drift_seconds)
        executor = Executor(kube, self.cache, self.agents, shared.events, shared.slots)
        self._reconciler = Reconciler(self.queue, self.cache, self.observer, executor, clock)
        self._where = f" in {namespace}" if namespace else ""

    @property
    def is_filled(self) -> bool:
        """Whether everything that is there is known."""
        return all(watcher.is_filled.is_set() for watcher in self._watchers)

    async def filled(self) -> None:
        await asyncio.gather(*(watcher.is_filled.wait() for watcher in self._watchers))

    async def follow(self) -> None:
        """Watch, until cancelled."""
        keep = self._shared.supervisor.keep
        async with asyncio.TaskGroup() as group:
            for one in self._watchers:
                group.create_task(keep(f"{one.name}{self._where}", one.run, is_needed=True))

    async def act(self, workers: int) -> None:
        """Plan and execute, until cancelled; then calls to agents are given up."""
        self.unread.begin()
        name, supervisor = f"reconcile{self._where}", self._shared.supervisor
        supervisor.name_failing(name, self._reconciler.set_aside)
        try:
            await supervisor.keep(name, partial(self._reconciler.run, workers), is_needed=True)
        finally:
            await self.agents.stop()

    def _pace(self, key: Key) -> float:
        return self._shared.looks.pace_seconds if key.kind in PACED else 0.0

    def _changed(self, change: Change) -> None:
        for key in triggers.keys(change, self.cache):
            self.queue.add(key)
        if change.after is None and change.kind is Kind.MODULE:
            self.agents.forget_module(Key(Kind.MODULE, *change.before.key))
        if change.after is None and change.kind is Kind.POD:
            self.agents.forget_pod(change.before)
            self._shared.requirement.forget(change.before)

    def _called(self, call: Ended) -> None:
        """A call to the pod's agent ended: its labels, the Modules that it tells of, and those that wait for one of these, are looked at again."""
        for key in (Key(Kind.POD, *call.pod.key), *call.askers):
            self.queue.add(key)
        for module in self.cache.modules_on(call.pod):
            concerned = {module.spec.module.name, path_holder(module).partition(":")[0]}
            if call.names is None or concerned & call.names:
                self.queue.add(Key(Kind.MODULE, *module.key))
