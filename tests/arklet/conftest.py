"""A real base with a real agent on loopback, and wheels made on the spot."""

import asyncio
import contextlib
import itertools
import logging
import zipfile

import aiohttp
import pytest
import uvicorn
import uvloop

from arkwright.arklet.app import Arklet, _Server
from arkwright.arklet.settings import AgentSettings, ModuleSettings, Settings

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
ON_BOTH_LOOPS = ("test_clean_unload", "test_exits", "test_serving", "test_shared_timers", "test_torture")


def pytest_asyncio_loop_factories(item):
    """What modules leave in a loop is tested on the interpreter's own and on the one that servers choose."""
    return LOOPS if item.path.stem in ON_BOTH_LOOPS else {"asyncio": LOOPS["asyncio"]}


WEB = """
import asyncio
from {package}.values import VERSION
from {package} import lifespan_log

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive(); await send({{"type": "lifespan.startup.complete"}})
        await receive(); await send({{"type": "lifespan.shutdown.complete"}})
        return
    query = scope["query_string"].decode()
    await asyncio.sleep(float(query.removeprefix("sleep=") or 0))
    await send({{"type": "http.response.start", "status": 200, "headers": []}})
    await send({{"type": "http.response.body", "body": VERSION.encode()}})
"""
_ports = itertools.count(21000)


@pytest.fixture
def make_wheel(tmp_path):
    """make_wheel(version, **changes) -> file url of a wheel of module `provider`."""

    def make(version="1.0.2", name="provider", web_path="provider", files=None, entry=True):
        path = tmp_path / f"{name}-{version}-py3-none-any.whl"
        contents = {
            f"{name}/__init__.py": "lifespan_log = []",
            f"{name}/values.py": f"VERSION = {version!r}",
            f"{name}/web.py": WEB.format(package=name),
            f"{name}-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        }
        if entry:
            entry_points = f"[arkwright.module.shared]\n{web_path} = {name}.web:app\n"
            contents[f"{name}-{version}.dist-info/entry_points.txt"] = entry_points
        with zipfile.ZipFile(path, "w") as wheel:
            for file_name, text in {**contents, **(files or {})}.items():
                wheel.writestr(file_name, text)
        return path.as_uri()

    return make


class Gate:
    """Holds up the module that runs `code` until the test opens it."""

    def __init__(self, file):
        self._file = file
        self.code = f"import pathlib, time\nwhile not pathlib.Path({str(file)!r}).exists(): time.sleep(0.01)\n"

    def open(self):
        self._file.touch()


@pytest.fixture
def gate(tmp_path):
    return Gate(tmp_path / "gate-is-open")


async def plain_base(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 404 if len(scope["path"]) > 1 else 200, "headers": []})
    await send({"type": "http.response.body", "body": b"base"})


class RunningBase:
    def __init__(self, session, host, port, agent_port):
        self.agent_port = agent_port
        self.session, self.web, self.agent = session, f"http://{host}:{port}", f"http://{host}:{agent_port}"

    async def command(self, name, **body):
        async with self.session.post(f"{self.agent}/{name}", json=body) as response:
            assert response.status == 200
            return await response.json()

    async def get(self, path):
        async with self.session.get(self.web + path) as response:
            return response.status, await response.text()

    async def install(self, url, version="1.0.2", **more):
        return await self.command("installBiz", bizName="provider", bizVersion=version, bizUrl=url, **more)

    async def uninstall(self, version="1.0.2", **more):
        return await self.command("uninstallBiz", bizName="provider", bizVersion=version, **more)

    async def ended(self, request_id):
        async with asyncio.timeout(5):
            while True:
                record = (await self.command("queryBizOps", requestId=request_id))["data"]
                if record["endTimestamp"]:
                    return record
                await asyncio.sleep(0.01)

    async def states(self):
        return {one["bizVersion"]: one["bizState"] for one in (await self.command("queryAllBiz"))["data"]}


@pytest.fixture(autouse=True)
def level_of_the_log():
    """As a process begins: a module that is taken away at a test's end puts back what that test, and not the next one, has heard from on."""
    logging.root.setLevel(logging.WARNING)


@pytest.fixture
def modules():
    """What the base's settings say of single modules; tests that want some have a fixture of their own."""
    return {}


@pytest.fixture
async def base(worker_number, modules):
    host, port = f"127.7.{worker_number}.1", next(_ports)
    agent_port = next(_ports)
    settings = Settings(
        agent=AgentSettings(host=host, port=agent_port), defaults=ModuleSettings(drain_seconds=2), modules=modules
    )
    async with running_base(settings, port) as running:
        async with asyncio.timeout(10):
            while not await is_answering(running):
                await asyncio.sleep(0.01)
        yield running


@contextlib.asynccontextmanager
async def running_base(settings, port, application=plain_base):
    """A base in this process, from its first moment on: it may not answer yet."""
    host = settings.agent.host
    server = _Server(
        uvicorn.Config(Arklet(application, settings), host=host, port=port, log_level="warning", lifespan="on")
    )
    serving = asyncio.create_task(server.serve())
    async with aiohttp.ClientSession() as session:
        yield RunningBase(session, host, port, settings.agent.port)
    server.should_exit = True
    await serving


async def is_answering(running):
    """Whether both its agent and its application are there."""
    try:
        await running.command("queryAllBiz")
        await running.get("/")
    except aiohttp.ClientError:
        return False
    return True
