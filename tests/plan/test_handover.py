"""How many replicas the old revision keeps, as tables (semantics 5, 6)."""

import doctest

import pytest

from arkwright.model.kinds import ModulePhase
from arkwright.model.outcomes import Reason
from arkwright.plan import handover
from arkwright.plan.contention import REFUSED_BESIDE
from arkwright.plan.handover import Handover, held_up, old_counts
from plan.builders import NOW, available, later, module, replica_set, revision, spec


def kept(new, old, *, replicas, granted=None, **strategy):
    """Replicas of the one old revision. `new`, `old`: its Modules."""
    current = revision(replica_set("2.0", 2), tuple(new))
    before = revision(replica_set("1.0", 1, granted or len(old)), tuple(old))
    wish = Handover(spec(replicas, "2.0", **strategy), replicas, current, (before,))
    return old_counts(wish, NOW)[before.name]


def new(on, status=None, **more):
    return module("2.0", on, status=status, revision=2, **more)


READY, FAILED = ModulePhase.AVAILABLE, ModulePhase.FAILED
OLD = (available(on=1), available(on=2))
IN_PLACE = [
    pytest.param((), 2, id="nothing new: all stay"),
    pytest.param((new(1),), 2, id="placed is not enough"),
    pytest.param((new(1, FAILED),), 2, id="a failure costs nothing"),
    pytest.param((new(1, READY),), 1, id="an available successor replaces one"),
    pytest.param((new(1, READY), new(2, READY)), 0, id="all arrived"),
]


@pytest.mark.parametrize("successors, expected", IN_PLACE)
def test_install_then_uninstall_lets_go_what_has_a_successor(successors, expected):
    assert kept(successors, OLD, replicas=2) == expected


OLD_FIRST = [
    pytest.param((new(1), new(2)), None, 0, id="the batch is the bound where nothing else is said"),
    pytest.param((new(1), new(2)), 1, 1, id="one at a time"),
    pytest.param((new(1), new(2)), "50%", 1, id="50% of 2 is 1"),
    pytest.param((new(1), new(2)), "49%", 2, id="49% of 2 rounds down to 0: nothing moves"),
    pytest.param((new(1),), None, 1, id="only pods of the batch"),
]


@pytest.mark.parametrize("successors, bound, expected", OLD_FIRST)
def test_uninstall_then_install_is_bounded(successors, bound, expected):
    strategy = {"upgrade_policy": "uninstall_then_install", "max_unavailable": bound}
    assert kept(successors, OLD, replicas=2, **strategy) == expected


def test_a_successor_that_is_not_there_yet_uses_up_what_may_be_unavailable():
    strategy = {"upgrade_policy": "uninstall_then_install", "max_unavailable": 1}
    assert kept((new(1, FAILED), new(2)), OLD[1:], replicas=2, granted=1, **strategy) == 1


def conflicted(on):
    return new(on, FAILED, reason=Reason.WEB_PATH_CONFLICT)


def test_where_two_versions_share_a_web_path_one_pod_goes_first_as_long_as_another_serves():
    assert kept((conflicted(1), conflicted(2)), OLD, replicas=2) == 1


def test_where_no_other_pod_serves_nothing_leaves_and_the_way_out_is_named():
    current, before = revision(replica_set("2.0", 2), (conflicted(1),)), revision(replica_set("1.0", 1), OLD[:1])
    wish = Handover(spec(1, "2.0"), 1, current, (before,))
    assert old_counts(wish, NOW) == {before.name: 1}
    assert "set upgradePolicy uninstall_then_install" in held_up(wish).message


def test_an_allowance_that_rounds_down_to_nothing_is_told_with_its_arithmetic():
    current, before = revision(replica_set("2.0", 2), (new(1),)), revision(replica_set("1.0", 1), OLD[:1])
    wish = Handover(
        spec(1, "2.0", upgrade_policy="uninstall_then_install", max_unavailable="50%"), 1, current, (before,)
    )
    said = "maxUnavailable 50% of 1 replicas is 0, rounded down; uninstall_then_install needs at least 1"
    assert (held_up(wish).reason, held_up(wish).message) == ("MaxUnavailableExceeded", said)


def test_what_is_unavailable_already_is_told_with_its_arithmetic():
    current, before = revision(replica_set("2.0", 2), (new(1),)), revision(replica_set("1.0", 1), OLD[:1])
    wish = Handover(spec(3, "2.0", upgrade_policy="uninstall_then_install", max_unavailable=1), 3, current, (before,))
    assert held_up(wish).message == "2 of 3 replicas are unavailable already, maxUnavailable allows 1"


