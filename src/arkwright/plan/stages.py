"""At what a release stands, in one word, for who counts releases and their time. In: a ModuleDeployment. Out: a Stage, or what fails."""

from enum import StrEnum

from arkwright.model.kinds import HELD, ModuleDeployment, ModuleReplicaSet, Progress
from arkwright.model.meta import Condition


class Stage(StrEnum):
    """The first four are those of a release that is under way."""

    WORKING = "working"
    FAILING = "failing"
    WAITING_FOR_PERSON = "waiting_for_person"
    WAITING_FOR_TIME = "waiting_for_time"
    COMPLETE = "complete"
    ABORTED = "aborted"
    DELETED = "deleted"

    @property
    def is_under_way(self) -> bool:
        return self not in (Stage.COMPLETE, Stage.ABORTED, Stage.DELETED)


RESTING = {
    Progress.COMPLETED: Stage.COMPLETE,
    Progress.ABORTED: Stage.ABORTED,
    Progress.TERMINATING: Stage.DELETED,
    Progress.TERMINATED: Stage.DELETED,
}


def stage_of(one: ModuleDeployment) -> Stage:
    """What fails comes before what waits: who waits should know. An end is an end, whatever fails beside it."""
    release = one.status.release_status
    if one.is_terminating:
        return Stage.DELETED
    if release.progress in RESTING:
        return RESTING[release.progress]
    if failure_of(one) or is_stalled(one):
        return Stage.FAILING
    if release.progress in HELD:
        return Stage.WAITING_FOR_PERSON
    return Stage.WAITING_FOR_TIME if release.next_reconcile_time else Stage.WORKING


def is_stalled(deployment: ModuleDeployment) -> bool:
    """Whether nothing has moved for its progressDeadlineSeconds."""
    return any(one.type == "Stalled" and one.status == "True" for one in deployment.status.conditions)


def failure_of(one: ModuleDeployment | ModuleReplicaSet) -> Condition | None:
    """Why it waits, if something fails."""
    found = (each for each in one.status.conditions if each.type == "ReplicaFailure" and each.status == "True")
    return next(found, None)
