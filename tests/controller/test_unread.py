"""What cannot be read is told on the object, counted and left as it is; all others go on."""

import pytest

from arkwright.model.resources import RESOURCES, Kind
from simulation.world import NAMESPACE, World

pytestmark = pytest.mark.looptime(noop_cycles=0)  # there is no real I/O to wait for
ODD = [
    pytest.param(
        Kind.POD, {"spec": {"containers": [{"name": "base", "ports": [{"containerPort": "http"}]}]}}, id="a port"
    ),
    pytest.param(Kind.POD, {"spec": {"terminationGracePeriodSeconds": 2.5}}, id="a grace period"),
    pytest.param(Kind.POD, {"spec": {"containers": {}}}, id="containers"),
    pytest.param(
        Kind.DEPLOYMENT, {"spec": {"selector": {"matchExpressions": [{"values": [7]}]}}}, id="a selector's value"
    ),
    pytest.param(Kind.DEPLOYMENT, {"spec": {"selector": "app=stock"}}, id="a selector"),
    pytest.param(Kind.SERVICE, {"spec": {"ports": [{"port": "eighty"}]}}, id="a Service's port"),
    pytest.param(Kind.MODULE_DEPLOYMENT, {"metadata": {"managedFields": [{"fieldsV1": []}]}}, id="managed fields"),
]


def events(world, name):
    found = world.kube.all(Kind.EVENT)
    return [
        one["message"] for one in found if (one["reason"], one["involvedObject"]["name"]) == ("NotUnderstood", name)
    ]


def unread(world):
    samples = (one for metric in world.controller.metrics.unread.collect() for one in metric.samples)
    return sum(one.value for one in samples if one.name.endswith("_total"))


def valid(kind):
    wish = {
        "baseDeploymentName": "none",
        "template": {"spec": {"module": {"name": "m", "version": "1", "url": "http://x"}}},
    }
    return {"spec": wish if kind is Kind.MODULE_DEPLOYMENT else {}, "metadata": {"name": "odd", "namespace": NAMESPACE}}


@pytest.mark.parametrize("is_there_first", [True, False], ids=["before the controller", "in the middle"])
@pytest.mark.parametrize("kind, part", ODD)
async def test_an_odd_object_says_so_and_its_neighbours_are_released(kind, part, is_there_first):
    world = World()
    world.add_pods(2)
    odd = {"apiVersion": RESOURCES[kind].api_version, "kind": str(kind), **valid(kind)}
    odd = {**odd, **part, "metadata": odd["metadata"] | part.get("metadata", {})}
    if is_there_first:
        world.kube.put(odd)
    async with world.running():
        world.apply(version="1.0", replicas=2)
        await world.until(lambda: len(world.available("1.0")) == 2)
        if not is_there_first:
            world.kube.put(odd)
        world.apply(version="2.0")
        await world.until(lambda: len(world.available("2.0")) == 2 and world.progress() == "Completed")
        await world.settle()
        (said,) = events(world, "odd")
        assert "left alone until that is corrected" in said and "`$" in said and unread(world) == 1
        if kind is Kind.MODULE_DEPLOYMENT:
            assert world.condition("Stalled", "odd")["reason"] == "NotUnderstood"
        world.kube.remove(RESOURCES[kind].path(NAMESPACE, "odd"))


async def test_a_pod_that_cannot_be_read_any_more_is_not_gone():
    world = World()
    first, _ = world.add_pods(2)
    async with world.running():
        world.apply(version="1.0", replicas=-1)
        await world.until(lambda: len(world.available("1.0")) == 2)
        pod = world.pod_at(first)
        world.kube.change(world.kube.path(pod), {"spec": {"terminationGracePeriodSeconds": "long"}})
        await world.settle()
        assert events(world, pod["metadata"]["name"]) and len(world.serving()) == 2
        world.kube.change(world.kube.path(pod), {"spec": {"terminationGracePeriodSeconds": 5}})
        world.apply(version="2.0")
        await world.until(lambda: len(world.available("2.0")) == 2 and world.progress() == "Completed")
