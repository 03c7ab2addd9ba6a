"""What agents tell of themselves, asked for over HTTP: fresh, once for all who ask, bounded, and never in the way of a release."""

import asyncio
import contextlib
import os
import socket
import sys
from types import SimpleNamespace

import httpx
import msgspec
import pytest
import uvicorn
from msgspec.structs import replace
from starlette.applications import Starlette

from arkwright.clients.arklet import ArkletClient, Timeouts
from arkwright.controller.agentcalls import AgentCalls, Asked
from arkwright.controller.cache import Cache
from arkwright.controller.inquiries import Inquiries, Means, Modesty
from arkwright.controller.lastcalls import KEPT, LastCalls
from arkwright.controller.metrics import Metrics
from arkwright.controller.objects import Key
from arkwright.listening import BoundedServer
from arkwright.model import agentview
from arkwright.model.agentview import AgentView, CallView, agent_view
from arkwright.model.names import ARKLET_PORT
from arkwright.model.outcomes import Command, Outcome, Verdict
from arkwright.model.resources import Kind
from fakes.agent_server import FakeAgent
from plan.builders import NOW, archive, available, later, pod
from web.test_guards import as_nobody

FIGURES = {"requests": 40, "failed": 2, "refused": 1, "timedOut": 3, "latencyMs": {"p50": 1.5, "p99": 20.25}}
TOLD = {"requests": FIGURES, "requestsInFlight": 4, "restarts": 1, "lastEnd": "it was ended by SIGSEGV"}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


class World:
    """A controller's port in front of one agent. `sure`: whether this controller acts."""

    def __init__(self, agent, client, modesty):
        self.agent, self.sure, self.cache, self.calls = (
            agent,
            True,
            Cache(lambda: NOW, lambda change: None),
            LastCalls(),
        )
        found = pod()
        meta = replace(found.metadata, annotations={ARKLET_PORT: str(agent.port)})
        self.pod = replace(found, metadata=meta, status=replace(found.status, pod_ip="127.0.0.1"))
        self.agents = AgentCalls(
            client, lambda: NOW, Metrics(), lambda ended: self.calls.note("stock-1-uid", ended.call)
        )

        async def unmet(pod):
            return ""

        means = Means(client, unmet, lambda: self.sure, lambda: NOW, Metrics())
        known = SimpleNamespace(cache=self.cache, agents=self.agents, calls=self.calls)
        self.inquiries = Inquiries(lambda: [known], means, modesty)

    def holds(self, *modules):
        self.cache.apply(Kind.POD, self.pod)
        for one in modules:
            self.cache.apply(Kind.MODULE, one)

    async def asks(self, path="/agents/default/stock-1"):
        return await self.http.get(path)

    @property
    def times(self):
        return len(self.agent.base.calls("health"))


@contextlib.asynccontextmanager
async def world(modesty=None):
    async with FakeAgent("127.0.0.1", free_port()) as agent, ArkletClient(Timeouts(connect=1, query=1)) as client:
        found = World(agent, client, modesty)
        app, listening = Starlette(routes=found.inquiries.routes()), socket.create_server(("127.0.0.1", 0))
        server = BoundedServer(uvicorn.Config(app, log_level="error", lifespan="off"))
        serving = asyncio.create_task(server._serve(sockets=[listening]))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=address, timeout=20) as found.http:
            yield found
        server.should_exit = True
        await serving


def read(answer):
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=AgentView)


