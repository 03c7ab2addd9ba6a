"""A base that modules come to and go from all day does not grow. `--cycles 1000` takes its time."""

import asyncio
import os
import sys

import aiohttp
import psutil
import pytest

from arklet.wheels import entry, write_wheel

WARM_UP = 20
WHOLE_POOL = 1 + min(32, (os.cpu_count() or 1) + 4)  # the main thread, and as many as asyncio's own pool has at most
CODE = """
import asyncio, contextlib, dataclasses, enum, json, logging, threading, typing
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

class Colour(enum.Enum):
    RED = 1

@dataclasses.dataclass
class Order:
    number: int
    colour: typing.Optional[Colour] = None

async def answer(request):
    logging.getLogger(__name__).debug("asked")
    return PlainTextResponse(json.dumps(dataclasses.asdict(Order(1)) | {"ballast": len(BALLAST)}))

BALLAST = bytearray(1 << 20)
ticking = threading.Event()
threading.Thread(target=ticking.wait, args=(0.01,)).start()

@contextlib.asynccontextmanager
async def lifespan(app):
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    await asyncio.open_connection(*server.sockets[0].getsockname())
    app.state.waiting = asyncio.create_task(asyncio.sleep(600))
    yield

app = Starlette(routes=[Route("/", answer)], lifespan=lifespan)
"""

FASTAPI = """
from fastapi import BackgroundTasks, Depends, FastAPI
from pydantic import BaseModel

class Other(BaseModel):
    number: int = 1

class Item(BaseModel):
    name: str
    other: Other | None = None

def number():
    yield 1

def later(item: Item):
    item.model_dump_json()

app = FastAPI()
BALLAST = bytearray(1 << 20)

@app.get("/")
def answer(tasks: BackgroundTasks, number: int = Depends(number)) -> Item:
    item = Item(name="a", other=Other(number=number))
    tasks.add_task(later, item)
    return item
"""
CODES = {"starlette": CODE, "fastapi": FASTAPI}


class BaseInAProcess:
    """A base of its own process, as operators run it."""

    def __init__(self, session, host, process):
        self.session, self.host, self.process = session, host, process

    async def command(self, name, **body):
        async with self.session.post(f"http://{self.host}:1238/{name}", json=body) as response:
            return await response.json()

    async def cycle(self, url):
        answer = await self.command("installBiz", bizName="cycling", bizVersion="1.0", bizUrl=url)
        assert answer["code"] == "SUCCESS", answer
        async with self.session.get(f"http://{self.host}:8080/cycling/") as response:
            assert response.status == 200
        answer = await self.command("uninstallBiz", bizName="cycling", bizVersion="1.0")
        assert answer["code"] == "SUCCESS" and "residue" not in answer["data"], answer

    async def warm_up(self, url):
        """Until all threads of its pool are there and all caches filled."""
        await asyncio.gather(*(self.command("installBiz", bizUrl=f"{url}#{number}") for number in range(50)))
        await self.command("uninstallBiz", bizName="cycling", bizVersion="1.0")
        for _ in range(WARM_UP):
            await self.cycle(url)

    async def size(self):
        """Resident bytes, file descriptors, threads: the least of two seconds, for the last connections are still closing."""
        process, found = psutil.Process(self.process.pid), []
        for _ in range(40):
            found.append((process.memory_info().rss, process.num_fds(), process.num_threads()))
            await asyncio.sleep(0.05)
        return tuple(min(column) for column in zip(*found, strict=True))


@pytest.fixture
async def base_in_a_process(worker_number):
    host = f"127.7.{worker_number}.9"
    command = (sys.executable, "-m", "arkwright", "base", "--host", host)
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, "MALLOC_ARENA_MAX": "2"})
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        running = BaseInAProcess(session, host, process)
        async with asyncio.timeout(20):
            while True:
                try:
                    await running.command("queryAllBiz")
                    break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.05)
        yield running
    process.terminate()
    await process.wait()


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("framework", CODES)
@pytest.mark.parametrize("mode", ["shared", "process"])
async def test_a_base_does_not_grow_by_modules_that_come_and_go(
    base_in_a_process, tmp_path, mode, framework, pytestconfig
):
    base, cycles = base_in_a_process, pytestconfig.getoption("--cycles")
    files = {"cycling/__init__.py": "", "cycling/web.py": CODES[framework]}
    points = entry("cycling", "cycling.web:app", mode)
    url = write_wheel(tmp_path, "cycling", "1.0", files, points).as_uri()
    await base.warm_up(url)
    memory, descriptors, threads = await base.size()
    for _ in range(cycles):
        await base.cycle(url)
    after = await base.size()
    print(
        f"{mode}, {framework}: {cycles} cycles, {memory / 1e6:.1f} -> {after[0] / 1e6:.1f} MB, fds {descriptors}, threads {threads}"
    )
    assert after[0] < 1.05 * memory and after[1] <= descriptors
    assert after[2] <= max(threads, WHOLE_POOL), "a pool that the warm-up has not filled may fill, and no more"
