"""One Module: from its pod being chosen to Available, and back to nothing (semantics 2, 5, 8).

In: the Module, its base pod, what the agent last said, its neighbours of the same name. Out: at most one call to the
agent, and the Module's status. Nothing is changed in a base before its agent has said what is there.
"""

from datetime import datetime

from msgspec.structs import replace

from arkwright.model.arklet import BizInfo, BizState
from arkwright.model.kinds import Module, ModulePhase, ModuleStatus
from arkwright.model.membership import Standing
from arkwright.model.moments import seconds_since
from arkwright.model.names import (
    ALLOCATE_POD,
    DELETE_MODULE,
    DELETE_MODULE_DIRECTLY,
    MODULE_REPLICASET,
    is_asked_for,
)
from arkwright.model.outcomes import CallUnderWay, Command, EventReason, Reason, Verdict
from arkwright.plan.belonging import plan_belonging, plan_exchange
from arkwright.plan.binding import plan_binding
from arkwright.plan.contention import must_go_first
from arkwright.plan.departure import plan_departure
from arkwright.plan.detachment import not_ours, plan_detachment, with_finalizer
from arkwright.plan.intents import Delete, Intent, Plan, Tell
from arkwright.plan.tries import (
    ASK_AGAIN_SECONDS,
    SHORT_STATE_SECONDS,
    ObservedModule,
    after_failure,
    ask_again,
    call,
    failed_try,
    has_serves_label,
    identity,
    is_active,
    is_in_doubt,
    is_written_down,
    pod_name,
    set_status,
    target,
)


def plan_module(observed: ObservedModule, now: datetime) -> Plan:
    """The next step of one Module."""
    module = observed.module
    if module.is_terminating:
        return _plan_end(observed, now) if ALLOCATE_POD in module.metadata.finalizers else Plan()
    if ALLOCATE_POD not in module.metadata.finalizers and module.pod_name:
        return with_finalizer(observed)
    if is_asked_for(module.metadata.labels, DELETE_MODULE, DELETE_MODULE_DIRECTLY):
        return Plan((Delete(target(module), "its label asks for its removal"),))
    if put_right := plan_belonging(observed):
        return put_right
    if observed.choice is not None and (observed.choice.pods or _is_bare(module)):
        return plan_binding(observed, observed.choice, now)
    if observed.pod is None or not observed.is_pod_live:
        return Plan((Delete(target(module), f"base pod {pod_name(observed)} is gone or going"),))
    if observed.standing is Standing.FOREIGN:
        return Plan((Delete(target(module), not_ours(observed.pod)),))
    return plan_detachment(observed, now) or _plan_stay(observed, now)


def _plan_end(observed: ObservedModule, now: datetime) -> Plan:
    """It leaves the base that it is in, not one that somebody has written into it."""
    return plan_belonging(observed) or plan_departure(observed, now)


def _is_bare(module: Module) -> bool:
    return MODULE_REPLICASET not in module.metadata.labels


def _plan_stay(observed: ObservedModule, now: datetime) -> Plan:
    if observed.under_way:
        return _while_called(observed, observed.under_way, now)
    return after_failure(observed, now) or plan_exchange(observed, now) or _plan_presence(observed, now)


def _plan_presence(observed: ObservedModule, now: datetime) -> Plan:
    """No call is under way and no retry is pending: compare what is in the base with what is wanted."""
    if elder := next((one for one in observed.elders if must_go_first(one, observed.module)), None):
        return _wait_for(observed, elder, now)
    if observed.report is None or not observed.report.is_certain:
        return call(observed, Command.QUERY, "what is in the base must be known first")
    found = observed.report.find(observed.archive.name, observed.archive.version)
    if found is None:
        return _plan_install(observed, now)
    match found.state:
        case BizState.ACTIVATED:
            return _plan_available(observed, now)
        case BizState.DEACTIVATED:
            return _plan_idle(observed, found, now)
        case BizState.BROKEN:
            return call(observed, Command.UNINSTALL, f"{found.identity} is broken; it is installed anew")
        case _:
            return ask_again(observed, found, now)


def _plan_idle(observed: ObservedModule, found: BizInfo, now: datetime) -> Plan:
    if _is_superseded(observed):
        return Plan()  # the newer one answers now; this one goes once the newer is Available
    if holder := _other_that_serves(observed):
        return _wait_beside(observed, holder, now)
    return call(observed, Command.SWITCH, f"{found.identity} is installed and not active")


def _is_superseded(observed: ObservedModule) -> bool:
    """Whether a newer revision is in the base. One that has not come yet serves nobody."""
    archives = (one.spec.module for one in observed.newer)
    return observed.report is not None and any(observed.report.find(one.name, one.version) for one in archives)


def _other_that_serves(observed: ObservedModule) -> Module | None:
    """One of another ModuleDeployment that came to the same pod: who serves there stays; two that switch each other off serve nobody."""
    others = (one for one in observed.neighbours if one.family != observed.module.family and not one.is_terminating)
    return next((one for one in others if is_active(one.spec.module, observed.report)), None)


