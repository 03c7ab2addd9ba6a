"""How the old revisions make room for the new one (semantics 5, 6): the three upgrade policies as counts.

In: the strategy, the new revision, the old ones. Out: replicas that each old revision keeps.

    install_then_uninstall   an old one goes once its successor on the pod is available
    uninstall_then_install   an old one goes once its successor is placed beside it, and waits
    scaleup_then_scaledown   an old one goes once a successor is available anywhere
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from arkwright.model.kinds import Module, ModuleDeploymentSpec, ModulePhase, UpgradePolicy
from arkwright.model.meta import Condition
from arkwright.model.outcomes import EventReason
from arkwright.plan.contention import has_failed_alone, has_given_way, is_refused_beside, seconds_to_turn
from arkwright.plan.replicas import Replicas
from arkwright.plan.revisions import Revision, identity, is_in
from arkwright.plan.silence import has_never_answered


@dataclass(frozen=True)
class Handover:
    """A new revision and those it replaces. `desired`: replicas in the end, `uncounted` of which nobody misses."""

    spec: ModuleDeploymentSpec
    desired: int
    current: Revision | None
    others: tuple[Revision, ...]
    uncounted: int = 0

    @property
    def missing(self) -> int:
        """Replicas that nobody serves, without those that nobody misses."""
        return self.desired - len(self.serving_pods) - self.uncounted

    @property
    def successors(self) -> Replicas:
        """The new Modules."""
        return self.current.modules if self.current else Replicas()

    @property
    def by_stability(self) -> list[Revision]:
        """Old revisions, the one that serves on most pods last: the stable one."""
        return sorted(self.others, key=lambda one: (len(one.modules.ready), one.number))

    @cached_property
    def serving_pods(self) -> frozenset[str]:
        return self.successors.ready_pods.union(*(one.modules.ready_pods for one in self.others))

    @cached_property
    def old_pods(self) -> frozenset[str]:
        """Where an old one is to stay for now."""
        return frozenset().union(*(one.modules.live_pods for one in self.others))


def old_counts(handover: Handover, now: datetime) -> dict[str, int]:
    """Replicas each old revision keeps, by the name of its ReplicaSet. Counts never go up here."""
    wait, successors = handover.spec.min_ready_seconds, handover.successors
    is_certain = len(successors.live_pods) <= _granted(
        handover.current
    )  # of a surplus, nobody knows here which are to go
    arrived = successors.available_pods(wait, now) if is_certain else frozenset()
    silent = {
        one.pod_name for one in successors.coming if has_never_answered(one)
    }  # the old one never came there either
    leaving = arrived | silent | _first_to_leave(handover, arrived, now)
    kept = {one.name: _staying(one, leaving | _idle_beside_another(one, handover)) for one in handover.others}
    for stable in handover.by_stability[-1:]:
        kept[stable.name] += max(sum(map(_owed, handover.others)), len(_given_back(handover, now)))
    surplus = sum(kept.values()) - max(0, handover.desired - len(arrived))
    return _with_newcomers(handover, _without_surplus(handover, kept, surplus))


def _without_surplus(handover: Handover, kept: dict[str, int], surplus: int) -> dict[str, int]:
    """First what does not serve, of whatever revision; then what does, of the least stable one."""
    left = dict(kept)
    serving = {one.name: len(one.modules.ready) for one in handover.others}
    for spared in (serving, dict.fromkeys(serving, 0)):
        for revision in handover.by_stability:
            given = min(max(0, surplus), max(0, left[revision.name] - spared[revision.name]))
            left[revision.name] -= given
            surplus -= given
    return left


def _with_newcomers(handover: Handover, kept: dict[str, int]) -> dict[str, int]:
    """Symmetric mode: pods that appeared in the middle of a release get the stable revision, at once (semantics 8).

    What has to leave leaves first: a count that goes down and up at once stays as it is, and nothing would move.
    """
    base = handover.spec.base_deployment_name
    here = [one for one in handover.by_stability if is_in(one, base)]
    stable = next((one for one in reversed(here) if kept[one.name]), None)
    if handover.spec.replicas >= 0 or stable is None or kept[stable.name] < len(stable.modules.live):
        return kept
    held = handover.old_pods | handover.successors.live_pods
    coming = max(0, _granted(handover.current) - len(handover.successors.live_pods)) + sum(
        max(0, kept[one.name] - len(one.modules.live)) for one in handover.others
    )
    return kept | {stable.name: kept[stable.name] + max(0, handover.desired - len(held) - coming)}


def _granted(revision: Revision | None) -> int:
    return revision.replica_set.spec.replicas if revision else 0


def _idle_beside_another(revision: Revision, handover: Handover) -> frozenset[str]:
    """Pods where this old revision has only begun to come while another old one is there: its release was superseded."""
    coming = revision.modules.coming_pods
    elsewhere = (coming & other.modules.live_pods for other in handover.others if other is not revision)
    return frozenset().union(*elsewhere) if coming else coming


def _staying(revision: Revision, leaving: frozenset[str]) -> int:
    """What is on pods that need not be left yet."""
    return min(revision.replica_set.spec.replicas, revision.modules.live_outside(leaving))


def _owed(revision: Revision) -> int:
    """Modules that got lost on the way, with their pods or by a user's hand; the stable revision makes up for them."""
    return max(0, revision.replica_set.spec.replicas - len(revision.modules.live))


