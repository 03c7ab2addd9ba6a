"""What a page says of releases and bases as they stand. In: objects. Out: states, batches, rows, notices; all pure."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from arkwright.model.cluster import Deployment, DeploymentSpec, Lease, LeaseSpec
from arkwright.model.kinds import ModuleDeploymentStatus, ModulePhase, Progress, ReleaseStatus
from arkwright.model.meta import Condition, ObjectMeta
from arkwright.model.names import BASE_DEPLOYMENT, MAX_MODULE_COUNT
from arkwright.model.resources import Kind
from arkwright.model.selectors import LabelSelector
from arkwright.web.bases import bases_page
from arkwright.web.batchline import batch_line
from arkwright.web.fleet import Fleet
from arkwright.web.live import Live
from arkwright.web.pieces import difference
from arkwright.web.question import Question
from arkwright.web.releases import Releases
from arkwright.web.sight import Right, Sight
from arkwright.web.states import State, state_of
from plan.builders import NOW, deployment, later, module, pod, replica_set, spec

ALL = Sight(frozenset(Right))
FAILS = Condition(type="ReplicaFailure", status="True", reason="PullFailed", message="no such file")
STALLED = Condition(type="Stalled", status="True")


def standing(
    progress, *, is_done=False, seen=1, conditions=(), pause=False, batch=1, until=None, name="demo", **strategy
):
    """A release of 8 moves."""
    one = deployment(spec(8, pause=pause, **strategy))
    release = ReleaseStatus(
        update_revision="demo-replicas-1",
        progress=Progress(progress),
        batch_progress=Progress.COMPLETED if is_done else Progress.EXECUTING,
        current_batch=batch,
        real_batch_count=strategy.get("batch_count", 1),
        original_delta_replicas=8,
        next_reconcile_time=until,
        last_transition_time=NOW,
    )
    status = ModuleDeploymentStatus(observed_generation=seen, release_status=release, conditions=tuple(conditions))
    return replace(one, status=status, metadata=replace(one.metadata, name=name, uid=name))


STATES = [
    (standing("Completed"), State.COMPLETE),
    (standing("Executing"), State.MOVING),
    (standing("Init"), State.MOVING),
    (standing("Paused", is_done=True, pause=True), State.ASKING),
    (standing("WaitingForConfirmation", is_done=True, pause=True), State.ASKING),
    (standing("Paused", pause=True), State.PAUSED),
    (standing("Executing", conditions=[FAILS]), State.FAILING),
    (standing("Executing", conditions=[STALLED]), State.FAILING),
    (standing("Paused", is_done=True, conditions=[FAILS]), State.FAILING),
    (standing("Completed", conditions=[FAILS]), State.FAILING),
    (standing("Aborted"), State.ABORTED),
    (standing("Aborted", conditions=[STALLED]), State.ABORTED),
    (standing("Terminating"), State.GOING),
    (standing("Completed", seen=0), State.UNSEEN),
]


@pytest.mark.parametrize(("one", "state"), STATES)
def test_a_release_has_one_state(one, state):
    assert state_of(one) is state


def test_what_needs_a_person_comes_before_all_else_and_what_waits_longest_before_what_waits_less():
    fleet = Fleet()
    waits = standing("Paused", is_done=True, name="new")
    old = replace(waits.status.release_status, last_transition_time=NOW - timedelta(hours=1))
    olds = replace(waits.status, release_status=old)
    for one in (
        standing("Completed", name="done"),
        standing("Executing", name="moving"),
        waits,
        replace(waits, status=olds, metadata=replace(waits.metadata, name="old", uid="old")),
        standing("Executing", name="fails", conditions=[FAILS]),
    ):
        fleet.apply(Kind.MODULE_DEPLOYMENT, one)
    page = Releases(fleet).page(ALL, Question("/"), NOW)
    names = [piece.value[0].name for piece in page.region("rows").pieces]
    assert names == ["fails", "old", "new", "moving", "done"]


BATCHED = {"batch_count": 3, "need_confirm": True, "use_beta": True}
LINES = [
    (standing("Executing", **BATCHED), [("current", "installing"), ("ahead", "confirm"), ("ahead", "confirm")]),
    (
        standing("Executing", conditions=[FAILS], **BATCHED),
        [("failing", "failing"), ("ahead", "confirm"), ("ahead", "confirm")],
    ),
    (standing("Paused", is_done=True, pause=True, **BATCHED), [("done", ""), ("held", "you"), ("ahead", "confirm")]),
    (standing("Paused", pause=True, batch=2, **BATCHED), [("done", ""), ("held", "paused"), ("ahead", "confirm")]),
    (
        standing("Executing", is_done=True, until=later(60), batch_count=2, gray_time_between_batch_seconds=60),
        [("done", ""), ("held", "gray")],
    ),
    (standing("Completed", is_done=True, batch=3, **BATCHED), [("done", "")] * 3),
    (standing("Completed", seen=0), []),
]


@pytest.mark.parametrize(("one", "places"), LINES)
def test_each_batch_says_what_it_waits_for(one, places):
    line = batch_line(one, NOW)
    assert [(each.place.value, each.waits) for each in line.batches] == places
    assert sum(each.moves for each in line.batches) in (0, 8)


def lease(seconds):
    spec = LeaseSpec(holder_identity="one", lease_duration_seconds=15, renew_time=NOW - timedelta(seconds=seconds))
    return Lease(metadata=ObjectMeta(name="arkwright", namespace="anywhere"), spec=spec)


@pytest.mark.parametrize(("seconds", "count"), [(3, 0), (300, 1)])
def test_that_no_controller_acts_stands_above_all(seconds, count):
    fleet = Fleet()
    fleet.apply(Kind.LEASE, lease(seconds))
    page = Releases(fleet).page(ALL, Question("/"), NOW)
    assert len(page.region("notices").pieces) == count


def base_with(*modules, **labels):
    fleet = Fleet()
    meta = ObjectMeta(name="stock", namespace="default", uid="stock", labels=labels)
    selector = LabelSelector(match_labels={"app": "stock"})
    fleet.apply(Kind.DEPLOYMENT, Deployment(metadata=meta, spec=DeploymentSpec(selector=selector)))
    for number in (1, 2):
        fleet.apply(Kind.POD, pod(number, app="stock"))
    for one in modules:
        meta = replace(one.metadata, labels=one.metadata.labels | {BASE_DEPLOYMENT: "stock"})
        fleet.apply(Kind.MODULE, replace(one, metadata=meta))
    return fleet


def test_a_base_shows_pod_by_module_which_version_is_where():
    failed = module("2.0", on=1, status=ModulePhase.FAILED, revision=2)
    fleet = base_with(module("1.0", on=1, status=ModulePhase.AVAILABLE), failed, **{MAX_MODULE_COUNT: "4"})
    page = bases_page(fleet, ALL, Question("/bases/default/stock"), NOW)
    rows = {piece.value.pod: piece.value for piece in page.region("grid").pieces}
    assert page.region("columns").pieces[0].value.names == ("provider",)
    assert sorted((one.count, one.cap) for one in rows.values()) == [(0, 4), (2, 4)]
    assert sorted(cell.version for one in rows.values() for cells in one.cells for cell in cells) == ["1.0", "2.0"]
    (summary,) = page.region("summary").pieces
    card = summary.value.card
    assert (card.modules, card.capacity, card.troubles) == (2, 8, 1)


def test_what_failed_and_went_is_counted_no_more():
    failed = module("2.0", on=1, status=ModulePhase.FAILED)
    fleet = base_with(failed)
    assert fleet.modules_in("default", "stock") == (1, 1)
    for one in fleet.all(Kind.MODULE):
        fleet.remove(Kind.MODULE, one)
    assert fleet.modules_in("default", "stock") == (0, 0)


# ── what is sent when something changes ──


async def test_a_change_sends_what_differs_and_nothing_else():
    fleet = Fleet()
    for name in ("one", "two"):
        fleet.apply(Kind.MODULE_DEPLOYMENT, standing("Completed", name=name))
    live = Live(fleet, lambda: NOW)
    before = live.page(Question("/"), ALL)
    changed = standing("Executing", name="two")
    fleet.apply(Kind.MODULE_DEPLOYMENT, replace(changed, metadata=replace(changed.metadata, resource_version="2")))
    found = difference(before, live.page(Question("/"), ALL))
    assert {piece.name for piece in found.changed} == {"chip", "r-two"} and [one.name for one in found.orders] == [
        "rows"
    ]


@pytest.mark.parametrize("kind", [Kind.LEASE, Kind.MODULE_REPLICASET])
async def test_what_changes_nothing_to_be_seen_wakes_nobody(kind):
    fleet = Fleet()
    one = lease(3) if kind is Kind.LEASE else replica_set()
    fleet.apply(kind, one)
    before = fleet.version
    fleet.apply(kind, replace(one, metadata=replace(one.metadata, resource_version="99")))
    assert fleet.version == before


async def test_who_is_signed_out_or_may_see_a_page_no_more_is_sent_nothing_more():
    fleet = Fleet()
    fleet.apply(Kind.MODULE_DEPLOYMENT, standing("Completed"))
    sights = iter([ALL, Sight(), None])
    live = Live(fleet, lambda: NOW)

    async def sight():
        fleet.version += 1
        live._ticked.set()
        return next(sights)

    found = [one async for one in live.differences(Question("/releases/default/demo"), sight, "")]
    assert len(found) == 1 and next(sights) is None
