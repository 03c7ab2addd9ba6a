"""Which pods get a module and which lose one, as tables (semantics 7, 10)."""

import doctest

import pytest

from arkwright.model.kinds import SchedulingPolicy
from arkwright.plan import placement
from arkwright.plan.placement import Seat, Wish, choose_pods, choose_victims

SCATTER, STACKING = SchedulingPolicy.SCATTER, SchedulingPolicy.STACKING

CHOICES = [
    pytest.param((Seat("b"), Seat("a")), 1, SCATTER, ("a",), id="ties by name"),
    pytest.param((Seat("a", 2), Seat("b", 1)), 1, SCATTER, ("b",), id="scatter: emptiest first"),
    pytest.param((Seat("a", 2), Seat("b", 1)), 1, STACKING, ("a",), id="stacking: fullest first"),
    pytest.param((Seat("a", 2, 2), Seat("b", 1, 2)), 1, STACKING, ("b",), id="stacking: below the cap"),
    pytest.param((Seat("a", 1, 0), Seat("b")), 2, SCATTER, ("b",), id="cap 0 takes none"),
    pytest.param((Seat("a", holds_own=True), Seat("b")), 2, SCATTER, ("b",), id="never two of one revision"),
    pytest.param((Seat("a"), Seat("b", 5, 5, holds_sibling=True)), 1, SCATTER, ("b",), id="an upgrade fits a full pod"),
    pytest.param(
        (Seat("a", holds_namesake=True), Seat("b", 9)), 2, SCATTER, ("b",), id="another's module of that name"
    ),
    pytest.param((Seat("a", 9, holds_sibling=True), Seat("b")), 2, SCATTER, ("a", "b"), id="beside a sibling first"),
    pytest.param((Seat("a", is_live=False), Seat("b")), 2, SCATTER, ("b",), id="only live pods"),
]


@pytest.mark.parametrize("seats, wanted, policy, expected", CHOICES)
def test_pods_are_chosen_as_the_policy_says(seats, wanted, policy, expected):
    assert choose_pods(seats, Wish("provider", wanted, policy)).pods == expected


VICTIMS = [
    pytest.param((Seat("a", 1), Seat("b", 3)), SCATTER, "b", id="scatter: fullest first"),
    pytest.param((Seat("a", 1), Seat("b", 3)), STACKING, "a", id="stacking: emptiest first"),
    pytest.param(
        (Seat("a", 9, is_own_available=True), Seat("b", 1)), SCATTER, "b", id="not available before available"
    ),
    pytest.param((Seat("a", 9), Seat("b", 1, is_live=False)), SCATTER, "b", id="a pod that goes away first of all"),
    pytest.param((Seat("a", 9), Seat("b", 1, is_ready_to_lose=True)), SCATTER, "b", id="replaced before others"),
]


@pytest.mark.parametrize("seats, policy, expected", VICTIMS)
def test_victims_are_chosen_by_rank(seats, policy, expected):
    holding = tuple(Seat(**{**seat.__dict__, "holds_own": True}) for seat in seats)
    assert choose_victims(holding, 1, policy) == (expected,)


def test_what_replaces_nothing_goes_to_a_pod_of_its_own_first():
    seats = (Seat("a", 1, holds_sibling=True), Seat("b", 1, holds_sibling=True), Seat("c", 4), Seat("d", 5))
    assert choose_pods(seats, Wish("provider", 2, vacancies=1)).pods == ("c", "a")
    assert choose_pods(seats, Wish("provider", 4, vacancies=9)).pods == ("c", "d", "a", "b")


def test_too_few_pods_are_explained_as_the_scheduler_words_it():
    seats = (Seat("a"), Seat("b"), *(Seat(str(n), 1, 1) for n in range(3)), Seat("c", holds_own=True))
    choice = choose_pods(seats, Wish("provider", 4))
    assert choice.explanation == "2/6 base pods fit: 3 at max-module-count, 1 already holds provider"
    assert len(choice.pods) == 2


def test_the_worked_examples_of_the_docstrings_hold():
    assert doctest.testmod(placement).failed == 0


def test_an_old_revision_never_comes_back_beside_the_one_that_replaced_it():
    seats = (Seat("a", 1, holds_sibling=True), Seat("b", 4))
    assert choose_pods(seats, Wish("provider", 1, is_beside=False)).pods == ("b",)
