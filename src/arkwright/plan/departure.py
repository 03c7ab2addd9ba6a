"""A Module's way out of its base (semantics 7): traffic off, drain, uninstall, let go of the object.

In: a Module that is being deleted. Out: at most one call to the agent, its status, and in the end its finalizer.
"""

from datetime import datetime

from arkwright.model.arklet import BizState
from arkwright.model.cluster import Document, Pod
from arkwright.model.kinds import Module, ModuleArchive, ModulePhase, ModuleStatus
from arkwright.model.moments import seconds_left
from arkwright.model.names import ALLOCATE_POD, DELETE_MODULE_DIRECTLY, DELETE_POD_DIRECTLY, is_asked_for
from arkwright.model.outcomes import BaseReport, Command, Reason
from arkwright.plan.contention import has_never_come, must_go_first
from arkwright.plan.intents import Patch, Plan
from arkwright.plan.silence import has_never_answered
from arkwright.plan.tries import (
    ASK_AGAIN_SECONDS,
    MAX_DOUBTS,
    SHORT_STATE_SECONDS,
    ObservedModule,
    after_failure,
    ask_again,
    call,
    has_serves_label,
    identity,
    pod_name,
    set_status,
    target,
)


def plan_departure(observed: ObservedModule, now: datetime) -> Plan:
    """Label off, drain, uninstall, let go of the object."""
    if because := _needs_no_call(observed):
        return _release(observed, because)
    if waiting := _plan_wait(observed, now):
        return waiting
    if observed.report is None or not observed.report.is_certain:
        return call(observed, Command.QUERY, "what is in the base must be known first")
    if forged := _held_instead(observed, observed.report):
        return plan_uninstall(observed, forged, "is to go, whatever its ReplicaSet says now", now)
    found = observed.report.find(observed.archive.name, observed.archive.version)
    if found is None and _may_still_come(observed):
        return call(
            observed, Command.UNINSTALL, "an install of it, begun before, may be under way: the agent's lock tells"
        )
    if found is None:
        return _release(observed, f"{identity(observed.archive)} is not in {pod_name(observed)}")
    if found.state in (BizState.RESOLVED, BizState.STOPPED):
        return ask_again(observed, found, now)
    return plan_uninstall(observed, observed.archive, "is to go", now)


def plan_uninstall(observed: ObservedModule, archive: ModuleArchive, because: str, now: datetime) -> Plan:
    """Of what is in the base: once no new request comes to it. One that is idle there gets none, whoever has the label."""
    found = observed.report.find(archive.name, archive.version) if observed.report else None
    is_idle = found is not None and found.state is BizState.DEACTIVATED
    waiting = None if is_idle else _plan_drain(observed, archive, now)
    return waiting or call(observed, Command.UNINSTALL, f"{identity(archive)} {because}", archive)


def _held_instead(observed: ObservedModule, report: BaseReport) -> ModuleArchive | None:
    """What the Module says itself, where its ReplicaSet was changed to another version and the base holds the earlier one still."""
    own = observed.module.spec.module
    is_asked_for = any(identity(one.spec.module) == identity(own) for one in observed.neighbours)
    is_forged = identity(own) != identity(observed.archive) and report.find(own.name, own.version) is not None
    return own if is_forged and not is_asked_for else None


def kept_until_switched(pod: Pod, modules: tuple[Module, ...], report: BaseReport | None) -> frozenset[str]:
    """Names of deleted Modules on `pod` that serve on until a version that is idle beside them is switched on.

    So it is where a rollback comes right then when the answer of a switch got lost: the old version is believed to serve.
    """
    if report is None or not any(one.is_terminating for one in modules):
        return frozenset()
    return frozenset(
        one.name
        for one in modules
        if one.is_terminating and has_serves_label(pod, one.spec.module.name) and _serves_alone(one, modules, report)
    )


def _serves_alone(module: Module, modules: tuple[Module, ...], report: BaseReport) -> bool:
    """Whether another one on the pod is about to be switched on in place of it; not one that waits for it to leave."""
    idle = (one for one in modules if not one.is_terminating and _state(one, report) is BizState.DEACTIVATED)
    name = module.spec.module.name
    return _state(module, report) is BizState.ACTIVATED and any(
        one.spec.module.name == name and not must_go_first(module, one) for one in idle
    )


def _state(module: Module, report: BaseReport) -> BizState | None:
    found = report.find(module.spec.module.name, module.spec.module.version)
    return found.state if found else None


