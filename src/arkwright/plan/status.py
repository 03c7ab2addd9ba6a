"""Counters and conditions, worded as Kubernetes words them (contract 3, semantics 11).

In: Modules, counts, the release. Out: status values. Not done here: deciding anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from arkwright.model.kinds import Module, ModuleDeployment, ModulePhase, Progress, ReleaseStatus
from arkwright.model.meta import Condition
from arkwright.model.moments import seconds_left
from arkwright.model.names import ABORT
from arkwright.model.outcomes import EventReason
from arkwright.plan.replicas import Replicas
from arkwright.plan.silence import told_of

STATUS_SECONDS = 0.2
NO_PODS: frozenset[str] = frozenset()
# What befalls a whole ModuleDeployment; the other failures are told by those whom they befall.
TOLD_OF_DEPLOYMENTS = frozenset(
    {
        EventReason.MAX_UNAVAILABLE_EXCEEDED,
        EventReason.BASE_NOT_FOUND,
        EventReason.WRITE_REFUSED,
        EventReason.SERVICE_TAKEN,
    }
)


def status_wait(written_at: datetime | None, now: datetime) -> float:
    """Seconds until counters may be written again: at most every 0.2 s per object."""
    if written_at is None:
        return 0.0
    return seconds_left(STATUS_SECONDS, written_at, now)


@dataclass(frozen=True)
class Tally:
    """Replicas as a ModuleDeployment counts them. A pod with two revisions of the module counts once in `ready`.

    `last_arrival`: when a new Module last became available. `uncounted`: pods that are not missed although nothing is
    available there; `excused`: those, and others that no batch waits for any more.
    """

    desired: int
    updated: int
    updated_ready: int
    updated_available: int
    ready: int
    available: int
    last_arrival: datetime | None = None
    uncounted: frozenset[str] = frozenset()
    excused: frozenset[str] = frozenset()

    @property
    def unavailable(self) -> int:
        return max(0, self.desired - self.available)

    @property
    def missing(self) -> int:
        return max(0, self.unavailable - len(self.uncounted))


def tally(desired: int, new: Replicas, old: Iterable[Replicas], min_ready_seconds: int, now: datetime) -> Tally:
    everyone = (new, *old)
    return Tally(
        desired=desired,
        updated=len(new.live),
        updated_ready=len(new.ready),
        updated_available=new.available(min_ready_seconds, now),
        ready=len(NO_PODS.union(*(one.ready_pods for one in everyone))),
        available=len(NO_PODS.union(*(one.available_pods(min_ready_seconds, now) for one in everyone))),
        last_arrival=new.last_arrival(min_ready_seconds, now),
    )


def conditions(
    deployment: ModuleDeployment, release: ReleaseStatus, counted: Tally, failure: Condition | None, now: datetime
) -> tuple[Condition, ...]:
    """All conditions of a ModuleDeployment; `failure` is its ReplicaFailure, if there is one."""
    failure = failure and replace(failure, message=failure.message + told_of(counted.excused))
    progressing = _progressing(deployment, release, counted, failure, now)
    if seconds_to_deadline(deployment, release, counted, now) == 0:
        why = f'ReplicaSet "{release.update_revision}" has timed out progressing; {progressing.message}'
        progressing = replace(progressing, status="False", reason="ProgressDeadlineExceeded", message=why)
    is_stalled = progressing.status == "False"
    is_complete = release.progress is Progress.COMPLETED and not counted.missing and failure is None
    wanted = [
        _available(counted),
        progressing,
        failure or Condition(type="ReplicaFailure", status="False", reason="NoFailure"),
        replace(progressing, type="Ready", status=_said(is_complete)),
        replace(progressing, type="Reconciling", status=_said(not is_complete and not is_stalled)),
        replace(progressing, type="Stalled", status="True")
        if is_stalled
        else Condition(type="Stalled", status="False", reason="NoFailure"),
    ]
    return stamped(wanted, deployment.status.conditions, deployment.metadata.generation, now)


def seconds_to_deadline(
    deployment: ModuleDeployment, release: ReleaseStatus, counted: Tally, now: datetime
) -> float | None:
    """0: nothing has moved for progressDeadlineSeconds; None: no deadline runs (paused, in gray time, done)."""
    began = release.last_transition_time
    if release.progress is not Progress.EXECUTING or release.next_reconcile_time is not None or began is None:
        return None
    moved = max(began, counted.last_arrival or began)
    return seconds_left(deployment.spec.progress_deadline_seconds, moved, now)


def _said(truth: bool) -> str:
    return "True" if truth else "False"


def _available(counted: Tally) -> Condition:
    said = f"{counted.available} of {counted.desired} replicas are available{told_of(counted.excused)}"
    reason = "MinimumReplicasUnavailable" if counted.missing else "MinimumReplicasAvailable"
    return Condition(type="Available", status=_said(not counted.missing), reason=reason, message=said)


def _progressing(
    deployment: ModuleDeployment, release: ReleaseStatus, counted: Tally, failure: Condition | None, now: datetime
) -> Condition:
    name, batch = release.update_revision, f"batch {release.current_batch}/{release.real_batch_count}"
    wanted = Condition(type="Progressing", status="True", reason="ReplicaSetUpdated")
    if release.progress is Progress.TERMINATING:
        return replace(wanted, reason="Deleting", message="its Modules are being uninstalled")
    if release.progress is Progress.ABORTED:
        given_up = deployment.metadata.annotations.get(ABORT, "")
        serves = deployment.spec.template.spec.module.version
        said = f"{given_up} was aborted, {serves} serves; to go on: set another version, or take the annotation {ABORT} away"
        return replace(wanted, status="False", reason="ReleaseAborted", message=said)
    if release.progress is Progress.COMPLETED and not counted.missing:
        done = f'ReplicaSet "{name}" has successfully progressed{told_of(counted.excused)}.'
        return replace(wanted, reason="NewReplicaSetAvailable", message=done)
    if release.progress in (Progress.PAUSED, Progress.WAITING_FOR_CONFIRMATION):
        is_asked = release.batch_progress is Progress.COMPLETED
        why = f"{batch} is complete and waits for a person" if is_asked else f"{batch} is paused"
        ask = f"{why}; to go on: set spec.pause to false, or spec.confirmBatchNum to {release.current_batch}"
        return replace(wanted, status="Unknown", reason="DeploymentPaused", message=ask)
    if release.next_reconcile_time is not None:
        until = _told_time(release.next_reconcile_time, now)
        return replace(wanted, message=f"{batch} is complete; gray time until {until}")
    counts = f"{counted.updated_available} out of {counted.desired} new replicas are available"
    slow = f"; {failure.message}" if failure else told_of(counted.excused)
    return replace(wanted, message=f"{batch}: {counts}{slow}")


def _told_time(moment: datetime, now: datetime) -> str:
    """With its date, where that is another than today's.

    >>> at = datetime.fromisoformat
    >>> _told_time(at("2026-01-02T00:10:00"), at("2026-01-01T23:55:00"))
    '2026-01-02 00:10:00 UTC'
    """
    day = "" if moment.date() == now.date() else f"{moment:%Y-%m-%d} "
    return f"{day}{moment:%H:%M:%S} UTC"


def slowest(modules: Iterable[Module]) -> Condition | None:
    """The failure that explains best why a ModuleDeployment waits: the one tried most often, in its agent's words."""
    failing = [one for one in modules if one.status.reason and one.status.status is not ModulePhase.AVAILABLE]
    if not failing:
        return None
    worst = max(failing, key=lambda one: (one.status.attempts, one.name))
    others = f" (and {len(failing) - 1} more)" if len(failing) > 1 else ""
    said = f"{worst.name} on {worst.pod_name}: {worst.status.message}{others}"
    return Condition(type="ReplicaFailure", status="True", reason=worst.status.reason, message=said)


def no_base(deployment: ModuleDeployment) -> Condition:
    name, namespace = deployment.spec.base_deployment_name, deployment.metadata.namespace
    said = f'Deployment "{name}" does not exist in namespace "{namespace}"; correct baseDeploymentName, or create it'
    return Condition(type="ReplicaFailure", status="True", reason=EventReason.BASE_NOT_FOUND, message=said)


def write_refused(words: str) -> Condition:
    """In the API server's words: quota, admission, a rule, a right that is missing."""
    said = f"the API server refuses a write, it is tried again: {words}"
    return Condition(type="ReplicaFailure", status="True", reason=EventReason.WRITE_REFUSED, message=said)


def stamped(
    wanted: Iterable[Condition], before: tuple[Condition, ...], generation: int, now: datetime
) -> tuple[Condition, ...]:
    """Conditions keyed by type: the time of a transition changes only with the status."""
    known = {one.type: one for one in before}

    def stamp(one: Condition) -> Condition:
        old = known.get(one.type)
        since = old.last_transition_time if old and old.status == one.status else now
        return replace(one, last_transition_time=since, observed_generation=generation)

    return tuple(stamp(one) for one in wanted)
