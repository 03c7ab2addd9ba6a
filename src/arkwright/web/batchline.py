"""The batches of a release as a line, each with what it waits for. In: a ModuleDeployment, now. Out: values. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from arkwright.model.kinds import HELD, ModuleDeployment, Progress
from arkwright.people.decisions import is_asking, moves_in
from arkwright.people.standings import is_seen
from arkwright.plan.stages import failure_of

MOST_SHOWN = 40


class Place(StrEnum):
    """Where a batch is in its release."""

    DONE = "done"
    CURRENT = "current"
    FAILING = "failing"
    HELD = "held"
    AHEAD = "ahead"


@dataclass(frozen=True)
class Batch:
    """`waits`: a word of `words`, for what it waits; `until`: when that ends by itself."""

    number: int
    moves: int
    is_beta: bool
    place: Place
    waits: str
    until: datetime | None = None


@dataclass(frozen=True)
class Line:
    """`moved`: of the batch that goes on; `is_growing`: replicas come rather than go."""

    batches: tuple[Batch, ...]
    more: int
    moved: int
    is_growing: bool


def batch_line(one: ModuleDeployment, now: datetime) -> Line:
    release = one.status.release_status
    count = release.real_batch_count if is_seen(one) else 0
    shown = tuple(_batch(one, number) for number in range(1, min(count, MOST_SHOWN) + 1))
    before = sum(moves_in(one, number) for number in range(1, release.current_batch))
    moved = max(0, one.status.updated_available_replicas - before)
    return Line(shown, max(0, count - len(shown)), moved, release.original_delta_replicas >= 0)


def _batch(one: ModuleDeployment, number: int) -> Batch:
    release, strategy = one.status.release_status, one.spec.operation_strategy
    moves, is_beta = moves_in(one, number), strategy.use_beta and number == 1 and release.real_batch_count > 1
    current, is_done = release.current_batch, release.batch_progress is Progress.COMPLETED
    if number < current or (number == current and is_done):
        return Batch(number, moves, is_beta, Place.DONE, "")
    if number == current:
        return Batch(number, moves, is_beta, *_now(one))
    if number == current + 1 and is_done:
        return _next(one, Batch(number, moves, is_beta, Place.AHEAD, ""))
    waits = "confirm" if strategy.need_confirm else "gray" if strategy.gray_time_between_batch_seconds else ""
    return Batch(number, moves, is_beta, Place.AHEAD, waits)


def _now(one: ModuleDeployment) -> tuple[Place, str]:
    """The batch that is being made, and what it waits for."""
    if one.status.release_status.progress in HELD:
        return Place.HELD, "paused"
    return (Place.FAILING, "failing") if failure_of(one) else (Place.CURRENT, "installing")


def _next(one: ModuleDeployment, batch: Batch) -> Batch:
    """The one that would begin now."""
    until = one.status.release_status.next_reconcile_time
    if is_asking(one):
        return Batch(batch.number, batch.moves, batch.is_beta, Place.HELD, "you")
    return Batch(batch.number, batch.moves, batch.is_beta, Place.HELD, "gray" if until else "", until)
