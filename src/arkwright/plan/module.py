"""One Module: from its pod being chosen to Available, and back to nothing (semantics 2, 5, 8).

In: the Module, its base pod, what the agent last said, its neighbours of the same name. Out: at most one call to the
agent, and the Module's status. Nothing is changed in a base before its agent has said what is there.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from arkwright.model.arklet import BizInfo, BizState
from arkwright.model.cluster import Document, Pod
from arkwright.model.codec import encode_whole
from arkwright.model.kinds import Module, ModuleArchive, ModulePhase, ModuleStatus, UpgradePolicy
from arkwright.model.meta import Condition
from arkwright.model.names import ALLOCATE_POD, DELETE_MODULE, DELETE_MODULE_DIRECTLY, jitter, serves_label
from arkwright.model.outcomes import BaseReport, CallUnderWay, Command, LastCall, Reason, Verdict
from arkwright.model.resources import Kind
from arkwright.plan.intents import Call, Delete, Intent, Patch, Plan, SetStatus, Target, Tell

SHORT_STATE_SECONDS = 0.5
ASK_AGAIN_SECONDS = 1.0
MAX_BACKOFF_SECONDS = 60.0
UNSUCCESSFUL = frozenset({Verdict.REFUSED, Verdict.UNREACHED, Verdict.LOST})


@dataclass(frozen=True)
class ObservedModule:
    """`archive`: what to install, with the newest url. `neighbours`: other Modules of that name on the pod.

    `is_superseded`: a live one among them is of a newer revision.
    """

    module: Module
    archive: ModuleArchive
    pod: Pod | None
    is_pod_live: bool
    report: BaseReport | None = None
    under_way: CallUnderWay | None = None
    last: LastCall | None = None
    neighbours: tuple[Module, ...] = ()
    is_superseded: bool = False
    drain_seconds: float = 0.0
    label_off_since: datetime | None = None


def plan_module(observed: ObservedModule, now: datetime) -> Plan:
    """The next step of one Module."""
    module = observed.module
    if module.is_terminating:
        return _plan_removal(observed, now) if ALLOCATE_POD in module.metadata.finalizers else Plan()
    labels = module.metadata.labels
    if "true" in (labels.get(DELETE_MODULE), labels.get(DELETE_MODULE_DIRECTLY)):
        return Plan((Delete(_target(module), "its label asks for its removal"),))
    if observed.pod is None or not observed.is_pod_live:
        return Plan((Delete(_target(module), f"base pod {_pod_name(observed)} is gone or going"),))
    if observed.under_way:
        return _while_called(observed, observed.under_way, now)
    return _after_failure(observed, now) or _plan_presence(observed, now)


def _plan_presence(observed: ObservedModule, now: datetime) -> Plan:
    """No call is under way and no retry is pending: compare what is in the base with what is wanted."""
    if observed.report is None or not observed.report.is_certain:
        return _call(observed, Command.QUERY, "what is in the base must be known first")
    found = observed.report.find(observed.archive.name, observed.archive.version)
    if found is None:
        return _plan_install(observed, now)
    match found.state:
        case BizState.ACTIVATED:
            return _plan_available(observed, now)
        case BizState.DEACTIVATED if observed.is_superseded:
            return Plan()  # the newer one answers now; this one goes once the newer is Available
        case BizState.DEACTIVATED:
            return _call(observed, Command.SWITCH, f"{found.identity} is installed and not active")
        case BizState.BROKEN:
            return _call(observed, Command.UNINSTALL, f"{found.identity} is broken; it is installed anew")
        case _:
            return _ask_again(observed, found, now)


def _plan_install(observed: ObservedModule, now: datetime) -> Plan:
    old = [one for one in observed.neighbours if _must_go_first(observed, one)]
    wanted = _identity(observed.archive)
    if old:
        waits = f"waits until {_identity(old[0].spec.module)} is uninstalled from {_pod_name(observed)}"
        return _status(observed, ModuleStatus(status=ModulePhase.PREPARE, message=waits), waits, now)
    lost: tuple[Intent, ...] = ()
    if observed.module.status.status is ModulePhase.AVAILABLE:
        gone = f"{wanted} is no longer in base pod {_pod_name(observed)}; it is installed again"
        left = ModuleStatus(status=ModulePhase.PREPARE, reason=Reason.BASE_RESTARTED, message=gone)
        drifted = Tell(_target(observed.module), "ModuleDrifted", gone, is_warning=True)
        lost = (*_status(observed, left, gone, now).intents, drifted)
    return Plan(lost).then(_call(observed, Command.INSTALL, f"{wanted} is wanted in base pod {_pod_name(observed)}"))


def _must_go_first(observed: ObservedModule, neighbour: Module) -> bool:
    """Whether this neighbour has to leave the base before ours can come."""
    ours, theirs = observed.archive, neighbour.spec.module
    return (
        observed.module.spec.upgrade_policy is UpgradePolicy.UNINSTALL_THEN_INSTALL
        or (ours.name, ours.version) == (theirs.name, theirs.version)
        or observed.module.status.reason == Reason.WEB_PATH_CONFLICT
    )


def _plan_available(observed: ObservedModule, now: datetime) -> Plan:
    if not has_serves_label(observed.pod, observed.archive.name):
        return Plan(look_again_in=ASK_AGAIN_SECONDS)
    available = ModuleStatus(status=ModulePhase.AVAILABLE)
    return _status(observed, available, f"{_identity(observed.archive)} is active in {_pod_name(observed)}", now)


def _while_called(observed: ObservedModule, call: CallUnderWay, now: datetime) -> Plan:
    """A call under way is left alone; the status follows once it lasts."""
    age = (now - call.since).total_seconds()
    if call.command is not Command.INSTALL or observed.module.status.status is ModulePhase.FAILED:
        return Plan()
    if age < SHORT_STATE_SECONDS:
        return Plan(look_again_in=SHORT_STATE_SECONDS - age)
    doing = f"{call.command} of {_identity(observed.archive)} is under way"
    return _status(observed, ModuleStatus(status=ModulePhase.UPGRADING, message=doing), doing, now)


def _after_failure(observed: ObservedModule, now: datetime) -> Plan | None:
    """Write a failure down once; then wait for the next try. None: nothing to wait for."""
    status, last = observed.module.status, observed.last
    if last and last.outcome.verdict is Verdict.BUSY and (now - last.at).total_seconds() < ASK_AGAIN_SECONDS:
        return Plan(look_again_in=ASK_AGAIN_SECONDS)
    if last and last.outcome.verdict in UNSUCCESSFUL and not _is_written_down(observed, last):
        return _plan_failed(observed, last)
    if _is_current(observed) and status.next_attempt_time and status.next_attempt_time > now:
        return Plan(look_again_in=(status.next_attempt_time - now).total_seconds())
    return None


def _is_current(observed: ObservedModule) -> bool:
    """Whether the status speaks of the spec as it is: a corrected url is tried at once."""
    return observed.module.status.observed_generation == observed.module.metadata.generation


def _is_written_down(observed: ObservedModule, last: LastCall) -> bool:
    metadata, status = observed.module.metadata, observed.module.status
    return last.generation != metadata.generation or (_is_current(observed) and status.attempts >= last.attempt)


def _plan_failed(observed: ObservedModule, last: LastCall) -> Plan:
    module, outcome = observed.module, last.outcome
    phase = ModulePhase.TERMINATING if module.is_terminating else ModulePhase.FAILED
    pause = backoff_seconds(module.metadata.uid, last.attempt)
    way_out = _way_out(observed, outcome.reason)
    failed = ModuleStatus(
        status=phase,
        reason=outcome.reason or Reason.INSTALL_FAILED,
        message=(outcome.message + way_out)[:1024],
        attempts=last.attempt,
        next_attempt_time=last.at + timedelta(seconds=pause),
    )
    event = "ModuleUninstallFailed" if outcome.command is Command.UNINSTALL else "ModuleInstallFailed"
    told = Tell(_target(module), event, f"{failed.reason}: {failed.message}", is_warning=True)
    return Plan((*_status(observed, failed, failed.message, last.at).intents, told), look_again_in=pause)


def _way_out(observed: ObservedModule, reason: Reason | None) -> str:
    if observed.module.is_terminating:
        return f"; to remove it without the agent, label it {DELETE_MODULE_DIRECTLY}=true or delete the base pod"
    if reason is Reason.WEB_PATH_CONFLICT:
        return "; this base cannot hold two versions on one web path, upgradePolicy uninstall_then_install avoids that"
    return ""


def backoff_seconds(uid: str, attempt: int) -> float:
    """Seconds until the next try: 1 doubling to 60, spread by a fifth either way (semantics 2)."""
    return min(MAX_BACKOFF_SECONDS, 2.0 ** min(attempt - 1, 10)) * jitter(f"{uid}/{attempt}")


def _plan_removal(observed: ObservedModule, now: datetime) -> Plan:
    """Label off, drain, uninstall, let go of the object."""
    is_direct = observed.module.metadata.labels.get(DELETE_MODULE_DIRECTLY) == "true"
    if observed.pod is None or not observed.is_pod_live or is_direct:
        return _release(observed, "its base pod is gone or going" if not is_direct else "its label asks for no call")
    if observed.under_way:
        return Plan()
    if waiting := _after_failure(observed, now):
        return waiting
    if observed.report is None or not observed.report.is_certain:
        return _call(observed, Command.QUERY, "what is in the base must be known first")
    found = observed.report.find(observed.archive.name, observed.archive.version)
    if found is None:
        return _release(observed, f"{_identity(observed.archive)} is not in {_pod_name(observed)}")
    if found.state in (BizState.RESOLVED, BizState.STOPPED):
        return _ask_again(observed, found, now)
    return _plan_drain(observed, now) or _call(observed, Command.UNINSTALL, f"{found.identity} is to go")


def _plan_drain(observed: ObservedModule, now: datetime) -> Plan | None:
    """None once no new request comes: another version serves on this pod, or the label has been off long enough."""
    if any(not one.is_terminating and _serves(observed, one) for one in observed.neighbours):
        return None
    if has_serves_label(observed.pod, observed.archive.name):
        return Plan(look_again_in=ASK_AGAIN_SECONDS)
    since = observed.label_off_since or now
    left = observed.drain_seconds - (now - since).total_seconds()
    return Plan(look_again_in=left) if left > 0 else None


def _serves(observed: ObservedModule, neighbour: Module) -> bool:
    other = neighbour.spec.module
    found = observed.report.find(other.name, other.version) if observed.report else None
    return found is not None and found.state is BizState.ACTIVATED


def has_serves_label(pod: Pod | None, module_name: str) -> bool:
    return pod is not None and pod.metadata.labels.get(serves_label(module_name)) == "true"


def _release(observed: ObservedModule, because: str) -> Plan:
    rest = [name for name in observed.module.metadata.finalizers if name != ALLOCATE_POD]
    version = observed.module.metadata.resource_version
    patch: Document = {"metadata": {"finalizers": rest or None, "resourceVersion": version}}
    return Plan((Patch(_target(observed.module), patch, because),))


def _ask_again(observed: ObservedModule, found: BizInfo, now: datetime) -> Plan:
    age = (now - observed.report.at).total_seconds() if observed.report else ASK_AGAIN_SECONDS
    if age < ASK_AGAIN_SECONDS:
        return Plan(look_again_in=ASK_AGAIN_SECONDS - age)
    return _call(observed, Command.QUERY, f"{found.identity} is {found.state}")


def _call(observed: ObservedModule, command: Command, because: str) -> Plan:
    tries = observed.module.status.attempts if _is_current(observed) else 0
    return Plan((Call(_target(observed.module), command, observed.archive, tries + 1, because),))


def _status(observed: ObservedModule, wanted: ModuleStatus, because: str, now: datetime) -> Plan:
    """Write `wanted` unless it stands there already; the time of a change of status is the time it is planned."""
    module, before = observed.module, observed.module.status
    is_ready = wanted.status is ModulePhase.AVAILABLE
    ready = Condition(
        type="Ready",
        status="True" if is_ready else "False",
        reason=wanted.reason or str(wanted.status),
        message=wanted.message,
    )
    wanted = msgspec.structs.replace(
        wanted,
        last_transition_time=before.last_transition_time if before.status is wanted.status else now,
        observed_generation=module.metadata.generation,
        conditions=(ready,),
    )
    if wanted == before:
        return Plan()
    return Plan((SetStatus(_target(module), encode_whole(wanted), because),))


def _identity(archive: ModuleArchive) -> str:
    return f"{archive.name}:{archive.version}"


def _pod_name(observed: ObservedModule) -> str:
    return observed.pod.name if observed.pod else "(none)"


def _target(module: Module) -> Target:
    return Target(Kind.MODULE, module.metadata.namespace, module.name, module.metadata.uid)