async def test_what_a_python_agent_tells_is_handed_on_with_the_last_calls_to_it():
    async with world() as one:
        one.holds(available())
        base = one.agent.base
        base.modules, base.figures = {"provider:1.0": "activated"}, {"provider:1.0": TOLD}
        base.health = {"residue": {"provider:0.9": ["thread sender goes on"]}, "troubles": ["its port: closed"]}
        one.agents.start(one.pod, Command.UNINSTALL, archive("0.9"), Asked(Key(Kind.MODULE, "default", "a"), 1, 1))
        await asyncio.gather(*one.agents._tasks)
        view = read(await one.asks())
        (module,), (left,), (call,) = view.modules, view.left, view.calls
        assert (module.identity, module.traffic.requests, module.traffic.in_flight) == ("provider:1.0", 40, 4)
        assert (module.traffic.p50_ms, module.traffic.p99_ms, module.restarts) == (1.5, 20.25, 1)
        assert (left.identity, left.what) == ("provider:0.9", ("thread sender goes on",))
        assert view.troubles == ("its port: closed",) and view.silence == ""
        assert (call.command, call.identity, call.verdict) == (Command.UNINSTALL, "provider:0.9", Verdict.ABSENT)


async def test_a_java_agent_tells_states_and_no_figures():
    async with world() as one:
        one.holds(available())
        one.agent.base.modules = {"provider:1.0": "ACTIVATED"}
        (module,) = read(await one.asks()).modules
        assert (module.state, module.traffic) == ("activated", None)


async def test_an_agent_is_asked_once_however_many_ask_and_again_when_its_answer_is_old():
    async with world(Modesty(answer_seconds=0.5)) as one:
        one.holds(available())
        gate = one.agent.gates["health"] = asyncio.Event()
        asking = [asyncio.create_task(one.asks()) for _ in range(20)]
        while one.inquiries._waiting < 20:
            await asyncio.sleep(0.01)
        gate.set()
        assert {answer.status_code for answer in await asyncio.gather(*asking)} == {200}
        await one.asks()
        assert one.times == 1
        while one.times == 1:
            await asyncio.sleep(0.05)
            await one.asks()


async def test_who_does_not_answer_is_told_of_and_left_alone_for_longer():
    async with world(Modesty(answer_seconds=0, silence_seconds=60)) as one:
        one.holds(available())
        one.agent.hangs.add("health")
        assert "has not answered health after 1 s" in read(await one.asks()).silence
        one.agent.hangs.clear()
        assert read(await one.asks()).silence and one.times == 0


async def test_who_has_to_wait_is_refused_where_too_many_wait():
    async with world(Modesty(waiting=3)) as one:
        one.holds(available())
        gate = one.agent.gates["health"] = asyncio.Event()
        asking = [asyncio.create_task(one.asks()) for _ in range(3)]
        while one.inquiries._waiting < 3:
            await asyncio.sleep(0.01)
        assert (await one.asks()).status_code == 503
        gate.set()
        assert {answer.status_code for answer in await asyncio.gather(*asking)} == {200}


async def test_a_release_waits_for_no_question():
    async with world() as one:
        one.holds(available())
        one.agent.hangs.add("health")
        asking = asyncio.create_task(one.asks())
        while not one.inquiries._under_way:
            await asyncio.sleep(0.01)
        for name in "abcde":
            one.agents.start(one.pod, Command.INSTALL, archive(name=name), Asked(Key(Kind.MODULE, "d", name), 1, 1))
        await asyncio.gather(*one.agents._tasks)
        assert not asking.done() and len(one.agent.base.modules) == 5
        await asking


PLACES = [
    ("a pod that is not ours", "/agents/default/stranger", {}, 404),
    ("a pod of another namespace", "/agents/bank/stock-1", {}, 404),
    ("a pod with nothing of ours", "/agents/default/stock-1", {"modules": []}, 404),
    ("no pod", "/agents/default", {}, 404),
    ("a controller that does not act", "/agents/default/stock-1", {"sure": False}, 503),
    ("by another verb", "/agents/default/stock-1", {"verb": "POST"}, 405),
]


