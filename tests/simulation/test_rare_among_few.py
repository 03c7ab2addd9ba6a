"""Whole rollouts in which what is rare among few is the rule, as it is among thousands.

Bases are asked all the time what they hold, so that changes meet questions under way; watches are too old again and again, so that all is listed
anew while writes are answered.
"""

import asyncio

import pytest

from simulation.test_rollouts import Rollout, RoughRollout

pytestmark = pytest.mark.looptime(noop_cycles=0)  # there is no real I/O to wait for
USUAL_SEEDS = 25


@pytest.mark.parametrize("kind", [Rollout, RoughRollout])
async def test_a_rollout_arrives_while_bases_are_asked_what_they_hold(kind, seed):
    await kind(seed, drift_seconds=0.3).play()


class Undying:
    """A controller that begins anew knows nothing wrong any more: here none does."""

    async def _kill(self):
        await asyncio.Event().wait()


class UndyingRollout(Undying, Rollout):
    pass


class UndyingRoughRollout(Undying, RoughRollout):
    pass


@pytest.mark.parametrize("kind", [UndyingRollout, UndyingRoughRollout])
async def test_a_rollout_arrives_while_all_is_listed_anew(kind, seed):
    await kind(seed, forgetting=0.05).play()
