"""Where a system has but one loopback address each base has ports of its own; the controller and node ports find them."""

import json

import pytest

from apiserver.asking import Api
from arkwright.standalone.addresses import Seat, Seats
from standalone.test_site import JSON, PODS, arkwright, expose, fetched, is_answering, ready_pods, until

RELEASES = "/apis/serverless.alipay.com/v1alpha1/namespaces/default/moduledeployments"


@pytest.fixture
def site(tmp_path):
    words = ["--data-dir", tmp_path, "--port", 0, "--addresses", "127.0.0.1/32"]
    arkwright("up", "--bases", 2, *words)
    yield Api(tmp_path / "kubeconfig")
    arkwright("down", "--data-dir", tmp_path)


def test_modules_come_to_bases_that_share_an_address(site, archive):
    until(lambda: len(ready_pods(site)) == 2)
    pods = json.loads(site.raw("GET", PODS)[2])["items"]
    assert {one["status"]["podIP"] for one in pods} == {"127.0.0.1"}
    assert len({one["metadata"]["annotations"]["serverless.alipay.com/arklet-port"] for one in pods}) == 2

    module = {"name": "provider", "version": "1.0.2", "url": archive}
    spec = {"baseDeploymentName": "base", "replicas": 2, "template": {"spec": {"module": module}}}
    wish = {"apiVersion": "serverless.alipay.com/v1alpha1", "kind": "ModuleDeployment"}
    wish |= {"metadata": {"name": "provider"}, "spec": spec}
    assert site.raw("POST", RELEASES, wish, **JSON)[0] == 201
    until(
        lambda: json.loads(site.raw("GET", f"{RELEASES}/provider")[2]).get("status", {}).get("availableReplicas") == 2
    )

    expose(site, "base", 31776)
    until(lambda: is_answering(31776))
    assert len({fetched(31776) for _ in range(4)}) == 2


def test_each_pod_has_an_address_of_its_own_where_there_are_many():
    seats = Seats("127.9.200.0/29")
    first = seats.next(set(), [8080, 1238])
    second = seats.next({first.address}, [8080, 1238])
    assert (first, second) == (Seat("127.9.200.1"), Seat("127.9.200.2"))
    assert (first.port(8080), first.annotations(1238, 8080)) == (8080, {})


def test_an_address_that_is_not_ours_is_not_used():
    """As on macOS, where 127.9.200.1 is nobody's."""
    seat = Seats("192.0.2.0/24").next(set(), [8080, 1238])
    assert seat.address == "127.0.0.1" and len(set(seat.ports.values())) == 2
    assert seat.annotations(1238, 8080) == {
        "serverless.alipay.com/arklet-port": str(seat.ports[1238]),
        "arkwright.dev/port": str(seat.ports[8080]),
    }
