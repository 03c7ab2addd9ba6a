"""A ModuleDeployment is deleted: how many of its Modules may stay for now (semantics 7).

In: the strategy, where the release stands, what is counted. Out: the next status and a number. Nobody is asked and no
pause holds it; `batchCount` only limits how many go at a time.
"""

from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from arkwright.model.kinds import ModuleDeploymentSpec, Progress, ReleaseStatus
from arkwright.model.outcomes import EventReason
from arkwright.plan.batches import BatchPlan, batch_sizes


@dataclass(frozen=True)
class Retreat:
    """`staying`: how many of all Modules may stay for now. `told`: (Event reason, words), in order."""

    release: ReleaseStatus
    staying: int
    told: tuple[tuple[EventReason, str], ...] = ()


def plan_retreat(
    spec: ModuleDeploymentSpec, status: ReleaseStatus, present: int, failing: int, now: datetime
) -> Retreat:
    """A deletion's next step.

    `present`: Modules of every revision; `failing`: those whose uninstall is refused. Nobody waits for these, or for a
    person: `batchCount` only limits how many go at a time.
    """
    if status.progress is Progress.TERMINATED and not present:
        return Retreat(status, 0)
    if status.progress is not Progress.TERMINATING:
        status = ReleaseStatus(
            update_revision=status.update_revision,
            current_batch=1,
            real_batch_count=max(1, _batches(spec, present).count),
            original_delta_replicas=-present,
            progress=Progress.TERMINATING,
            batch_progress=Progress.TERMINATING,
            last_transition_time=now,
        )
    total, batch = -status.original_delta_replicas, status.current_batch
    if not present:
        done = replace(status, progress=Progress.TERMINATED, last_transition_time=now)
        return Retreat(done, 0, _told(total, total, status) if total else ())
    plan = _batches(spec, total)
    while batch < status.real_batch_count and present - failing <= total - plan.moved(batch):
        batch += 1
    told = _told(total - present, total, status) if batch > status.current_batch else ()
    return Retreat(replace(status, current_batch=batch), max(0, total - plan.moved(batch)), told)


def _told(gone: int, total: int, status: ReleaseStatus) -> tuple[tuple[EventReason, str], ...]:
    batch = f"batch {status.current_batch}/{status.real_batch_count}"
    return ((EventReason.MODULE_UNINSTALLED, f"Uninstalled {gone} of {total}, {batch} is over"),)


def _batches(spec: ModuleDeploymentSpec, present: int) -> BatchPlan:
    return batch_sizes(present, spec.operation_strategy.batch_count)
