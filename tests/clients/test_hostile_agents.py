"""Whatever answers at an agent's address: an outcome of that pod alone, within its time and few bytes, which quotes nothing that is no agent's word."""

import asyncio
import contextlib
import gzip
import json
import time
import tracemalloc

import pytest

from arkwright.clients.arklet import ArkletClient, Timeouts
from arkwright.model.kinds import ModuleArchive
from arkwright.model.outcomes import Verdict

SECRET = "AKIA-SECRET-CREDENTIAL"
OK = b"HTTP/1.1 200 OK\r\n"
MODULE = ModuleArchive(name="provider", version="1.0", url="http://archives/provider-1.0.whl")
FEW_BYTES = 16 << 20
QUERY_SECONDS = 1.0
SLOW_MACHINE = 20.0  # seconds: the agent that floods us shares our loop here, and other tests the machine


def answer(document, *headers):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return OK + b"".join(one.encode() + b"\r\n" for one in (f"content-length: {len(body)}", *headers)) + b"\r\n" + body


def listed(*modules):
    return answer({"code": "SUCCESS", "data": list(modules)})


def named(name, version="1.0", **more):
    return {"bizName": name, "bizVersion": version, "bizState": "activated", **more}


async def much(writer):
    """A body that never ends."""
    writer.write(OK + b"\r\n")
    for _ in range(4000):
        writer.write(b"x" * (1 << 20))
        await writer.drain()


async def headers(writer):
    writer.write(OK)
    for number in range(10_000_000):
        writer.write(b"x-%d: y\r\n" % number)
        await asyncio.sleep(0)  # it floods the client, not this process


async def one_header(writer):
    writer.write(OK + b"x: ")
    for _ in range(4000):
        writer.write(b"y" * (1 << 20))
        await writer.drain()


async def drops(writer):
    """A byte now and then, for ever."""
    writer.write(OK + b"\r\n{")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def nothing(writer):
    await asyncio.sleep(3600)


HOSTILE = {
    "a body without end": (much, "larger than 512 KiB"),
    "headers without end": (headers, "what it sends is not HTTP"),
    "a header without end": (one_header, "what it sends is not HTTP"),
    "a byte now and then": (drops, "has not answered"),
    "no word": (nothing, "has not answered"),
    "1 GB in 1 MB of gzip": (answer(gzip.compress(b" " * (1 << 28)), "content-encoding: gzip"), "cannot be read"),
    "a million modules": (listed(*[named("a")] * 20_000), "larger than 512 KiB"),
    "too many modules": (listed(*[{"bizName": "a", "bizVersion": "1"}] * 2001), "no base has more than 2000"),
    "a long name": (listed(named("a" * 257)), "cannot be read"),
    "a name that writes to terminals": (listed(named("a\x1b[2J")), "cannot be read"),
    "a version of two lines": (listed(named("a", "1\n2")), "cannot be read"),
    "a deep list": (answer(b'{"code":"SUCCESS","data":' + b"[" * 200_000), "cannot be read"),
    "a number for a name": (listed(named(5)), "cannot be read"),
    "no JSON": (answer(SECRET.encode()), "cannot be read"),
    "no UTF-8": (answer(b'{"code":"\xff\xfe"}'), "cannot be read"),
    "no HTTP": (f"{SECRET}\r\n\r\n".encode(), "what it sends is not HTTP"),
    "an error page": (b"HTTP/1.1 500 No\r\ncontent-length: 22\r\n\r\n" + SECRET.encode(), "cannot be read"),
    "nothing at all": (b"", "broke off"),
    "half an answer": (OK + b"content-length: 500\r\n\r\n{}", "not HTTP"),
    "a lying length": (OK + b"content-length: -5\r\n\r\n{}", "not HTTP"),
    "a chunk that is none": (OK + b"transfer-encoding: chunked\r\n\r\nZZZ\r\n", "not HTTP"),
}


SILENT = ("a byte now and then", "no word", "nothing at all")


@contextlib.asynccontextmanager
async def served(what):
    """Its address."""

    async def converse(reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            await (what(writer) if callable(what) else write(writer, what))
        writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    tasks_before = asyncio.all_tasks()
    try:
        yield "127.0.0.1:%d" % server.sockets[0].getsockname()[1]  # noqa: UP031
    finally:
        server.close()
        for task in asyncio.all_tasks() - tasks_before:
            task.cancel()


async def write(writer, content):
    writer.write(content)
    await writer.drain()


@pytest.fixture
async def client():
    async with ArkletClient(Timeouts(connect=0.5, query=QUERY_SECONDS, install=QUERY_SECONDS)) as one:
        yield one


@pytest.mark.parametrize("what", HOSTILE)
async def test_whatever_answers_is_an_outcome_in_little_time_and_memory_and_is_not_quoted(client, what):
    content, words = HOSTILE[what]
    async with served(content) as address:
        tracemalloc.start()
        began = time.monotonic()
        outcomes = [await client.query(address), await client.install(address, MODULE)]
        seconds, (_, peak) = time.monotonic() - began, tracemalloc.get_traced_memory()
        tracemalloc.stop()
    for one in outcomes:
        assert one.verdict in (Verdict.LOST, Verdict.UNREACHED) or what.startswith(("a ", "too many")), one
        assert SECRET not in one.message and "\x1b" not in one.message and len(one.message) < 2200
    assert words in outcomes[0].message
    assert outcomes[0].is_nonsense is (what not in SILENT), "whoever says nothing may be hanging"
    assert seconds < 2 * QUERY_SECONDS + SLOW_MACHINE and peak < FEW_BYTES, (seconds, peak)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_leads_nowhere(client, status):
    asked = []

    async def inner(writer):
        asked.append(1)
        await write(writer, answer(SECRET.encode()))

    async with served(inner) as elsewhere:
        location = f"location: http://{elsewhere}/latest/meta-data\r\n".encode()
        async with served(b"HTTP/1.1 %d x\r\ncontent-length: 0\r\n" % status + location + b"\r\n") as address:
            outcomes = [await client.query(address), await client.install(address, MODULE)]
    assert not asked and all("redirect, which is not followed" in one.message for one in outcomes)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\ufffd[31mred\ufffd[0m"),
        ("one\r\ntwo\u202e", "one  two\ufffd"),
        ("\x9b2J", "\ufffd2J"),
        ("x" * 5000, "x" * 2047 + "…"),
    ],
)
async def test_an_agents_words_do_nothing_to_whoever_reads_them(client, said, shown):
    failed = {"code": "FAILED", "message": "uninstall biz not success!", "data": {"code": "FAILED", "message": said}}
    async with served(answer(failed)) as address:
        assert (await client.install(address, MODULE)).message == shown
