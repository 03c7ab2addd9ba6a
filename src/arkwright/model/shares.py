"""Whose a namespace is, where several controllers share them out. In: who lives, and by which circle each acts. Out: answers. Pure.

Each namespace goes to the controller whose hash with it is the highest (rendezvous hashing), so one that comes or goes moves its own
share only. A controller's **circle** is the set of those that it takes for alive. It acts by one circle at a time, its claim, which it
publishes in its Lease before it acts; and it acts on nothing that another's published claim gives to that other. Of two that publish
before they look, at least one sees the other: a namespace has one owner at any moment, however their circles differ.
"""

import hashlib
from collections.abc import Iterable, Mapping

from arkwright.model.cluster import Lease
from arkwright.model.names import ACTS_BY, SHARES_WITH

Circle = frozenset[str]


def owner(namespace: str, circle: Circle) -> str:
    """ "" where nobody lives.

    >>> first = owner("shop", frozenset({"a", "b", "c"}))
    >>> {owner("shop", frozenset({"a", "b", "c", "d"})) == it for it in (first, "d")} == {True, False}
    True
    """
    return max(circle, key=lambda one: (hashlib.sha256(f"{one}/{namespace}".encode()).digest(), one), default="")


def may_act(who: str, namespace: str, claims: Mapping[str, Circle]) -> bool:
    """Whether the namespace is `who`'s by its own claim, and no other's by theirs. `claims`: of all that may live, its own included."""
    if owner(namespace, claims.get(who, frozenset())) != who:
        return False
    return not any(owner(namespace, claim) == other for other, claim in claims.items() if other != who)


def acting_on(namespace: str, claims: Mapping[str, Circle]) -> str:
    """Who acts there; "" while it moves from one to another."""
    return next((one for one in claims if may_act(one, namespace, claims)), "")


def is_partner(lease: Lease, group: str) -> bool:
    return lease.metadata.labels.get(SHARES_WITH) == group


def claim_of(lease: Lease) -> Circle:
    """By which circle its holder acts. Whoever holds the Lease of all, which says none, claims everything: it is alone in its circle."""
    if SHARES_WITH not in lease.metadata.labels:
        return frozenset({lease.spec.holder_identity})
    return frozenset(one for one in lease.metadata.annotations.get(ACTS_BY, "").split(",") if one)


def written(circle: Iterable[str]) -> str:
    """As a Lease says it."""
    return ",".join(sorted(circle))
