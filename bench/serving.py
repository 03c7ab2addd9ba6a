"""Servers to measure, and the load on them: a base, the same applications alone, nginx in front of one."""

import asyncio
import contextlib
import json
import math
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests")]
from arklet.wheels import entry, write_wheel  # noqa: E402

HOST, ALONE, NGINX, ORDER_ALONE = "127.60.0.1", "127.60.0.2", "127.60.0.3", "127.60.0.4"
CONNECTIONS = 16
CLIENT, SERVERS = (sorted(os.sched_getaffinity(0)) * 2)[:2]  # a processor each, or the only one
HELLO = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute

async def hello(request):
    return PlainTextResponse("hello")

async def count(request):
    return PlainTextResponse(str(sum([len(piece) async for piece in request.stream()])))

async def much(request):
    async def pieces():
        for _ in range(1600):
            yield b"x" * 65_536
    return StreamingResponse(pieces())

async def talk(socket):
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(text)

app = Starlette(routes=[Route("/", hello), Route("/count", count, methods=["POST"]), Route("/much", much), WebSocketRoute("/", talk)])
"""
ORDER = """
from fastapi import FastAPI
from pydantic import BaseModel, Field

class Line(BaseModel):
    article: str
    count: int = Field(gt=0)
    cents: int = Field(ge=0)

class Order(BaseModel):
    customer: str
    lines: list[Line]

class Receipt(BaseModel):
    customer: str
    cents: int

app = FastAPI()

@app.post("/")
async def total(order: Order) -> Receipt:
    return Receipt(customer=order.customer, cents=sum(line.count * line.cents for line in order.lines))
