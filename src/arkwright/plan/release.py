"""The state machine of a release: batches, confirm, pause, gray time (semantics 3, 4).

In: the wish, where the release stands, what is counted. Out: where it stands next, how many replicas of the new revision
that allows, and what to tell. Not done here: which pods, which order per pod.

    Executing ──batch done──▶ next batch … ──▶ Completed
        │  └─needConfirm─▶ WaitingForConfirmation ─▶ Paused ──confirmed──▶ gray time ──▶ next batch
        └──pause: true──▶ Paused ──pause: false, or confirmBatchNum ≥ batch──▶ Executing

`pause` is set to true before WaitingForConfirmation is written. So "Waiting or Paused, and pause is not set" always means
that a person has confirmed, whenever the controller is killed.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from msgspec.structs import replace

from arkwright.model.kinds import HELD, UNDER_WAY, ModuleDeploymentSpec, Progress, ReleaseStatus
from arkwright.model.moments import seconds_until
from arkwright.model.outcomes import EventReason
from arkwright.plan.batches import BatchPlan, batch_sizes


@dataclass(frozen=True)
class Counts:
    """What is counted for one release.

    `new`: replicas granted to the new revision; `new_present`: its Modules, going ones too; `new_available`: those that
    stay available. `old_present`: Modules of other revisions, going ones too. `planned`: `desired` as last planned.
    """

    desired: int
    planned: int
    new: int = 0
    new_present: int = 0
    new_available: int = 0
    old_present: int = 0


@dataclass(frozen=True)
class Step:
    """`target`: replicas the new revision may have. `spec_changes`: fields of the spec to patch before status is written.

    `told`: (Event reason, words), in order.
    """

    release: ReleaseStatus
    target: int
    spec_changes: dict[str, bool | int | None] = field(default_factory=dict)
    told: tuple[tuple[EventReason, str], ...] = ()
    look_again_in: float | None = None


@dataclass(frozen=True)
class Release:
    """A wish and where its fulfilment stands. `is_return`: the wanted revision is an older one, wanted again.

    `is_abort`: because a person gave the newer one up, which nothing holds up.
    """

    spec: ModuleDeploymentSpec
    status: ReleaseStatus
    counts: Counts
    is_return: bool = False
    is_abort: bool = False

    @property
    def goal(self) -> Progress:
        return Progress.ABORTED if self.is_abort else Progress.COMPLETED

    @property
    def moves(self) -> int:
        return self.status.original_delta_replicas

    @property
    def origin(self) -> int:
        """Replicas of the new revision when the release began."""
        return self.counts.planned - self.moves

    @property
    def plan(self) -> BatchPlan:
        return batches(self.spec, self.moves)

    def target(self, batch: int) -> int:
        """Replicas of the new revision once `batch` is complete."""
        moved = self.plan.moved(batch)
        return self.origin + (moved if self.moves >= 0 else -moved)

    @property
    def is_last_batch(self) -> bool:
        return self.status.current_batch >= self.status.real_batch_count

    @property
    def is_batch_complete(self) -> bool:
        """New ones available and old ones gone; when scaling in, those to go gone."""
        target, counts = self.target(self.status.current_batch), self.counts
        if counts.new != target or counts.old_present > max(0, counts.desired - target):
            return False
        return counts.new_available >= target if self.moves >= 0 else counts.new_present <= target


def batches(spec: ModuleDeploymentSpec, moves: int) -> BatchPlan:
    strategy = spec.operation_strategy
    return batch_sizes(abs(moves), strategy.batch_count, strategy.use_beta)


def plan_release(release: Release, revision: str, now: datetime) -> Step:
    """The release's next step towards `revision`."""
    status, counts = release.status, release.counts
    is_scaled = release.spec.replicas >= 0 and status.progress not in UNDER_WAY and counts.new != counts.desired
    if status.update_revision != revision or is_scaled:
        return _start(release, revision, now)
    if status.progress not in UNDER_WAY:
        return Step(replace(status, progress=release.goal), counts.desired)
    if counts.desired != counts.planned or _is_divided_anew(release):
        release = _recomputed(release)
    if release.status.progress in HELD:
        return _while_held(release, now)
    if release.spec.pause:
        return _hold(release, now)
    return _execute(release, now)


