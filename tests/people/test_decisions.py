"""What a person may do about a release: what it says before, what it writes, and why not. In: a release as it stands. Out: a Decision or a reason."""

import pytest
from msgspec.structs import replace

from arkwright.model.kinds import ModuleDeploymentStatus, Progress, ReleaseStatus
from arkwright.people.acting import Person, note_of, signatures, signed
from arkwright.people.decisions import MakesNoSense, Scene, Verb, Wish, decide
from plan.builders import NOW, deployment, replica_set, spec

HELD_AT_1 = {
    "progress": Progress.PAUSED,
    "batch_progress": Progress.COMPLETED,
    "current_batch": 1,
    "real_batch_count": 2,
}
WITHIN_1 = HELD_AT_1 | {"batch_progress": Progress.EXECUTING}
RUNNING = WITHIN_1 | {"progress": Progress.EXECUTING}
DONE = HELD_AT_1 | {"progress": Progress.COMPLETED}
ABORTED = "serverless.alipay.com/abort"


def scene(standing, *, revisions=("2.0", "1.0"), pause=False, annotations=None, **strategy):
    strategy = {"batch_count": 2, "need_confirm": True} | strategy
    one = deployment(spec(4, revisions[0], pause=pause, **strategy), annotations=annotations or {})
    named = f"{one.name}-replicas-{len(revisions)}"
    release = ReleaseStatus(update_revision=named, original_delta_replicas=4, **standing)
    status = ModuleDeploymentStatus(observed_generation=one.metadata.generation, release_status=release)
    sets = tuple(replica_set(version, len(revisions) - at) for at, version in enumerate(revisions))
    sets = tuple(
        replace(each, metadata=replace(each.metadata, name=f"{one.name}-replicas-{len(revisions) - at}"))
        for at, each in enumerate(sets)
    )
    return Scene(replace(one, status=status), sets, NOW)


DOES = [
    (
        scene(HELD_AT_1, pause=True),
        Wish(Verb.CONFIRM),
        "Batch 2 of 2 begins: provider:2.0 goes to 2 more base pods.",
        {"confirmBatchNum": 1},
    ),
    (
        scene(HELD_AT_1 | {"real_batch_count": 4}, pause=True, batch_count=4),
        Wish(Verb.CONFIRM, batch=2),
        "Batches 2 to 3 of 4 begin, one after another: provider:2.0 goes to 2 more base pods.",
        {"confirmBatchNum": 2},
    ),
    (
        scene(HELD_AT_1, pause=True, gray_time_between_batch_seconds=300),
        Wish(Verb.CONFIRM),
        "Batch 2 of 2 begins after 300 s of gray time: provider:2.0 goes to 2 more base pods.",
        {"confirmBatchNum": 1},
    ),
    (
        scene(HELD_AT_1 | {"real_batch_count": 4}, pause=True, batch_count=4, gray_time_between_batch_seconds=300),
        Wish(Verb.CONFIRM, batch=2),
        "Batches 2 to 3 of 4 begin, one after another, each after 300 s of gray time: provider:2.0 goes to 2 more base pods.",
        {"confirmBatchNum": 2},
    ),
    (
        scene(HELD_AT_1, pause=True),
        Wish(Verb.CONFIRM, batch=2),
        "Batch 2 of 2 begins: provider:2.0 goes to 2 more base pods.",
        {"confirmBatchNum": 2},
    ),
    (
        scene(RUNNING),
        Wish(Verb.PAUSE),
        "Nothing new begins; what is being installed now ends as it was begun.",
        {"pause": True},
    ),
    (scene(WITHIN_1, pause=True), Wish(Verb.RESUME), "The release goes on in batch 1/2.", {"pause": False}),
    (
        scene(DONE),
        Wish(Verb.SCALE, replicas=-1),
        "replicas 4 → -1: the module is to be on every base pod.",
        {"replicas": -1},
    ),
    (scene(DONE), Wish(Verb.SCALE, replicas=0), "replicas 4 → 0: the module is to be on 0 base pods.", {"replicas": 0}),
]


@pytest.mark.parametrize(("there", "wish", "what", "written"), DOES, ids=lambda one: getattr(one, "verb", ""))
def test_a_decision_says_what_it_does_and_writes_that_alone(there, wish, what, written):
    found = decide(there, wish)
    assert (found.what, found.patch) == (what, {"spec": written})


