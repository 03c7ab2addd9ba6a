"""A controller that acts on its share of the namespaces. In: which namespaces there are, and whose they are. Out: a realm for each of ours.

Nothing of another's namespaces is watched or remembered but the names of ModuleDeployments and ReplicaSets. One that moves away is stopped, its writes and calls with it, before its new
owner may begin; that one finds what was under way by asking, as after a restart.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from arkwright.clients.errors import ClientError
from arkwright.controller.inhabited import Inhabited
from arkwright.controller.leases import Terms, seconds
from arkwright.controller.neighbours import Neighbours
from arkwright.controller.objects import Objects
from arkwright.controller.partners import Hands, Partner
from arkwright.controller.realm import Realm, Shared
from arkwright.controller.signingkeys import SigningKeys
from arkwright.controller.watch import Watcher
from arkwright.model.meta import KubernetesObject
from arkwright.model.resources import RESOURCES, Kind

DOORBELLS = (Kind.MODULE_DEPLOYMENT, Kind.MODULE_REPLICASET)
ASK_SECONDS, LOOK_SECONDS = 60.0, 0.5
WORKERS = 8  # of one namespace: what they do is mostly waiting for the API, and there may be hundreds of namespaces


class Shards:
    """`identity` tells controllers apart. `answers_at`: where bases may ask this one; "" if they cannot."""

    def __init__(self, shared: Shared, terms: Terms, identity: str, answers_at: str = "") -> None:
        self._shared = shared
        self._there, self._inhabited = Objects(), Inhabited(self._wake)
        self._watchers = [Watcher(shared.kube, self._there, Kind.NAMESPACE), *map(self._looking_for, DOORBELLS)]
        self._partner = Partner(shared.kube, terms, identity, shared.clock, Hands(self._keep, self._begin))
        self._partner.answers_at = answers_at
        self.neighbours = Neighbours(shared.kube, self._partner)
        self._realms: dict[str, Realm] = {}
        self._asked: dict[str, float] = {}
        self._lives: dict[str, asyncio.Task[None]] = {}

    @property
    def realms(self) -> list[Realm]:
        return list(self._realms.values())

    @property
    def is_sure(self) -> bool:
        return self._partner.is_sure

    @property
    def is_ready(self) -> bool:
        """Whether it takes part, and knows everything of what it acts on."""
        return self._partner.takes_part and all(one.is_filled or one.is_asleep for one in self._realms.values())

    async def run(self, keys: SigningKeys | None) -> None:
        """Until cancelled; then everything stops before the Lease goes."""
        keep = self._shared.supervisor.keep
        try:
            async with asyncio.TaskGroup() as group:
                for one in self._watchers:
                    group.create_task(keep(one.name, one.run, is_needed=True))
                if keys:
                    group.create_task(keep("signing keys", keys.run))
                    await keys.is_ready.wait()
                for one in self._watchers:
                    await one.is_filled.wait()
                group.create_task(keep("sleepers", self._ask_for_modules))
                group.create_task(keep("partnership", self._partner.run, is_needed=True))
        finally:
            await self._shared.events.flush()

    def _looking_for(self, kind: Kind) -> Watcher:
        """At names alone."""
        bare = replace(RESOURCES[kind], type=KubernetesObject)
        return Watcher(self._shared.kube.of_metadata(), self._inhabited, kind, resource=bare)

    def _wake(self, namespace: str) -> None:
        if realm := self._realms.get(namespace):
            realm.wake()

    async def _ask_for_modules(self) -> None:
        """Of those that sleep, one after the other: there may be Modules without anything that they belong to."""
        while True:
            for realm in self.realms:
                if not self._is_due(realm):
                    continue
                self._asked[realm.namespace] = seconds()
                with contextlib.suppress(ClientError):  # asked again
                    if await self._shared.kube.has_any(RESOURCES[Kind.MODULE], realm.namespace):
                        realm.wake()
            await asyncio.sleep(LOOK_SECONDS)

    def _is_due(self, realm: Realm) -> bool:
        """Not one that has ended while another was asked."""
        is_current = self._realms.get(realm.namespace) is realm
        last = self._asked.get(realm.namespace, float("-inf"))
        return is_current and realm.is_asleep and seconds() - last >= ASK_SECONDS

    def _begin(self, is_ours: Callable[[str], bool]) -> None:
        """Those of ours that are there; those that are there no more end."""
        there = {one.name for one in self._there.all(Kind.NAMESPACE)}
        _cancel(life for name, life in self._lives.items() if name not in there)
        self._lives = {name: life for name, life in self._lives.items() if not life.done()}
        for name in sorted(there - self._lives.keys()):
            if is_ours(name):
                keep, live = self._shared.supervisor.keep, partial(self._live, name)
                self._lives[name] = asyncio.create_task(keep(f"namespace {name}", live, is_needed=True))
        self._shared.metrics.leading.set(bool(self._lives))

    async def _live(self, namespace: str) -> None:
        realm = self._realms[namespace] = Realm(self._shared, namespace)
        if namespace in self._inhabited:
            realm.wake()
        metrics = self._shared.metrics
        metrics.owned.labels(namespace).set(1)
        try:
            await realm.live(min(WORKERS, self._shared.looks.workers))
        finally:
            del self._realms[namespace]
            self._asked.pop(namespace, None)
            metrics.owned.remove(namespace)

    async def _keep(self, is_kept: Callable[[str], bool]) -> None:
        going = {name: life for name, life in self._lives.items() if not is_kept(name)}
        _cancel(going.values())
        if going:
            await asyncio.wait(going.values())
        for name in going:
            del self._lives[name]
        self._shared.metrics.leading.set(bool(self._lives))


def _cancel(lives: Iterable[asyncio.Task[None]]) -> None:
    """Once each: a second time would break off what they do to end."""
    for one in lives:
        if not one.cancelling():
            one.cancel()
