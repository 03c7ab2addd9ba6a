"""What the controller tells a base of what it should hold."""

import asyncio
import json
from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from starlette.requests import Request

from arkwright.controller.agentcalls import AgentCalls
from arkwright.controller.baseline import Baselines
from arkwright.controller.cache import Cache
from arkwright.controller.metrics import Metrics
from arkwright.controller.observe import Observer
from arkwright.model.kinds import ModulePhase, UpgradePolicy
from arkwright.model.outcomes import Reason
from arkwright.model.resources import Kind
from plan.builders import NOW, available, deployment, module, pod, replica_set

FAILED = ModulePhase.FAILED


@pytest.fixture
def told():
    """told(*modules, **question) -> what a base with these Modules hears: (status, versions or text)."""

    def ask(*modules, client="127.1.0.1", is_filled=True, port=1238, body=None, others=None, before=()):
        cache = Cache(lambda: NOW, lambda change: None)
        for kind, one in (
            *((Kind.POD, one) for one in before),
            (Kind.POD, pod()),
            (Kind.MODULE_DEPLOYMENT, deployment()),
            (Kind.MODULE_REPLICASET, replica_set("1.0", 1)),
            (Kind.MODULE_REPLICASET, replica_set("2.0", 2)),
            *((Kind.MODULE, one) for one in modules),
        ):
            cache.apply(kind, one)
        agents = AgentCalls(None, lambda: NOW, Metrics(), lambda pod, name: None)
        known = SimpleNamespace(cache=cache, observer=Observer(cache, agents, 60.0))
        baselines = Baselines(lambda: [known], lambda: NOW, lambda: is_filled, others)
        (route,) = baselines.routes()
        body = body or f'{{"localIP": "127.1.0.1", "port": {port}}}'

        async def receive():
            return {"type": "http.request", "body": body.encode()}

        request = Request({"type": "http", "client": (client, 1), "query_string": b""}, receive)
        answer = asyncio.run(route.endpoint(request))
        if answer.status_code == 200:
            return 200, [one["bizVersion"] for one in json.loads(answer.body)]
        return answer.status_code, answer.body.decode().strip()

    return ask


CASES = [
    ("nothing", [], []),
    ("what serves", [available()], ["1.0"]),
    ("what is on its way", [module(status=ModulePhase.UPGRADING)], ["1.0"]),
    ("the old version first", [available("2.0", revision=2), available()], ["1.0", "2.0"]),
    (
        "both that the restart took",
        [
            module("2.0", revision=2, status=FAILED, reason=Reason.BASE_RESTARTED),
            module(status=FAILED, reason=Reason.BASE_RESTARTED),
        ],
        ["1.0", "2.0"],
    ),
    (
        "not what is on its way beside one that serves",
        [module("2.0", revision=2, status=ModulePhase.UPGRADING), available()],
        ["1.0"],
    ),
    (
        "not what was on its way when the base went",
        [module("2.0", revision=2, status=FAILED, reason=Reason.AGENT_UNREACHABLE), available()],
        ["1.0"],
    ),
    (
        "what is on its way beside one that fails",
        [module("2.0", revision=2), module(status=FAILED, reason=Reason.INSTALL_FAILED)],
        ["2.0"],
    ),
    ("not what is going", [available(going=True), module("2.0", revision=2)], ["2.0"]),
    ("not what fails", [available(), module("2.0", revision=2, status=FAILED, reason=Reason.INSTALL_FAILED)], ["1.0"]),
    ("what the restart took", [module(status=FAILED, reason=Reason.BASE_RESTARTED)], ["1.0"]),
    (
        "not what waits for its turn",
        [available(), module("2.0", revision=2, policy=UpgradePolicy.UNINSTALL_THEN_INSTALL)],
        ["1.0"],
    ),
    ("not what is on another pod", [available(on=2)], []),
]


@pytest.mark.parametrize("modules, versions", [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_base_is_told(told, modules, versions):
    assert told(*modules) == (200, versions)


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_base_whose_address_was_anothers_before_is_told_what_is_its_own(told, phase):
    former = pod(2, phase=phase)
    former = replace(former, status=replace(former.status, pod_ip="127.1.0.1"))
    assert told(available(), before=[former]) == (200, ["1.0"])


@pytest.mark.parametrize(
    "question, answer",
    [
        ({"is_filled": False}, (503, "the controller does not know the cluster yet")),
        ({"client": "127.1.0.2"}, (403, "only 127.1.0.1 itself may ask what it should hold")),
        ({"port": 9}, (404, "no base pod has its agent at 127.1.0.1:9")),
        ({"body": "[]"}, (400, "the body is not a base's address: Expected `object`, got `array`")),
    ],
)
def test_others_are_not_told(told, question, answer):
    assert told(available(), **question) == answer


class Others:
    """Controllers that share namespaces with this one. `url`: of the next; `empty`: addresses of bases where nothing of ours is."""

    def __init__(self, url="", empty=()):
        self.url_after, self._empty = lambda hops: url, empty

    async def holds_nothing(self, address):
        return address.local_ip in self._empty


@pytest.mark.parametrize(
    ("others", "answer"),
    [
        (Others("http://10.0.0.2:8081/queryBaseline?hops=1"), (307, "")),
        (Others(), (404, "no base pod has its agent at 127.1.0.9:1238")),
        (Others(empty=["127.1.0.9"]), (200, [])),
    ],
    ids=["the next one is asked", "nobody knows it", "in a namespace that sleeps"],
)
def test_a_base_of_another_share_is_sent_on(told, others, answer):
    body = '{"localIP": "127.1.0.9", "port": 1238}'
    assert told(available(), client="127.1.0.9", body=body, others=others) == answer