MODULE = ("spec", "template", "spec", "module")


def at(document, path):
    for name in path:
        document = document[name]
    return document


def test_an_undo_goes_back_to_the_revision_before_or_to_the_one_that_is_named():
    there = scene(DONE, revisions=("3.0", "2.0", "1.0"))
    assert at(decide(there, Wish(Verb.UNDO)).patch, MODULE)["version"] == "2.0"
    assert at(decide(there, Wish(Verb.UNDO, revision=1)).patch, MODULE)["version"] == "1.0"


def test_another_version_brings_its_url_and_leaves_the_old_archives_digest():
    found = decide(scene(DONE), Wish(Verb.SET_VERSION, version="9", url="http://archives/9.whl"))
    assert at(found.patch, MODULE) == {"version": "9", "url": "http://archives/9.whl"}


def test_an_abort_names_its_release_and_a_retry_takes_the_name_away():
    assert decide(scene(RUNNING), Wish(Verb.ABORT)).patch["metadata"]["annotations"][ABORTED].endswith("-replicas-2")
    given_up = scene(DONE | {"progress": Progress.ABORTED}, annotations={ABORTED: "demo-replicas-2"})
    assert decide(given_up, Wish(Verb.RETRY)).patch == {"metadata": {"annotations": {ABORTED: None}}}


DOES_NOT = [
    (scene(DONE), Wish(Verb.CONFIRM), "it waits for nobody: Completed"),
    (scene(WITHIN_1, pause=True), Wish(Verb.CONFIRM), "it is paused within a batch; resume it"),
    (
        scene(HELD_AT_1 | {"current_batch": 2}, pause=True),
        Wish(Verb.CONFIRM, batch=1),
        "batch 1 is done; batch 2/2 waits",
    ),
    (scene(HELD_AT_1, pause=True), Wish(Verb.CONFIRM, batch=7), "there is no batch 7: this release has 2; batch 1/2"),
    (scene(HELD_AT_1, pause=True), Wish(Verb.RESUME), "waits for a confirm; confirm it"),
    (scene(DONE), Wish(Verb.RESUME), "it is not paused"),
    (scene(DONE), Wish(Verb.PAUSE), "there is nothing to pause: Completed"),
    (scene(DONE), Wish(Verb.ABORT), "no release is under way: Completed"),
    (scene(RUNNING, revisions=("1.0",)), Wish(Verb.ABORT), "there is no earlier version to go back to"),
    (scene(DONE), Wish(Verb.RETRY), "no release of it was aborted"),
    (scene(DONE, revisions=("1.0",)), Wish(Verb.UNDO), "no rollout history found"),
    (scene(DONE), Wish(Verb.UNDO, revision=7), "there is no revision 7 to go back to; there are 1"),
    (scene(DONE), Wish(Verb.SCALE), "say how many"),
    (scene(DONE), Wish(Verb.SCALE, replicas=4), "replicas is 4 already"),
    (scene(DONE), Wish(Verb.SET_VERSION), "say another version or another url"),
]


@pytest.mark.parametrize(("there", "wish", "why"), DOES_NOT)
def test_what_makes_no_sense_says_why(there, wish, why):
    with pytest.raises(MakesNoSense, match=why):
        decide(there, wish)


@pytest.mark.parametrize("verb", Verb)
def test_nothing_is_done_to_what_is_being_deleted(verb):
    there = scene(DONE)
    gone = replace(there.deployment, metadata=replace(there.deployment.metadata, deletion_timestamp=NOW))
    with pytest.raises(MakesNoSense, match="is being deleted"):
        decide(Scene(gone, there.revisions, NOW), Wish(verb))


@pytest.mark.parametrize("who", ["ines", "system:serviceaccount:shop:bot", "Ines M. of shop", "x\x1b[2J\u202e"])
def test_a_decision_is_signed_and_its_signature_is_read_again(who):
    decision = decide(scene(HELD_AT_1, pause=True), Wish(Verb.CONFIRM))
    patch = signed(decision, Verb.CONFIRM, Person(who, "a test"), NOW)
    notes = patch["metadata"]["annotations"]
    (found,) = signatures(deployment(annotations=notes))
    assert list(notes) == [note_of(Verb.CONFIRM)] and (found.verb, found.at) == ("confirmed", NOW)
    assert found.who.isprintable() and patch["spec"] == {"confirmBatchNum": 1}
