"""A Deployment's rollout, step by step: at no moment too many pods or too few, and in the end the new template."""

import math
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standalone.world import NOW, World, deployment


def rolling(surge, unavailable):
    return {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}}


def grown(wish):
    return World(wish).settle().make_ready()


def test_a_new_deployment_has_all_its_pods_at_once():
    world = World(deployment(replicas=3)).settle()
    assert world.images() == ["1", "1", "1"]
    assert world.condition("Available") == ("False", "MinimumReplicasUnavailable")
    world.make_ready()
    assert world.condition("Available") == ("True", "MinimumReplicasAvailable")
    assert world.condition("Progressing") == ("True", "NewReplicaSetAvailable")
    counts = {name: world.deployment["status"][name] for name in ("replicas", "updatedReplicas", "availableReplicas")}
    assert counts == {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}


@pytest.mark.parametrize(
    "surge, unavailable, first, second",
    [
        (1, 0, ["1", "1", "1", "1", "2"], ["1", "1", "1", "2", "2"]),
        (0, 1, ["1", "1", "1", "2"], ["1", "1", "2", "2"]),
        (2, 2, ["1", "1", "2", "2", "2", "2"], ["2", "2", "2", "2"]),
        ("25%", "25%", ["1", "1", "1", "2", "2"], ["1", "2", "2", "2", "2"]),
        ("100%", 0, ["1", "1", "1", "1", "2", "2", "2", "2"], ["2", "2", "2", "2"]),
        (0, 0, ["1", "1", "1", "2"], ["1", "1", "2", "2"]),
    ],
)
def test_a_release_of_four(surge, unavailable, first, second):
    """Before any new pod is ready, and after those that came first are."""
    world = grown(deployment(replicas=4, **rolling(surge, unavailable))).release("2")
    assert world.images() == first
    assert world.make_ready().images() == second


def test_recreate_ends_all_before_it_begins():
    world = grown(deployment(replicas=2, strategy={"type": "Recreate"}))
    seen = []
    world._watch = lambda: seen.append(world.images())
    world.release("2")
    assert world.images() == ["2", "2"]
    assert [] in seen and not any(len(set(one)) > 1 for one in seen)


def test_recreate_waits_for_pods_that_are_leaving():
    world = World(deployment(replicas=2, strategy={"type": "Recreate"}), lingers=True).settle().make_ready()
    world.release("2")
    assert world.images() == ["1", "1"] and world.deployment["status"]["terminatingReplicas"] == 2
    first, second = world.pods
    assert world.lose(first).images() == ["1"]
    assert world.lose(second).images() == ["2", "2"]
    assert "terminatingReplicas" not in world.deployment["status"]


def test_a_paused_deployment_makes_no_new_pods_but_scales():
    world = grown(deployment(replicas=2))
    world.deployment["spec"]["paused"] = True
    assert world.release("2").images() == ["1", "1"]
    world.deployment["spec"]["paused"] = False
    assert "2" in world.settle().images()


def test_an_old_template_that_comes_back_is_the_newest_revision():
    world = grown(deployment(replicas=1))
    for image in ("2", "1"):
        world.release(image)
        while world.waiting():
            world.make_ready()
    assert world.images() == ["1"]
    assert world.revisions() == {"1": "3", "2": "2"}
    assert world.deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"


def test_as_many_old_revisions_are_kept_as_the_limit_says():
    world = grown(deployment(replicas=1, revisionHistoryLimit=1))
    for image in ("2", "3", "4"):
        world.release(image)
        while world.waiting():
            world.make_ready()
    assert sorted(world.revisions()) == ["3", "4"]


def test_a_pod_counts_when_it_was_ready_long_enough():
    world = World(deployment(replicas=1, minReadySeconds=10)).settle()
    world.make_ready(since="2025-12-31T23:59:55Z")
    assert world.condition("Available")[0] == "False"
    world.settle(NOW + timedelta(seconds=6))
    assert world.condition("Available")[0] == "True"


def progressing(world, seconds):
    return world.settle(NOW + timedelta(seconds=seconds)).condition("Progressing")


