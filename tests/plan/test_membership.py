"""Whose a pod is: selectors as Kubernetes means them, and owners (semantics, "Pod"; 8)."""

import pytest

from arkwright.model.cluster import Deployment, Pod, ReplicaSet
from arkwright.model.codec import decode
from arkwright.model.membership import Standing, standing
from arkwright.model.selectors import LabelSelector

APP = {"app": "stock"}


def line(operator, *values, key="track"):
    return {"key": key, "operator": operator, "values": list(values)}


SELECTORS = [
    ({"matchLabels": APP}, APP, True),
    ({"matchLabels": APP}, {"app": "debug"}, False),
    ({}, APP, False),
    ({"matchExpressions": [line("In", "a", "b")]}, {"track": "b"}, True),
    ({"matchExpressions": [line("In", "a", "b")]}, {"track": "c"}, False),
    ({"matchExpressions": [line("In", "a", "b")]}, {}, False),
    ({"matchExpressions": [line("NotIn", "canary")]}, {"track": "canary"}, False),
    ({"matchExpressions": [line("NotIn", "canary")]}, {"track": "stable"}, True),
    ({"matchExpressions": [line("NotIn", "canary")]}, {}, True),
    ({"matchExpressions": [line("Exists")]}, {"track": ""}, True),
    ({"matchExpressions": [line("Exists")]}, APP, False),
    ({"matchExpressions": [line("DoesNotExist")]}, APP, True),
    ({"matchExpressions": [line("DoesNotExist")]}, {"track": "a"}, False),
    ({"matchExpressions": [line("Resembles", "a")]}, {"track": "a"}, False),
    ({"matchLabels": APP, "matchExpressions": [line("NotIn", "canary")]}, APP | {"track": "canary"}, False),
    ({"matchLabels": APP, "matchExpressions": [line("NotIn", "canary")]}, APP, True),
    ({"matchExpressions": [line("Exists"), line("NotIn", "b")]}, {"track": "b"}, False),
]


def base(selector):
    metadata = {"name": "stock", "namespace": "default", "uid": "base-uid"}
    return decode({"metadata": metadata, "spec": {"selector": selector}}, Deployment)


@pytest.mark.parametrize("selector, labels, expected", SELECTORS)
def test_a_selector_means_what_it_means_to_kubernetes(selector, labels, expected):
    pod = decode({"metadata": {"name": "x", "labels": labels}}, Pod)
    assert base(selector).selects(pod) is expected
    assert base(selector).spec.selector.matches(labels) is expected


def test_no_selector_selects_nothing():
    assert not LabelSelector().matches({})


def owned(kind, uid, controller=True):
    return [{"apiVersion": "apps/v1", "kind": kind, "name": uid, "uid": uid, "controller": controller}]


OF_BASE = {"labels": APP, "ownerReferences": owned("Deployment", "base-uid")}
STANDINGS = [
    pytest.param(APP, None, None, Standing.OWN, id="nobody's, with the labels"),
    pytest.param(APP, owned("Backup", "b", controller=False), None, Standing.OWN, id="owned, and controlled by nobody"),
    pytest.param({"app": "debug"}, None, None, Standing.STRAY, id="relabelled and let go"),
    pytest.param({"app": "debug"}, owned("ReplicaSet", "rs"), OF_BASE, Standing.STRAY, id="relabelled, not let go yet"),
    pytest.param(APP, owned("ReplicaSet", "rs"), OF_BASE, Standing.OWN, id="through the base's ReplicaSet"),
    pytest.param(APP, owned("ReplicaSet", "rs"), None, Standing.UNKNOWN, id="a ReplicaSet that nobody has seen"),
    pytest.param(APP, owned("Job", "job"), None, Standing.FOREIGN, id="a Job's"),
    pytest.param(APP, owned("StatefulSet", "set"), None, Standing.FOREIGN, id="a StatefulSet's"),
    pytest.param(
        APP,
        owned("ReplicaSet", "rs"),
        {"labels": APP, "ownerReferences": owned("Deployment", "canary-uid")},
        Standing.FOREIGN,
        id="another Deployment's, whose labels the selector means too",
    ),
    pytest.param(APP, owned("ReplicaSet", "rs"), {"labels": APP}, Standing.OWN, id="an orphan the base will adopt"),
    pytest.param(
        APP, owned("ReplicaSet", "rs"), {"labels": {"app": "other"}}, Standing.FOREIGN, id="an orphan it will not adopt"
    ),
]


@pytest.mark.parametrize("labels, owners, replica_set, expected", STANDINGS)
def test_a_pod_stands_to_a_base_as_its_labels_and_its_owners_say(labels, owners, replica_set, expected):
    metadata = {"name": "x", "namespace": "default", "labels": labels, "ownerReferences": owners or []}
    pod = decode({"metadata": metadata}, Pod)
    known = decode({"metadata": {"name": "rs", "uid": "rs"} | replica_set}, ReplicaSet) if replica_set else None
    assert standing(base({"matchLabels": APP}), pod, known) is expected


def test_a_replica_set_of_the_same_name_made_anew_is_another():
    pod = decode({"metadata": {"name": "x", "labels": APP, "ownerReferences": owned("ReplicaSet", "rs")}}, Pod)
    again = decode({"metadata": {"name": "rs", "uid": "later"} | OF_BASE}, ReplicaSet)
    assert standing(base({"matchLabels": APP}), pod, again) is Standing.UNKNOWN