@pytest.mark.parametrize(
    ("successors", "is_told"),
    [
        ((new(1), new(2)), False),  # it moves: what is missing is what was taken out to make room
        ((new(1, FAILED), new(2)), True),  # it came to nothing there, and the next may not be taken out
        ((new(2),), True),  # what is missing is missing for another reason
    ],
)
def test_a_move_that_uses_up_what_may_be_unavailable_is_no_news(successors, is_told):
    current, before = revision(replica_set("2.0", 2), successors), revision(replica_set("1.0", 1), OLD[1:])
    strategy = {"upgrade_policy": "uninstall_then_install", "max_unavailable": 1}
    wish = Handover(spec(len(OLD), "2.0", **strategy), len(OLD), current, (before,))
    assert bool(held_up(wish)) == is_told


def test_a_superseded_version_that_has_only_begun_to_come_goes_at_once():
    third = revision(replica_set("3.0", 3), (module("3.0", 1, revision=3),))
    current, before = revision(replica_set("2.0", 4), ()), revision(replica_set("1.0", 1), OLD)
    wish = Handover(spec(2, "2.0"), 2, current, (before, third))
    assert old_counts(wish, NOW) == {before.name: 2, third.name: 0}


def test_successors_beyond_their_count_are_about_to_go_and_replace_nobody():
    current = revision(replica_set("2.0", 2, replicas=0), (new(1, READY),))
    before = revision(replica_set("1.0", 1), OLD)
    assert old_counts(Handover(spec(2, "2.0"), 2, current, (before,)), NOW) == {before.name: 2}


def test_scaleup_then_scaledown_lets_go_as_many_as_have_arrived_elsewhere():
    strategy = {"upgrade_policy": "scaleup_then_scaledown"}
    assert kept((new(3, READY),), OLD, replicas=2, **strategy) == 1


def test_an_old_module_that_was_lost_on_the_way_is_still_owed():
    assert kept((new(1),), OLD[:1], replicas=2, granted=2) == 2


def test_a_module_of_a_superseded_version_that_was_lost_is_made_up_for_by_the_stable_one():
    current, before = revision(replica_set("2.0", 4, 1), ()), revision(replica_set("1.0", 1, 1), OLD[:1])
    superseded = revision(replica_set("3.0", 3, 1), ())
    wish = Handover(spec(2, "2.0"), 2, current, (before, superseded))
    assert old_counts(wish, NOW) == {before.name: 2, superseded.name: 0}


def symmetric(old, new, pods):
    """Replicas that the stable revision keeps in symmetric mode with so many base pods."""
    current = revision(replica_set("2.0", 2, len(new)), tuple(new))
    before = revision(replica_set("1.0", 1, len(old)), tuple(old))
    wish = Handover(spec(-1, "2.0", upgrade_policy="uninstall_then_install"), pods, current, (before,))
    return old_counts(wish, NOW)[before.name]


def test_a_pod_that_appears_in_the_middle_of_a_release_is_owed_the_stable_version():
    assert symmetric(old=(available(on=1), available(on=2)), new=(new(3, READY),), pods=4) == 3


def test_what_has_to_leave_leaves_before_a_pod_that_has_appeared_gets_its_own():
    assert symmetric(old=(available(on=1), module(on=2)), new=(new(2),), pods=3) == 1


def test_the_worked_examples_of_the_docstrings_hold():
    assert doctest.testmod(handover).failed == 0


FAILED_ALONE = {"reason": Reason.INSTALL_FAILED, "conditions": (REFUSED_BESIDE,), "attempts": 7}
TURNS = [
    pytest.param((), 30, 1, id="failed with the pod for itself: the old one comes back"),
    pytest.param((available(on=1),), 30, 1, id="it stays as long as the next try is not due"),
    pytest.param((available(on=1),), -1, 0, id="then it leaves again"),
    pytest.param((module(on=1),), -1, 1, id="but not before it has come back"),
]


@pytest.mark.parametrize("old, due_in, expected", TURNS)
def test_where_two_versions_share_a_web_path_a_failing_one_gives_the_pod_back_between_its_tries(old, due_in, expected):
    failing = new(1, FAILED, next_attempt_time=later(due_in), **FAILED_ALONE)
    serving = (new(2, READY), new(3, READY))
    assert kept((failing, *serving), old, replicas=3, granted=len(old)) == expected


SEVERAL = [
    pytest.param((available(on=3), module(on=4, status=FAILED)), {"1": 1, "2": 1}, id="a failing one of a newer revision"),
    pytest.param((available(on=3), available(on=4)), {"1": 0, "2": 2}, id="all serve: that of the least stable revision"),
    pytest.param((module(on=3), module(on=4)), {"1": 1, "2": 1}, id="those that have only begun to come"),
]  # fmt: skip


@pytest.mark.parametrize("newer, expected", SEVERAL)
def test_of_too_many_old_ones_what_does_not_serve_is_given_up_first(newer, expected):
    first = revision(replica_set("1.0", 1, 1), (available(on=1),))
    second = revision(replica_set("2.0", 2, 2), newer)
    wish = Handover(spec(2, "3.0"), 2, revision(replica_set("3.0", 3, 2)), (first, second))
    assert old_counts(wish, NOW) == {f"demo-replicas-{number}": count for number, count in expected.items()}
