"""The state machine of a release as flipbooks: what is counted goes in, what is allowed comes out, page by page."""

import pytest
from msgspec.structs import replace

from arkwright.model.kinds import Progress, ReleaseStatus
from arkwright.plan.release import Counts, Release, plan_release
from plan.builders import NOW, later, spec


class Flipbook:
    """One release. `turn` plans a page, obeys it (the spec's changes too) and returns the step."""

    def __init__(self, the_spec, desired=None):
        self.spec, self.status = the_spec, ReleaseStatus()
        self.desired = the_spec.replicas if desired is None else desired
        self.planned, self.granted, self.present, self.available, self.old = 0, 0, 0, 0, 0
        self.revision, self.now = "rs-1", NOW

    def turn(self):
        counts = Counts(self.desired, self.planned, self.granted, self.present, self.available, self.old)
        step = plan_release(Release(self.spec, self.status, counts), self.revision, self.now)
        for name, value in step.spec_changes.items():
            self.set(**{{"pause": "pause", "confirmBatchNum": "confirm_batch_num"}[name]: value or False})
        self.status, self.granted, self.planned = step.release, step.target, self.desired
        return step

    def set(self, **changes):
        self.spec = replace(self.spec, **changes)

    def arrive(self, old_left=0):
        """All that was granted is there and available."""
        self.present = self.available = self.granted
        self.old = old_left

    @property
    def page(self):
        return (str(self.status.progress), self.status.current_batch, self.granted)


def test_two_batches_without_anybody_waiting():
    book = Flipbook(spec(3, batch_count=2))
    book.turn()
    assert book.page == ("Executing", 1, 2), "page 1/4"
    book.turn()
    assert book.page == ("Executing", 1, 2), "page 2/4: a batch that is not complete lets nothing follow"
    book.arrive()
    book.turn()
    assert book.page == ("Executing", 2, 3), "page 3/4"
    book.arrive()
    book.turn()
    assert book.page == ("Completed", 2, 3), "page 4/4"


def paused_after_batch_1(**more):
    book = Flipbook(spec(3, batch_count=3, need_confirm=True, **more))
    book.turn()
    book.arrive()
    book.turn()
    assert (book.page, book.spec.pause) == (("WaitingForConfirmation", 1, 1), True)
    book.turn()
    assert book.page == ("Paused", 1, 1)
    return book


def test_a_confirm_by_pause_moves_one_batch():
    book = paused_after_batch_1()
    book.set(pause=False)
    book.turn()
    assert book.page == ("Executing", 2, 2)


@pytest.mark.parametrize("number, then", [(1, ("WaitingForConfirmation", 2, 2)), (2, ("Executing", 3, 3))])
def test_a_confirm_by_number_confirms_through_that_batch(number, then):
    book = paused_after_batch_1()
    book.set(confirm_batch_num=number)
    book.turn()
    assert (book.page, book.spec.pause) == (("Executing", 2, 2), False), "page 1/2: never skips an unfinished batch"
    book.arrive()
    book.turn()
    assert book.page == then, "page 2/2"


def test_a_confirm_of_an_earlier_release_is_withdrawn_when_the_next_begins():
    book = paused_after_batch_1()
    book.set(confirm_batch_num=9)
    book.revision, book.granted, book.present, book.available, book.old = "rs-2", 0, 0, 0, 1
    step = book.turn()
    assert step.spec_changes == {"pause": None, "confirmBatchNum": None}
    assert (book.page, book.spec.confirm_batch_num) == (("Executing", 1, 1), 0)


def test_a_new_version_supersedes_a_paused_release_at_once():
    book = paused_after_batch_1()
    book.revision, book.granted, book.old = "rs-2", 0, 1
    step = book.turn()
    assert [reason for reason, _ in step.told] == ["ReleaseSuperseded", "ReleaseStarted"]
    assert step.told[0][1] == "rs-1 is superseded in batch 1/3"


def test_both_fields_are_back_when_the_release_completes():
    book = paused_after_batch_1()
    book.set(confirm_batch_num=3)
    for _ in range(4):
        book.turn()
        book.arrive()
    assert (book.page, book.spec.pause, book.spec.confirm_batch_num) == (("Completed", 3, 3), False, 0)


def test_gray_time_counts_from_the_completion_and_ends_by_itself():
    book = Flipbook(spec(2, batch_count=2, gray_time_between_batch_seconds=120))
    book.turn()
    book.arrive()
    step = book.turn()
    assert (book.page, step.look_again_in) == (("Executing", 1, 1), 120), "page 1/3"
    book.now = later(119)
    assert book.turn().look_again_in == 1 and book.granted == 1, "page 2/3"
    book.now = later(120)
    book.turn()
    assert book.page == ("Executing", 2, 2), "page 3/3"


def test_a_pause_set_by_a_user_holds_before_the_next_move_and_withdraws_confirms():
    book = Flipbook(spec(2, batch_count=2))
    book.turn()
    book.set(pause=True, confirm_batch_num=5)
    book.turn()
    assert (book.page, book.spec.confirm_batch_num) == (("Paused", 1, 1), 0), "page 1/3"
    book.arrive()
    book.turn()
    assert book.page == ("Paused", 1, 1), "page 2/3"
    book.set(pause=False)
    book.turn()
    assert book.page == ("Executing", 2, 2), "page 3/3"


def test_a_batch_of_an_upgrade_is_complete_when_the_old_ones_are_gone():
    book = Flipbook(spec(2, batch_count=2))
    book.old = 2
    book.turn()
    book.arrive(old_left=2)
    book.turn()
    assert book.page == ("Executing", 1, 1), "page 1/2: the new one is there, the old one too"
    book.arrive(old_left=1)
    book.turn()
    assert book.page == ("Executing", 2, 2), "page 2/2"


def test_scaling_in_goes_in_batches_too():
    book = Flipbook(spec(4, batch_count=1))
    book.turn()
    book.arrive()
    book.turn()
    book.set(operation_strategy=spec(batch_count=2).operation_strategy, replicas=1)
    book.desired = 1
    book.turn()
    assert book.page == ("Executing", 1, 2), "page 1/3: 3 moves in 2 batches are 2 and 1"
    book.turn()
    assert book.page == ("Executing", 1, 2), "page 2/3: until two are gone"
    book.arrive()
    book.turn()
    assert book.page == ("Executing", 2, 1), "page 3/3"


def test_more_replicas_in_the_middle_make_a_new_plan_that_keeps_what_is_moved():
    book = Flipbook(spec(4, batch_count=2))
    book.turn()
    book.arrive()
    book.turn()
    assert book.page == ("Executing", 2, 4)
    book.desired = 8
    book.set(replicas=8)
    book.turn()
    assert (book.page, book.status.real_batch_count) == (("Executing", 1, 4), 2)


def test_nothing_to_move_is_complete_at_once():
    book = Flipbook(spec(0))
    assert book.turn().told == () and book.page == ("Completed", 0, 0)


def test_symmetric_mode_follows_the_live_pods_outside_batches():
    book = Flipbook(spec(-1, batch_count=2), desired=2)
    for _ in range(3):
        book.turn()
        book.arrive()
    assert str(book.status.progress) == Progress.COMPLETED
    book.desired = 5
    book.turn()
    assert book.page[2] == 5