def _start(release: Release, revision: str, now: datetime) -> Step:
    """Begin; an unfinished release is superseded, its pause and its confirms die with it."""
    spec, before, counts = release.spec, release.status, release.counts
    moves = counts.desired - counts.new
    changes: dict[str, bool | int | None] = {}
    if spec.pause and (before.progress in HELD or release.is_abort):
        changes["pause"] = None
    if spec.confirm_batch_num:
        changes["confirmBatchNum"] = None
    is_held = spec.pause and "pause" not in changes
    rounds = batches(spec, moves).count
    status = ReleaseStatus(
        update_revision=revision,
        current_batch=1,
        real_batch_count=max(1, rounds),
        original_delta_replicas=moves,
        progress=Progress.PAUSED if is_held else Progress.EXECUTING,
        batch_progress=Progress.EXECUTING,
        last_transition_time=now,
    )
    if not moves and not counts.old_present:
        done = replace(status, real_batch_count=0, current_batch=0, progress=release.goal)
        return Step(replace(done, batch_progress=Progress.COMPLETED), counts.new, changes)
    told = _told_at_start(release, status)
    begun = Release(spec, status, _planned_now(counts))
    return Step(status, counts.new if is_held else begun.target(1), changes, told)


def _told_at_start(release: Release, status: ReleaseStatus) -> tuple[tuple[EventReason, str], ...]:
    before, moves = release.status, status.original_delta_replicas
    how_many = f"{moves:+d}" if before.update_revision == status.update_revision else f"{moves}"
    said = f"{status.update_revision}: {how_many} replicas, {_in_batches(status)}"
    told = [(EventReason.RELEASE_ROLLED_BACK if release.is_return else EventReason.RELEASE_STARTED, said)]
    if before.progress in UNDER_WAY:
        where = f"in batch {before.current_batch}/{before.real_batch_count}"
        how = "aborted" if release.is_abort else "superseded"
        told.insert(0, (EventReason.RELEASE_SUPERSEDED, f"{before.update_revision} is {how} {where}"))
    return tuple(told)


def _in_batches(status: ReleaseStatus) -> str:
    count = status.real_batch_count
    return "in 1 batch" if count == 1 else f"in {count} batches"


def _planned_now(counts: Counts) -> Counts:
    return Counts(**{**counts.__dict__, "planned": counts.desired})


def _is_divided_anew(release: Release) -> bool:
    """Whether batchCount or useBeta changed on the way, so that the batch under way is another one now."""
    batch, new = release.status.current_batch, release.counts.new
    if release.status.real_batch_count != max(1, release.plan.count):
        return True
    strategy = release.spec.operation_strategy
    before = replace(release.spec, operation_strategy=replace(strategy, use_beta=not strategy.use_beta))
    was = Release(before, release.status, release.counts)
    return new != release.target(batch) and new == was.target(batch)


def _recomputed(release: Release) -> Release:
    """Desired, or how it is divided, changed on the way: the same origin, a new number of moves; what is moved stays moved."""
    counts, origin = release.counts, release.origin
    moves = counts.desired - origin
    plan = batches(release.spec, moves)
    status = replace(
        release.status,
        original_delta_replicas=moves,
        real_batch_count=max(1, plan.count),
        current_batch=plan.batch_with(max(0, (counts.new - origin) * (1 if moves >= 0 else -1))),
    )
    again = Release(release.spec, status, _planned_now(counts))
    if again.target(status.current_batch) == counts.new:
        return again
    grown = replace(status, batch_progress=Progress.EXECUTING, next_reconcile_time=None)
    return Release(release.spec, grown, again.counts)


def _hold(release: Release, now: datetime) -> Step:
    """A person paused: what is in flight ends, nothing new begins, and confirms given before are withdrawn."""
    withdrawn: dict[str, bool | int | None] = {"confirmBatchNum": None} if release.spec.confirm_batch_num else {}
    return Step(_to(release.status, Progress.PAUSED, now), release.counts.new, withdrawn)


def _while_held(release: Release, now: datetime) -> Step:
    spec, status = release.spec, release.status
    if not spec.pause:
        return _resume(release, {}, now)
    if status.batch_progress is Progress.EXECUTING and release.is_batch_complete and not release.is_last_batch:
        return Step(replace(status, batch_progress=Progress.COMPLETED), release.counts.new, told=_completed(release))
    if status.progress is Progress.WAITING_FOR_CONFIRMATION:
        return Step(_to(status, Progress.PAUSED, now), release.counts.new)
    if spec.confirm_batch_num >= status.current_batch:
        return _resume(release, {"pause": None}, now)
    return Step(status, release.counts.new)


