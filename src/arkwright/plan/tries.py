"""One Module's calls to its agent: what is seen of it, what came of the last call, when to try again (semantics 2).

In: the Module, its base pod, what the agent last said, its neighbours of the same name. Out: one call, a status, or how
long to wait. Which call comes next is decided by `module` and `departure`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from arkwright.model.arklet import BizInfo, BizState
from arkwright.model.cluster import Pod
from arkwright.model.codec import encode_whole
from arkwright.model.kinds import Module, ModuleArchive, ModulePhase, ModuleReplicaSet, ModuleStatus
from arkwright.model.membership import Standing
from arkwright.model.meta import Condition
from arkwright.model.moments import seconds_since
from arkwright.model.names import DELETE_MODULE_DIRECTLY, is_asked_for, serves_label
from arkwright.model.outcomes import BaseReport, CallUnderWay, Command, EventReason, LastCall, Outcome, Reason, Verdict
from arkwright.model.resources import Kind
from arkwright.plan.backoff import backoff_seconds, seconds_until_try
from arkwright.plan.contention import (
    PATH_TAKEN,
    REFUSED_BESIDE,
    holder_of_path,
    is_refused_beside,
    path_holder,
    path_taken,
)
from arkwright.plan.intents import Call, Plan, SetStatus, Target, Tell, target_of
from arkwright.plan.silence import NEVER_ANSWERED, has_never_answered

SHORT_STATE_SECONDS = 0.5
ASK_AGAIN_SECONDS = 1.0
MAX_DOUBTS = 3
ANSWERED = (Reason.BASE_RESTARTED, Reason.INSTALL_FAILED)  # of a Module that waits: its base has held it
UNSUCCESSFUL = frozenset({Verdict.REFUSED, Verdict.UNREACHED, Verdict.LOST})


@dataclass(frozen=True)
class Choice:
    """Pods that a Module without one may be bound to, who is on them, and who is about to be."""

    pods: tuple[Pod, ...] = ()
    residents: Mapping[str, tuple[Module, ...]] = field(default_factory=dict)
    arriving: frozenset[tuple[str, str, str]] = frozenset()


@dataclass(frozen=True)
class ObservedModule:
    """`archive`: what to install, with the newest url. `neighbours`: other Modules of that name on the pod.

    `standing`: how the pod stands to the base that the Module was made for. `home`: the ReplicaSet that a detached one was of.
    `used_by`: the base that has the pod of a detached one now, "" for none.
    `choice`: for one that is bound to no pod. `made_for`: the ReplicaSet and the pod that it was made for, if its name tells.
    `elders`: those among them of older revisions of the same ModuleDeployment, going ones too, and those of others that are going. `newer`: live ones of newer
    revisions. `leftovers`: versions of older revisions that are in the base although nobody wants them there.
    `is_settled`: this controller has seen the end
    of the last call that changed anything for it. `is_kept`: it is deleted, and serves on until another does in its place. `is_label_coming`: a write that lets traffic in is on its way.
    `refused`: what the API server says where it refuses to label the pod. `families`: whose the other modules on the pod are, by name.
    """

    module: Module
    archive: ModuleArchive
    pod: Pod | None
    is_pod_live: bool
    standing: Standing = Standing.OWN
    home: ModuleReplicaSet | None = None
    used_by: str = ""
    choice: Choice | None = None
    made_for: tuple[ModuleReplicaSet, Pod] | None = None
    report: BaseReport | None = None
    under_way: CallUnderWay | None = None
    last: LastCall | None = None
    is_settled: bool = False
    neighbours: tuple[Module, ...] = ()
    elders: tuple[Module, ...] = ()
    newer: tuple[Module, ...] = ()
    leftovers: tuple[ModuleArchive, ...] = ()
    is_kept: bool = False
    drain_seconds: float = 0.0
    is_label_coming: bool = False
    label_off_since: datetime | None = None
    refused: str = ""
    families: Mapping[str, str] = field(default_factory=dict)


def after_failure(observed: ObservedModule, now: datetime) -> Plan | None:
    """Write a failure down once; then wait for the next try. None: nothing to wait for."""
    status, last = observed.module.status, observed.last
    if last and last.outcome.verdict is Verdict.BUSY and seconds_since(last.at, now) < ASK_AGAIN_SECONDS:
        return Plan(look_again_in=ASK_AGAIN_SECONDS)
    if last and last.outcome.verdict in UNSUCCESSFUL and not is_written_down(observed, last):
        return failed_try(observed, last)
    if _is_path_free_again(observed):
        return None
    if not _is_current(observed) or status.next_attempt_time is None:
        return None
    left = seconds_until_try(observed.module, now)
    return Plan(look_again_in=left) if left else None


def _is_path_free_again(observed: ObservedModule) -> bool:
    """Whether the other module that had its web path has left the base: it need not wait for its next try."""
    name, _, version = path_holder(observed.module).partition(":")
    report = observed.report
    return bool(name) and report is not None and report.is_certain and report.find(name, version) is None


def _is_current(observed: ObservedModule) -> bool:
    """Whether the status speaks of the spec as it is: a corrected url is tried at once."""
    return observed.module.status.observed_generation == observed.module.metadata.generation


def is_written_down(observed: ObservedModule, last: LastCall) -> bool:
    """Whether the status tells of `last`, or of something later."""
    metadata, status = observed.module.metadata, observed.module.status
    since = status.last_transition_time
    is_available = status.status is ModulePhase.AVAILABLE
    if is_available and (_is_known_since(observed, last) or (since is not None and last.at < since)):
        return True
    return last.generation != metadata.generation or (_is_current(observed) and status.attempts >= last.attempt)


def _is_known_since(observed: ObservedModule, last: LastCall) -> bool:
    """Whether somebody has asked the agent after `last`, and knows what is there."""
    return observed.report is not None and observed.report.is_certain and observed.report.at > last.at


def is_in_doubt(observed: ObservedModule) -> bool:
    """Whether a failure was the last that was heard: it may be forgotten only once the agent was asked again.

    Otherwise it would count as not written down yet, be written down, be forgotten, and so on without a pause.
    """
    last = observed.last
    return last is not None and last.outcome.verdict in UNSUCCESSFUL and not _is_known_since(observed, last)


def failed_try(observed: ObservedModule, last: LastCall) -> Plan:
    module, outcome = observed.module, last.outcome
    phase = _phase_after(observed, last)
    pause = backoff_seconds(module.metadata.uid, last.attempt)
    is_conflict = outcome.reason is Reason.WEB_PATH_CONFLICT
    holder = holder_of_path(outcome.message, observed.archive.name, observed.report) if is_conflict else ""
    known = (path_taken(holder),) if holder else (NEVER_ANSWERED,) if _has_never_answered(observed, outcome) else ()
    failed = ModuleStatus(
        status=phase,
        reason=outcome.reason or Reason.INSTALL_FAILED,
        message=(outcome.message + _way_out(observed, outcome.reason, holder))[:1024],
        attempts=last.attempt,
        next_attempt_time=last.at + timedelta(seconds=pause),
    )
    event = (
        EventReason.MODULE_UNINSTALL_FAILED
        if outcome.command is Command.UNINSTALL
        else EventReason.MODULE_INSTALL_FAILED
    )
    told = Tell(target(module), event, f"{failed.reason}: {failed.message}", is_warning=True)
    written = set_status(observed, failed, failed.message, last.at, known=known)
    return Plan((*written.intents, told), look_again_in=pause)


def _has_never_answered(observed: ObservedModule, outcome: Outcome) -> bool:
    """Nobody has heard of its agent: not we, not an earlier controller that left a trace of it on this pod."""
    if outcome.command is not Command.QUERY or outcome.reason is not Reason.AGENT_UNREACHABLE or observed.report:
        return False
    return all(_is_without_trace(one) for one in (observed.module, *observed.neighbours))


def _is_without_trace(module: Module) -> bool:
    """Of an answer. What waits for another to leave has not asked yet."""
    is_waiting = module.status.status is ModulePhase.PREPARE and module.status.reason not in ANSWERED
    return module.status.status is None or is_waiting or has_never_answered(module)


def _phase_after(observed: ObservedModule, last: LastCall) -> ModulePhase:
    """A Module that serves is not called failed because a question got lost once or twice, or a leftover cannot be removed."""
    if observed.module.is_terminating:
        return ModulePhase.TERMINATING
    is_doubt = last.outcome.command is Command.QUERY and last.attempt <= MAX_DOUBTS
    is_about_itself = last.outcome.command is not Command.UNINSTALL
    is_available = observed.module.status.status is ModulePhase.AVAILABLE
    return ModulePhase.AVAILABLE if is_available and (is_doubt or not is_about_itself) else ModulePhase.FAILED


def _way_out(observed: ObservedModule, reason: Reason | None, holder: str) -> str:
    if observed.module.is_terminating:
        return f"; to remove it without the agent, label it {DELETE_MODULE_DIRECTLY}=true or delete the base pod"
    if holder:
        whose = observed.families.get(holder.partition(":")[0], "")
        of = f" of {whose}" if whose else ""
        return (
            f"; the web path is that of {holder}{of}: give {observed.archive.name} another one, or take {holder} out of this base;"
            " it is tried again at once when that has gone"
        )
    if reason is Reason.WEB_PATH_CONFLICT:
        return "; this base cannot hold two versions on one web path, upgradePolicy uninstall_then_install avoids that"
    return ""


def has_serves_label(pod: Pod | None, module_name: str) -> bool:
    return pod is not None and is_asked_for(pod.metadata.labels, serves_label(module_name))


def ask_again(observed: ObservedModule, found: BizInfo, now: datetime) -> Plan:
    age = seconds_since(observed.report.at, now) if observed.report else ASK_AGAIN_SECONDS
    if age < ASK_AGAIN_SECONDS:
        return Plan(look_again_in=ASK_AGAIN_SECONDS - age)
    return call(observed, Command.QUERY, f"{found.identity} is {found.state}")


def call(observed: ObservedModule, command: Command, because: str, archive: ModuleArchive | None = None) -> Plan:
    """`archive`: what the call is about, if not the Module's own."""
    tries = observed.module.status.attempts if _is_current(observed) else 0
    asked = Call(target(observed.module), command, archive or observed.archive, tries + 1, because)
    return Plan((asked,), look_again_in=SHORT_STATE_SECONDS if command is Command.INSTALL else None)


