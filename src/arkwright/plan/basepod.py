"""One base pod: the labels that say which modules serve on it and how many it holds (contract 4).

In: the pod, the Modules on it, what its agent last said. Out: at most one patch, so that any number of modules that come
and go at once cost one write. A count is derived, never changed by one.
"""

from dataclasses import dataclass
from datetime import datetime

from arkwright.model.arklet import BizState
from arkwright.model.cluster import Pod
from arkwright.model.kinds import Module, ModulePhase
from arkwright.model.moments import seconds_left, seconds_since
from arkwright.model.names import MODULE_INSTANCE_COUNT, SERVES_PREFIX, jitter, serves_label
from arkwright.model.outcomes import BaseReport, Command, EventReason
from arkwright.model.resources import Kind
from arkwright.plan.contention import has_never_come
from arkwright.plan.intents import Call, Delete, Intent, Patch, Plan, Target, Tell, target_of
from arkwright.plan.replicas import is_ready
from arkwright.plan.seating import places
from arkwright.plan.tries import has_serves_label, identity

COMING_SECONDS = 0.5
NEWS_SECONDS = 0.5


@dataclass(frozen=True)
class ObservedBasePod:
    """`kept`: names of deleted Modules that serve on until their replacements do. `strays`: of those that the pod took along
    out of its base: they get no request. `taken_off`: labels that we took off the pod ourselves. `leaving`: identities that
    are being uninstalled right now. `drift_seconds`: how often its agent is asked what it holds; 0 for never. `is_being_asked`: it is,
    at this moment.
    """

    pod: Pod
    modules: tuple[Module, ...] = ()
    report: BaseReport | None = None
    kept: frozenset[str] = frozenset()
    strays: frozenset[str] = frozenset()
    taken_off: frozenset[str] = frozenset()
    leaving: frozenset[str] = frozenset()
    drift_seconds: float = 0.0
    is_being_asked: bool = False


def plan_base_pod(observed: ObservedBasePod, now: datetime) -> Plan:
    """Bring the pod's labels to what is true now. A count alone waits for a Module that is just coming."""
    pod = observed.pod
    if pod.is_terminating:
        return Plan()
    target = target_of(Kind.POD, pod)
    if pod.is_asked_to_leave and not observed.modules:
        return Plan((Delete(target, "its label asks for it, and no Module is left on it"),))
    labels = _plan_labels(observed, target, now).then(Plan(_told_of_foreign(observed, target, now)))
    return labels.then(_plan_drift(observed, now))


def _plan_drift(observed: ObservedBasePod, now: datetime) -> Plan:
    """Ask now and then whether what serves is still there: once for all Modules, in the name of each. Where the last answer is in
    doubt, they ask themselves."""
    pod, report = observed.pod, observed.report
    serving = [one for one in observed.modules if is_ready(one) and one.name not in observed.strays]
    is_known = report is not None and report.is_certain and not observed.is_being_asked
    if not (observed.drift_seconds and is_known and report and serving and pod.is_live):
        return Plan()
    left = seconds_left(observed.drift_seconds * jitter(pod.name), report.at, now)
    return Plan(look_again_in=left) if left > 0 else Plan(tuple(_question(one, observed) for one in serving))


def _question(module: Module, observed: ObservedBasePod) -> Call:
    because = f"base pod {observed.pod.name} was last asked {observed.drift_seconds:g} s ago what it holds"
    archive, attempt = module.spec.module, module.status.attempts + 1
    return Call(target_of(Kind.MODULE, module), Command.QUERY, archive, attempt, because, is_routine=True)


def _told_of_foreign(observed: ObservedBasePod, target: Target, now: datetime) -> tuple[Intent, ...]:
    """Modules that nobody here declared are reported when they are first seen, and never touched."""
    report = observed.report
    if report is None or seconds_since(report.at, now) > NEWS_SECONDS:
        return ()
    ours = {one.spec.module.name for one in observed.modules}
    foreign = sorted(one.identity for one in report.news if one.biz_name not in ours)
    said = f"base pod {observed.pod.name} holds {', '.join(foreign)}, which no Module here declares; left alone"
    return (Tell(target, EventReason.MODULE_DRIFTED, said, is_warning=True),) if foreign else ()


def _plan_labels(observed: ObservedBasePod, target: Target, now: datetime) -> Plan:
    pod = observed.pod
    wanted = wanted_labels(observed)
    ours = {key for key in pod.metadata.labels if key.startswith(SERVES_PREFIX) or key == MODULE_INSTANCE_COUNT}
    changes: dict[str, str | None] = {key: None for key in ours if key not in wanted}
    changes |= {key: value for key, value in wanted.items() if pod.metadata.labels.get(key) != value}
    if not changes:
        return Plan()
    if changes.keys() == {MODULE_INSTANCE_COUNT} and any(_is_coming(one, now) for one in observed.modules):
        return Plan(look_again_in=COMING_SECONDS)
    said = ", ".join(f"{key.partition('/')[2]}={value or 'off'}" for key, value in sorted(changes.items()))
    patch = Patch(target, {"metadata": {"labels": dict(sorted(changes.items()))}}, said)
    return Plan((patch, *_told_of_hands(observed, target, changes)))


def _told_of_hands(observed: ObservedBasePod, target: Target, changes: dict[str, str | None]) -> tuple[Intent, ...]:
    """A label by which a module gets its requests was there once it was Available; whoever took it away is told."""
    available = (one for one in observed.modules if one.status.status is ModulePhase.AVAILABLE)
    had = {serves_label(one.spec.module.name) for one in available} - observed.taken_off
    missing = sorted(key for key, value in changes.items() if value and key in had)
    said = f"label {', '.join(missing)} was changed by hand, and is put right: the module serves there"
    return (Tell(target, EventReason.PUT_RIGHT, said, is_warning=True),) if missing else ()


def _is_coming(module: Module, now: datetime) -> bool:
    """So new that its label is likely to follow; creation times are whole seconds."""
    made = module.metadata.creation_timestamp
    is_new = made is not None and seconds_since(made, now) < 1 + COMING_SECONDS
    return is_new and module.status.status is None and not module.is_terminating


def wanted_labels(observed: ObservedBasePod) -> dict[str, str]:
    """A module that is being removed has given up its place and serves no more, unless it is kept until it is replaced, or has never come."""
    staying = [one for one in observed.modules if not one.is_terminating or one.name in observed.kept]
    leaving = (one for one in observed.modules if one not in staying)
    going = {identity(one.spec.module) for one in leaving if not has_never_come(one, one.spec.module, staying)}
    serving = (one for one in staying if identity(one.spec.module) not in going and serves(one, observed))
    labels = {serves_label(one.spec.module.name): "true" for one in serving}
    if staying:
        labels[MODULE_INSTANCE_COUNT] = str(len(places(staying)))
    return labels


def serves(module: Module, observed: ObservedBasePod) -> bool:
    """As the agent said; before it said anything (a controller that just started), as the Module's status has it.

    One that is kept until it is replaced served when it was deleted. What became of a lost call is asked before requests are let in.
    """
    if module.name in observed.strays or identity(module.spec.module) in observed.leaving:
        return False
    if observed.report is None:
        return module.status.status is ModulePhase.AVAILABLE or module.name in observed.kept
    found = observed.report.find(module.spec.module.name, module.spec.module.version)
    is_known = observed.report.is_certain or has_serves_label(observed.pod, module.spec.module.name)
    return found is not None and found.state is BizState.ACTIVATED and is_known
