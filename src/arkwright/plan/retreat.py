"""A ModuleDeployment is deleted: how many of its Modules may stay for now (semantics 7).

In: the strategy, where the release stands, what is counted. Out: the next status and a number. Nobody is asked and no
pause holds it; `batchCount` only limits how many go at a time.
"""

from datetime import datetime

from msgspec.structs import replace

from arkwright.model.kinds import ModuleDeploymentSpec, Progress, ReleaseStatus
from arkwright.plan.batches import BatchPlan, batch_sizes


def plan_retreat(
    spec: ModuleDeploymentSpec, status: ReleaseStatus, present: int, failing: int, now: datetime
) -> tuple[ReleaseStatus, int]:
    """A deletion: the next status, and how many of all Modules may stay for now.

    `present`: Modules of every revision; `failing`: those whose uninstall is refused. Nobody waits for these, or for a
    person: `batchCount` only limits how many go at a time.
    """
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
    if not present:
        return replace(status, progress=Progress.TERMINATED, last_transition_time=now), 0
    total, plan = -status.original_delta_replicas, _batches(spec, present=-status.original_delta_replicas)
    batch = status.current_batch
    while batch < status.real_batch_count and present - failing <= total - plan.moved(batch):
        batch += 1
    return replace(status, current_batch=batch), max(0, total - plan.moved(batch))


def _batches(spec: ModuleDeploymentSpec, present: int) -> BatchPlan:
    return batch_sizes(present, spec.operation_strategy.batch_count)
