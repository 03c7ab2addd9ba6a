"""Whose a pod or a ReplicaSet is: by its labels and its owner, as in a cluster."""

import pytest

from arkwright.model.cluster import Workload
from arkwright.model.codec import decode
from arkwright.model.resources import Kind
from arkwright.standalone.belonging import Belonging
from standalone.world import World, deployment

EXPRESSIONS = {
    "matchLabels": {"app": "base"},
    "matchExpressions": [{"key": "track", "operator": "NotIn", "values": ["canary"]}],
}
OWN = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "r", "controller": True}
OTHER = OWN | {"name": "other", "uid": "other"}
NO_CONTROLLER = OTHER | {"controller": False}


def object_with(labels, *owners, **metadata):
    about = {"name": "p", "namespace": "shop", "uid": "p", "labels": labels, "ownerReferences": list(owners)}
    return decode({"metadata": about | metadata}, Workload)


def owner(selector, **metadata):
    about = {"name": "r", "namespace": "shop", "uid": "r"} | metadata
    return Belonging(Kind.REPLICASET, Kind.POD, decode({"metadata": about, "spec": {"selector": selector}}, Workload))


@pytest.mark.parametrize(
    "labels, owners, after",
    [
        ({"app": "base"}, [OWN], None),
        ({"app": "base"}, [], ["r"]),
        ({"app": "base"}, [NO_CONTROLLER], ["other", "r"]),
        ({"app": "base"}, [OTHER], None),
        ({"app": "debug"}, [OWN], []),
        ({"app": "debug"}, [OWN, NO_CONTROLLER], ["other"]),
        ({"app": "debug"}, [], None),
        ({"app": "base", "track": "canary"}, [], None),
        ({"app": "base", "track": "canary"}, [OWN], []),
        ({"app": "base", "track": "stable"}, [], ["r"]),
    ],
)
def test_who_is_taken_in_and_who_is_let_go(labels, owners, after):
    found = owner(EXPRESSIONS).intents([object_with(labels, *owners)])
    assert [[one["uid"] for one in each.patch["metadata"]["ownerReferences"]] for each in found] == (
        [] if after is None else [after]
    )


@pytest.mark.parametrize("is_owner", [True, False])
def test_nobody_is_taken_in_by_or_as_one_who_goes(is_owner):
    going = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    belonging = owner(EXPRESSIONS, **(going if is_owner else {}))
    assert not belonging.intents([object_with({"app": "base"}, **({} if is_owner else going))])


def test_an_empty_selector_takes_nobody_in():
    assert not owner({}).intents([object_with({"app": "base"})])


def test_a_pod_in_quarantine_is_let_go_and_replaced():
    world = World(deployment(replicas=2)).settle().make_ready()
    name = next(iter(world.pods))
    world.pods[name]["metadata"]["labels"] = {"app": "debug"}
    world.settle().make_ready()
    assert world.pods[name]["metadata"]["ownerReferences"] == []
    assert len(world.pods) == 3
    assert world.deployment["status"]["availableReplicas"] == 2


def test_a_deployment_that_comes_again_takes_in_what_was_left():
    world = World(deployment(replicas=2)).settle().make_ready()
    before = set(world.pods)
    for one in world.sets.values():
        one["metadata"]["ownerReferences"] = []
    world.deployment = deployment(replicas=2) | {"metadata": world.deployment["metadata"] | {"uid": "again"}}
    world.settle()
    assert set(world.pods) == before and len(world.sets) == 1
    assert world.condition("Progressing")[0] == "True"


def test_a_replica_set_that_comes_again_takes_in_its_pods():
    world = World(deployment(replicas=2)).settle().make_ready()
    before = set(world.pods)
    for one in world.pods.values():
        one["metadata"]["ownerReferences"] = []
    world.settle()
    assert set(world.pods) == before
    assert all(one["metadata"]["ownerReferences"] for one in world.pods.values())


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_has_ended_is_replaced(phase):
    world = World(deployment(replicas=2)).settle().make_ready()
    next(iter(world.pods.values()))["status"] = {"phase": phase}
    world.settle()
    assert len(world.pods) == 3


def test_a_selector_with_expressions_goes_on_to_the_replica_set():
    world = World(deployment(replicas=1, selector=EXPRESSIONS)).settle()
    [made] = world.sets.values()
    assert made["spec"]["selector"]["matchExpressions"] == EXPRESSIONS["matchExpressions"]
    assert made["spec"]["selector"]["matchLabels"].keys() == {"app", "pod-template-hash"}
