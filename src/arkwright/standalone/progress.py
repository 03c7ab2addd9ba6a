"""How far a Deployment's rollout is, as its status says it. Pure.

In: the Deployment with the status it has, its ReplicaSets. Out: the status it is to have. The rules are Kubernetes' own: a
rollout that is complete stays so until another template comes; one of which nothing moves for progressDeadlineSeconds is
said to have failed, and goes on all the same.
"""

from datetime import datetime

from arkwright.model.cluster import Document, Workload
from arkwright.model.codec import stamp
from arkwright.model.moments import seconds_left
from arkwright.standalone.readers import BEGINNING, counted, moment, seconds, wanted
from arkwright.standalone.readers import condition as condition_of

COMPLETE, EXCEEDED, MOVING, PAUSED = (
    "NewReplicaSetAvailable",
    "ProgressDeadlineExceeded",
    "ReplicaSetUpdated",
    "DeploymentPaused",
)


def status_of(
    deployment: Workload, current: Workload | None, all_: tuple[Workload, ...], least: int, now: datetime
) -> Document:
    """`current`: the ReplicaSet of the template, `all_`: it and the old ones, `least`: how many pods have to be available."""
    counts = _counts(deployment, current, all_)
    collisions = {"collisionCount": counted(deployment, "collisionCount")}
    kept = {name: count for name, count in (counts | collisions).items() if count}
    is_enough = counts["availableReplicas"] >= least
    enough = "Deployment has minimum availability." if is_enough else "Deployment does not have minimum availability."
    available = {
        "type": "Available",
        "status": str(is_enough),
        "reason": "MinimumReplicasAvailable" if is_enough else "MinimumReplicasUnavailable",
        "message": enough,
    }
    conditions = [
        _written(available, condition_of(deployment, "Available"), now, is_news=False),
        _progressing(deployment, current, counts, now),
    ]
    return {"observedGeneration": deployment.metadata.generation} | kept | {"conditions": conditions}


def seconds_to_deadline(deployment: Workload, status: Document, now: datetime) -> float | None:
    """Until a rollout that does not move is said to have failed; None if it is complete, paused or said so already."""
    condition = next(one for one in status["conditions"] if one["type"] == "Progressing")
    return _seconds_left(deployment, condition, now) if condition["reason"] == MOVING else None


def _counts(deployment: Workload, current: Workload | None, all_: tuple[Workload, ...]) -> dict[str, int]:
    def total(name: str) -> int:
        return sum(counted(one, name) for one in all_)

    available = total("availableReplicas")
    return {
        "replicas": total("replicas"),
        "updatedReplicas": counted(current, "replicas") if current else 0,
        "readyReplicas": total("readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, max(wanted(deployment), total("replicas")) - available),
        "terminatingReplicas": total("terminatingReplicas"),
    }


def _progressing(deployment: Workload, current: Workload | None, counts: dict[str, int], now: datetime) -> Document:
    before = condition_of(deployment, "Progressing")
    name = f'ReplicaSet "{current.name}"' if current else f'Deployment "{deployment.name}"'
    complete = f"{name} has successfully progressed."
    updated, desired = counts["updatedReplicas"], wanted(deployment)
    is_rolled_out = before.get("reason") == COMPLETE and before["message"] == complete
    has_moved = _has_moved(deployment, before, name, counts)
    if deployment.spec.get("paused") and before.get("reason") != EXCEEDED:
        status, reason, message = "Unknown", PAUSED, "Deployment is paused"
    elif is_rolled_out or updated == desired == counts["availableReplicas"] == counts["replicas"]:
        status, reason, message = "True", COMPLETE, complete
    elif has_moved or _has_time(deployment, before, now):
        status, reason, message = "True", MOVING, f"{name} is progressing."
    else:
        status, reason, message = "False", EXCEEDED, f"{name} has timed out progressing."
    made = {"type": "Progressing", "status": status, "reason": reason, "message": message}
    return _written(made, before, now, is_news=has_moved and reason == MOVING)


def _has_moved(deployment: Workload, before: Document, name: str, counts: dict[str, int]) -> bool:
    """More new, fewer old, more ready or available pods than its status says; or another template, or no pause any more."""
    if before.get("reason") not in (MOVING, EXCEEDED) or not before["message"].startswith(name):
        return True
    old = counted(deployment, "replicas") - counted(deployment, "updatedReplicas")
    return counts["replicas"] - counts["updatedReplicas"] < old or any(
        counts[each] > counted(deployment, each) for each in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )


def _has_time(deployment: Workload, before: Document, now: datetime) -> bool:
    return before.get("reason") != EXCEEDED and _seconds_left(deployment, before, now) > 0


def _seconds_left(deployment: Workload, condition: Document, now: datetime) -> float:
    allowed = seconds(deployment.spec.get("progressDeadlineSeconds"), 600)
    return seconds_left(allowed, moment(condition.get("lastUpdateTime")), now)


def _written(made: Document, before: Document, now: datetime, *, is_news: bool) -> Document:
    """`is_news`: that it is still so is worth another time."""
    if not is_news and all(before.get(name) == value for name, value in made.items()):
        return before
    is_same, since = before.get("status") == made["status"], moment(before.get("lastTransitionTime"))
    times = {
        "lastUpdateTime": stamp(now),
        "lastTransitionTime": before["lastTransitionTime"] if is_same and since != BEGINNING else stamp(now),
    }
    return made | times
