"""Whose a namespace is, where several controllers share them out. In: who lives, and by which view each acts. Out: answers. Pure.

Each namespace goes to the controller whose hash with it is the highest (rendezvous hashing), so one that comes or goes moves its own
share only. A controller's **view** is the set of those that it takes for alive. It acts by one view at a time, its claim, which it
publishes before it acts; and it acts on nothing that another's published claim gives to that other. Of two that publish before they
look, at least one sees the other: a namespace has one owner at any moment, however their views differ.
"""

import hashlib
from collections.abc import Mapping

View = frozenset[str]


def owner(namespace: str, view: View) -> str:
    """ "" where nobody lives.

    >>> first = owner("shop", frozenset({"a", "b", "c"}))
    >>> {owner("shop", frozenset({"a", "b", "c", "d"})) == it for it in (first, "d")} == {True, False}
    True
    """
    return max(view, key=lambda one: (hashlib.sha256(f"{one}/{namespace}".encode()).digest(), one), default="")


def may_act(who: str, namespace: str, claims: Mapping[str, View]) -> bool:
    """Whether the namespace is `who`'s by its own claim, and no other's by theirs. `claims`: of all that may live, its own included."""
    if owner(namespace, claims.get(who, frozenset())) != who:
        return False
    return not any(owner(namespace, claim) == other for other, claim in claims.items() if other != who)
