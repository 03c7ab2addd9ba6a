"""The number at once follows what comes through, whatever one of them takes."""

import random
import statistics

import pytest

from arkwright.controller.hillclimb import HillClimb

SERVERS = {  # what comes through each second with n at once; between which numbers it is to settle
    "gathers writes into one sync of its disk": (lambda n: n / 0.046, (58, 64)),
    "works on twenty at once": (lambda n: min(n, 20) / 0.01, (14, 32)),
    "works on one at once": (lambda n: 300, (4, 8)),
    "gets slower the more it has": (lambda n: min(n, 10) / 0.01 * min(1, 10 / n) ** 0.3, (4, 16)),
}


def play(climb, server, writes, noise=0.0, seed=0, now=0.0):
    """The numbers at which the writes were made."""
    rng, limits = random.Random(seed), []
    for _ in range(writes):
        now += rng.uniform(1 - noise, 1 + noise) / server(climb.limit)
        climb.count(now, is_full=True)
        limits.append(climb.limit)
    return limits


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_it_settles_where_more_bring_no_more(server, noise):
    through, (least, most) = SERVERS[server]
    for seed in range(20 if noise else 1):
        limits = play(HillClimb(16, 4, 64), through, 20_000, noise, seed)
        assert least <= statistics.median(limits[10_000:]) <= most, seed


def test_it_is_there_soon():
    limits = play(HillClimb(16, 4, 64), SERVERS["gathers writes into one sync of its disk"][0], 2_000)
    assert limits[-1] == 64


def test_it_follows_a_server_that_changes():
    climb = HillClimb(16, 4, 64)
    changes = ((lambda n: min(n, 48) * 50, 36, 64), (lambda n: min(n, 8) * 50, 4, 12)) * 2
    for hour, (through, least, most) in enumerate(changes):
        limits = play(climb, through, 12_000, now=hour * 3600.0)
        assert least <= statistics.median(limits[8_000:]) <= most


def test_where_fewer_are_wanted_than_may_be_nothing_is_learnt():
    climb = HillClimb(16, 4, 64)
    for second in range(10_000):
        climb.count(second / 100, is_full=second % 50 != 0)
    assert climb.limit == 16


def test_a_refusal_halves_it_and_it_grows_again():
    climb = HillClimb(64, 4, 64)
    for _ in range(5):
        climb.halve()
    assert climb.limit == 2
    assert play(climb, lambda n: n * 20, 12_000)[-1] > 40


@pytest.mark.parametrize("most", [1, 2, 3])
def test_few_are_kept_to(most):
    assert set(play(HillClimb(16, 4, most), lambda n: n * 100, 3_000)) == {most}
