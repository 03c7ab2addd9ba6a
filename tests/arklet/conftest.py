"""A real base with a real agent on loopback, and wheels made on the spot."""

import asyncio
import contextlib
import itertools
import zipfile

import aiohttp
import pytest
import uvicorn

from arkwright.arklet.app import Arklet, _Server

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
    await asyncio.sleep(float(query or 0))
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
            entry_points = f"[arkwright.module]\n{web_path} = {name}.web:app\n"
            contents[f"{name}-{version}.dist-info/entry_points.txt"] = entry_points
        with zipfile.ZipFile(path, "w") as wheel:
            for file_name, text in {**contents, **(files or {})}.items():
                wheel.writestr(file_name, text)
        return path.as_uri()

    return make


async def plain_base(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 404 if len(scope["path"]) > 1 else 200, "headers": []})
    await send({"type": "http.response.body", "body": b"base"})


class RunningBase:
    def __init__(self, session, host, port, agent_port):
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


@pytest.fixture
async def base(worker_number):
    host, port = f"127.7.{worker_number}.1", next(_ports)
    agent_port = next(_ports)
    arklet = Arklet(plain_base, host=host, port=agent_port, drain_seconds=2)
    server = _Server(uvicorn.Config(arklet, host=host, port=port, log_level="warning", lifespan="on"))
    serving = asyncio.create_task(server.serve())
    async with aiohttp.ClientSession() as session:
        running = RunningBase(session, host, port, agent_port)
        await _until_it_answers(running)
        yield running
    server.should_exit = True
    await serving


async def _until_it_answers(running):
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                await running.command("queryAllBiz")
                return
            await asyncio.sleep(0.01)
