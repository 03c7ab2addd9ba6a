"""How urgent a release is, in one word. In: a ModuleDeployment. Out: a State, and what of it is said first. Pure."""

from datetime import datetime
from enum import StrEnum

from arkwright.model.kinds import HELD, ModuleDeployment, Progress
from arkwright.people.decisions import is_asking
from arkwright.people.standings import is_seen
from arkwright.plan.stages import failure_of, is_stalled


class State(StrEnum):
    """The most urgent first."""

    FAILING = "failing"
    ASKING = "asking"
    PAUSED = "paused"
    UNSEEN = "unseen"
    MOVING = "moving"
    ABORTED = "aborted"
    GOING = "going"
    COMPLETE = "complete"

    @property
    def rank(self) -> int:
        return RANKS[self]

    @property
    def needs_a_person(self) -> bool:
        return self in (State.FAILING, State.ASKING, State.PAUSED)

    @property
    def group(self) -> "Group":
        return GROUPS[self]


class Group(StrEnum):
    """What the chips above the list count."""

    PERSON = "person"
    MOVING = "moving"
    ABORTED = "aborted"
    COMPLETE = "complete"


RANKS = {state: rank for rank, state in enumerate(State)}
GROUPS = {
    State.FAILING: Group.PERSON,
    State.ASKING: Group.PERSON,
    State.PAUSED: Group.PERSON,
    State.UNSEEN: Group.MOVING,
    State.MOVING: Group.MOVING,
    State.GOING: Group.MOVING,
    State.ABORTED: Group.ABORTED,
    State.COMPLETE: Group.COMPLETE,
}


def state_of(one: ModuleDeployment) -> State:
    """What fails comes before what waits: a person who confirms should have seen it."""
    if not is_seen(one):
        return State.UNSEEN
    progress = one.status.release_status.progress
    if progress in (Progress.TERMINATING, Progress.TERMINATED):
        return State.GOING
    if failure_of(one) or is_stalled(one) and progress is not Progress.ABORTED:
        return State.FAILING
    if progress in HELD:
        return State.ASKING if is_asking(one) else State.PAUSED
    if progress is Progress.ABORTED:
        return State.ABORTED
    return State.COMPLETE if progress is Progress.COMPLETED else State.MOVING


def since(one: ModuleDeployment) -> datetime | None:
    """When it came to stand as it does."""
    if not is_seen(one):
        return None
    failure = failure_of(one)
    return (failure.last_transition_time if failure else None) or one.status.release_status.last_transition_time
