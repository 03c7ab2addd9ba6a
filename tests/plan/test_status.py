"""What users and their tools read from the status (contract 3, semantics 11)."""

import pytest

from arkwright.model.kinds import ModulePhase, Progress, ReleaseStatus
from arkwright.plan.replicas import Replicas
from arkwright.plan.status import conditions, slowest, tally
from plan.builders import NOW, available, deployment, later, module, spec


def release(progress=Progress.EXECUTING, **more):
    stood = {"update_revision": "demo-replicas-1", "current_batch": 1, "real_batch_count": 2} | more
    return ReleaseStatus(progress=progress, last_transition_time=NOW, **stood)


def read(the_release, modules=(), *, desired=2, failure=None, now=NOW):
    """type -> (status, reason, message)"""
    counted = tally(desired, Replicas.of(modules), (), 0, now)
    found = conditions(deployment(spec(desired)), the_release, counted, failure, now)
    return {one.type: (one.status, one.reason, one.message) for one in found}


BOTH = (available(on=1), available(on=2))
PHASES = [
    pytest.param(release(), (), ("False", "False", "True"), id="under way"),
    pytest.param(release(), BOTH, ("True", "False", "True"), id="all there, and not said to be complete"),
    pytest.param(release(Progress.COMPLETED), BOTH, ("True", "True", "False"), id="complete"),
    pytest.param(release(Progress.COMPLETED), BOTH[:1], ("False", "False", "True"), id="complete, and one lost since"),
    pytest.param(release(Progress.PAUSED), BOTH[:1], ("False", "False", "True"), id="paused"),
]


@pytest.mark.parametrize("the_release, modules, expected", PHASES)
def test_available_ready_and_reconciling_agree_with_the_truth(the_release, modules, expected):
    said = read(the_release, modules)
    assert tuple(said[kind][0] for kind in ("Available", "Ready", "Reconciling")) == expected


def test_a_batch_that_waits_for_a_person_says_how_to_go_on():
    waiting = release(Progress.PAUSED, batch_progress=Progress.COMPLETED)
    ask = (
        "batch 1/2 is complete and waits for a person; to go on: set spec.pause to false, or spec.confirmBatchNum to 1"
    )
    assert read(waiting)["Progressing"] == ("Unknown", "DeploymentPaused", ask)


STALLS = [
    pytest.param(release(), (), 599, "False", id="in time"),
    pytest.param(release(), (), 600, "True", id="nothing has moved for ten minutes"),
    pytest.param(release(Progress.PAUSED), (), 9999, "False", id="a pause is not counted"),
    pytest.param(release(next_reconcile_time=later(9999)), (), 9000, "False", id="gray time is not counted"),
]


@pytest.mark.parametrize("the_release, modules, seconds, expected", STALLS)
def test_a_release_that_does_not_move_is_called_stalled(the_release, modules, seconds, expected):
    assert read(the_release, modules, now=later(seconds))["Stalled"][0] == expected


def test_an_arrival_is_progress():
    arrived = module(status=ModulePhase.AVAILABLE, last_transition_time=later(500))
    assert read(release(), (arrived,), now=later(700))["Stalled"][0] == "False"


def test_the_failure_tried_most_often_speaks_for_all():
    failing = [
        module(on=on, status=ModulePhase.FAILED, reason="InstallFailed", message=f"no {on}", attempts=on)
        for on in (1, 2)
    ]
    assert slowest(failing).message == "demo-replicas-1-provider-2 on stock-2: no 2 (and 1 more)"


def test_min_ready_seconds_are_waited_for():
    assert tally(1, Replicas.of((available(),)), (), 10, later(9)).available == 0
    assert tally(1, Replicas.of((available(),)), (), 10, later(10)).available == 1


def test_a_pod_with_two_versions_counts_once():
    counted = tally(1, Replicas.of((available("2.0", revision=2),)), (Replicas.of([available()]),), 0, NOW)
    assert (counted.ready, counted.updated_ready) == (1, 1)