def _wait_beside(observed: ObservedModule, holder: Module, now: datetime) -> Plan:
    whose = f"{identity(holder.spec.module)} of {holder.family}"
    waits = f"{identity(observed.archive)} waits in {pod_name(observed)}, where {whose} serves; it serves once that has gone"
    waiting = ModuleStatus(status=ModulePhase.PREPARE, reason=Reason.INSTALL_FAILED, message=waits)
    return set_status(observed, waiting, waits, now)


def _plan_install(observed: ObservedModule, now: datetime) -> Plan:
    wanted = identity(observed.archive)
    if unconfirmed := _plan_unconfirmed(observed):
        return unconfirmed
    lost: tuple[Intent, ...] = ()
    if observed.module.status.status is ModulePhase.AVAILABLE:
        gone = f"{wanted} is no longer in base pod {pod_name(observed)}; it is installed again"
        left = ModuleStatus(status=ModulePhase.PREPARE, reason=Reason.BASE_RESTARTED, message=gone)
        drifted = Tell(target(observed.module), EventReason.MODULE_DRIFTED, gone, is_warning=True)
        lost = (*set_status(observed, left, gone, now).intents, drifted)
    return Plan(lost).then(call(observed, Command.INSTALL, f"{wanted} is wanted in base pod {pod_name(observed)}"))


def _plan_unconfirmed(observed: ObservedModule) -> Plan | None:
    """The agent said that it has installed this, and then does not list it: that is a failure, not a reason to hurry."""
    status, last, report = observed.module.status, observed.last, observed.report
    if last is None or report is None or status.status is ModulePhase.AVAILABLE or is_written_down(observed, last):
        return None
    if last.outcome.command is not Command.INSTALL or report.at < last.at:
        return None
    if last.outcome.verdict not in (Verdict.DONE, Verdict.REPEATED):
        return None
    wanted = identity(observed.archive)
    said = f"the agent answered {last.outcome.message or last.outcome.verdict!r}, but does not list {wanted}"
    return failed_try(observed, replace(last, outcome=replace(last.outcome, message=said)))


def _wait_for(observed: ObservedModule, elder: Module, now: datetime) -> Plan:
    waits = f"waits until {identity(elder.spec.module)} is uninstalled from {pod_name(observed)}"
    status = observed.module.status
    if status.status is ModulePhase.FAILED:
        return Plan()  # its reason and message say why it waits
    is_stuck = elder.is_terminating and elder.status.attempts and elder.family != observed.module.family
    reason, why = (elder.status.reason, f": {elder.status.message}") if is_stuck else ("", "")  # nobody else tells ours
    waiting = ModuleStatus(status=ModulePhase.PREPARE, reason=reason, message=f"{waits}{why}"[:1024])
    return set_status(observed, waiting, waiting.message, now)


def _plan_available(observed: ObservedModule, now: datetime) -> Plan:
    if not has_serves_label(observed.pod, observed.archive.name):
        return _wait_for_label(observed, now)
    is_said = observed.module.status.status is ModulePhase.AVAILABLE
    available = ModuleStatus(status=ModulePhase.AVAILABLE)
    because = f"{identity(observed.archive)} is active in {pod_name(observed)}"
    settled = set_status(observed, available, because, now)
    if not settled.intents or (is_said and observed.leftovers):
        return _plan_upkeep(observed)  # what it says of a leftover stays until that has gone
    if is_said and is_in_doubt(observed):
        return call(observed, Command.QUERY, "its last call failed")
    return settled


def _wait_for_label(observed: ObservedModule, now: datetime) -> Plan:
    """Requests come once its pod has the label; that takes a moment, or longer where the API server refuses it."""
    again = Plan(look_again_in=ASK_AGAIN_SECONDS)
    known = [one.at for one in (observed.last, observed.report) if one is not None]
    is_early = (now - max(known, default=now)).total_seconds() < ASK_AGAIN_SECONDS
    if is_early or observed.module.status.status is ModulePhase.AVAILABLE:
        return again
    said = f"{identity(observed.archive)} is active in {pod_name(observed)}, whose label that lets requests in is not there yet"
    reason = EventReason.WRITE_REFUSED if observed.refused else ""
    message = f"{said}: {observed.refused}" if observed.refused else said
    waiting = ModuleStatus(status=ModulePhase.COMPLETING, reason=reason, message=message[:1024])
    return set_status(observed, waiting, message, now).then(again)


def _plan_upkeep(observed: ObservedModule) -> Plan:
    """It is available: take away what was left behind beside it."""
    if leftover := next(iter(observed.leftovers), None):
        because = f"{identity(leftover)} was left behind in {pod_name(observed)} and is wanted no more"
        return call(observed, Command.UNINSTALL, because, leftover)
    return Plan()


def _while_called(observed: ObservedModule, under_way: CallUnderWay, now: datetime) -> Plan:
    """A call under way is left alone; the status follows once it lasts. A version beside it goes on serving."""
    age = seconds_since(under_way.since, now)
    is_own_install = (under_way.command, under_way.version) == (Command.INSTALL, observed.archive.version)
    if not is_own_install or observed.module.status.status is ModulePhase.FAILED:
        return Plan()
    if age < SHORT_STATE_SECONDS:
        return Plan(look_again_in=SHORT_STATE_SECONDS - age)
    doing = f"{under_way.command} of {identity(observed.archive)} is under way"
    return set_status(observed, ModuleStatus(status=ModulePhase.UPGRADING, message=doing), doing, now)
