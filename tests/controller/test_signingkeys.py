"""Which key signs, which are published, and when one is replaced: a table in time."""

from datetime import UTC, datetime, timedelta

import pytest

from arkwright.controller.signingkeys import KeptKey, mounting, plan_keys
from arkwright.model.cluster import Deployment
from arkwright.model.codec import decode

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def kept(name, age):
    return KeptKey(NOW - age, name)


@pytest.mark.parametrize(
    ("had", "kept_after", "signs"),
    [
        ([], ["new"], "new"),
        ([kept("a", MINUTE)], ["a"], "a"),  # the first signs at once: nobody has another
        ([kept("a", 6 * DAY)], ["a"], "a"),
        ([kept("a", 8 * DAY)], ["new", "a"], "a"),  # handed out first
        ([kept("b", 9 * MINUTE), kept("a", 8 * DAY)], ["b", "a"], "a"),
        ([kept("b", 11 * MINUTE), kept("a", 8 * DAY)], ["b", "a"], "b"),  # what a signed last may be on its way
        ([kept("b", 21 * MINUTE), kept("a", 8 * DAY)], ["b"], "b"),
        ([kept("a", 8 * DAY), kept("b", 21 * MINUTE)], ["b"], "b"),
        ([kept("c", 5 * MINUTE), kept("b", 6 * MINUTE)], ["c", "b"], "b"),
        ([kept("a", -DAY)], ["new", "a"], "a"),  # of a clock that was set back
    ],
)
def test_a_key_is_handed_out_before_it_signs_and_goes_when_nothing_of_it_is_on_its_way(had, kept_after, signs):
    plan = plan_keys(tuple(had), NOW, lambda made: KeptKey(made, "new"))
    assert [one.pem for one in plan.kept] == kept_after and plan.signs.pem == signs


def deployment(namespace, *volumes):
    document = {"metadata": {"name": "stock", "namespace": namespace}}
    return decode(document | {"spec": {"template": {"spec": {"volumes": list(volumes)}}}}, Deployment)


def test_public_keys_go_where_they_are_mounted():
    ours = {"name": "arkwright-controller-keys"}
    found = [
        deployment("mounts", {"name": "keys", "configMap": ours}),
        deployment("projects", {"name": "keys", "projected": {"sources": [{"configMap": ours}]}}),
        deployment("mounts-another", {"name": "keys", "configMap": {"name": "other"}}),
        deployment("mounts-a-secret", {"name": "keys", "secret": {"secretName": ours["name"]}}),
        deployment("mounts-nothing"),
    ]
    assert mounting(found) == {"mounts", "projects"}
