"""What a ReplicaSet does with its Modules and the pods they leave, as tables (semantics 5, 7; contract 4)."""

import pytest
from msgspec.structs import replace

from arkwright.model.cluster import Deployment, DeploymentSpec
from arkwright.model.kinds import ModulePhase, OperationStrategy, UpgradePolicy
from arkwright.model.meta import ObjectMeta
from arkwright.model.names import DELETE_POD, MAX_MODULE_COUNT, MODULE_DEPLOYMENT, NEW_REPLICATED_MODULE
from arkwright.plan.intents import Create, Delete, Patch, Tell
from arkwright.plan.replicas import Replicas
from arkwright.plan.replicaset import ObservedReplicaSet, kept_until_replaced, plan_replica_set
from arkwright.plan.seating import Room, seat, seeker
from plan.builders import NOW, available, module, pod, replica_set

SCALEUP = UpgradePolicy.SCALEUP_THEN_SCALEDOWN
FAILED = ModulePhase.FAILED


def seen(*modules, replicas=2, pods=2, policy=SCALEUP, others=(), **room):
    """A ReplicaSet with pods stock-1, stock-2, …; `others`: Modules of other revisions or ModuleDeployments."""
    wanted = replica_set("1.0", 1, replicas)
    strategy = OperationStrategy(upgrade_policy=policy)
    wanted = replace(wanted, spec=replace(wanted.spec, operation_strategy=strategy))
    there = pods if isinstance(pods, tuple) else tuple(pod(one, serves=["provider"]) for one in range(1, pods + 1))
    on = {one.name: tuple(m for m in (*modules, *others) if m.pod_name == one.name) for one in there}
    seeks = seeker(wanted, room.get("base"))
    seats = tuple(seat(seeks, one, on[one.name], (), NOW) for one in there)
    return ObservedReplicaSet(wanted, Replicas.of(modules), Room({one.name: one for one in there}, seats, **room))


def going(on, replaced_by=""):
    labels = {NEW_REPLICATED_MODULE: f"demo-replicas-1-provider-{replaced_by}"} if replaced_by else {}
    return available(on=on, going=True, labels=labels)


KEPT = [
    pytest.param((going(1), available(on=2)), {}, 1, id="a free pod: the replacement comes first"),
    pytest.param((going(1), available(on=2)), {"pods": 2}, 0, id="no free pod: it goes first"),
    pytest.param((going(1, 3), available(on=2), module(on=3)), {}, 1, id="the replacement is on its way"),
    pytest.param((going(1, 3), available(on=2), module(on=3, status=FAILED)), {}, 1, id="and fails"),
    pytest.param((going(1, 3), available(on=2), available(on=3)), {}, 0, id="it serves"),
    pytest.param((going(1), available(on=2)), {"replicas": 1}, 0, id="scaling in: replaced by nobody"),
    pytest.param(
        (going(1), available(on=2)), {"policy": UpgradePolicy.INSTALL_THEN_UNINSTALL}, 0, id="only under this policy"
    ),
    pytest.param((going(1), going(2)), {}, 1, id="one free pod keeps one of two"),
    pytest.param(
        (going(1, 3), available(on=2)),
        {"pods": 2, "arriving": 1},
        1,
        id="the replacement is being created",
    ),
    pytest.param((going(1), available(on=2)), {"pods": (pod(1), pod(2), pod(3))}, 0, id="its traffic is off already"),
]


@pytest.mark.parametrize("modules, more, expected", KEPT)
def test_a_deleted_module_serves_on_until_its_replacement_does(modules, more, expected):
    assert len(kept_until_replaced(seen(*modules, **({"pods": 3} | more)))) == expected


def test_those_that_are_too_many_go_in_the_order_of_choice():
    """However they came to be known."""
    here = (available(on=2), available(on=3), available(on=1), module(on=4))
    plan = plan_replica_set(seen(*here, replicas=1, pods=4, policy=UpgradePolicy.INSTALL_THEN_UNINSTALL), NOW)
    gone = [one.target.name.rpartition("-")[2] for one in plan.intents if isinstance(one, Delete)]
    assert gone == ["4", "1", "2"]


def test_its_replacement_goes_to_another_pod_and_is_named_first():
    named, created, *_ = plan_replica_set(seen(going(1), available(on=2), pods=3), NOW).intents
    assert isinstance(named, Patch) and isinstance(created, Create)
    assert named.patch["metadata"]["labels"] == {NEW_REPLICATED_MODULE: created.target.name}
    assert created.document["metadata"]["ownerReferences"][0]["name"] == "stock-3"


OTHER = module(on=1, labels={MODULE_DEPLOYMENT: "other"})
SUCCESSOR = available("2.0", on=2, revision=2)
RECYCLED = [
    pytest.param({"recycles_pods": True, "is_newest": False}, (SUCCESSOR,), True, id="left empty by an upgrade"),
    pytest.param({"recycles_pods": False, "is_newest": False}, (SUCCESSOR,), False, id="not without the annotation"),
    pytest.param({"recycles_pods": True, "is_newest": True}, (), False, id="not when scaling in"),
    pytest.param(
        {"recycles_pods": True, "is_newest": False}, (SUCCESSOR, OTHER), False, id="not while it hosts another module"
    ),
]


@pytest.mark.parametrize("room, others, expected", RECYCLED)
def test_a_base_pod_is_recycled_only_on_request_and_only_when_empty(room, others, expected):
    intents = plan_replica_set(seen(available(on=1), replicas=0, others=others, **room), NOW).intents
    labelled = [one for one in intents if isinstance(one, Patch) and one.target.name == "stock-1"]
    assert [one.patch for one in labelled] == [{"metadata": {"labels": {DELETE_POD: "true"}}}] * expected
    assert len([one for one in intents if isinstance(one, Delete)]) == 1


CAPS = [
    pytest.param({MAX_MODULE_COUNT: "many"}, {}, "'many' is not a whole number", id="the pod's label"),
    pytest.param({}, {MAX_MODULE_COUNT: "-1"}, "'-1' is not a whole number", id="the base Deployment's"),
    pytest.param({MAX_MODULE_COUNT: "3"}, {MAX_MODULE_COUNT: "many"}, "", id="the pod's own wins"),
    pytest.param({}, {}, "", id="none"),
]


@pytest.mark.parametrize("on_pod, on_base, expected", CAPS)
def test_a_cap_that_is_no_number_is_told_where_it_matters(on_pod, on_base, expected):
    base = Deployment(metadata=ObjectMeta(name="stock", labels=on_base), spec=DeploymentSpec())
    intents = plan_replica_set(seen(replicas=1, pods=(pod(1, **on_pod),), base=base), NOW).intents
    told = [one.because for one in intents if isinstance(one, Tell)]
    assert (expected in told[0]) if expected else not told
