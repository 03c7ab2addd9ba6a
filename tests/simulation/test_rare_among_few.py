"""Whole rollouts while bases are asked all the time what they hold: every change meets a question that is under way, as many do among thousands."""

import pytest

from simulation.test_rollouts import Rollout, RoughRollout

pytestmark = pytest.mark.looptime(noop_cycles=0)  # there is no real I/O to wait for
USUAL_SEEDS = 25


@pytest.mark.parametrize("kind", [Rollout, RoughRollout])
async def test_a_rollout_arrives_while_bases_are_asked_what_they_hold(kind, seed):
    await kind(seed, drift_seconds=0.3).play()
