"""Agents that do what they are asked. In: calls. Out: answers later; what the real ones' answers would have told until then.

What a base holds is told by its Modules. Where one of them says that its base could not hold two versions at once, that base cannot here either.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from arkwright.controller.agentcalls import learned
from arkwright.controller.objects import Key
from arkwright.model.arklet import BizInfo, BizState
from arkwright.model.cluster import Pod
from arkwright.model.kinds import Module, ModuleArchive, ModulePhase
from arkwright.model.outcomes import BaseReport, CallUnderWay, Command, LastCall, Outcome, Reason, Verdict
from arkwright.model.resources import Kind
from arkwright.plan.contention import is_refused_beside
from arkwright.plan.intents import Call
from arkwright.preview.agenda import Agenda

SECONDS = {
    Command.INSTALL: 0.2
}  # of others: a tenth; nobody knows how long a real one takes, and nothing depends on it
HELD = frozenset({ModulePhase.AVAILABLE, ModulePhase.TERMINATING})
REFUSED_BESIDE = "it could not hold two versions on one web path before"


@dataclass(frozen=True)
class Answer:
    """What an agent said in the end. `askers`: who waits for it."""

    pod: Pod
    call: Call
    askers: tuple[Key, ...]


class Slot(NamedTuple):
    """One changing call at a time: to a pod, about a module."""

    pod: str
    module: str


class WillingAgents:
    """`on_pods`: every pod, with the Modules on it as they are before anything is done. A call for one whose status tells what came of it is over.
    `on_answer` hears of each answer."""

    def __init__(
        self,
        agenda: Agenda,
        on_pods: Iterable[tuple[Pod, tuple[Module, ...]]],
        on_answer: Callable[[Answer], None],
    ) -> None:
        self._agenda, self._on_answer = agenda, on_answer
        self._reports: dict[str, BaseReport] = {}
        self._contending: dict[str, frozenset[str]] = {}
        self._settled: set[Key] = set()
        for pod, modules in on_pods:
            self._reports[pod.metadata.uid] = BaseReport(modules=tuple(_held(modules)), at=agenda.now)
            contending = (one.spec.module.name for one in modules if is_refused_beside(one))
            self._contending[pod.metadata.uid] = frozenset(contending)
            self._settled |= {Key(Kind.MODULE, *one.key) for one in modules if one.status.attempts or _is_held(one)}
        self._under_way: dict[Slot, CallUnderWay] = {}
        self._waiting: dict[Slot, dict[Key, None]] = {}
        self._last: dict[Key, LastCall] = {}

    def report(self, pod: Pod) -> BaseReport:
        return self._reports[pod.metadata.uid]

    def under_way(self, pod: Pod, module_name: str, waiting: Key | None = None) -> CallUnderWay | None:
        slot = Slot(pod.metadata.uid, module_name)
        if waiting and slot in self._under_way:
            self._waiting.setdefault(slot, {})[waiting] = None
        return self._under_way.get(slot)

    def last(self, key: Key) -> LastCall | None:
        return self._last.get(key)

    def is_settled(self, key: Key) -> bool:
        return key in self._settled

    def forget(self, key: Key) -> None:
        self._last.pop(key, None)
        self._settled.discard(key)

    def start(self, pod: Pod, call: Call, generation: int) -> None:
        """Another call to the same slot waits for its end, as the real ones do."""
        slot = _slot(pod, call)
        if slot in self._under_way:
            self._waiting.setdefault(slot, {})[_asker(call)] = None
            return
        self._under_way[slot] = CallUnderWay(command=call.command, version=call.archive.version, since=self._agenda.now)
        outcome = self._outcome(pod, call)
        seconds = SECONDS.get(call.command, SECONDS[Command.INSTALL] / 10)
        self._agenda.go_on(lambda: self._end(pod, call, outcome, generation), seconds)

    def _end(self, pod: Pod, call: Call, outcome: Outcome, generation: int) -> None:
        slot, asker, now = _slot(pod, call), _asker(call), self._agenda.now
        del self._under_way[slot]
        self._reports[pod.metadata.uid] = learned(self.report(pod), call.archive, outcome, now)
        self._last[asker] = LastCall(outcome=outcome, at=now, attempt=call.attempt, generation=generation)
        if call.command is not Command.QUERY:
            self._settled.add(asker)
        self._on_answer(Answer(pod, call, (*self._waiting.pop(slot, {}), asker)))

    def _outcome(self, pod: Pod, call: Call) -> Outcome:
        there, archive = self.report(pod), call.archive
        verdict = Verdict.DONE
        match call.command:
            case Command.INSTALL if self._is_refused(pod, archive):
                reason = Reason.WEB_PATH_CONFLICT
                return Outcome(command=call.command, verdict=Verdict.REFUSED, reason=reason, message=REFUSED_BESIDE)
            case Command.INSTALL:
                return Outcome(command=call.command, verdict=verdict, modules=(_installed(there, archive),))
            case Command.UNINSTALL if there.find(archive.name, archive.version) is None:
                verdict = Verdict.ABSENT
            case Command.QUERY:
                return Outcome(command=call.command, verdict=verdict, modules=there.modules)
        return Outcome(command=call.command, verdict=verdict)

    def _is_refused(self, pod: Pod, archive: ModuleArchive) -> bool:
        is_beside = any(one.biz_name == archive.name for one in self.report(pod).modules)
        return is_beside and archive.name in self._contending[pod.metadata.uid]


def _slot(pod: Pod, call: Call) -> Slot:
    return Slot(pod.metadata.uid, "" if call.command is Command.QUERY else call.archive.name)


def _asker(call: Call) -> Key:
    return Key(call.target.kind, call.target.namespace, call.target.name)


def _held(modules: tuple[Module, ...]) -> Iterator[BizInfo]:
    """What serves, or served until it was deleted; of two versions the one that stays, and came last, is active."""
    held = sorted(filter(_is_held, modules), key=_staying_and_new)
    active = {one.spec.module.name: one.name for one in held}
    for one in held:
        is_active = active[one.spec.module.name] == one.name
        yield _info(one.spec.module, BizState.ACTIVATED if is_active else BizState.DEACTIVATED)


def _is_held(module: Module) -> bool:
    return module.status.status in HELD


def _staying_and_new(module: Module) -> tuple[bool, float, str]:
    since = module.status.last_transition_time
    return not module.is_terminating, since.timestamp() if since else 0.0, module.name


def _installed(there: BaseReport, archive: ModuleArchive) -> BizInfo:
    is_second = any(one.biz_name == archive.name and one.state is BizState.ACTIVATED for one in there.modules)
    return _info(archive, BizState.DEACTIVATED if is_second else BizState.ACTIVATED)


def _info(archive: ModuleArchive, state: BizState) -> BizInfo:
    return BizInfo(biz_name=archive.name, biz_version=archive.version, biz_state=state)
