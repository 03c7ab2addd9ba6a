"""A preview in words. In: one of a wish, or of a deletion. Out: what people read."""

import pytest

from arkwright.people.changes import Changed
from arkwright.preview.batches import Batch, OnPod
from arkwright.preview.deletions import DeletionPreview
from arkwright.preview.outlook import Preview, Release
from arkwright.preview.wording import headline, lines

UPGRADE = ("install a:2", "switch to a:2", "uninstall a:1")


def on(*pods, steps=UPGRADE):
    return tuple(OnPod(pod=pod, steps=steps) for pod in pods)


def release(*batches, kind="new", count=2):
    return Release(
        revision="demo-replicas-2", number=2, kind=kind, module="a", version="2", batch_count=count, batches=batches
    )


def foretold(**different):
    said = {
        "namespace": "default",
        "name": "demo",
        "base": "stock",
        "replicas": 3,
        "policy": "install_then_uninstall",
        "would_change": True,
        "changed": (Changed("spec.replicas", "2", "3"), Changed("spec.template.spec.module.name", "", "a")),
        "release": None,
        "besides": (),
        "warnings": (),
        "ends": "Completed",
        "waits_for": "",
    }
    return Preview(**said | different)


HEADLINES = [
    ({"would_change": False}, "nothing would change"),
    ({}, "no module is installed or uninstalled"),
    (
        {"release": release(count=1), "replicas": 1},
        "a:2 on 1 base pod of stock, in 1 batch (install_then_uninstall); a new revision, demo-replicas-2",
    ),
    (
        {"release": release(kind="again")},
        "a:2 on 3 base pods of stock, in 2 batches (install_then_uninstall); an old revision again, demo-replicas-2",
    ),
]
LINES = [
    ("a field that was said before", {}, ["spec.replicas: 2 → 3"]),
    (
        "pods on which the same is done are one line",
        {"changed": (), "release": release(Batch(number=1, pods=on("p", "q")))},
        ["batch 1/2  2 base pods: p, q: install a:2, then switch to a:2, then uninstall a:1"],
    ),
    (
        "who is asked, and what is waited for",
        {
            "changed": (),
            "release": release(
                Batch(number=1, asks_before=True, asks_after=True, gray_time_seconds=5),
                Batch(number=2, pods=(*on("p"), *on("q", steps=()))),
            ),
        },
        [
            "batch 1/2 is held: somebody has paused it; arkwright resume demo",
            "batch 1/2 is complete",
            "           a person is asked: arkwright confirm demo",
            "           5 s of gray time pass",
            "batch 2/2  1 base pod: p: install a:2, then switch to a:2, then uninstall a:1",
            "           1 base pod: q: nothing is called",
        ],
    ),
    (
        "a thousand pods",
        {"changed": (), "release": release(Batch(number=1, pods=on(*map(str, range(1000)), steps=("install a:2",))))},
        ["batch 1/2  1000 base pods: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 988 more: install a:2"],
    ),
    (
        "what else is done, what is told, and why it does not end",
        {"changed": (), "besides": ("Service a-service: new",), "warnings": ("X: y",), "waits_for": "Z: no place"},
        ["Service a-service: new", "warning: X: y", "it does not come to its end: Z: no place"],
    ),
]


def of_deletion(**different):
    said = {
        "namespace": "default",
        "name": "demo",
        "deletes": "ModuleDeployment",
        "deployment": "demo",
        "would_change": True,
        "leaves": (),
        "batch_count": 0,
        "batches": (),
        "besides": (),
        "warnings": (),
        "stays": (),
        "waits_for": "",
    }
    return DeletionPreview(**said | different)


GONE = ("uninstall a:1",)
DELETIONS = [
    ("already over", {"would_change": False}, "nothing would change", []),
    ("nothing is in a base", {}, "its deletion uninstalls nothing", []),
    (
        "a release that was under way ends first",
        {
            "leaves": ("p", "q"),
            "batch_count": 1,
            "batches": (Batch(number=0, pods=on("p", steps=())), Batch(number=1, pods=on("p", "q", steps=GONE))),
        },
        "its deletion uninstalls from 2 base pods, in 1 batch",
        ["at first  1 base pod: p: nothing is called", "batch 1/1  2 base pods: p, q: uninstall a:1"],
    ),
    (
        "a Module of a release that waits for a person, and what stays",
        {
            "deletes": "Module",
            "leaves": ("p",),
            "batches": (Batch(number=1, pods=on("p", steps=(*GONE, "install a:1")), asks_after=True),),
            "stays": ("X",),
        },
        "its deletion uninstalls from 1 base pod",
        ["1 base pod: p: uninstall a:1, then install a:1", "a person is asked: arkwright confirm demo", "X stays"],
    ),
]


@pytest.mark.parametrize("different, title, said", [one[1:] for one in DELETIONS], ids=[one[0] for one in DELETIONS])
def test_a_deletion_says_what_goes_and_what_stays(different, title, said):
    found = of_deletion(**different)
    assert (headline(found), lines(found)) == (title, said)


@pytest.mark.parametrize("different, said", HEADLINES, ids=[said for _, said in HEADLINES])
def test_a_headline_says_it_in_one_sentence(different, said):
    assert headline(foretold(**different)) == said


@pytest.mark.parametrize("different, said", [one[1:] for one in LINES], ids=[one[0] for one in LINES])
def test_lines_say_batch_by_batch_what_is_done(different, said):
    assert lines(foretold(**different)) == said
