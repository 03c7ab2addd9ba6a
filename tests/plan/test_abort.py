"""A release that a person gives up, page by page (semantics 4)."""

import pytest
from msgspec.structs import replace

from arkwright.model.kinds import ModuleDeploymentStatus, Progress, ReleaseStatus
from arkwright.model.names import ABORT
from arkwright.plan.abort import is_void, stable_instead
from arkwright.plan.deployment import plan_deployment
from arkwright.plan.intents import Patch, SetStatus
from arkwright.plan.overview import ObservedDeployment
from plan.builders import NOW, available, deployment, module, replica_set, revision, spec

STABLE = revision(replica_set("1.0", 1, 2), (available("1.0", 1), available("1.0", 2)))
SUPERSEDED = revision(replica_set("1.5", 2, 0))
GIVEN_UP = revision(replica_set("2.0", 3, 1), (module("2.0", 1, revision=3),))


def wish(named="demo-replicas-3", version="2.0", towards="demo-replicas-3", progress=Progress.PAUSED, **more):
    release = ReleaseStatus(update_revision=towards, current_batch=1, real_batch_count=2, progress=progress)
    one = deployment(spec(2, version, **more), annotations={ABORT: named} if named else {})
    return replace(one, status=ModuleDeploymentStatus(replicas=2, release_status=release))


CHOICES = [
    pytest.param(wish(), STABLE, id="the one that serves on most pods, not the newest"),
    pytest.param(wish(named=""), None, id="nobody asked"),
    pytest.param(wish(named="demo-replicas-1"), None, id="another release was meant"),
    pytest.param(wish(version="3.0"), None, id="another version is asked for by now"),
    pytest.param(wish(progress=Progress.COMPLETED), None, id="it is complete"),
    pytest.param(wish(towards="demo-replicas-2"), SUPERSEDED, id="the way back has begun: its end is kept"),
]


@pytest.mark.parametrize("one, expected", CHOICES)
def test_an_abort_names_its_release_and_leads_to_what_served(one, expected):
    assert stable_instead(one, (STABLE, SUPERSEDED, GIVEN_UP)) is expected


def test_without_an_earlier_revision_there_is_no_way_back():
    assert stable_instead(wish(), (GIVEN_UP,)) is None and not is_void(wish(), (GIVEN_UP,))


def test_a_release_that_has_no_replica_set_yet_is_given_up_once_it_has():
    assert stable_instead(wish(), (STABLE,)) is None and not is_void(wish(), (STABLE,))
    assert is_void(wish(progress=Progress.COMPLETED), (STABLE, GIVEN_UP))


def test_an_annotation_that_means_nothing_any_more_is_taken_away():
    observed = ObservedDeployment(wish(named="demo-replicas-1"), revisions=(STABLE, GIVEN_UP))
    patches = [one.patch for one in plan_deployment(observed, NOW).intents if isinstance(one, Patch)]
    assert patches[0]["metadata"]["annotations"] == {ABORT: None}


def test_an_abort_lifts_the_pause_and_begins_the_way_back_in_one_step():
    observed = ObservedDeployment(wish(pause=True, need_confirm=True), revisions=(STABLE, GIVEN_UP))
    intents = plan_deployment(observed, NOW).intents
    assert {"spec": {"pause": None}} in [one.patch for one in intents if isinstance(one, Patch)]
    (status,) = (one.status for one in intents if isinstance(one, SetStatus))
    assert (status["releaseStatus"]["updateRevision"], status["releaseStatus"]["progress"]) == (
        "demo-replicas-1",
        "Executing",
    )
