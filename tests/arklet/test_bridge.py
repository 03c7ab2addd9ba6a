"""The bridge between a base and a module's process: many requests at once, slow clients, large bodies, applications that hang, processes that die."""

import asyncio
import contextlib
import os
import random
import signal
from collections import Counter

import aiohttp
import psutil
import pytest

from arklet.test_cycles import base_in_a_process  # noqa: F401 (a fixture)
from arklet.wheels import entry, write_wheel
from arkwright.arklet.bridge.frames import Body, Done, Response, encoded
from arkwright.arklet.process.bridge import Bridge

APPLICATION = """
import asyncio, os
PIECE = b"x" * 50_000

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive(); await send({"type": "lifespan.startup.complete"})
        await receive(); await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message.get("text"), "bytes": message.get("bytes")})
    else:
        await DO[scope["path"].rsplit("/", 1)[1]](receive, send)

async def answer(send, body):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})

async def hello(receive, send): await answer(send, b"hello")
async def hang(receive, send): await asyncio.Event().wait()
async def slow(receive, send):
    await asyncio.sleep(0.05)
    await answer(send, b"slow")

async def count(receive, send):
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    await answer(send, str(size).encode())

async def much(receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(2_000):
        await send({"type": "http.response.body", "body": PIECE, "more_body": True})
    await send({"type": "http.response.body", "body": b""})

async def whole(receive, send): await answer(send, PIECE * 200)

DO = {"": hello, "hang": hang, "slow": slow, "count": count, "much": much, "whole": whole}
"""


def application(tmp_path, name="cycling"):
    return write_wheel(tmp_path, name, "1.0", {f"{name}.py": APPLICATION}, entry(name, f"{name}:app")).as_uri()


@pytest.fixture
async def served(base, tmp_path):
    answer = await base.command("installBiz", bizUrl=application(tmp_path))
    assert answer["code"] == "SUCCESS", answer
    yield base
    await base.command("uninstallBiz", bizName="cycling", bizVersion="1.0")  # a server alone would wait for what hangs


async def get(base, path):
    async with asyncio.timeout(5):
        return await base.get(f"/cycling/{path}")


async def test_a_client_that_does_not_read_holds_up_no_other(served):
    host, port = served.web.removeprefix("http://").split(":")
    idle = [await asyncio.open_connection(host, int(port), limit=1000) for _ in range(5)]
    for _, writer in idle:
        writer.write(b"GET /cycling/much HTTP/1.1\r\nHost: x\r\n\r\n")
    await asyncio.sleep(0.2)
    assert await get(served, "") == (200, "hello")
    assert len((await get(served, "whole"))[1]) == 10_000_000
    for _, writer in idle:
        writer.close()


async def test_an_upload_that_nobody_reads_holds_up_no_other(served):
    async def endless():
        while True:
            yield b"x" * 60_000

    uploading = asyncio.create_task(served.session.post(f"{served.web}/cycling/hang", data=endless()))
    await asyncio.sleep(0.2)
    assert await get(served, "") == (200, "hello")
    uploading.cancel()


async def test_requests_that_hang_hold_up_no_other_and_end_with_their_clients(served):
    hanging = [asyncio.create_task(served.session.get(f"{served.web}/cycling/hang")) for _ in range(50)]
    await asyncio.sleep(0.2)
    assert await get(served, "") == (200, "hello")
    for one in hanging:
        one.cancel()


async def test_bodies_of_any_length_arrive_whole(served):
    for size in (0, 1, 65_536, 65_537, 300_000, 5_000_000):
        async with served.session.post(f"{served.web}/cycling/count", data=b"y" * size) as response:
            assert await response.text() == str(size)


async def test_websocket_messages_of_any_length_arrive_whole_and_apart(served):
    async with served.session.ws_connect(f"{served.web}/cycling/", max_msg_size=0) as socket:
        for message in ("", "a", "b" * 70_000, "c" * 2_000_000):
            await socket.send_str(message)
        assert [len((await socket.receive(5)).data) for _ in range(4)] == [0, 1, 70_000, 2_000_000]


async def test_large_bodies_take_constant_memory(base_in_a_process, tmp_path):  # noqa: F811
    base = base_in_a_process
    assert (await base.command("installBiz", bizUrl=application(tmp_path)))["code"] == "SUCCESS"
    (told,) = (await base.command("queryAllBiz"))["data"]
    both = [psutil.Process(base.process.pid), psutil.Process(told["pid"])]

    async def pieces():
        for _ in range(2_000):
            yield b"x" * 50_000

    async def up():
        async with base.session.post(f"http://{base.host}:8080/cycling/count", data=pieces()) as response:
            assert await response.text() == "100000000"

    async def down():
        async with base.session.get(f"http://{base.host}:8080/cycling/much") as response:
            assert sum([len(chunk) async for chunk in response.content.iter_any()]) == 100_000_000

    await asyncio.gather(up(), down())
    before = [one.memory_info().rss for one in both]
    await asyncio.gather(up(), down(), up(), down())
    assert all(one.memory_info().rss - size < 8e6 for one, size in zip(both, before, strict=True))


