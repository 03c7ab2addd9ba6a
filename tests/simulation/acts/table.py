"""What an act is, and the table that acts are noted in, with questions that several of them ask before they can be done."""

from collections.abc import Callable
from dataclasses import dataclass

from simulation.wishes import STORE
from simulation.world import BASE


@dataclass(frozen=True)
class Act:
    """`can`: whether there is anything that it could be done to. `do`: does it, to things that the operator's chance picks."""

    do: Callable
    can: Callable = lambda operator: True
    is_costly: bool = False

    @property
    def name(self):
        return self.do.__name__


ACTS = []


def act(can=lambda operator: True, *, is_costly=False):
    """Into the table."""

    def noted(do):
        ACTS.append(Act(do, can, is_costly))
        return do

    return noted


def is_there(operator):
    return operator.is_there()


def is_away(operator):
    return operator.is_away()


def has_modules(operator):
    return bool(operator.modules())


def has_pods(operator):
    return len(operator.own_pods(BASE)) > 2 and len(operator.own_pods(STORE)) > 1


def has_replica_sets(operator):
    return operator.is_there() and bool(operator.replica_sets())


def is_waiting(operator):
    return operator.waits()


def some_module(operator):
    return operator.pick.choice(operator.modules())


def some_replica_set(operator):
    return operator.pick.choice(sorted(operator.replica_sets()))
