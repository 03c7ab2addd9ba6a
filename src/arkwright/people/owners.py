"""Who acts, as Leases tell. In: the Leases of controllers, a namespace. Out: lines for people, an address; "" where there is nothing to say. Pure.

Unlike controllers, which trust their own clock only, a person sees one moment: what a Lease says of its renewal has to do.
"""

from collections.abc import Iterable
from datetime import datetime

from arkwright.model.cluster import Lease
from arkwright.model.names import ANSWERS_AT, DEFAULT_LEASE
from arkwright.model.shares import acting_on, claim_of, is_partner
from arkwright.people.standings import lasting

LEASE_SLACK_SECONDS = 5.0


def of_controllers(leases: Iterable[Lease]) -> tuple[Lease, ...]:
    """The Lease of a controller that acts alone, and those of controllers that share namespaces out."""
    group = DEFAULT_LEASE[1]
    return tuple(one for one in leases if one.name == group or is_partner(one, group))


def silence(leases: Iterable[Lease], now: datetime) -> str:
    """That nobody acts; "" if somebody does, or where it cannot be seen."""
    silent = [_silent_seconds(one, now) for one in leases if one.spec.renew_time is not None]
    if not silent or any(_is_alive(one, now) for one in leases):
        return ""
    return f"no controller acts: the last one was heard of {lasting(min(silent))} ago; what stands here may be of then"


def owner_line(namespace: str, leases: Iterable[Lease], now: datetime) -> str:
    """Which controller acts on a namespace, where several share them out."""
    alive = [one for one in leases if _is_alive(one, now)]
    if not any(is_partner(one, DEFAULT_LEASE[1]) for one in alive):
        return ""
    who = _owner(namespace, alive)
    share = f"one of {len(alive)} that share the namespaces out"
    return (
        f"controller {who} acts on namespace {namespace}, {share}"
        if who
        else f"namespace {namespace} is moving from one controller to another"
    )


def address_for(namespace: str, leases: Iterable[Lease], now: datetime) -> str:
    """Where the controller that acts on a namespace may be asked, as its Lease tells; "" where nobody acts, or none says it."""
    alive = [one for one in leases if _is_alive(one, now)]
    who = _owner(namespace, alive)
    told = (one.metadata.annotations.get(ANSWERS_AT, "") for one in alive if one.spec.holder_identity == who)
    return next(told, "") if who else ""


def _owner(namespace: str, alive: Iterable[Lease]) -> str:
    return acting_on(namespace, {one.spec.holder_identity: claim_of(one) for one in alive})


def _is_alive(lease: Lease, now: datetime) -> bool:
    if not lease.spec.holder_identity or lease.spec.renew_time is None:
        return False
    return _silent_seconds(lease, now) <= lease.spec.lease_duration_seconds + LEASE_SLACK_SECONDS


def _silent_seconds(lease: Lease, now: datetime) -> float:
    renewed = lease.spec.renew_time
    return (now - renewed).total_seconds() if renewed else float("inf")
