"""Calls to agents, each a task of its own, and what is known of each base from their answers.

In: Call intents. Out: reports, calls under way, last outcomes: observations of the next round. Limits: one changing call
per pod and module name, a few per pod, hundreds altogether. A hung agent delays only itself.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from msgspec.structs import replace

from arkwright.clients.arklet import ArkletClient
from arkwright.controller.lastcalls import call_view
from arkwright.controller.metrics import Metrics
from arkwright.controller.objects import Key
from arkwright.controller.requirement import UnmetOf
from arkwright.model.agentview import CallView
from arkwright.model.arklet import BizInfo, BizState
from arkwright.model.cluster import Pod, PodStatus
from arkwright.model.kinds import ModuleArchive
from arkwright.model.outcomes import BaseReport, CallUnderWay, Command, LastCall, Outcome, Reason, Verdict

log = structlog.get_logger()
QUICK_SECONDS = 0.25
SURE_AGAIN_SECONDS = 0.2


@dataclass(frozen=True)
class Limits:
    """Calls at once: to one pod, and to all; `slow`: besides these, of those that have lasted for QUICK_SECONDS. `doubted`: calls a second,
    altogether, to agents whose last answer was nonsense."""

    per_pod: int = 4
    altogether: int = 400
    slow: int = 4000
    doubted: float = 50.0


@dataclass(frozen=True)
class Asked:
    """Who asked: the Module's key, and which try of which spec it is. `is_routine`: it wants to know only what has changed."""

    key: Key
    attempt: int
    generation: int
    is_routine: bool = False


@dataclass(frozen=True)
class Ended:
    """A call to a pod's agent. `names`: of the modules that it tells something of; None for all. `askers`: whose plans wait for it."""

    pod: Pod
    names: frozenset[str] | None
    askers: tuple[Key, ...]
    call: CallView