FAILED = ("False", "ProgressDeadlineExceeded")
MOVES = ("True", "ReplicaSetUpdated")
COMPLETE = ("True", "NewReplicaSetAvailable")


def test_a_rollout_of_which_nothing_moves_has_failed_at_its_deadline():
    world = grown(deployment(replicas=2, progressDeadlineSeconds=60, **rolling(1, 0))).release("2")
    assert world.look_again_in(NOW) == 60
    assert progressing(world, 59) == MOVES
    assert progressing(world, 60) == FAILED
    assert world.look_again_in(NOW) is None
    assert progressing(world, 70) == FAILED
    assert world.images() == ["1", "1", "2"], "what serves is left alone"


def test_each_pod_that_comes_gives_a_rollout_its_time_anew():
    world = grown(deployment(replicas=2, progressDeadlineSeconds=60, **rolling(1, 0))).release("2")
    world.settle(NOW + timedelta(seconds=50))
    world.make_ready(now=NOW + timedelta(seconds=50))
    assert progressing(world, 109) == MOVES
    assert progressing(world, 110) == FAILED


def test_a_rollout_that_has_failed_is_complete_once_its_pods_come_or_another_template():
    world = grown(deployment(replicas=2, progressDeadlineSeconds=60, **rolling(1, 0))).release("2")
    assert progressing(world, 60) == FAILED
    world.make_ready(now=NOW + timedelta(seconds=90))
    assert world.condition("Progressing") == MOVES
    world.make_ready(now=NOW + timedelta(seconds=91))
    assert world.condition("Progressing") == COMPLETE
    world.release("3", NOW + timedelta(seconds=100))
    assert progressing(world, 160) == FAILED
    world.release("2", NOW + timedelta(seconds=170))
    assert world.condition("Progressing") == COMPLETE


def test_what_is_complete_has_no_deadline_any_more():
    world = grown(deployment(replicas=2, progressDeadlineSeconds=60))
    world.lose(world.pods.copy().popitem()[0])
    assert progressing(world, 300) == COMPLETE
    assert world.condition("Available") == ("False", "MinimumReplicasUnavailable")


def test_a_pause_stops_the_clock():
    world = grown(deployment(replicas=2, progressDeadlineSeconds=60, **rolling(1, 0))).release("2")
    world.deployment["spec"]["paused"] = True
    assert progressing(world, 30) == ("Unknown", "DeploymentPaused")
    assert progressing(world, 300) == ("Unknown", "DeploymentPaused")
    world.deployment["spec"]["paused"] = False
    assert progressing(world, 310) == MOVES
    assert progressing(world, 369) == MOVES
    assert progressing(world, 370) == FAILED


def share(wish, replicas, round_up):
    if isinstance(wish, int):
        return wish
    exact = int(wish[:-1]) * replicas / 100
    return math.ceil(exact) if round_up else math.floor(exact)


shares = st.one_of(st.integers(0, 4), st.sampled_from(["10%", "25%", "50%", "100%"]))


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 9), shares, shares, st.lists(st.integers(0, 8), max_size=8), st.randoms())
def test_never_too_many_and_never_too_few(replicas, surge, unavailable, steps, chance):
    """Pods become ready in any order, another release may come in between; Kubernetes' two bounds hold after every step."""
    world = grown(deployment(replicas=replicas, **rolling(surge, unavailable)))
    most = replicas + share(surge, replicas, round_up=True)
    least = replicas - max(share(unavailable, replicas, round_up=False), 0 if most > replicas else 1)

    def look():
        ready = len(world.pods) - len(world.waiting())
        assert len(world.pods) <= most, f"{len(world.pods)} pods, {most} allowed"
        assert ready >= least, f"{ready} ready, {least} needed"

    world._watch = look
    world.release("2")
    for step in steps:
        if step == 8:
            world.release(chance.choice("123"))
        elif waiting := world.waiting():
            world.make_ready(chance.choice(waiting))
    wanted = world.deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    while world.waiting():
        world.make_ready()
    assert world.images() == [wanted] * replicas
