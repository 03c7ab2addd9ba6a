"""Where a Service leads, as it is planned: what is written once, what is not written again, what is left alone."""

import pytest

from arkwright.model.cluster import Endpoints, EndpointSlice, Workload
from arkwright.model.codec import decode
from arkwright.model.names import PORT
from arkwright.model.resources import Kind
from arkwright.plan.intents import Create, Delete, Patch, Target
from arkwright.standalone.endpoints import MOST_IN_SLICE, Known, members, plan_endpoints, slices

KEY = Target(Kind.SERVICE, "shop", "web")


def pod(number, **annotations):
    about = {"name": f"p{number:03}", "namespace": "shop", "uid": f"u{number}", "labels": {"app": "a"}}
    status = {"phase": "Running", "podIP": f"127.0.{number // 250}.{number % 250 + 1}"}
    status["conditions"] = [{"type": "Ready", "status": "True"}]
    document = {"metadata": about | {"annotations": annotations}, "spec": {"nodeName": "n"}, "status": status}
    return decode(document, Workload)


def service(**spec):
    about = {"name": "web", "namespace": "shop", "uid": "s", "labels": {"of": "shop"}}
    spec = {"selector": {"app": "a"}, "ports": [{"port": 80, "targetPort": 8080}]} | spec
    return decode({"metadata": about, "spec": spec}, Workload)


def known_after(one, pods, known=None):
    """What is there once the intents are done."""
    made = known or Known()
    found = {each.name: each for each in made.slices}
    endpoints = made.endpoints
    for intent in plan_endpoints(KEY, one, pods, made):
        match intent:
            case Create(target, document) if target.kind is Kind.ENDPOINTS:
                endpoints = decode(document, Endpoints)
            case Create(target, document):
                found[target.name] = decode(document, EndpointSlice)
            case Delete(target):
                del found[target.name]
    return Known(endpoints, tuple(found.values()))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_what_is_written_is_not_written_again(count):
    pods = [pod(number) for number in range(count)]
    known = known_after(service(), pods)
    assert len(known.slices) == 1
    assert plan_endpoints(KEY, service(), pods, known) == []


def test_many_pods_take_several_slices_each_with_a_name_that_stays():
    pods = [pod(number) for number in range(2 * MOST_IN_SLICE + 1)]
    made = slices(service(), members(service(), pods))
    assert [len(one["endpoints"]) for one in made.values()] == [MOST_IN_SLICE, MOST_IN_SLICE, 1]
    assert made.keys() == slices(service(), members(service(), pods)).keys()


def test_pods_that_share_an_address_are_told_apart_by_their_ports():
    pods = [pod(1, **{PORT: "20001"}), pod(2, **{PORT: "20002"})]
    found = slices(service(), members(service(), pods)).values()
    assert sorted(one["ports"][0]["port"] for one in found) == [20001, 20002]


def test_a_label_of_the_service_is_followed_and_foreign_ones_go():
    known = known_after(service(), [pod(1)])
    odd = decode({"metadata": {"name": "web", "namespace": "shop", "labels": {"x": "y"}}}, Endpoints)
    intents = plan_endpoints(KEY, service(), [pod(1)], Known(odd, known.slices))
    assert [type(one) for one in intents] == [Patch]
    assert intents[0].patch["metadata"]["labels"]["x"] is None
    assert intents[0].patch["metadata"]["labels"]["of"] == "shop"


def test_endpoints_that_somebody_else_has_written_outlive_a_service_that_is_not_there():
    own = known_after(service(), [pod(1)]).endpoints
    foreign = decode({"metadata": {"name": "web", "namespace": "shop"}}, Endpoints)
    assert [type(one) for one in plan_endpoints(KEY, None, [], Known(own))] == [Delete]
    assert plan_endpoints(KEY, None, [], Known(foreign)) == []


@pytest.mark.parametrize(
    "spec",
    [{"selector": None}, {"selector": 7}, {"type": "ExternalName"}, {"selector": {"app": {"a": 1}}, "ports": "x"}],
)
def test_whatever_a_service_says_others_are_not_held_up(spec):
    intents = plan_endpoints(KEY, service(**spec), [pod(1)], Known())
    assert all(isinstance(one, Create) for one in intents)