class Places:
    """So many calls at once. One that lasts gives its place up to others, as long as there are not too many of that sort: agents that
    hang, by hundreds, are not to hold up those that answer."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._quick, self._slow_left = asyncio.Semaphore(limits.altogether), limits.slow
        self._next_turn = 0.0

    async def turn(self) -> None:
        """Wait until one more agent that answers nonsense may be asked: reading what a thousand of them send takes time from those that do not."""
        now = asyncio.get_running_loop().time()
        self._next_turn = max(now, self._next_turn + 1 / self.limits.doubted)
        await asyncio.sleep(self._next_turn - now)

    @contextlib.asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        await self._quick.acquire()
        is_slow, loop = False, asyncio.get_running_loop()
        timer: asyncio.TimerHandle

        def give_up() -> None:
            nonlocal is_slow, timer
            if self._slow_left > 0:
                is_slow, self._slow_left = True, self._slow_left - 1
                self._quick.release()
            else:
                timer = loop.call_later(QUICK_SECONDS, give_up)

        timer = loop.call_later(QUICK_SECONDS, give_up)
        try:
            yield
        finally:
            timer.cancel()
            if is_slow:
                self._slow_left += 1
            else:
                self._quick.release()


class AgentCalls:
    """`on_done` is called after each call. `unmet`: what keeps a pod from being called; `is_sure`: whether nobody
    else may be calling yet. `places`: shared with others, if not its own."""

    def __init__(
        self,
        client: ArkletClient,
        clock: Callable[[], datetime],
        metrics: Metrics,
        on_done: Callable[[Ended], None],
        places: Places | None = None,
    ) -> None:
        self._client, self._clock, self.metrics, self._on_done = client, clock, metrics, on_done
        self.unmet: UnmetOf | None = None
        self.is_sure: Callable[[], bool] = lambda: True
        self._everywhere = places or Places(Limits())
        self._per_pod: dict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(self._everywhere.limits.per_pod)
        )
        self._under_way: dict[tuple[str, str], CallUnderWay] = {}
        self._askers: dict[tuple[str, str], list[Asked]] = defaultdict(list)
        self._reports: dict[str, tuple[str, BaseReport]] = {}
        self._waiting: dict[tuple[str, str], set[Key]] = defaultdict(set)
        self._instances: dict[str, tuple[PodStatus, str]] = {}
        self._last: dict[Key, LastCall] = {}
        self._settled: set[Key] = set()
        self._doubted: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def report(self, pod: Pod) -> BaseReport | None:
        """What is in the base; None if nobody asked yet. A restarted base holds nothing that we know of."""
        known = self._reports.get(pod.metadata.uid)
        if known is None:
            return None
        instance, report = known
        if instance != (now := self._instance(pod)):
            report = BaseReport(at=self._clock(), is_certain=False)
            self._reports[pod.metadata.uid] = (now, report)
        return report

    def _instance(self, pod: Pod) -> str:
        """Of the base, found once for each state of its pod."""
        known = self._instances.get(pod.metadata.uid)
        if known is None or known[0] is not pod.status:
            known = self._instances[pod.metadata.uid] = (pod.status, pod.base_instance)
        return known[1]

    def under_way(self, pod: Pod, module_name: str, waiting: Key | None = None) -> CallUnderWay | None:
        """The call that this module has to wait for. `waiting`: who is looked at again when it ends, whatever comes of it."""
        for slot in ((pod.metadata.uid, module_name), (pod.metadata.uid, "")):
            if found := self._under_way.get(slot):
                if waiting:
                    self._waiting[slot].add(waiting)
                return found
        return None

    def last(self, key: Key) -> LastCall | None:
        return self._last.get(key)

    def is_settled(self, key: Key) -> bool:
        """Whether the last call that changed anything for this Module ended here, with an answer."""
        return key in self._settled

    def forget_module(self, key: Key) -> None:
        self._last.pop(key, None)
        self._settled.discard(key)

    def forget_pod(self, pod: Pod) -> None:
        self._reports.pop(pod.metadata.uid, None)
        self._instances.pop(pod.metadata.uid, None)
        self._per_pod.pop(pod.metadata.uid, None)
        self._doubted.discard(pod.metadata.uid)

    def start(self, pod: Pod, command: Command, archive: ModuleArchive, asked: Asked) -> None:
        """Begin a call, or join the query that is under way for this pod."""
        name = "" if command is Command.QUERY else archive.name
        slot = (pod.metadata.uid, name)
        self._askers[slot].append(asked)
        if slot in self._under_way:
            return
        self._under_way[slot] = CallUnderWay(command=command, version=archive.version, since=self._clock())
        task = asyncio.create_task(self._run(pod, command, archive, slot))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Give up all calls; what came of them is asked for at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, pod: Pod, command: Command, archive: ModuleArchive, slot: tuple[str, str]) -> None:
        if pod.metadata.uid in self._doubted:
            await self._everywhere.turn()
        async with self._per_pod[pod.metadata.uid], self._everywhere.one():
            begun = self._clock()
            outcome = await self._ask_safely(pod, command, archive)
        at = self._clock()
        self.metrics.calls.labels(command, outcome.verdict.name).inc()
        self.metrics.call_seconds.labels(command).observe((at - begun).total_seconds())
        log.info("agent", pod=pod.name, command=command, verdict=outcome.verdict, message=outcome.message[:200])
        (self._doubted.add if outcome.is_nonsense else self._doubted.discard)(pod.metadata.uid)
        before = self._reports.get(pod.metadata.uid)
        self._learn(pod, archive, outcome, at)
        del self._under_way[slot]
        askers = self._askers.pop(slot)
        for asked in askers:
            last = LastCall(outcome=outcome, at=at, attempt=asked.attempt, generation=asked.generation)
            self._last[asked.key] = last
            self._settle(asked.key, outcome)
        after = self._reports.get(pod.metadata.uid)
        told = frozenset((slot[1],)) if slot[1] else news(before and before[1], after and after[1], outcome)
        waiting = self._waiting.pop(slot, set()) | {one.key for one in askers if not one.is_routine}
        self._on_done(Ended(pod, told, tuple(sorted(waiting)), call_view(outcome, archive, begun, at)))

    def _settle(self, key: Key, outcome: Outcome) -> None:
        if outcome.command is Command.QUERY:
            return
        if outcome.verdict in (Verdict.LOST, Verdict.BUSY):
            self._settled.discard(key)
        else:
            self._settled.add(key)

    async def _ask_safely(self, pod: Pod, command: Command, archive: ModuleArchive) -> Outcome:
        """A mistake of ours in reading an answer is a lost answer: it must not leave its Modules waiting for ever."""
        try:
            return await self._ask(pod, command, archive)
        except Exception as error:
            log.exception("cannot call", pod=pod.name, command=command)
            said = f"{command} failed in the controller, see its log: {type(error).__name__}: {error}"
            return Outcome(command=command, verdict=Verdict.LOST, reason=Reason.AGENT_UNREACHABLE, message=said)

    async def _ask(self, pod: Pod, command: Command, archive: ModuleArchive) -> Outcome:
        while not self.is_sure():  # noqa: ASYNC110 (nobody sets an Event: the Lease is renewed in a moment, or all this ends)
            await asyncio.sleep(SURE_AGAIN_SECONDS)
        if self.unmet and (words := await self.unmet(pod)):
            reason = Reason.AGENT_UNAUTHENTICATED
            return Outcome(command=command, verdict=Verdict.UNREACHED, reason=reason, message=words)
        address, uid = pod.agent_address, pod.metadata.uid
        match command:
            case Command.INSTALL:
                return await self._client.install(address, archive, uid)
            case Command.UNINSTALL:
                return await self._client.uninstall(address, archive.name, archive.version, uid)
            case Command.SWITCH:
                return await self._client.switch(address, archive.name, archive.version, uid)
            case Command.QUERY | Command.HEALTH:
                return await self._client.query(address, uid)

    def _learn(self, pod: Pod, archive: ModuleArchive, outcome: Outcome, at: datetime) -> None:
        if pod.metadata.uid not in self._reports and outcome.verdict is not Verdict.DONE:
            return  # nothing was known, and nothing is: that is not the same as an empty base
        instance, before = self._reports.get(pod.metadata.uid, (pod.base_instance, BaseReport(at=at)))
        self._reports[pod.metadata.uid] = (instance, learned(before, archive, outcome, at))


def news(before: BaseReport | None, after: BaseReport | None, outcome: Outcome) -> frozenset[str] | None:
    """Names of the modules that an answer says something new of; None where it may be about any."""
    if before is None or after is None or not before.is_certain or outcome.verdict is not Verdict.DONE:
        return None
    return frozenset(one.biz_name for one in {*before.modules} ^ {*after.modules})


def learned(before: BaseReport, archive: ModuleArchive, outcome: Outcome, at: datetime) -> BaseReport:
    """The report after a call. A lost answer, and one that contradicts us, makes it uncertain."""
    if outcome.command is Command.QUERY:
        if outcome.verdict is Verdict.DONE:
            known = {one.identity for one in before.modules}
            return BaseReport(
                modules=outcome.modules, at=at, news=tuple(one for one in outcome.modules if one.identity not in known)
            )
        return replace(before, is_certain=False)
    if outcome.verdict in (Verdict.BUSY, Verdict.UNREACHED):
        return before
    rest = tuple(one for one in before.modules if (one.biz_name, one.biz_version) != (archive.name, archive.version))
    if outcome.command is Command.UNINSTALL and outcome.verdict in (Verdict.DONE, Verdict.ABSENT):
        return replace(before, modules=rest)
    if outcome.verdict is not Verdict.DONE:
        return replace(before, is_certain=False)
    if outcome.command is Command.SWITCH:
        return replace(before, modules=tuple(_switched(one, archive) for one in before.modules))
    installed = tuple(one for one in outcome.modules if one.biz_name == archive.name)
    kept = tuple(one for one in rest if one.identity not in {new.identity for new in installed})
    return replace(before, modules=(*kept, *installed), is_certain=before.is_certain and bool(installed))


def _switched(one: BizInfo, archive: ModuleArchive) -> BizInfo:
    if one.biz_name != archive.name:
        return one
    state = BizState.ACTIVATED if one.biz_version == archive.version else BizState.DEACTIVATED
    return replace(one, biz_state=state)
