"""Batches: the table of semantics 3 and what must hold for every input."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arkwright.plan import batches
from arkwright.plan.batches import batch_sizes

WORKED = [
    pytest.param(2, 2, False, (1, 2), id="2 moves in 2 batches"),
    pytest.param(3, 2, False, (2, 3), id="3 moves in 2 batches"),
    pytest.param(3, 3, False, (1, 2, 3), id="3 moves in 3 batches"),
    pytest.param(5, 4, False, (2, 3, 4, 5), id="5 moves in 4 batches"),
    pytest.param(10, 3, False, (4, 7, 10), id="10 moves in 3 batches"),
    pytest.param(10, 3, True, (1, 6, 10), id="beta, 10 moves in 3 batches"),
    pytest.param(4, 2, True, (1, 4), id="beta, 4 moves in 2 batches"),
    pytest.param(4, 1, True, (1, 4), id="beta makes at least 2 batches"),
    pytest.param(1, 3, True, (1,), id="beta, a single move"),
    pytest.param(3, 0, False, (3,), id="batchCount 0 acts as 1"),
    pytest.param(2, 9, False, (1, 2), id="never more batches than moves"),
    pytest.param(0, 3, True, (), id="nothing to move"),
]


@pytest.mark.parametrize("moves, batch_count, use_beta, expected", WORKED)
def test_batches_are_cut_as_the_rule_says(moves, batch_count, use_beta, expected):
    assert batch_sizes(moves, batch_count, use_beta).moved_after == expected


@given(st.integers(1, 500), st.integers(0, 60), st.booleans())
def test_every_batch_moves_something_and_the_last_ends_at_all(moves, batch_count, use_beta):
    plan = batch_sizes(moves, batch_count, use_beta)
    steps = [after - before for before, after in zip((0, *plan.moved_after), plan.moved_after, strict=False)]
    assert min(steps) >= 1 and plan.moved(plan.count) == moves
    assert not (use_beta and moves > 1) or steps[0] == 1


@given(st.integers(1, 200), st.integers(1, 20), st.booleans())
def test_the_batch_of_a_count_is_the_one_that_its_last_move_belongs_to(moves, batch_count, use_beta):
    plan = batch_sizes(moves, batch_count, use_beta)
    for done in range(1, moves + 1):
        batch = plan.batch_with(done)
        assert plan.moved(batch - 1) < done <= plan.moved(batch)


def test_the_worked_examples_of_the_docstrings_hold():
    assert doctest.testmod(batches).failed == 0
