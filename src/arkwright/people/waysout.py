"""What a person may do about a release that waits. In: a ModuleDeployment, or the reason of a Module. Out: one line, "" where nothing is asked of anybody.

The cause stands in the status, in the words of whoever has it; the way out depends on the reason alone.
"""

import re

from arkwright.model.kinds import HELD, ModuleDeployment, Progress
from arkwright.model.names import BASE_DEPLOYMENT, DELETE_MODULE_DIRECTLY
from arkwright.model.outcomes import EventReason, Reason
from arkwright.plan.placement import AT_CAP, NOT_RUNNING
from arkwright.plan.stages import failure_of, is_stalled

CORRECT = "correct the module's url or version and apply it again"
CORRECTED_BY_USERS = frozenset(
    {Reason.PULL_FAILED, Reason.INSTALL_FAILED, Reason.IDENTITY_MISMATCH, Reason.INSTALL_TIMED_OUT}
)
WAYS_OUT: dict[str, str] = {
    **dict.fromkeys(CORRECTED_BY_USERS, CORRECT),
    Reason.WEB_PATH_CONFLICT: "it goes on pod by pod; with upgradePolicy uninstall_then_install it does so from the start",
    Reason.AGENT_UNREACHABLE: "look at the base pod; it goes on by itself once its agent answers",
    Reason.AGENT_UNAUTHENTICATED: "give the base the keys of whose calls it takes (ConfigMap arkwright-controller-keys); it goes on by itself",
    Reason.UNINSTALL_FAILED: f"look at the base; without its agent: label the Module {DELETE_MODULE_DIRECTLY}=true, or delete the base pod",
    Reason.BASE_RESTARTED: "nothing: it is installed again",
    Reason.BASE_TERMINATING: "nothing: the base pod is going, and its place is filled elsewhere",
    Reason.DETACHED: "give the pod its labels back, or delete the pod or the Module",
    EventReason.INSUFFICIENT_BASES: "add base pods, or lower replicas",
    EventReason.MAX_UNAVAILABLE_EXCEEDED: "raise maxUnavailable, or set upgradePolicy install_then_uninstall",
    EventReason.WRITE_REFUSED: "do what the API server's words ask for; it is tried again by itself, after 30 s at most",
    EventReason.BASE_NOT_FOUND: "correct baseDeploymentName, or create the Deployment; it goes on by itself",
    EventReason.SERVICE_TAKEN: "rename or delete that Service, or give the module another name",
}
ROOM: dict[
    str, str
] = {  # words of plan/placement and plan/binding, which say why pods do not fit; the first that applies is said
    r"already holds \S+ of ": "delete one of the two, or give one another base",
    AT_CAP: "raise max-module-count, or add base pods",
    "goes into the base that its label": f"give it the label {BASE_DEPLOYMENT}, or a spec.selector that means base pods",
    NOT_RUNNING: "kubectl describe pod says why it does not run; on one machine arkwright logs POD",
}
START = "it is seen within a second; if not, start the controller: `arkwright up` on one machine, `kubectl get pods` beside deploy/08-controller.yaml on a cluster"


def next_step(deployment: ModuleDeployment, is_seen: bool, has_earlier: bool) -> str:
    """`is_seen`: its status speaks of its spec as it is. `has_earlier`: there is a version to go back to."""
    name, progress = deployment.name, deployment.status.release_status.progress
    if not is_seen:
        return START
    if progress in HELD:
        return f"arkwright confirm {name}" + (f", or arkwright abort {name}" if has_earlier else "")
    failure = failure_of(deployment)
    if progress is Progress.ABORTED:
        other = way_out(failure.reason, failure.message) if failure and failure.reason not in CORRECTED_BY_USERS else ""
        return f"{f'{other}; to release again: ' if other else ''}apply another version, or arkwright retry {name}"
    if failure is None:
        return _while_nothing_fails(deployment)
    back = f"; to go back: arkwright abort {name}" if has_earlier else ""
    way = way_out(failure.reason, failure.message)
    return f"{way}{back}" if progress is Progress.EXECUTING and failure.reason in CORRECTED_BY_USERS else way


def way_out(reason: str, message: str) -> str:
    """
    >>> way_out("InsufficientBases", "0/1 base pods fit: 1 at max-module-count")
    'raise max-module-count, or add base pods'
    """
    if reason == EventReason.INSUFFICIENT_BASES:
        return next((way for words, way in ROOM.items() if re.search(words, message)), WAYS_OUT[reason])
    return WAYS_OUT.get(reason, "")


def _while_nothing_fails(deployment: ModuleDeployment) -> str:
    if deployment.status.release_status.next_reconcile_time is not None:
        return "wait, or lower operationStrategy.grayTimeBetweenBatchSeconds"
    return "look at the base pods that hold it up, below; it is tried on all the same" if is_stalled(deployment) else ""
