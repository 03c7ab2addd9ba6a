"""Whatever stands in the fields and annotations that we read, a plan is made of it: nothing of it is a mistake of ours."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arkwright.model.cluster import Workload
from arkwright.model.codec import decode
from arkwright.plan.intents import Create
from arkwright.standalone.nodeports import address_of, is_endpoint, ways
from arkwright.standalone.readers import oddities
from arkwright.standalone.replicas import MOST_PODS, plan_replica_set
from arkwright.standalone.rollout import plan_deployment
from standalone.odd import (
    DEPLOYMENT_FIELDS,
    ODD,
    POD_FIELDS,
    PORT,
    REPLICA_SET_FIELDS,
    REVISION,
    SERVICE_FIELDS,
    conditions,
    odd,
    put,
)
from standalone.world import NOW, World, deployment


def parts():
    """A Deployment of which one release is under way, its ReplicaSets, its pods."""
    world = World(deployment(replicas=3)).settle().make_ready().release("2")
    return world.deployment, list(world.sets.values()), list(world.pods.values())


BASE, SETS, PODS = parts()
SERVICE = {
    "metadata": {"name": "base", "namespace": "shop"},
    "spec": {
        "type": "NodePort",
        "selector": {"app": "base"},
        "ports": [{"port": 80, "targetPort": "web", "nodePort": 31000}],
    },
}


def read(document):
    return decode(copy.deepcopy(document), Workload)


def everything(base, sets, pods, service):
    """All that is planned and answered about these."""
    base, service = read(base), read(service)
    sets, pods = tuple(map(read, sets)), tuple(map(read, pods))
    plans = [plan_deployment(base, sets, NOW), *(plan_replica_set(one, pods, "node", NOW) for one in sets)]
    for one in (base, *sets, *pods, service):
        oddities(one)
    ways(service)
    for pod in pods:
        is_endpoint(service, pod)
        address_of(pod, "web")
    return plans


CASES = [
    *(("deployment", path) for path in DEPLOYMENT_FIELDS),
    *(("replica set", path) for path in REPLICA_SET_FIELDS),
    *(("pod", path) for path in POD_FIELDS),
    *(("service", path) for path in SERVICE_FIELDS),
]


def changed(kind, path, value):
    base, sets, pods, service = map(copy.deepcopy, (BASE, SETS, PODS, SERVICE))
    put({"deployment": base, "replica set": sets[0], "pod": pods[0], "service": service}[kind], path, value)
    return base, sets, pods, service


@pytest.mark.parametrize("kind, path", CASES)
def test_an_odd_field_is_planned_around(kind, path):
    for value in ODD:
        everything(*changed(kind, path, value))


@pytest.mark.parametrize("kind, path", [case for case in CASES if case[1] == "status.conditions"])
@settings(max_examples=100, deadline=None)
@given(value=conditions)
def test_conditions_written_by_hand_are_planned_around(kind, path, value):
    everything(*changed(kind, path, value))


@pytest.mark.parametrize("kind", ["deployment", "replica set", "pod"])
@settings(max_examples=100, deadline=None)
@given(value=st.text(max_size=30), name=st.sampled_from([REVISION, PORT]))
def test_an_odd_annotation_is_planned_around(kind, value, name):
    everything(*changed(kind, "metadata.annotations", {name: value}))


@settings(max_examples=200, deadline=None)
@given(case=st.sampled_from(CASES), value=odd)
def test_no_field_of_any_kind_stops_a_plan(case, value):
    everything(*changed(*case, value))


@pytest.mark.parametrize(
    "kind, path, value, words",
    [
        ("replica set", "metadata.annotations", {REVISION: "test"}, "'test' is no number"),
        ("pod", "metadata.annotations", {PORT: "http"}, "'http' is no port"),
        ("pod", "metadata.annotations", {PORT: "99999"}, "'99999' is no port"),
        ("deployment", "spec.strategy.rollingUpdate", {"maxSurge": "25.5%"}, "maxSurge: '25.5%' is neither"),
    ],
)
def test_what_cannot_be_meant_is_said(kind, path, value, words):
    base, sets, pods, _ = changed(kind, path, value)
    one = read({"deployment": base, "replica set": sets[0], "pod": pods[0]}[kind])
    assert any(words in said for said in oddities(one))


def test_a_slip_of_the_keyboard_does_not_take_the_whole_machine():
    base, sets, pods, service = changed("replica set", "spec.replicas", 2**31 - 1)
    made = [one for one in everything(base, sets, pods, service)[1].intents if isinstance(one, Create)]
    assert 0 < len(made) <= MOST_PODS