"""
BODY = json.dumps({"customer": "ann", "lines": [{"article": f"a{n}", "count": n, "cents": 199} for n in range(1, 6)]})
NGINX_CONF = """
user {user}; worker_processes 1; daemon off; pid {directory}/nginx.pid; error_log /dev/null;
events {{ worker_connections 512; }}
http {{
  access_log off; keepalive_requests 100000000;
  upstream app {{ server unix:{directory}/uvicorn.sock; keepalive 64; keepalive_requests 100000000; }}
  server {{
    listen {address}:8080;
    location / {{ proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
                  proxy_set_header X-Forwarded-For $remote_addr; proxy_buffering off; }}
  }}
}}
"""


def wheel(directory: Path, name: str, isolation: str, application: str, requires: str) -> str:
    files = {f"{name}/__init__.py": "", f"{name}/web.py": application}
    return write_wheel(directory, name, "1.0", files, entry(name, f"{name}.web:app", isolation), (requires,)).as_uri()


@dataclass(frozen=True)
class Place:
    """Where an application answers, how it is asked, and how its answer ends."""

    host: str
    path: str = "/"
    body: str = ""
    end: bytes = b"\r\n\r\nhello"

    @property
    def request(self) -> bytes:
        if not self.body:
            return f"GET {self.path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()
        about = f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n"
        return f"POST {self.path} HTTP/1.1\r\nHost: bench\r\n{about}\r\n{self.body}".encode()

    @classmethod
    def order(cls, host: str, path: str = "/") -> "Place":
        return cls(host, path, BODY, b'\r\n\r\n{"customer":"ann","cents":2985}')


class Running:
    """A process that serves."""

    def __init__(self, directory: Path, *command: str) -> None:
        self.process = subprocess.Popen(command, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.about = psutil.Process(self.process.pid)
        self.about.cpu_affinity([SERVERS])

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(30)


@contextlib.contextmanager
def servers(directory: Path) -> Iterator[tuple[Running, dict[str, Running], list[psutil.Process]]]:
    """A base, the applications alone by framework, and the processes of nginx and its application (none where it is not there)."""
    (directory / "alone.py").write_text(HELLO)
    (directory / "order_alone.py").write_text(ORDER)
    python = (sys.executable, "-m")
    quiet = ("--log-level", "warning", "--no-access-log")
    base = Running(directory, *python, "arkwright", "base", "--host", HOST, "--app", "alone:app")
    alone = {
        "starlette": Running(directory, *python, "uvicorn", "alone:app", *quiet, "--port", "8080", "--host", ALONE),
        "fastapi": Running(
            directory, *python, "uvicorn", "order_alone:app", *quiet, "--port", "8080", "--host", ORDER_ALONE
        ),
    }
    behind = list(_nginx(directory, python, quiet))
    try:
        yield base, alone, [process for one in behind for process in family(one)]
    finally:
        for one in (base, *alone.values(), *behind):
            one.end()


def _nginx(directory: Path, python: tuple[str, ...], quiet: tuple[str, ...]) -> Iterator[Running]:
    if not (nginx := shutil.which("nginx")):
        print("nginx is not installed: it is left out")
        return
    socket = directory / "uvicorn.sock"
    yield Running(directory, *python, "uvicorn", "alone:app", *quiet, "--uds", str(socket))
    while not socket.exists():
        time.sleep(0.05)
    text = NGINX_CONF.format(user="root" if os.getuid() == 0 else "nobody", directory=directory, address=NGINX)
    (directory / "nginx.conf").write_text(text)
    started = Running(directory, nginx, "-c", str(directory / "nginx.conf"), "-p", str(directory))
    while not started.about.children():
        time.sleep(0.05)
    for one in started.about.children():
        one.cpu_affinity([SERVERS])
    yield started


def family(one: Running) -> list[psutil.Process]:
    return [one.about, *one.about.children(recursive=True)]


def own_megabytes(process: psutil.Process) -> float:
    """What only this process has; what the system shares between processes costs nobody twice."""
    with contextlib.suppress(psutil.NoSuchProcess):  # a look at what may be preloaded is over soon
        return float(process.memory_full_info().uss / 1e6)
    return 0.0


def cpu_seconds(processes: list[psutil.Process]) -> float:
    return sum(times.user + times.system for times in (one.cpu_times() for one in processes))


class Agent:
    def __init__(self, session: aiohttp.ClientSession, host: str) -> None:
        self._session, self._host = session, host

    async def __call__(self, command: str, **body: str) -> None:
        async with self._session.post(f"http://{self._host}:1238/{command}", json=body) as response:
            answer = await response.json()
        assert answer["code"] == "SUCCESS", answer

    async def ask_once(self, path: str, body: str) -> None:
        method, about = ("POST", {"Content-Type": "application/json"}) if body else ("GET", {})
        async with self._session.request(
            method, f"http://{self._host}:8080{path}", data=body, headers=about
        ) as response:
            assert response.status == 200, await response.text()

    async def until_up(self) -> None:
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                return await self("queryAllBiz")
            await asyncio.sleep(0.05)


class Asking(asyncio.Protocol):
    """One connection that asks again as soon as it is answered, while `is_on`; `count` of answers."""

    def __init__(self, place: Place) -> None:
        self._request, self._end = place.request, place.end
        self.count, self._left, self._is_on, self._is_idle = 0, b"", False, asyncio.Event()
        self._is_idle.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._left += data
        if self._left.endswith(self._end):
            self.count, self._left = self.count + 1, b""
            if self._is_on:
                self.transport.write(self._request)
            else:
                self._is_idle.set()

    def begin(self) -> None:
        self._is_on = True
        self._is_idle.clear()
        self.transport.write(self._request)

    async def end(self) -> None:
        self._is_on = False
        await asyncio.wait_for(self._is_idle.wait(), 10)


class Load:
    """Connections to one place, which ask for a while and rest again."""

    def __init__(self, asking: list[Asking]) -> None:
        self._asking = asking

    @classmethod
    async def to(cls, place: Place) -> "Load":
        loop = asyncio.get_running_loop()
        made = [await loop.create_connection(lambda: Asking(place), place.host, 8080) for _ in range(CONNECTIONS)]
        return cls([asking for _, asking in made])

    async def requests_for(self, seconds: float) -> tuple[int, float]:
        """How many were answered, and how many a second."""
        before, began = sum(one.count for one in self._asking), time.perf_counter()
        for one in self._asking:
            one.begin()
        await asyncio.sleep(seconds)
        await asyncio.gather(*(one.end() for one in self._asking))
        count = sum(one.count for one in self._asking) - before
        return count, count / (time.perf_counter() - began)

    def close(self) -> None:
        for one in self._asking:
            one.transport.abort()


class Wrk:
    """The same by a client of little weight, for where it shares a processor with what is measured. Each load is a run of whole seconds."""

    def __init__(self, directory: Path, place: Place) -> None:
        self._script = directory / f"{place.host}.lua"
        body = f"wrk.method = 'POST'; wrk.body = {json.dumps(place.body)}; wrk.headers['Content-Type'] = 'application/json'"
        self._script.write_text(body if place.body else "")
        self._url = f"http://{place.host}:8080{place.path}"

    @staticmethod
    def is_there() -> bool:
        return shutil.which("wrk") is not None

    async def requests_for(self, seconds: float) -> tuple[int, float]:
        options = ("-t", "1", "-c", str(CONNECTIONS), "-d", str(math.ceil(seconds)), "-s", str(self._script))
        process = await asyncio.create_subprocess_exec("wrk", *options, self._url, stdout=subprocess.PIPE)
        said = (await process.communicate())[0].decode()
        assert "Non-2xx" not in said, said
        count = re.search(r"(\d+) requests in", said)
        rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
        assert count and rate, said
        return int(count[1]), float(rate[1])

    def close(self) -> None:
        self._script.unlink()
