"""A pod that leaves its base by its labels takes its Module along; one that is somebody else's gives it up (semantics 8)."""

import pytest

from arkwright.model.kinds import ModulePhase
from arkwright.model.membership import Standing
from arkwright.model.names import BASE_DEPLOYMENT, DETACHED, MODULE_INSTANCE_COUNT, MODULE_REPLICASET
from arkwright.model.outcomes import EventReason, Reason
from arkwright.plan.basepod import ObservedBasePod, plan_base_pod
from arkwright.plan.intents import Call, Delete, Patch, SetStatus, Tell
from arkwright.plan.module import plan_module
from arkwright.plan.tries import ObservedModule
from plan.builders import NOW, available, later, pod, replica_set, report

BASE = {BASE_DEPLOYMENT: "stock"}
GONE = BASE | {DETACHED: "demo-replicas-1", MODULE_REPLICASET: ""}


def plan(one, standing=Standing.STRAY, on=None, **more):
    on = on or pod()
    seen = {"archive": one.spec.module, "pod": on, "is_pod_live": on.is_live, "report": report(v1_0="activated")}
    return plan_module(ObservedModule(module=one, standing=standing, **(seen | more)), NOW).intents


def test_its_replica_set_gives_it_up_and_everybody_is_told():
    patch, status, told = plan(available(labels=BASE))
    assert isinstance(patch, Patch)
    assert patch.patch == {"metadata": {"labels": {DETACHED: "demo-replicas-1", MODULE_REPLICASET: None}}}
    assert isinstance(status, SetStatus)
    assert (status.status["status"], status.status["reason"]) == (ModulePhase.AVAILABLE, Reason.DETACHED)
    assert "stock-1 was relabelled out of base stock" in status.status["message"]
    assert isinstance(told, Tell) and told.reason is EventReason.MODULE_DETACHED


LEFT_ALONE = [
    pytest.param({"report": None}, id="nobody is asked"),
    pytest.param({"report": report()}, id="nothing is installed again"),
    pytest.param({"standing": Standing.UNKNOWN, "home": replica_set()}, id="nor to a base that does not know the pod"),
]


@pytest.mark.parametrize("more", LEFT_ALONE)
def test_what_it_holds_is_left_as_it_is(more):
    assert not [one for one in plan(available(labels=GONE), **more) if not isinstance(one, SetStatus)]


def test_a_pod_that_comes_back_is_counted_again():
    patch, told = plan(available(labels=GONE), Standing.OWN, home=replica_set())
    assert patch.patch == {"metadata": {"labels": {MODULE_REPLICASET: "demo-replicas-1", DETACHED: None}}}
    assert told.reason is EventReason.MODULE_ATTACHED


NOBODYS = [
    pytest.param({"standing": Standing.OWN}, "stock", id="back in its base, its ReplicaSet is gone"),
    pytest.param({"standing": Standing.STRAY, "home": replica_set()}, "store", id="its ReplicaSet is in another base"),
    pytest.param({"standing": Standing.STRAY}, "store", id="both"),
]


@pytest.mark.parametrize("more, base", NOBODYS)
def test_on_a_pod_that_a_base_uses_again_where_nobody_counts_it_it_goes_and_says_so(more, base):
    going, told = plan(available(labels=GONE), used_by=base, **more)
    assert isinstance(going, Delete) and f"is used by base {base} again" in going.because
    assert told.reason is EventReason.MODULE_DETACHED and "it is uninstalled" in told.because


def test_its_deletion_uninstalls_it_as_any_other():
    gone = plan(available(labels=GONE, going=True), on=pod())
    assert [one.command for one in gone if isinstance(one, Call)] == ["uninstallBiz"]


def test_on_a_pod_of_somebody_else_it_goes_and_says_whose_the_pod_is():
    (going,) = plan(available(labels=BASE), Standing.FOREIGN)
    assert isinstance(going, Delete) and "none of the base's" in going.because


def test_on_a_pod_whose_owner_nobody_has_seen_it_stays_as_it_is():
    serving = pod(serves=["provider"])
    assert not plan(available(labels=BASE), Standing.UNKNOWN, on=serving)


def test_no_request_comes_to_a_pod_from_the_moment_it_has_left():
    before, one = pod(serves=["provider"], **{MODULE_INSTANCE_COUNT: "1"}), available(labels=BASE)
    seen = ObservedBasePod(before, (one,), report(v1_0="activated"), strays=frozenset({one.name}))
    (patch,) = plan_base_pod(seen, later(9)).intents
    assert patch.patch == {"metadata": {"labels": {"module.serverless.alipay.com/provider": None}}}