def _plan_wait(observed: ObservedModule, now: datetime) -> Plan | None:
    """For its replacement, for the end of a call, for the next try; None: for nothing."""
    if observed.is_kept:
        return _wait_for_replacement(observed, now)
    if observed.under_way:
        return _say_so(observed, seconds_left(SHORT_STATE_SECONDS, observed.under_way.since, now), now)
    return after_failure(observed, now)


def _wait_for_replacement(observed: ObservedModule, now: datetime) -> Plan:
    waits = f"{identity(observed.archive)} serves in {pod_name(observed)} until another does in its place"
    told = set_status(observed, ModuleStatus(status=ModulePhase.TERMINATING, message=waits), waits, now)
    return told.then(Plan(look_again_in=ASK_AGAIN_SECONDS))


def _may_still_come(observed: ObservedModule) -> bool:
    """Whether an install could be under way that nobody here waits for: one whose answer got lost, or of an earlier controller.

    An agent lists a module only once its archive is there, but refuses an uninstall as long as it is busy with it.
    """
    return not observed.is_settled and observed.module.status.status is not ModulePhase.AVAILABLE


def _needs_no_call(observed: ObservedModule) -> str:
    """Why the agent is not asked; "" if it is. A pod that leaves by the delete-pod label still runs: its agent is asked."""
    if is_asked_for(observed.module.metadata.labels, DELETE_MODULE_DIRECTLY):
        return "its label asks for no call"
    if observed.pod is None or not observed.pod.is_reachable:
        return "its base pod is gone or going"
    if has_never_come(observed.module, observed.archive, observed.neighbours):
        return f"the {identity(observed.archive)} there is that of another Module, which it has waited for"
    if _is_silent_still(observed):
        return "its agent has never answered, so nothing was ever installed there"
    is_direct = is_asked_for(observed.pod.metadata.labels, DELETE_POD_DIRECTLY)
    return "its base pod's label asks for no call" if is_direct else ""


def _is_silent_still(observed: ObservedModule) -> bool:
    """It has been asked by this controller too, in vain; a question or two that got lost tell nothing."""
    last = observed.last
    is_asked = last is not None and last.outcome.command is Command.QUERY and last.attempt >= MAX_DOUBTS
    return is_asked and observed.report is None and has_never_answered(observed.module)


def _plan_drain(observed: ObservedModule, archive: ModuleArchive, now: datetime) -> Plan | None:
    """None once no new request comes: another version serves on this pod, or the label has been off long enough."""
    if any(not one.is_terminating and _serves(observed, archive, one) for one in observed.neighbours):
        return None
    if observed.is_label_coming or has_serves_label(observed.pod, archive.name):
        return Plan(look_again_in=ASK_AGAIN_SECONDS)
    since = observed.label_off_since or now
    left = seconds_left(observed.drain_seconds, since, now)
    if not left:
        return None
    soon = 0.0 if observed.drain_seconds > SHORT_STATE_SECONDS else SHORT_STATE_SECONDS
    return _say_so(observed, soon, now).then(Plan(look_again_in=left))


def _say_so(observed: ObservedModule, seconds: float, now: datetime) -> Plan:
    """Status Terminating, once it lasts; a failure that stands there stays."""
    if observed.module.status.status is ModulePhase.TERMINATING:
        return Plan()
    if seconds > 0:
        return Plan(look_again_in=seconds)
    doing = f"{identity(observed.archive)} is leaving {pod_name(observed)}"
    is_pods_wish = observed.pod is not None and observed.pod.is_asked_to_leave
    reason = Reason.BASE_TERMINATING if is_pods_wish else ""
    going = ModuleStatus(status=ModulePhase.TERMINATING, reason=reason, message=doing)
    return set_status(observed, going, doing, now)


def _serves(observed: ObservedModule, archive: ModuleArchive, neighbour: Module) -> bool:
    """Not the very instance that is to go, which a restarted Module waits to see replaced."""
    if observed.report is None or identity(neighbour.spec.module) == identity(archive):
        return False
    return _state(neighbour, observed.report) is BizState.ACTIVATED


def _release(observed: ObservedModule, because: str) -> Plan:
    rest = [name for name in observed.module.metadata.finalizers if name != ALLOCATE_POD]
    version = observed.module.metadata.resource_version
    patch: Document = {"metadata": {"finalizers": rest or None, "resourceVersion": version}}
    return Plan((Patch(target(observed.module), patch, because),))