def _resume(release: Release, changes: dict[str, bool | int | None], now: datetime) -> Step:
    """Go on where the release was held: within its batch, or past it."""
    running = _to(release.status, Progress.EXECUTING, now)
    if running.batch_progress is Progress.COMPLETED:
        step = _past_batch(Release(release.spec, running, release.counts), now)
    else:
        step = Step(running, release.target(running.current_batch))
    return Step(step.release, step.target, changes | step.spec_changes, step.told, step.look_again_in)


def _execute(release: Release, now: datetime) -> Step:
    status = release.status
    if status.next_reconcile_time is not None:
        return _past_batch(release, now)
    if not release.is_batch_complete:
        return Step(status, release.target(status.current_batch))
    if release.is_last_batch:
        return _complete(release, now)
    told = _completed(release)
    is_confirmed = release.spec.confirm_batch_num >= status.current_batch
    if release.spec.operation_strategy.need_confirm and not is_confirmed:
        return _wait_for_confirmation(release, told, now)
    step = _past_batch(release, now)
    return Step(step.release, step.target, step.spec_changes, told + step.told, step.look_again_in)


def _completed(release: Release) -> tuple[tuple[EventReason, str], ...]:
    """Successes are told once per batch."""
    status, plan = release.status, release.plan
    batch = f"batch {status.current_batch}/{status.real_batch_count}"
    moved = plan.moved(status.current_batch) - plan.moved(status.current_batch - 1)
    is_growing = release.moves >= 0
    verb, reason = (
        ("Installed", EventReason.MODULE_INSTALLED) if is_growing else ("Uninstalled", EventReason.MODULE_UNINSTALLED)
    )
    return ((reason, f"{verb} {moved} of {moved} in {batch}"), (EventReason.BATCH_COMPLETED, f"{batch} is complete"))


def _wait_for_confirmation(release: Release, told: tuple[tuple[EventReason, str], ...], now: datetime) -> Step:
    waiting = replace(_to(release.status, Progress.WAITING_FOR_CONFIRMATION, now), batch_progress=Progress.COMPLETED)
    ask = f"batch {waiting.current_batch}/{waiting.real_batch_count} waits for a person: set spec.pause to false"
    asked = (*told, (EventReason.BATCH_AWAITING_CONFIRMATION, ask))
    return Step(waiting, release.counts.new, {"pause": True}, asked, look_again_in=0)


def _past_batch(release: Release, now: datetime) -> Step:
    """The batch is complete and confirmed: let gray time pass, then begin the next."""
    status = release.status
    gray_time_seconds = release.spec.operation_strategy.gray_time_between_batch_seconds
    until = status.next_reconcile_time or now + timedelta(seconds=gray_time_seconds)
    if left := seconds_until(until, gray_time_seconds, now):
        graying = replace(status, batch_progress=Progress.COMPLETED, next_reconcile_time=until)
        return Step(graying, release.counts.new, look_again_in=left)
    batch = status.current_batch + 1
    following = replace(
        status,
        current_batch=batch,
        batch_progress=Progress.EXECUTING,
        next_reconcile_time=None,
        last_transition_time=now,
    )
    told = ((EventReason.BATCH_STARTED, f"batch {batch}/{status.real_batch_count} begins"),)
    return Step(following, release.target(batch), told=told)


def _complete(release: Release, now: datetime) -> Step:
    status, spec = release.status, release.spec
    changes: dict[str, bool | int | None] = {"confirmBatchNum": None} if spec.confirm_batch_num else {}
    done = replace(_to(status, release.goal, now), batch_progress=Progress.COMPLETED)
    said = f"{status.update_revision}: {release.counts.desired} replicas, {_in_batches(status)}"
    return Step(done, release.counts.new, changes, (*_completed(release), (EventReason.RELEASE_COMPLETED, said)))


def _to(status: ReleaseStatus, progress: Progress, now: datetime) -> ReleaseStatus:
    return replace(status, progress=progress, last_transition_time=now)