def _given_back(handover: Handover, now: datetime) -> set[str]:
    """Pods where the new one has failed although it had the pod for itself, and nothing else is left."""
    alone = (one for one in handover.successors.coming if one.pod_name not in handover.old_pods)
    return {one.pod_name for one in alone if has_given_way(one, now)}


def next_turn_in(handover: Handover, now: datetime) -> float | None:
    """Seconds until a new one that has given way may have its pod again; None: there is no such."""
    waits = (seconds_to_turn(one, now) for one in handover.successors.coming)
    return min((wait for wait in waits if wait), default=None)


def _is_its_turn(handover: Handover, successor: Module, now: datetime) -> bool:
    """Whether it may have its pod for itself: an old one that is coming back comes back first."""
    if not has_failed_alone(successor):
        return True
    returning = (
        one
        for revision in handover.others
        for one in revision.modules.coming
        if one.pod_name == successor.pod_name and one.status.status is not ModulePhase.FAILED
    )
    return not has_given_way(successor, now) and not any(returning)


def _needing_room(handover: Handover, arrived: frozenset[str]) -> list[Module]:
    """New ones that the base cannot hold beside the old one that is still on their pod."""
    new = handover.successors
    if not needs_room_always(handover):
        return [one for one in new.coming if one.pod_name in handover.old_pods and is_refused_beside(one)]
    wanted = (new.live_pods & handover.old_pods) - arrived
    return [one for one in new.live if one.pod_name in wanted] if wanted else []


def _first_to_leave(handover: Handover, arrived: frozenset[str], now: datetime) -> set[str]:
    """Pods whose old Module has to go before the new one can come, as many as may be out of service at a time."""
    serving, needing = handover.serving_pods, _needing_room(handover, arrived)
    waiting = sorted({one.pod_name for one in needing if _is_its_turn(handover, one, now)})
    idle = [pod for pod in waiting if pod not in serving]
    busy = [pod for pod in waiting if pod in serving and pod not in arrived]
    budget = allowed_unavailable(handover, len(busy)) - handover.missing
    return {*idle, *busy[: max(0, budget)]}


def held_up(handover: Handover) -> Condition | None:
    """Why nothing may leave although something has to, with the arithmetic; None where that is not so (semantics 6)."""
    coming = handover.successors.coming
    is_waiting = bool(coming) and (needs_room_always(handover) or any(map(is_refused_beside, coming)))
    allowed, missing = allowed_unavailable(handover, 1), handover.missing
    if not is_waiting or not handover.old_pods or missing < allowed or (allowed and _is_moving(handover)):
        return None
    bound, policy = handover.spec.operation_strategy.max_unavailable, handover.spec.operation_strategy.upgrade_policy
    said = f"maxUnavailable {bound} of {handover.desired} replicas is 0, rounded down; {policy} needs at least 1"
    if allowed:
        said = f"{missing} of {handover.desired} replicas are unavailable already, maxUnavailable allows {allowed}"
    elif bound is None:
        said = (
            "the base cannot hold two versions on one web path, and no other base pod keeps serving meanwhile;"
            " to take it out of service, set upgradePolicy uninstall_then_install or maxUnavailable 1"
        )
    reason = EventReason.MAX_UNAVAILABLE_EXCEEDED
    return Condition(type="ReplicaFailure", status="True", reason=reason, message=said)


def _is_moving(handover: Handover) -> bool:
    """Whether what is missing is what moves right now: new ones on pods that the old ones have left. It is no news that it uses up what may be."""
    moving = (one for one in handover.successors.coming if one.pod_name not in handover.old_pods)
    return any(one.status.status is not ModulePhase.FAILED for one in moving)


def needs_room_always(handover: Handover) -> bool:
    """Whether no new one may come beside its predecessor, whatever the base says."""
    is_first = handover.spec.operation_strategy.upgrade_policy is UpgradePolicy.UNINSTALL_THEN_INSTALL
    return is_first or is_restart(handover)


def is_restart(handover: Handover) -> bool:
    """Same name and version as an older revision that still has Modules: a base holds only one instance of it."""
    wanted = identity(handover.spec.template)[:2]
    here = (one for one in handover.others if one.modules and is_in(one, handover.spec.base_deployment_name))
    return any(identity(one.replica_set.spec.template)[:2] == wanted for one in here)


def allowed_unavailable(handover: Handover, waiting: int) -> int:
    """maxUnavailable as a number (percent rounds down). `waiting`: pods of the batch whose old Module is still to go.

    Unset: a restart takes one pod at a time, uninstall_then_install the batch; where the order is turned round because a
    base cannot hold both, one pod as long as another keeps serving.
    """
    strategy = handover.spec.operation_strategy
    if strategy.max_unavailable is not None:
        return share(strategy.max_unavailable, handover.desired)
    if is_restart(handover):
        return 1
    if strategy.upgrade_policy is UpgradePolicy.UNINSTALL_THEN_INSTALL:
        return handover.desired + waiting
    return 1 if handover.desired > 1 else 0


def share(amount: int | str, total: int) -> int:
    """A number, or a percentage of `total` rounded down.

    >>> share("25%", 7), share("2", 7), share(3, 7)
    (1, 2, 3)
    """
    text = str(amount)
    if text.endswith("%"):
        return int(text[:-1]) * total // 100
    return int(text)