@pytest.mark.parametrize(("path", "how", "status"), [one[1:] for one in PLACES], ids=[one[0] for one in PLACES])
async def test_nobody_else_is_asked(path, how, status):
    async with world() as one:
        one.holds(*how.get("modules", [available()]))
        one.sure = how.get("sure", True)
        assert (await one.http.request(how.get("verb", "GET"), path)).status_code == status and one.times == 0


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="only root can be somebody else")
async def test_on_loopback_no_other_user_learns_anything():
    async with world() as one:
        one.holds(available())
        assert (
            await asyncio.to_thread(as_nobody, f"{one.http.base_url}/agents/default/stock-1") == 403 and one.times == 0
        )


# ── agents that lie ──

LONG, MANY = "x" * 100_000, [{"bizName": f"m{n}", "bizVersion": "1"} for n in range(3000)]
ODD = [
    ("a number that is none", {"bizListInfo": [{"bizName": "a", "bizVersion": "1", "requests": {"requests": "7"}}]}),
    ("less than nothing", {"bizListInfo": [{"bizName": "a", "bizVersion": "1", "requestsInFlight": -1}]}),
    ("more than can be", {"bizListInfo": [{"bizName": "a", "bizVersion": "1", "requests": {"requests": 10**30}}]}),
    ("no time", {"bizListInfo": [{"bizName": "a", "bizVersion": "1", "requests": {"latencyMs": {"p99": 1e300}}}]}),
    ("a name that writes to terminals", {"bizListInfo": [{"bizName": "a\x1b[2J", "bizVersion": "1"}]}),
    ("no list", {"bizListInfo": {"a": 1}}),
    ("no health", []),
    ("residue of nothing", {"residue": ["x"]}),
]


@pytest.mark.parametrize("told", [one[1] for one in ODD], ids=[one[0] for one in ODD])
def test_what_cannot_be_is_not_shown(told):
    view = agent_view("uid", Outcome(command=Command.HEALTH, verdict=Verdict.DONE, health=told), (), NOW)
    assert view.silence.startswith("what it tells of itself cannot be read") and not view.modules


def test_what_an_agent_says_is_cleaned_and_ends():
    secret = "cannot read http://me:secret@host/a?token=1"
    left = {f"m{n}\n:1": [secret, "\x1b[2J\u202e", LONG, *["x"] * 50] for n in range(500)}
    health = {"bizListInfo": MANY, "residue": left, "troubles": [LONG] * 1000}
    view = agent_view("uid", Outcome(command=Command.HEALTH, verdict=Verdict.DONE, health=health), (), NOW)
    again = msgspec.json.decode(msgspec.json.encode(view), type=AgentView)
    assert again == view and len(msgspec.json.encode(view)) < agentview.BYTES
    assert (len(view.modules), view.more, len(view.left)) == (100, 2900, 30)
    assert view.left[0].identity == "m0 :1" and view.left[0].what[0] == "cannot read http://host/a"
    assert view.left[0].what[1] == "\ufffd[2J\ufffd" and max(map(len, view.left[0].what)) == 240


def test_an_agent_that_knows_no_health_has_the_modules_that_it_lists():
    refused = Outcome(command=Command.HEALTH, verdict=Verdict.REFUSED, message="please follow the doc")
    known = (agentview.BizInfo(biz_name="a", biz_version="1", biz_state="ACTIVATED"),)
    view = agent_view("uid", refused, known, NOW)
    assert [one.identity for one in view.modules] == ["a:1"] and view.silence == ""


# ── the last calls ──


def test_of_changes_the_last_ten_are_kept_and_of_questions_the_last_one():
    calls = LastCalls()
    for number in range(40):
        command = Command.QUERY if number % 2 else Command.INSTALL
        calls.note("uid", CallView(command=command, at=later(number), verdict=Verdict.DONE))
    kept = calls.of("uid")
    assert [one.command for one in kept].count(Command.INSTALL) == KEPT and len(kept) == KEPT + 1
    assert kept[0].at == later(39) and kept[-1].at == later(20)
    calls.forget("uid")
    assert calls.of("uid") == () and not calls.has_changed("uid")
