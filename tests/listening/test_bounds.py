"""A server with bounds: what clients do that would hold it up, one by one, while another is answered."""

import asyncio
import contextlib
import socket
import time

import pytest
import uvicorn

from arkwright.listening import BoundedServer, Bounds, bounded

BOUNDS = Bounds(connections=50, head_seconds=0.6, idle_seconds=0.6, body_seconds=3.0)
HEAD = b"POST / HTTP/1.1\r\nhost: x\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"


async def counting(scope, receive, send):
    """Answers with the size of the body."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"%d" % size})


class Running:
    def __init__(self, port):
        self.port = port

    async def answer(self, *pieces, pause=0.0):
        """The status that is answered; 0 if the connection just ends. Stops sending when it is answered."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        reading = asyncio.create_task(reader.readline())
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                if reading.done():
                    break
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
        try:
            async with asyncio.timeout(10):
                line = await reading
        except ConnectionError:
            line = b""
        writer.close()
        return int(line.split()[1]) if line else 0


@contextlib.asynccontextmanager
async def served(bounds=BOUNDS):
    one = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(counting, http=bounded(bounds), ws="none", lifespan="off", log_level="critical")
    server = BoundedServer(config)
    serving = asyncio.create_task(server._serve([one]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield Running(one.getsockname()[1])
    server.should_exit = True
    await serving


MEGABYTES = 100
CLIENTS = {
    "as usual": ((HEAD + b"content-length: 2\r\n\r\nab",), 0, {200}),
    "a large body": ((HEAD + b"content-length: %d\r\n\r\n" % (20 << 20), *[b"x" * (1 << 20)] * 20), 0, {200}),
    "a body in chunks of a byte": ((CHUNKED, b"1\r\nx\r\n" * 50_000, b"0\r\n\r\n"), 0, {200}),
    "a slow body": ((HEAD + b"content-length: 8\r\n\r\n", *[b"x"] * 8), 0.2, {200}),
    "a slow head": (tuple(b"%c" % one for one in HEAD), 0.1, {408, 0}),
    "no word": ((), 0, {408, 0}),
    "a body that stands still": ((HEAD + b"content-length: 8\r\n\r\n", b"x"), 0, {408, 0}),
    "a body without end": ((HEAD + b"content-length: 99\r\n\r\n", *[b"x"] * 99), 0.2, {408, 0}),
    "many headers": ((HEAD, *[b"a: b\r\n" * 1000] * (MEGABYTES * 170)), 0, {431, 0}),
    "few large headers": ((HEAD, *[b"a: " + b"b" * 60_000 + b"\r\n"] * (MEGABYTES * 17)), 0, {431, 0}),
    "one header without end": ((HEAD + b"a: ", *[b"b" * (1 << 20)] * MEGABYTES), 0, {431, 0}),
    "a url without end": ((b"GET /", *[b"b" * (1 << 20)] * MEGABYTES), 0, {431, 0}),
    "trailers without end": (
        (CHUNKED + b"1\r\nx\r\n0\r\n", *[b"a: " + b"b" * 60_000 + b"\r\n"] * 1700),
        0,
        {200, 431, 0},
    ),
    "chunks that say much": ((CHUNKED, *[b"1;" + b"a" * 60_000 + b"\r\nx\r\n"] * 1700), 0, {431, 0}),
}


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_client_that_would_hold_it_up_is_let_go_of_and_others_are_answered(client):
    pieces, pause, statuses = CLIENTS[client]
    async with served() as running:
        asking = asyncio.create_task(running.answer(*pieces, pause=pause))
        slowest = 0.0
        while not asking.done():
            began = time.monotonic()
            assert await running.answer(HEAD + b"content-length: 0\r\n\r\n") == 200
            slowest = max(slowest, time.monotonic() - began)
            await asyncio.sleep(0.02)
        assert await asking in statuses and slowest < 2, slowest


async def test_more_connections_than_allowed_are_told_so_and_those_that_ask_nothing_make_room():
    async with served() as running:
        idle = [await asyncio.open_connection("127.0.0.1", running.port) for _ in range(60)]
        assert (await idle[0][0].readline()).split()[1] == b"503", "the one that has waited longest"
        async with asyncio.timeout(5):
            while await running.answer(HEAD + b"content-length: 0\r\n\r\n") != 200:
                await asyncio.sleep(0.1)
        for _, writer in idle:
            writer.close()


async def test_a_connection_may_be_used_again_and_again_for_longer_than_a_head_may_take():
    async with served() as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        for _ in range(4):
            writer.write(HEAD + b"content-length: 1\r\n\r\n")
            await asyncio.sleep(0.3)
            writer.write(b"x")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            assert await reader.readuntil(b"\r\n0\r\n\r\n")
        writer.close()


async def test_a_large_body_on_a_connection_does_not_count_against_the_next_one():
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    async with served() as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        for _ in range(3):
            writer.write(HEAD + b"transfer-encoding: chunked\r\n\r\n" + 100 * piece + b"0\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            assert await reader.readuntil(b"\r\n0\r\n\r\n")
        writer.close()


async def test_requests_that_pile_up_behind_one_another_end_with_their_connection():
    async with served() as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        with contextlib.suppress(ConnectionError):
            for _ in range(200):
                writer.write((HEAD + b"content-length: 0\r\n\r\n") * 100)
                await writer.drain()
                assert await running.answer(HEAD + b"content-length: 0\r\n\r\n") == 200
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(10):
                while await reader.read(1 << 16):
                    pass
        assert writer.transport.is_closing() or reader.at_eof()
        writer.close()


async def test_idle_connections_make_room_and_hear_nothing_that_could_be_an_answer():
    async with served() as running:
        idle = []
        for _ in range(70):
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
            writer.write(HEAD + b"content-length: 0\r\n\r\n")
            assert (await reader.readline()).split()[1] == b"200"
            idle.append((reader, writer))
        assert await running.answer(HEAD + b"content-length: 0\r\n\r\n") == 200
        rest = await idle[0][0].read()
        assert b"503" not in rest, "it is closed without a word"
        for _, writer in idle:
            writer.close()


async def test_who_reads_nothing_is_let_go_of():
    async def talking(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(200):
            await send({"type": "http.response.body", "body": b"x" * (1 << 20), "more_body": True})

    one = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(talking, http=bounded(BOUNDS), ws="none", lifespan="off", log_level="critical")
    server = BoundedServer(config)
    serving = asyncio.create_task(server._serve([one]))
    while not server.started:
        await asyncio.sleep(0.01)
    client = socket.create_connection(one.getsockname())
    client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    async with asyncio.timeout(10):
        while not server.server_state.connections:
            await asyncio.sleep(0.05)
        while server.server_state.connections:
            await asyncio.sleep(0.05)
    client.close()
    server.should_exit = True
    await serving
