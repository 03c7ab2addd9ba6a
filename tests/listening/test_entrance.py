"""Whoever comes to a server that speaks TLS and does not: let go of in time, counted, and no cost to others."""

import asyncio
import contextlib
import socket
import ssl
from datetime import UTC, datetime

import pytest
import uvicorn

from arkwright.apiserver.identity import identity
from arkwright.listening import BoundedServer, Bounds, bounded, entrance
from listening.test_bounds import counting

TRUSTING = ssl._create_unverified_context()
ASKED = b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
MOST = 20
HELLO = b"\x16\x03\x01\x02\x00\x01"


@contextlib.asynccontextmanager
async def served(directory, **bounds):
    """(the server, its port)"""
    found = identity(directory, "127.0.0.1", datetime.now(UTC))
    files = {"ssl_certfile": str(found.certificate), "ssl_keyfile": str(found.key)}
    one = socket.create_server(("127.0.0.1", 0))
    http = bounded(Bounds(**({"connections": MOST} | bounds)))
    server = BoundedServer(
        uvicorn.Config(counting, http=http, ws="none", lifespan="off", log_level="critical", **files)
    )
    serving = asyncio.create_task(server._serve([one]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield server, one.getsockname()[1]
    server.should_exit = True
    await serving


async def asked(port):
    """The status of an answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=TRUSTING)
    writer.write(ASKED)
    line = await reader.readline()
    writer.close()
    return int(line.split()[1])


async def in_clear(port, *words):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for one in words:
        writer.write(one)
    return reader, writer


async def ends(reader):
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(5):
            await reader.read()


@pytest.mark.parametrize(
    "words", [(), (HELLO,), (b"GET / HTTP/1.1\r\n\r\n",)], ids=["no word", "half a hello", "no TLS"]
)
async def test_who_makes_no_tls_is_let_go_of_and_others_are_answered(tmp_path, monkeypatch, words):
    monkeypatch.setattr(entrance, "HANDSHAKE_SECONDS", 0.3)
    async with served(tmp_path) as (server, port):
        crowd = [await in_clear(port, *words) for _ in range(MOST)]
        assert await asked(port) == 200
        await asyncio.gather(*(ends(reader) for reader, _ in crowd))
        while server._entrances[0].waiting:
            await asyncio.sleep(0.01)
        for _, writer in crowd:
            writer.close()


@pytest.mark.parametrize("words", [(), (HELLO,)], ids=["no word", "half a hello"])
async def test_of_more_than_there_is_room_for_the_oldest_goes(tmp_path, words):
    async with served(tmp_path) as (server, port):
        crowd = [await in_clear(port, *words) for _ in range(3 * MOST)]
        await ends(crowd[0][0])
        assert await asked(port) == 200
        assert server._entrances[0].waiting <= MOST + 1
        for _, writer in crowd:
            writer.close()


async def test_what_comes_at_once_is_answered_bit_by_bit(tmp_path):
    async with served(tmp_path, connections=200) as (_, port):
        assert await asyncio.gather(*(asked(port) for _ in range(100))) == [200] * 100


async def test_whoever_is_under_way_when_the_server_ends_holds_up_nothing(tmp_path):
    async with served(tmp_path) as (_, port):
        crowd = [await in_clear(port, *words) for words in ((), (HELLO,)) for _ in range(5)]
        assert await asked(port) == 200
    await asyncio.gather(*(ends(reader) for reader, _ in crowd))
    for _, writer in crowd:
        writer.close()


async def test_a_server_that_has_ended_leaves_its_address_free(tmp_path):
    async with served(tmp_path) as (server, port):
        server._entrances[0].close()
        with pytest.raises(ConnectionRefusedError):
            await asked(port)
        socket.create_server(("127.0.0.1", port)).close()


async def test_a_server_without_a_descriptor_left_goes_on_once_there_is_one(tmp_path, monkeypatch):
    monkeypatch.setattr(entrance, "REST_SECONDS", 0.05)
    async with served(tmp_path) as (server, port):
        one = server._entrances[0]
        listening, failed = one._listening, asyncio.Event()

        class Full:
            def fileno(self):
                return listening.fileno()

            def accept(self):
                one._listening = listening
                failed.set()
                raise OSError(24, "Too many open files")

        one._listening = Full()
        assert await asked(port) == 200 and failed.is_set()
