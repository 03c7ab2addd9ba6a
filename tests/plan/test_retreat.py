"""A deletion in batches that waits for nobody, page by page (semantics 7)."""

from arkwright.model.kinds import Progress, ReleaseStatus
from arkwright.plan.retreat import plan_retreat
from plan.builders import NOW, later, spec

PAUSED = ReleaseStatus(update_revision="demo-replicas-1", progress=Progress.PAUSED, current_batch=1, real_batch_count=3)


def retreat(*observed):
    """(status, how many may stay)"""
    step = plan_retreat(*observed)
    return step.release, step.staying


def test_a_deletion_goes_in_batches_whatever_the_release_waited_for():
    wish = spec(4, batch_count=2, need_confirm=True, pause=True)
    status, left = retreat(wish, PAUSED, 4, 0, NOW)
    assert (str(status.progress), status.current_batch, left) == ("Terminating", 1, 2), (
        "page 1/4: half may stay for now"
    )
    status, left = retreat(wish, status, 3, 0, NOW)
    assert (status.current_batch, left) == (1, 2), "page 2/4: one of two is gone"
    status, left = retreat(wish, status, 2, 0, NOW)
    assert (status.current_batch, left) == (2, 0), "page 3/4: the next batch"
    status, left = retreat(wish, status, 0, 0, NOW)
    assert (str(status.progress), left) == ("Terminated", 0), "page 4/4"


def test_what_cannot_be_uninstalled_holds_up_nobody_else():
    wish = spec(4, batch_count=4)
    status, left = retreat(wish, PAUSED, 4, 0, NOW)
    assert left == 3
    status, left = retreat(wish, status, 4, 1, NOW)
    assert (status.current_batch, left) == (2, 2)


def test_each_batch_that_is_over_is_told_once():
    wish = spec(4, batch_count=2)
    steps = [plan_retreat(wish, PAUSED, 4, 0, NOW)]
    for present in (3, 2, 1, 0, 0):
        steps.append(plan_retreat(wish, steps[-1].release, present, 0, NOW))
    told = [words for step in steps for _, words in step.told]
    assert told == ["Uninstalled 2 of 4, batch 1/2 is over", "Uninstalled 4 of 4, batch 2/2 is over"]


def test_a_deletion_that_is_over_stays_as_it_is():
    over = plan_retreat(spec(0), ReleaseStatus(), 0, 0, NOW).release
    assert plan_retreat(spec(0), over, 0, 0, later(5)).release == over
