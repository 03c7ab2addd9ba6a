"""What thousands of Modules and pods say alike stands in memory once, and they are what they were."""

import pytest
from msgspec.structs import astuple, replace

from arkwright.controller.sharing import shared
from arkwright.model.cluster import Pod
from arkwright.model.codec import decode
from arkwright.model.kinds import Module

LABEL = "serverless.alipay.com/module-deployment"


def fresh(text):
    """A string that nobody else has, as those from JSON are."""
    return "".join(list(text))


def again(value):
    if isinstance(value, dict):
        return {fresh(key): again(one) for key, one in value.items()}
    return (
        [again(one) for one in value] if isinstance(value, list) else fresh(value) if isinstance(value, str) else value
    )


def module(number, version="1", **status):
    about = {
        "name": f"stock-replicas-1-stock-{number}",
        "namespace": "team",
        "uid": f"uid-{number}",
        "labels": {LABEL: "stock", "serverless.alipay.com/base-instance-name": "stock-1"},
        "finalizers": ["serverless.alipay.com/allocate-pod"],
        "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "stock-1", "uid": "p", "controller": True}],
    }
    spec = {"module": {"name": "stock", "version": version, "url": "http://archives/stock-1.whl"}}
    told = {"status": "Available", "reason": "so", "conditions": [{"type": "Ready", "status": "True"}]} | status
    document = {"apiVersion": "serverless.alipay.com/v1alpha1", "kind": "Module", "metadata": about, "spec": spec}
    return decode(again(document | {"status": told}), Module)


def pod(number):
    about = {"name": f"stock-{number}", "namespace": "team", "uid": str(number), "labels": {LABEL: "stock"}}
    document = {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": {"containers": [{"name": "base"}]}}
    return decode(again(document), Pod)


def relabelled(one, **labels):
    return replace(one, metadata=replace(one.metadata, labels=one.metadata.labels | labels))


OLD = shared(module(1), None)


@pytest.mark.parametrize(
    ("new", "old"),
    [
        (module(1), None),
        (module(1), OLD),
        (module(2), OLD),
        (module(1, status="Failed", reason="other"), OLD),
        (module(1, conditions=[]), OLD),
        (module(1, version="2"), OLD),
        (relabelled(module(1), more="x"), OLD),
        (replace(module(1), metadata=replace(module(1).metadata, owner_references=())), OLD),
        (pod(1), None),
        (pod(1), pod(1)),
        (pod(1), pod(2)),
    ],
)
def test_an_object_is_what_it_was(new, old):
    assert shared(new, old) == new


def texts(one):
    metadata = one.metadata
    yield from (one.api_version, one.kind, metadata.namespace)
    for name, text in metadata.labels.items():
        yield from (name, text)
    for owner in metadata.owner_references:
        yield from (value for value in astuple(owner) if isinstance(value, str))


@pytest.mark.parametrize("old", [None, OLD])
def test_what_two_modules_say_alike_is_there_once(old):
    one, other = shared(module(1), old), shared(module(2), None)
    assert one.spec.module is other.spec.module
    assert one.status.conditions is other.status.conditions
    assert one.metadata.finalizers is other.metadata.finalizers
    assert all(mine is theirs for mine, theirs in zip(texts(one), texts(other), strict=True))


def test_what_has_not_changed_is_that_of_before():
    new = shared(module(1, reason="other"), OLD)
    assert new.spec is OLD.spec and new.metadata.labels is OLD.metadata.labels and new.metadata.uid is OLD.metadata.uid
    assert new.metadata.owner_references is OLD.metadata.owner_references


def test_pods_and_modules_share_the_names_of_their_labels():
    (mine,) = shared(pod(1), None).metadata.labels
    assert any(mine is name for name in OLD.metadata.labels)
