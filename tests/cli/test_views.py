"""What a person reads of a release. In: objects as they are in the cluster. Out: words."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from msgspec.structs import replace
from rich.console import Console

from arkwright.cli.cluster import Snapshot, split, take_snapshots
from arkwright.cli.views import deployment_rows, release_tree
from arkwright.model.kinds import ModuleDeploymentStatus, ModulePhase, Progress, ReleaseStatus
from arkwright.model.meta import Condition, ObjectMeta
from arkwright.people.standings import is_seen, message_of, standing
from arkwright.people.waysout import next_step
from fakes.kube import FakeKube
from plan.builders import deployment, module, replica_set

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
DONE = Condition(type="Progressing", status="True", message="all is well")


def seen(generation, *, wanted=1, progress=Progress.COMPLETED, is_deleted=False):
    one = deployment()
    meta = replace(one.metadata, generation=wanted, deletion_timestamp=NOW if is_deleted else None)
    release = ReleaseStatus(progress=progress)
    status = ModuleDeploymentStatus(
        observed_generation=generation, release_status=release, conditions=(DONE,) if generation else ()
    )
    return replace(one, metadata=meta, status=status)


@pytest.mark.parametrize(
    ("one", "said", "words"),
    [
        (seen(0), "Unseen", "no controller has seen it yet"),
        (seen(1), "Completed", "all is well"),
        (seen(1, wanted=2), "Unseen", "no controller has seen the last change yet"),
        (seen(2, wanted=2), "Completed", "all is well"),
        (seen(1, is_deleted=True), "Unseen", "it is deleted, and no controller has begun"),
        (seen(1, wanted=2, progress=Progress.TERMINATING, is_deleted=True), "Terminating", "all is well"),
    ],
)
def test_a_status_of_an_earlier_wish_is_not_shown_as_that_of_the_present_one(one, said, words):
    assert standing(one) == said == deployment_rows(Snapshot((one,)))[0]["progress"]
    assert message_of(one).startswith(words)
    assert is_seen(one) == (said != "Unseen")
    assert ("start the controller" in next_step(one, is_seen(one), has_earlier=True)) == (said == "Unseen")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({"status": ModulePhase.UPGRADING, "last_transition_time": NOW - timedelta(seconds=70)}, "(for 1 min 10 s)"),
        ({"status": ModulePhase.UPGRADING, "last_transition_time": NOW - timedelta(seconds=2)}, "Upgrading"),
        ({"status": ModulePhase.AVAILABLE, "last_transition_time": NOW - timedelta(seconds=70)}, "Available"),
        ({"attempts": 2, "next_attempt_time": NOW + timedelta(seconds=4)}, "(try 2, the next in 4 s)"),
        ({"attempts": 2, "next_attempt_time": NOW - timedelta(seconds=1)}, "(try 2, the next in 0 s)"),
        (
            {"attempts": 2, "next_attempt_time": NOW - timedelta(seconds=40)},
            "(try 2; the next is under way for 40 s)",
        ),
    ],
)
def test_a_module_that_takes_long_says_for_how_long(status, words):
    one = module("1.0", 1, **{"status": ModulePhase.FAILED} | status)
    snapshot = Snapshot((deployment(),), (replica_set("1.0", 1),), (one,))
    console = Console(width=200, color_system=None, file=StringIO())
    console.print(release_tree(deployment(), snapshot, NOW))
    assert console.file.getvalue().rstrip().endswith(words)


SHORT = Condition(
    type="ReplicaFailure", status="True", reason="InsufficientBases", message="0/2 base pods fit: 2 at max-module-count"
)


@pytest.mark.parametrize(
    ("progress", "conditions", "mark", "step"),
    [
        (Progress.COMPLETED, (DONE,), "✔", ""),
        (Progress.COMPLETED, (DONE, SHORT), "⚠", "raise max-module-count, or add base pods"),
        (Progress.ABORTED, (DONE,), "✖", "apply another version, or arkwright retry demo"),
        (
            Progress.ABORTED,
            (DONE, SHORT),
            "✖",
            "raise max-module-count, or add base pods; to release again: apply another version, or arkwright retry demo",
        ),
    ],
)
def test_a_release_at_rest_that_has_lost_base_pods_says_so(progress, conditions, mark, step):
    one = seen(1, progress=progress)
    one = replace(one, status=replace(one.status, conditions=conditions))
    console = Console(width=200, color_system=None, file=StringIO())
    console.print(release_tree(one, Snapshot((one,)), NOW))
    assert console.file.getvalue().startswith(mark)
    assert next_step(one, is_seen=True, has_earlier=False) == step


PAUSED_BY = {
    "arkwright.dev/paused-by": "ines 2026-01-01T11:58:00Z",
    "arkwright.dev/scaled-by": "ada 2026-01-01T11:00:00Z",
}


@pytest.mark.parametrize(
    ("progress", "notes", "said"),
    [
        (Progress.PAUSED, PAUSED_BY, "paused by ines 2 min 0 s ago"),
        (Progress.PAUSED, PAUSED_BY | {"arkwright.dev/confirmed-by": "ada 2026-01-01T11:59:00Z"}, ""),
        (Progress.PAUSED, {"arkwright.dev/paused-by": "by hand"}, ""),
        (Progress.EXECUTING, PAUSED_BY, ""),
        (Progress.PAUSED, {}, ""),
    ],
)
def test_a_release_that_somebody_holds_says_who(progress, notes, said):
    one = seen(1, progress=progress)
    one = replace(one, metadata=replace(one.metadata, annotations=notes))
    console = Console(width=200, color_system=None, file=StringIO())
    console.print(release_tree(one, Snapshot((one,)), NOW))
    told = [line for line in console.file.getvalue().splitlines() if "paused by" in line]
    assert len(told) == bool(said) and said in "".join(told)


def test_what_is_everywhere_is_parted_by_namespace():
    here, there = (replace(deployment(), metadata=ObjectMeta(name="demo", namespace=name)) for name in "ab")
    parted = split(Snapshot(deployments=(there, here)))
    assert [(one.namespace, one.deployments) for one in parted] == [("a", (here,)), ("b", (there,))]


async def test_leases_are_read_once_however_many_namespaces_are_looked_at():
    kube, listed = FakeKube(lambda: NOW), []
    found = kube.list

    async def noted(resource, namespace="", **more):
        listed.append(resource.plural)
        return await found(resource, namespace, **more)

    kube.list = noted
    one, other = await take_snapshots(kube, ["shop,store"], False)
    assert (one.namespace, other.namespace) == ("shop", "store")
    assert listed.count("leases") == 1 and listed.count("pods") == 2
