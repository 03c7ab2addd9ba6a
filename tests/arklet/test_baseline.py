"""A base that starts asks what it should hold, and does not listen before it holds it."""

import asyncio
import itertools
import json

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from arklet.conftest import is_answering, running_base
from arkwright.arklet.app import _Server
from arkwright.arklet.settings import AgentSettings, BaselineSettings, Settings

_ports = itertools.count(27000, 3)


class Fleet:
    """Stands for the controller: answers what it was given, in turn; the last for ever."""

    def __init__(self, address, port):
        self.url, self.answers, self.asked = f"http://{address}:{port}", [], []
        routes = [Route("/queryBaseline", self.answer, methods=["POST"])]
        config = uvicorn.Config(Starlette(routes=routes), host=address, port=port, log_level="warning", lifespan="off")
        self.server = _Server(config)

    async def answer(self, request):
        self.asked.append((request.client.host, await request.json(), request.headers.get("authorization", "")))
        said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(said, str):
            return PlainTextResponse(said, 503)
        return Response(json.dumps(said))


@pytest.fixture
async def fleet(worker_number):
    found = Fleet(f"127.7.{worker_number}.6", next(_ports))
    serving = asyncio.create_task(found.server.serve())
    yield found
    found.server.should_exit = True
    await serving


@pytest.fixture
def base_of(worker_number, tmp_path):
    def make(fleet):
        port = next(_ports)
        (tmp_path / "token").write_text("replaced\nsecret\n")  # the last one is to be used
        baseline = BaselineSettings(url=fleet.url, token_file=str(tmp_path / "token"))
        agent = AgentSettings(host=f"127.7.{worker_number}.7", port=port + 1)
        return running_base(Settings(agent=agent, baseline=baseline), port + 2)

    return make


def wanted(version, url):
    return {"bizName": "provider", "bizVersion": version, "bizUrl": url}


async def until_answering(base):
    async with asyncio.timeout(10):
        while not await is_answering(base):
            await asyncio.sleep(0.01)


async def test_a_base_listens_once_it_holds_what_it_should(fleet, base_of, make_wheel, worker_number, gate):
    slow = make_wheel(files={"provider/values.py": f"{gate.code}VERSION = '1.0.2'"})
    fleet.answers = [[wanted("1.0.2", slow), wanted("2.0.0", make_wheel("2.0.0"))]]
    async with base_of(fleet) as base:
        await asyncio.sleep(0.3)
        assert not await is_answering(base)
        gate.open()
        await until_answering(base)
        assert await base.get("/provider/") == (200, "1.0.2")
        assert await base.states() == {"1.0.2": "activated", "2.0.0": "deactivated"}
    address = f"127.7.{worker_number}.7"
    assert fleet.asked == [(address, {"localIP": address, "port": base.agent_port}, "Bearer secret")]


async def test_it_asks_until_it_is_told_and_tries_until_everything_is_in(fleet, base_of, make_wheel, caplog):
    fleet.answers = ["not yet", [wanted("1.0.2", "file:///nowhere.whl")], [wanted("1.0.2", make_wheel())]]
    async with base_of(fleet) as base:
        await until_answering(base)
        assert await base.get("/provider/") == (200, "1.0.2")
    waited = [message for message in caplog.messages if message.startswith("not ready")]
    assert "/queryBaseline answered 503: not yet" in waited[0]
    assert "provider:1.0.2: Internal Error: cannot read file:///nowhere.whl" in waited[1]


async def test_a_base_of_which_nothing_is_wanted_listens_at_once(fleet, base_of):
    fleet.answers = [[]]
    async with base_of(fleet) as base:
        await until_answering(base)


async def test_its_agent_answers_meanwhile_and_what_others_install_counts(fleet, base_of, make_wheel):
    fleet.answers = [[wanted("1.0.2", "file:///nowhere.whl")]]
    async with base_of(fleet) as base:
        async with asyncio.timeout(5):
            while not fleet.asked:
                await asyncio.sleep(0.01)
        while "conflict" in (answer := await base.install(make_wheel())).get("message", ""):  # it tries that very one
            await asyncio.sleep(0.01)
        assert answer["code"] == "SUCCESS"
        await until_answering(base)