class Clients:
    """They ask and talk all along; `seen` counts what came of it: (what, status or close code)."""

    def __init__(self, base, names):
        self._session, self._root, self._names = base.session, f"http://{base.host}:8080", names
        self.seen, self.is_over = Counter(), False

    def all(self):
        yield self.ask("base", "/")
        for name in self._names:
            yield from (self.ask(what, f"/{name}/{what}") for what in ("slow", "whole"))
            yield self.talk(name)

    async def ask(self, what, path):
        while not self.is_over:
            try:
                async with asyncio.timeout(15), self._session.get(self._root + path) as response:
                    await response.read()
                    self.seen[what, response.status] += 1
            except aiohttp.ClientError:  # its answer had begun, and was broken off
                self.seen[what, "broken"] += 1

    async def talk(self, name):
        while not self.is_over:
            try:
                async with self._session.ws_connect(f"{self._root}/{name}/") as socket:
                    await self._talk(socket)
            except aiohttp.WSServerHandshakeError as error:
                self.seen["talk", error.status] += 1

    async def _talk(self, socket):
        while not self.is_over:
            with contextlib.suppress(ConnectionError):
                await socket.send_str("x")
            if (await socket.receive(15)).type is not aiohttp.WSMsgType.TEXT:
                self.seen["talk", socket.close_code] += 1
                return
            await asyncio.sleep(0.01)


async def kill_one(base, name):
    """Returns once there is another process."""

    async def pid():
        (found,) = [one for one in (await base.command("queryAllBiz"))["data"] if one["bizName"] == name]
        return found.get("pid")

    killed = await pid()
    os.kill(killed, signal.SIGKILL)
    async with asyncio.timeout(40):
        while await pid() in (killed, None):
            await asyncio.sleep(0.05)


@pytest.mark.timeout(1800)
async def test_a_process_killed_at_any_moment_fails_its_own_requests_only(base_in_a_process, tmp_path, pytestconfig):  # noqa: F811
    base, kills, chance = base_in_a_process, pytestconfig.getoption("--kills"), random.Random(5)
    names = [f"killed{number}" for number in range(1 + kills // 8)]
    for name in names:
        await base.command("installBiz", bizUrl=application(tmp_path, name))
    clients, memory = Clients(base, names), []
    async with asyncio.TaskGroup() as tasks:
        for one in clients.all():
            tasks.create_task(one)
        for number in range(kills):
            await asyncio.sleep(chance.uniform(0.1, 0.4))
            await kill_one(base, names[number % len(names)])
            memory.append(psutil.Process(base.process.pid).memory_info().rss / 1e6)
        clients.is_over = True
    seen, half = clients.seen, memory[len(memory) // 2]
    print(f"{kills} kills: {dict(seen)}; memory {half:.1f} -> {memory[-1]:.1f} MB")
    assert {status for what, status in seen if what == "base"} == {200}
    assert {status for what, status in seen if what in ("slow", "whole")} <= {200, 502, 503, "broken"}
    assert {code for what, code in seen if what == "talk"} <= {1012, 502, 503, 1000, 1005}
    failed = sum(count for (what, status), count in seen.items() if status in (502, "broken", 1012))
    assert failed <= 3 * kills and memory[-1] < 1.1 * half


async def test_a_process_that_floods_its_base_is_cut_off():
    """It takes no notice of its window: what its client has not taken must not fill the base's memory."""
    aborted = []

    class Wire(asyncio.Transport):
        def write(self, data):
            pass

        def abort(self):
            aborted.append(True)

    async def receive():
        await asyncio.Event().wait()

    async def never(message):
        await asyncio.Event().wait()

    bridge = Bridge(lambda: None)
    bridge.connection_made(Wire())
    scope = {"type": "http", "asgi": {}, "http_version": "1.1", "path": "/", "query_string": b"", "headers": []}
    asking = asyncio.create_task(bridge(scope, receive, never))
    await asyncio.sleep(0)
    flood = encoded(Body(1, b"x" * 1_000_000, True))
    sent = 0
    while not aborted and sent < 200:
        bridge.data_received(flood)
        sent += 1
    assert 60 < sent < 80, "a large message, and a window"
    asking.cancel()


async def test_a_client_that_takes_all_may_have_as_much_as_it_likes():
    taken = 0

    async def send(message):
        nonlocal taken
        taken += len(message.get("body", b""))

    bridge = Bridge(lambda: None)
    scope = {"type": "http", "asgi": {}, "http_version": "1.1", "path": "/", "query_string": b"", "headers": []}
    asking = asyncio.create_task(bridge(scope, None, send))
    await asyncio.sleep(0)
    bridge.data_received(encoded(Response(1, 200, [], b"", True, False)))
    for _ in range(200):
        bridge.data_received(encoded(Body(1, b"x" * 500_000, True)) + encoded(Body(1, b"x" * 500_000, True)))
        await asyncio.sleep(0)
    bridge.data_received(encoded(Body(1, b"", False)) + encoded(Done(1)))
    await asking
    assert taken == 200_000_000
