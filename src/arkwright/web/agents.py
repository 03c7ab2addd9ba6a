"""What agents tell of the base pods that somebody looks at. In: pods as pages show them. Out: facts, and a number for each page that counts their changes.

Only what a page shows at the moment is asked for, each pod every ten seconds for all viewers together; without a viewer nothing runs. The controller asks the agents; here it is asked.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, partial

import structlog

from arkwright.clients.controllers import ControllerClient
from arkwright.clients.errors import NoAnswer
from arkwright.model.agentview import AgentView
from arkwright.model.cluster import Pod
from arkwright.people.owners import address_for
from arkwright.web.agentfacts import NOTHING, UNTOLD, AgentFacts, Rates, facts_of, rates_between
from arkwright.web.fleet import Fleet

log = structlog.get_logger()
LOOKED_AT_SECONDS = 12.0  # a page that is followed is made anew within five
EVERY_SECONDS, SOON_SECONDS, BREATH_SECONDS = 10.0, 5.5, 0.5
AT_ONCE = 8


@dataclass(frozen=True)
class Told:
    """Of one pod. `view`: the last one that there was; `rates`: as of it; `is_missed`: the last question came to nothing."""

    facts: AgentFacts
    view: AgentView | None = None
    rates: Rates = field(default_factory=dict)
    is_missed: bool = False


@dataclass(frozen=True)
class Looked:
    """A pod that is looked at, on which page, until when, and when it is to be asked."""

    pod: Pod
    path: str
    until: float
    due: float = 0.0


class Agents:
    """`clock` tells the time of day; `on_news` is called when facts have changed. `client`: a way to ask controllers."""

    def __init__(
        self,
        fleet: Fleet,
        clock: Callable[[], datetime],
        on_news: Callable[[], None],
        client: Callable[[], ControllerClient] = ControllerClient,
    ) -> None:
        self._fleet, self._clock, self._on_news, self._client = fleet, clock, on_news, client
        self._looked: dict[str, Looked] = {}
        self._told: dict[str, Told] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(AT_ONCE)
        self._somebody = asyncio.Event()
        self._news: set[str] = set()
        self._versions: Counter[str] = Counter()

    def facts(self, pod: Pod) -> AgentFacts | None:
        """None: nothing is known yet."""
        found = self._told.get(pod.metadata.uid)
        return found.facts if found else None

    def version(self, path: str) -> int:
        """Another number where that page would say something else."""
        return self._versions[path] if path in self._versions else 0

    def look_at(self, path: str, pods: Iterable[Pod]) -> None:
        """That page shows them now; whoever is there asks for it again and again."""
        until = _seconds() + LOOKED_AT_SECONDS
        for pod in pods:
            uid = pod.metadata.uid
            due = self._looked[uid].due if uid in self._looked else 0.0
            self._looked[uid] = Looked(pod, path, until, due)
            self._somebody.set()

    async def run(self) -> None:
        """For ever; nothing is done while nobody looks."""
        async with self._client() as client:
            try:
                while True:
                    await self._somebody.wait()
                    self._step(client)
                    await asyncio.sleep(BREATH_SECONDS)
                    self._tell()
            finally:
                for task in self._asking.values():
                    task.cancel()
                self._asking.clear()

    def _step(self, client: ControllerClient) -> None:
        now = _seconds()
        for uid in [uid for uid, one in self._looked.items() if one.until <= now]:
            del self._looked[uid]
            self._told.pop(uid, None)  # who comes back is not shown what was
        if not self._looked:
            self._somebody.clear()
        address = cache(lambda namespace: address_for(namespace, self._fleet.leases, self._clock()))
        for uid in [uid for uid, one in self._looked.items() if one.due <= now and uid not in self._asking]:
            pod = self._looked[uid].pod
            self._begin(client, address(pod.metadata.namespace), pod)

    def _begin(self, client: ControllerClient, address: str, pod: Pod) -> None:
        uid = pod.metadata.uid
        if not address:
            self._learn(uid, self._missed(uid))
            return
        self._looked[uid] = replace(self._looked[uid], due=_seconds() + EVERY_SECONDS)  # whatever comes of it
        task = self._asking[uid] = asyncio.create_task(self._ask(client, address, pod))
        task.add_done_callback(partial(self._ended, uid))

    def _ended(self, uid: str, task: asyncio.Task[None]) -> None:
        self._asking.pop(uid, None)
        if not task.cancelled() and (error := task.exception()):
            log.error("what an agent tells cannot be shown", pod=uid, exc_info=error)

    async def _ask(self, client: ControllerClient, address: str, pod: Pod) -> None:
        uid = pod.metadata.uid
        async with self._places:
            if uid in self._looked:  # still
                self._learn(uid, await self._heard(client, address, pod))

    def _learn(self, uid: str, told: Told) -> None:
        before, looked = self._told.get(uid), self._looked.get(uid)
        if looked is None:
            return
        self._told[uid] = told
        seconds = EVERY_SECONDS if before else SOON_SECONDS  # two answers make a rate
        self._looked[uid] = replace(looked, due=_seconds() + seconds)
        if before is None or before.facts != told.facts:
            self._news.add(looked.path)

    async def _heard(self, client: ControllerClient, address: str, pod: Pod) -> Told:
        uid = pod.metadata.uid
        try:
            view = await client.view(address, pod.metadata.namespace, pod.name)
        except NoAnswer:
            return self._missed(uid)
        if view is None or view.pod != uid:  # of another one by that name
            return Told(NOTHING)
        before = self._told.get(uid, Told(UNTOLD))
        rates = rates_between(before.view, view, before.rates)
        return Told(facts_of(view, rates), view, rates)

    def _missed(self, uid: str) -> Told:
        """One answer that is missed is not worth a page that jumps."""
        before = self._told.get(uid)
        return replace(before, is_missed=True) if before and before.view and not before.is_missed else Told(UNTOLD)

    def _tell(self) -> None:
        if self._news:
            self._versions.update(self._news)
            self._news.clear()
            self._on_news()


def _seconds() -> float:
    return asyncio.get_running_loop().time()
