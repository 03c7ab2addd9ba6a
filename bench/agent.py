"""What a module costs: its install, its memory beside a process of its own, its requests beside the same application alone.

    python bench/agent.py [--installs 200] [--modules 50] [--rounds 300] [--seconds 0.1]

Everything on loopback; the base, the applications alone (at the root, and "prefixed" with the root path a module has) and the
client are processes of their own. Two applications: `hello` does as little as one can, so that what a module costs shows the most;
`order` checks a JSON body and answers with JSON, as services do. Ratios are of figures taken in turn in one run, a moment apart,
for a machine's speed drifts; they are comparable between machines, times are not.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests")]
from arklet.wheels import entry, write_wheel  # noqa: E402

HOST, ALONE, PREFIXED, ORDER_ALONE = "127.60.0.1", "127.60.0.2", "127.60.0.3", "127.60.0.4"
CONNECTIONS = 16
CLIENT, SERVERS = (sorted(os.sched_getaffinity(0)) * 2)[:2]  # a processor each, or the only one
HELLO = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

async def hello(request):
    return PlainTextResponse("hello")

app = Starlette(routes=[Route("/", hello)])
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


PLACES = {
    "alone": Place(ALONE),
    "prefixed": Place(PREFIXED),
    "shared": Place(HOST, "/served_shared/"),
    "process": Place(HOST, "/served_process/"),
    "base": Place(HOST),
    "order alone": Place.order(ORDER_ALONE),
    "order shared": Place.order(HOST, "/order_shared/"),
    "order process": Place.order(HOST, "/order_process/"),
}
PAIRS = (
    ("shared", "alone"),
    ("shared", "prefixed"),
    ("base", "alone"),
    ("process", "alone"),
    ("order shared", "order alone"),
    ("order process", "order alone"),
)


def wheel(directory: Path, name: str, isolation: str = "", application: str = HELLO) -> str:
    files = {f"{name}/__init__.py": "", f"{name}/web.py": application}
    return write_wheel(directory, name, "1.0", files, entry(name, f"{name}.web:app", isolation)).as_uri()


class Running:
    """A process that serves."""

    def __init__(self, directory: Path, *command: str) -> None:
        words = [sys.executable, "-m", *command]
        self.process = subprocess.Popen(words, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.about = psutil.Process(self.process.pid)
        self.about.cpu_affinity([SERVERS])

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(30)


def own_megabytes(process: psutil.Process) -> float:
    """What only this process has; what the system shares between processes costs nobody twice."""
    return float(process.memory_full_info().uss / 1e6)


class Agent:
    def __init__(self, session: aiohttp.ClientSession, host: str) -> None:
        self._session, self._host = session, host

    async def __call__(self, command: str, **body: str) -> None:
        async with self._session.post(f"http://{self._host}:1238/{command}", json=body) as response:
            answer = await response.json()
        assert answer["code"] == "SUCCESS", answer

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
            assert self._left.startswith(b"HTTP/1.1 200"), self._left
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
        await self._is_idle.wait()


class Load:
    """Connections to one place, which ask for a while and rest again."""

    def __init__(self, asking: list[Asking]) -> None:
        self._asking = asking

    @classmethod
    async def to(cls, place: Place) -> "Load":
        loop = asyncio.get_running_loop()
        made = [await loop.create_connection(lambda: Asking(place), place.host, 8080) for _ in range(CONNECTIONS)]
        return cls([asking for _, asking in made])

    async def requests_per_second(self, seconds: float) -> float:
        before, began = sum(one.count for one in self._asking), time.perf_counter()
        for one in self._asking:
            one.begin()
        await asyncio.sleep(seconds)
        await asyncio.gather(*(one.end() for one in self._asking))
        return (sum(one.count for one in self._asking) - before) / (time.perf_counter() - began)

    def close(self) -> None:
        for one in self._asking:
            one.transport.abort()


async def installs(agent: Agent, directory: Path, isolation: str, count: int) -> None:
    url, seconds = wheel(directory, "small", isolation), []
    for _ in range(count):
        began = time.perf_counter()
        await agent("installBiz", bizName="small", bizVersion="1.0", bizUrl=url)
        seconds.append(time.perf_counter() - began)
        await agent("uninstallBiz", bizName="small", bizVersion="1.0")
    ordered = sorted(seconds)
    p50, p99 = ordered[count // 2] * 1000, ordered[int(count * 0.99)] * 1000
    print(f"install, {isolation}: p50 {p50:.1f} ms, p99 {p99:.1f} ms ({count} installs)")


async def memory(agent: Agent, base: Running, directory: Path, isolation: str, count: int) -> float:
    """Megabytes that each further module takes."""
    first = wheel(directory, f"first_{isolation}", isolation)
    await agent("installBiz", bizUrl=first)
    before = family_megabytes(base)
    for number in range(count):
        await agent("installBiz", bizUrl=wheel(directory, f"more_{isolation}_{number}", isolation))
    each = (family_megabytes(base) - before) / count
    for number in range(count):
        await agent("uninstallBiz", bizName=f"more_{isolation}_{number}", bizVersion="1.0")
    print(f"memory of a further module, {isolation}: {each:.2f} MB ({count} modules)")
    return each


def family_megabytes(base: Running) -> float:
    return sum(map(own_megabytes, (base.about, *base.about.children(recursive=True))))


async def throughput(agent: Agent, directory: Path, rounds: int, seconds: float) -> None:
    for isolation in ("shared", "process"):
        await agent("installBiz", bizUrl=wheel(directory, f"served_{isolation}", isolation))
        await agent("installBiz", bizUrl=wheel(directory, f"order_{isolation}", isolation, ORDER))
    for name, other in PAIRS:
        loads = {one: await Load.to(PLACES[one]) for one in (name, other)}
        ratios, rates = [], []
        for number in range(-3, rounds):  # the first few to warm up
            order = (name, other) if number % 2 else (other, name)
            rate = {one: await loads[one].requests_per_second(seconds) for one in order}
            if number >= 0:
                ratios.append(rate[name] / rate[other])
                rates.append(rate)
        for load in loads.values():
            load.close()
        quarters = statistics.quantiles(ratios, n=4)
        both = ", ".join(f"{one} {statistics.median(rate[one] for rate in rates):.0f}/s" for one in (name, other))
        print(
            f"requests/s, {name} to the same application {other}: {statistics.median(ratios):.3f} "
            f"(quarters {quarters[0]:.3f}, {quarters[2]:.3f}; {both})"
        )


async def main(chosen: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        (directory / "alone.py").write_text(HELLO)
        (directory / "order_alone.py").write_text(ORDER)
        base = Running(directory, "arkwright", "base", "--host", HOST, "--app", "alone:app")
        quiet = ("--port", "8080", "--log-level", "warning", "--no-access-log")
        alone = Running(directory, "uvicorn", "alone:app", *quiet, "--host", ALONE)
        prefix = ("--root-path", "/served_shared")  # as a module sees its requests
        prefixed = Running(directory, "uvicorn", "alone:app", *quiet, "--host", PREFIXED, *prefix)
        order = Running(directory, "uvicorn", "order_alone:app", *quiet, "--host", ORDER_ALONE)
        try:
            async with aiohttp.ClientSession() as session:
                agent = Agent(session, HOST)
                await agent.until_up()
                for isolation in ("shared", "process"):
                    await installs(agent, directory, isolation, chosen.installs)
                await asyncio.sleep(1)
                process = own_megabytes(alone.about)
                print(f"memory of a process of its own, uvicorn: {process:.2f} MB")
                for isolation in ("shared",):
                    each = await memory(agent, base, directory, isolation, chosen.modules)
                    print(f"  to a process of its own: {each / process:.3f}")
                await memory(agent, base, directory, "process", 5)
                await throughput(agent, directory, chosen.rounds, chosen.seconds)
        finally:
            for one in (base, alone, prefixed, order):
                one.end()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--installs", type=int, default=200)
    parser.add_argument("--modules", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=0.1)
    os.sched_setaffinity(0, {CLIENT})
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    asyncio.run(main(parser.parse_args()))