def set_status(
    observed: ObservedModule, wanted: ModuleStatus, because: str, now: datetime, *, known: tuple[Condition, ...] = ()
) -> Plan:
    """Write `wanted` unless it stands there already; the time of a change of status is the time it is planned.

    `known`: what has just been learned of its pod.
    """
    module, before = observed.module, observed.module.status
    is_ready = wanted.status is ModulePhase.AVAILABLE
    ready = Condition(
        type="Ready",
        status="True" if is_ready else "False",
        reason=wanted.reason or str(wanted.status),
        message=wanted.message,
    )
    is_taken = any(one.type == PATH_TAKEN for one in known)
    is_refused = wanted.reason == Reason.WEB_PATH_CONFLICT or (not is_ready and is_refused_beside(module))
    lasting = (
        (REFUSED_BESIDE, is_refused and not is_taken),
        (NEVER_ANSWERED, has_never_answered(module) and observed.report is None and not is_ready),
    )
    learned = (*known, *(one for one, holds in lasting if holds and one not in known))
    wanted = msgspec.structs.replace(
        wanted,
        last_transition_time=before.last_transition_time if before.status is wanted.status else now,
        observed_generation=module.metadata.generation,
        conditions=(ready, *learned),
    )
    if wanted == before:
        return Plan()
    return Plan((SetStatus(target(module), encode_whole(wanted), because),))


def identity(archive: ModuleArchive) -> str:
    """Name and version: what a base holds one instance of."""
    return f"{archive.name}:{archive.version}"


def is_active(archive: ModuleArchive, report: BaseReport | None) -> bool:
    """Whether that version answers requests in the base."""
    found = report.find(archive.name, archive.version) if report else None
    return found is not None and found.state is BizState.ACTIVATED


def pod_name(observed: ObservedModule) -> str:
    return observed.pod.name if observed.pod else "(none)"


def target(module: Module) -> Target:
    return target_of(Kind.MODULE, module)
