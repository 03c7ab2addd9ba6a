"""Which base pods get a module, and which lose one (semantics 7, 10). In: seats. Out: pods, and one line that says why not more."""

from collections import Counter
from dataclasses import dataclass

from arkwright.model.kinds import SchedulingPolicy

NOT_RUNNING, AT_CAP = "not running", "at max-module-count"


@dataclass(frozen=True)
class Seat:
    """One base pod as a ReplicaSet sees it.

    `modules` counts every Module on it, placements decided and not yet visible included. `cap` None: no limit.
    `holds_own`: has a live Module of this ReplicaSet. `holds_sibling`: has a live one of another revision of the same
    ModuleDeployment. `holds_namesake`: has a module of that name from another ModuleDeployment, and two of one name would
    contend for the traffic; `namesake_of` is whose. `is_given_back`: the sibling is newer, cannot share the pod and has failed there, so ours is
    wanted again. `is_being_left`: one of ours is going, and is to be made up for elsewhere. `is_ready_to_lose`: the other
    revision's Module there is to stay, so ours may go. `is_silent`: its agent has never answered; it comes last, so that it is
    no beta. `is_nobodys`: no ReplicaSet made it; between equals it comes after those that are the base's without doubt.
    """

    pod: str
    modules: int = 0
    cap: int | None = None
    holds_own: bool = False
    holds_sibling: bool = False
    holds_namesake: bool = False
    namesake_of: str = ""
    is_live: bool = True
    is_being_left: bool = False
    is_given_back: bool = False
    is_ready_to_lose: bool = False
    is_own_available: bool = False
    is_silent: bool = False
    is_nobodys: bool = False


@dataclass(frozen=True)
class Placement:
    """`pods` in the order of choice; `explanation` is empty if all that were wanted fit."""

    pods: tuple[str, ...]
    explanation: str = ""


@dataclass(frozen=True)
class Wish:
    """What is to be placed. `is_beside`: on pods with a sibling, where the move is an upgrade in place; else never there.

    `vacancies`: so many of them replace nothing, and go to pods without a sibling while there are such.
    """

    module: str
    count: int
    policy: SchedulingPolicy = SchedulingPolicy.SCATTER
    is_beside: bool = True
    vacancies: int = 0


def choose_pods(seats: tuple[Seat, ...], wish: Wish) -> Placement:
    """Where to install what is wished for, as much of it as fits."""
    free = [seat for seat in seats if _refusal(seat, wish) is None]
    sign = -1 if wish.policy is SchedulingPolicy.STACKING else 1
    ranked = sorted(free, key=lambda seat: (seat.is_silent, sign * seat.modules, seat.is_nobodys, seat.pod))
    empty = [seat.pod for seat in ranked if not seat.holds_sibling]
    beside = [seat.pod for seat in ranked if seat.holds_sibling]
    additions = empty[: min(wish.vacancies, wish.count)]
    chosen = tuple((*additions, *beside, *empty[len(additions) :])[: wish.count])
    return Placement(chosen, "" if len(chosen) == wish.count else explain(seats, wish))


def explain(seats: tuple[Seat, ...], wish: Wish) -> str:
    """As the scheduler words it.

    >>> explain((Seat("a"), Seat("b", 3, 3), Seat("c", 3, 3), Seat("d", holds_own=True)), Wish("provider", 2))
    '1/4 base pods fit: 2 at max-module-count, 1 already holds provider'
    """
    refusals = Counter(reason for seat in seats if (reason := _refusal(seat, wish)))
    fitting = len(seats) - sum(refusals.values())
    ranked = sorted(refusals.items(), key=lambda item: (-item[1], item[0]))
    reasons = ", ".join(f"{count} {reason}" for reason, count in ranked)
    return f"{fitting}/{len(seats)} base pods fit" + (f": {reasons}" if reasons else "")


def _refusal(seat: Seat, wish: Wish) -> str | None:
    if not seat.is_live:
        return NOT_RUNNING
    is_closed = seat.holds_sibling and not (wish.is_beside or seat.is_given_back)
    if seat.holds_namesake:
        return f"already holds {wish.module}" + (f" of {seat.namesake_of}" if seat.namesake_of else "")
    if seat.holds_own or seat.is_being_left or is_closed:
        return f"already holds {wish.module}"
    if seat.cap is not None and seat.modules >= seat.cap and not seat.holds_sibling:
        return AT_CAP
    return None


def choose_victims(seats: tuple[Seat, ...], surplus: int, policy: SchedulingPolicy) -> tuple[str, ...]:
    """Which pods lose theirs: going away, replaced by the other revision, not available, then by policy."""
    sign = 1 if policy is SchedulingPolicy.STACKING else -1
    own = (seat for seat in seats if seat.holds_own)

    def rank(seat: Seat) -> tuple[bool, bool, bool, int, str]:
        return (seat.is_live, not seat.is_ready_to_lose, seat.is_own_available, sign * seat.modules, seat.pod)

    return tuple(seat.pod for seat in sorted(own, key=rank)[:surplus])
