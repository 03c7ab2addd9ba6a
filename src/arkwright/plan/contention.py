"""Two versions that one base cannot hold at once, known from a WebPathConflict (semantics 5): whose turn is it on a pod?

A web path that is another module's is told apart: there nobody's turn comes before that one has gone.

In: the new version's Module. Out: answers. The new one was refused beside the old one. It gets the pod for itself once the
old one may leave; where it fails there all the same, the old one gets the pod back until the new one's next try is due.
"""

import re
from collections.abc import Iterable
from datetime import datetime

from arkwright.model.kinds import Module, ModuleArchive, ModulePhase, UpgradePolicy
from arkwright.model.meta import Condition
from arkwright.model.outcomes import BaseReport, Reason
from arkwright.plan.backoff import seconds_until_try

HOLDER_TOLD = re.compile(r"web path /\S+ is (\S+)'s, another module's")  # as our agent words it
PATH_TOLD = re.compile(r"Child name \[/?([^\]]+)\] is not unique")  # as a Java base does
PATH_TAKEN = "WebPathTaken"
REFUSED_BESIDE = Condition(type=Reason.WEB_PATH_CONFLICT, status="True", reason=Reason.WEB_PATH_CONFLICT)


def is_refused_beside(module: Module) -> bool:
    """Whether its base has refused to hold it beside another version; known until it is available."""
    said = any(one.type == REFUSED_BESIDE.type and one.status == "True" for one in module.status.conditions)
    return said or (module.status.reason == Reason.WEB_PATH_CONFLICT and not path_holder(module))


def path_taken(holder: str) -> Condition:
    """Its web path is another module's, whose identity is `holder`: no older version of its own is in the way."""
    return Condition(type=PATH_TAKEN, status="True", reason=Reason.WEB_PATH_CONFLICT, message=holder)


def path_holder(module: Module) -> str:
    """The other module that has its web path, as name:version; "" for none."""
    return next((one.message for one in module.status.conditions if one.type == PATH_TAKEN), "")


def holder_of_path(said: str, name: str, report: BaseReport | None) -> str:
    """Which other module an agent means that refuses `name`: as it says itself, or as it lists the path that it names.

    >>> holder_of_path("web path /shop is other:1.0's, another module's: give shop2 one of its own", "shop2", None)
    'other:1.0'
    """
    if told := HOLDER_TOLD.search(said):
        return told.group(1)
    path = PATH_TOLD.search(said)
    listed = report.modules if report and path else ()
    others = (
        one for one in listed if one.biz_name != name and path and one.web_context_path.strip("/") == path.group(1)
    )
    return next((one.identity for one in others), "")


def must_go_first(elder: Module, module: Module) -> bool:
    """Whether `elder` has to leave the base before `module` can come: by policy, or because a base cannot hold both."""
    ours, theirs = module.spec.module, elder.spec.module
    is_same = (ours.name, ours.version) == (theirs.name, theirs.version)
    by_policy = module.spec.upgrade_policy is UpgradePolicy.UNINSTALL_THEN_INSTALL
    return by_policy or is_same or is_refused_beside(module)


def has_never_come(module: Module, archive: ModuleArchive, others: Iterable[Module]) -> bool:
    """A base holds one instance of an identity: while another Module of it serves there, one that does not has waited for its turn, and leaves
    nothing behind. `archive`: what it was to be."""
    return module.status.status is not ModulePhase.AVAILABLE and any(
        one.status.status is ModulePhase.AVAILABLE
        and (one.spec.module.name, one.spec.module.version) == (archive.name, archive.version)
        for one in others
    )


def has_given_way(module: Module, now: datetime) -> bool:
    """Whether it has failed with the pod for itself, and its next try is not due: the old version serves meanwhile."""
    return has_failed_alone(module) and seconds_to_turn(module, now) > 0


def seconds_to_turn(module: Module, now: datetime) -> float:
    """Until it may have the pod for itself; 0 for one that has not tried that, and for a corrected one."""
    status = module.status
    is_current = status.observed_generation == module.metadata.generation
    return seconds_until_try(module, now) if has_failed_alone(module) and is_current else 0.0


def has_failed_alone(module: Module) -> bool:
    """Whether it has failed for another reason since it was refused: the old version had left by then."""
    status = module.status
    is_refused_now = status.reason == Reason.WEB_PATH_CONFLICT
    return is_refused_beside(module) and status.status is ModulePhase.FAILED and not is_refused_now
