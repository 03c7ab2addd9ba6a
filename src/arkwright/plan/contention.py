"""Two versions that one base cannot hold at once, known from a WebPathConflict (semantics 5): whose turn is it on a pod?

In: the new version's Module. Out: answers. The new one was refused beside the old one. It gets the pod for itself once the
old one may leave; where it fails there all the same, the old one gets the pod back until the new one's next try is due.
"""

from datetime import datetime

from arkwright.model.kinds import Module, ModulePhase, UpgradePolicy
from arkwright.model.meta import Condition
from arkwright.model.moments import seconds_until
from arkwright.model.outcomes import Reason
from arkwright.plan.backoff import LONGEST_PAUSE_SECONDS

REFUSED_BESIDE = Condition(type=Reason.WEB_PATH_CONFLICT, status="True", reason=Reason.WEB_PATH_CONFLICT)


def is_refused_beside(module: Module) -> bool:
    """Whether its base has refused to hold it beside another version; known until it is available."""
    said = any(one.type == REFUSED_BESIDE.type and one.status == "True" for one in module.status.conditions)
    return said or module.status.reason == Reason.WEB_PATH_CONFLICT


def must_go_first(elder: Module, module: Module) -> bool:
    """Whether `elder` has to leave the base before `module` can come: by policy, or because a base cannot hold both."""
    ours, theirs = module.spec.module, elder.spec.module
    is_same = (ours.name, ours.version) == (theirs.name, theirs.version)
    by_policy = module.spec.upgrade_policy is UpgradePolicy.UNINSTALL_THEN_INSTALL
    return by_policy or is_same or is_refused_beside(module)


def has_given_way(module: Module, now: datetime) -> bool:
    """Whether it has failed with the pod for itself, and its next try is not due: the old version serves meanwhile."""
    return has_failed_alone(module) and seconds_to_turn(module, now) > 0


def seconds_to_turn(module: Module, now: datetime) -> float:
    """Until it may have the pod for itself; 0 for one that has not tried that, and for a corrected one."""
    status = module.status
    is_current = status.observed_generation == module.metadata.generation
    if not has_failed_alone(module) or not is_current or status.next_attempt_time is None:
        return 0.0
    return seconds_until(status.next_attempt_time, LONGEST_PAUSE_SECONDS, now)


def has_failed_alone(module: Module) -> bool:
    """Whether it has failed for another reason since it was refused: the old version had left by then."""
    status = module.status
    is_refused_now = status.reason == Reason.WEB_PATH_CONFLICT
    return is_refused_beside(module) and status.status is ModulePhase.FAILED and not is_refused_now
