"""Which pods get the node, and what the others are told: a table."""

import pytest

from arkwright.model.cluster import Workload
from arkwright.model.codec import decode
from arkwright.plan.intents import Patch, SetStatus
from arkwright.standalone.scheduling import is_cordoned, plan_pod

OWNED = {
    "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "r", "controller": True}]
}
FREE, CORDONED = {"spec": {}}, {"spec": {"unschedulable": True}}
GOING = {"deletionTimestamp": "2026-01-01T00:00:00Z"}


def pod(spec, metadata, status=None):
    about = {"name": "p", "namespace": "shop", "uid": "u"} | metadata
    return decode({"metadata": about, "spec": spec, "status": status or {}}, Workload)


def node(document):
    return document and decode({"metadata": {"name": "n"}} | document, Workload)


@pytest.mark.parametrize(
    "spec, metadata, on, wanted",
    [
        ({}, OWNED, None, "n"),
        ({}, OWNED, FREE, "n"),
        ({}, OWNED, CORDONED, "it waits for `kubectl uncordon n`"),
        ({}, {}, FREE, "spec.nodeName 'n' runs"),
        ({}, {}, CORDONED, "spec.nodeName 'n' runs"),
        ({"nodeName": "n"}, OWNED, CORDONED, None),
        ({"nodeName": "other"}, {}, FREE, None),
        ({}, OWNED | GOING, FREE, None),
    ],
)
def test_a_pod_gets_the_node_or_is_told_why_not(spec, metadata, on, wanted):
    found = plan_pod(pod(spec, metadata), "n", node(on))
    match found:
        case Patch(patch=patch):
            assert patch["spec"] == {"nodeName": wanted}
        case SetStatus(status=status):
            assert wanted in status["message"]
            assert plan_pod(pod(spec, metadata, status), "n", node(on)) is None  # told once
        case None:
            assert wanted is None


def test_words_change_with_the_reason():
    told = plan_pod(pod({}, OWNED), "n", node(CORDONED)).status
    assert isinstance(plan_pod(pod({}, OWNED, told), "n", node(FREE)), Patch)


@pytest.mark.parametrize("on, said", [(None, False), (FREE, False), (CORDONED, True)])
def test_a_node_that_nobody_has_written_yet_takes_pods(on, said):
    assert is_cordoned(node(on)) is said
