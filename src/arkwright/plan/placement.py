"""Which base pods get a module, and which lose one (semantics 7, 10). In: seats. Out: pods, and one line that says why not more."""

from collections import Counter
from dataclasses import dataclass

from arkwright.model.kinds import SchedulingPolicy


@dataclass(frozen=True)
class Seat:
    """One base pod as a ReplicaSet sees it.

    `modules` counts every Module on it, placements decided and not yet visible included. `cap` None: no limit.
    `holds_own`: has a live Module of this ReplicaSet. `holds_sibling`: has a live one of another revision of the same
    ModuleDeployment. `is_ready_to_lose`: the other revision's Module there is to stay, so ours may go.
    """

    pod: str
    modules: int = 0
    cap: int | None = None
    holds_own: bool = False
    holds_sibling: bool = False
    is_live: bool = True
    is_ready_to_lose: bool = False
    is_own_available: bool = False


@dataclass(frozen=True)
class Placement:
    """`pods` in the order of choice; `explanation` is empty if all that were wanted fit."""

    pods: tuple[str, ...]
    explanation: str = ""


def choose_pods(seats: tuple[Seat, ...], wanted: int, policy: SchedulingPolicy, module: str) -> Placement:
    """Where to install `wanted` more. A pod with a sibling comes first: there the move is an upgrade in place."""
    free = [seat for seat in seats if _refusal(seat, module) is None]
    sign = -1 if policy is SchedulingPolicy.STACKING else 1
    ranked = sorted(free, key=lambda seat: (not seat.holds_sibling, sign * seat.modules, seat.pod))
    chosen = tuple(seat.pod for seat in ranked[:wanted])
    return Placement(chosen, "" if len(chosen) == wanted else explain(seats, module))


def explain(seats: tuple[Seat, ...], module: str) -> str:
    """As the scheduler words it.

    >>> explain((Seat("a"), Seat("b", 3, 3), Seat("c", holds_own=True)), "provider")
    '1/3 base pods fit: 1 at max-module-count, 1 already holds provider'
    """
    refusals = Counter(reason for seat in seats if (reason := _refusal(seat, module)))
    fitting = len(seats) - sum(refusals.values())
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(refusals.items()))
    return f"{fitting}/{len(seats)} base pods fit" + (f": {reasons}" if reasons else "")


def _refusal(seat: Seat, module: str) -> str | None:
    if not seat.is_live:
        return "not running"
    if seat.holds_own:
        return f"already holds {module}"
    if seat.cap is not None and seat.modules >= seat.cap and not seat.holds_sibling:
        return "at max-module-count"
    return None


def choose_victims(seats: tuple[Seat, ...], surplus: int, policy: SchedulingPolicy) -> tuple[str, ...]:
    """Which pods lose theirs: going away, replaced by the other revision, not available, then by policy."""
    sign = 1 if policy is SchedulingPolicy.STACKING else -1
    own = (seat for seat in seats if seat.holds_own)

    def rank(seat: Seat) -> tuple[bool, bool, bool, int, str]:
        return (seat.is_live, not seat.is_ready_to_lose, seat.is_own_available, sign * seat.modules, seat.pod)

    return tuple(seat.pod for seat in sorted(own, key=rank)[:surplus])
