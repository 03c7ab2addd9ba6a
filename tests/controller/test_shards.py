"""What a shard follows: everything where something of ours is, almost nothing where nothing is, and nothing of others."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from arkwright.clients.errors import NotOurs
from arkwright.controller.agentcalls import AgentCalls, Asked
from arkwright.controller.app import Controller, Settings
from arkwright.controller.metrics import Metrics
from arkwright.controller.neighbours import Neighbours
from arkwright.controller.objects import Key
from arkwright.controller.slots import Slots
from arkwright.model.arklet import BaseAddress
from arkwright.model.outcomes import Command
from arkwright.model.resources import Kind
from fakes.arklet import FakeArklet
from fakes.kube import FakeKube
from plan.builders import module, pod
from simulation import documents

pytestmark = pytest.mark.looptime
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def now():
    return EPOCH + timedelta(seconds=asyncio.get_running_loop().time())


@contextlib.asynccontextmanager
async def shard(kube):
    controller = Controller(kube, FakeArklet(), Settings(shares=True), now)
    task = asyncio.create_task(controller.run())
    try:
        yield controller
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def made(kind, **more):
    """Something of ours in `shop`."""
    spec = {"module": {"name": "provider", "version": "1.0", "url": "http://archives/1.whl"}}
    if kind is Kind.MODULE_DEPLOYMENT:
        return documents.module_deployment("demo", {"template": {"spec": spec}}, "shop")
    metadata = {"name": "demo", "namespace": "shop"} | more
    return {"apiVersion": "serverless.alipay.com/v1alpha1", "kind": str(kind), "metadata": metadata, "spec": spec}


WAKING = [(Kind.MODULE_DEPLOYMENT, 1), (Kind.MODULE, 61)]


@pytest.mark.parametrize(("kind", "seconds"), WAKING, ids=["by a ModuleDeployment", "by a Module of nobody's"])
async def test_a_namespace_sleeps_until_something_of_ours_is_there(kind, seconds):
    kube = FakeKube(now)
    kube.put(documents.namespace("shop"))
    async with shard(kube) as controller:
        await asyncio.sleep(5)
        (realm,) = controller.realms
        assert realm.is_asleep and controller.is_ready
        assert {str(one.type.__name__) for one, where, _ in kube._watches if where} == {"Deployment"}
        kube.put(made(kind))
        await asyncio.sleep(seconds)
        assert not realm.is_asleep and realm.is_filled


async def test_who_starts_alone_waits_a_little_for_others_that_start_too():
    kube = FakeKube(now)
    kube.put(documents.namespace("shop"))
    async with shard(kube) as controller:
        await asyncio.sleep(2)
        assert controller.realms == [] and not controller.is_ready  # a base that asks now is told to ask again
        await asyncio.sleep(2)
        assert [one.namespace for one in controller.realms] == ["shop"] and controller.is_ready


@pytest.mark.parametrize("kind", [Kind.MODULE_DEPLOYMENT, Kind.MODULE])
async def test_what_was_there_before_wakes_it_at_once(kind):
    kube = FakeKube(now)
    kube.put(documents.namespace("shop"))
    kube.put(made(kind))
    async with shard(kube) as controller:
        await asyncio.sleep(5)
        assert [one.is_filled for one in controller.realms] == [True]


async def test_a_namespace_that_goes_is_followed_no_more_and_one_that_comes_again_is():
    kube = FakeKube(now)
    path = kube.path(kube.put(documents.namespace("shop")))
    async with shard(kube) as controller:
        await asyncio.sleep(5)
        kube.remove(path)
        await asyncio.sleep(1)
        assert controller.realms == [] and not controller.metrics.owned._metrics
        kube.put(documents.namespace("shop"))
        await asyncio.sleep(1)
        assert [one.namespace for one in controller.realms] == ["shop"]


async def test_a_namespace_that_comes_again_is_asked_for_modules_at_once_whoever_was_being_asked_as_it_went():
    kube = FakeKube(now)
    for name in ("shop", "zoo"):
        path = kube.path(kube.put(documents.namespace(name)))
    has_any = kube.has_any

    async def slow(resource, namespace):
        kube.has_any = has_any
        kube.remove(path)
        await asyncio.sleep(2)
        return await has_any(resource, namespace)

    kube.has_any = slow
    async with shard(kube) as controller:
        await asyncio.sleep(8)
        kube.put(documents.namespace("zoo"))
        kube.put(made(Kind.MODULE, namespace="zoo"))
        await asyncio.sleep(3)
        assert {one.namespace: one.is_asleep for one in controller.realms} == {"shop": True, "zoo": False}


async def test_nothing_is_sent_once_another_may_act():
    with pytest.raises(NotOurs):
        await Slots(1, lambda: False).write(lambda: pytest.fail("sent"))
    is_sure = False
    calls = AgentCalls(
        FakeArklet(on_call=lambda *_: is_sure or pytest.fail("called")), now, Metrics(), lambda ended: None
    )
    calls.is_sure = lambda: is_sure
    asked = Asked(Key(Kind.MODULE, "default", "demo"), 1, 1)
    calls.start(pod(), Command.INSTALL, module().spec.module, asked)
    await asyncio.sleep(10)
    assert calls.last(asked.key) is None, "and the base is not blamed"
    is_sure = True
    await asyncio.sleep(10)
    assert calls.last(asked.key) is not None


# ── a base that asks what it should hold ──


def partner(identity, *others):
    addresses = {one: f"http://{one}:8081" for one in (identity, *others)}
    return SimpleNamespace(identity=identity, addresses=addresses)


def test_a_base_is_sent_on_once_round():
    ring = {one: Neighbours(None, partner(one, *({"a", "b", "c"} - {one}))) for one in "abc"}
    assert ring["b"].url_after(0) == "http://c:8081/queryBaseline?hops=1"
    assert ring["c"].url_after(1) == "http://a:8081/queryBaseline?hops=2"
    assert ring["a"].url_after(2) == ""
    assert Neighbours(None, partner("a")).url_after(0) == ""
    assert Neighbours(None, SimpleNamespace(identity="a", addresses={"b": "http://b:8081"})).url_after(0) == ""


@pytest.mark.parametrize(
    ("address", "kinds", "is_empty"),
    [("127.1.0.1", [], True), ("127.1.0.1", [Kind.MODULE], False), ("127.1.0.2", [], False)],
    ids=["nothing of ours there", "Modules there", "no such pod"],
)
async def test_a_base_in_a_namespace_that_nobody_follows_holds_nothing(address, kinds, is_empty):
    kube = FakeKube(now)
    kube.put(documents.pod("stock-1", "127.1.0.1", {}, "shop"))
    for kind in kinds:
        kube.put(made(kind))
    assert await Neighbours(kube, partner("a")).holds_nothing(BaseAddress(local_ip=address, port=1238)) is is_empty


async def test_whose_the_address_of_a_base_was_before_is_of_no_interest():
    kube = FakeKube(now)
    former = documents.pod("former", "127.1.0.1", {}, "other")
    former["status"]["phase"] = "Failed"
    for one in (former, documents.pod("stock-1", "127.1.0.1", {}, "shop"), made(Kind.MODULE, namespace="other")):
        kube.put(one)
    assert await Neighbours(kube, partner("a")).holds_nothing(BaseAddress(local_ip="127.1.0.1", port=1238))
