"""An agent that was told of nobody takes calls of its own user on loopback, of no other user, and of no web page."""

import asyncio
import itertools
import json
import os
import socket
import subprocess
import sys

import pytest

from arklet.conftest import is_answering, running_base
from arkwright.arklet.app import Arklet
from arkwright.arklet.settings import AgentSettings, Settings, SettingsError

_ports = itertools.count(26000, 2)
NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="to be another user takes root")
# Sends one call as another user, and says how it was answered; "leaves": lets go of the socket at once.
OTHER_USER = """
import os, socket, sys
os.setgid({uid}); os.setuid({uid})
with socket.socket() as one:
    one.connect(({host!r}, {port}))
    one.sendall({request!r})
    print("" if {leaves} else one.recv(65536).decode().split()[1])
"""


@pytest.fixture
async def plain(worker_number):
    """A base as `arkwright base` starts it, without any setting about callers."""
    async with started(AgentSettings(host=f"127.7.{worker_number}.21", port=next(_ports))) as running:
        yield running


def started(agent):
    return running_base(Settings(agent=agent), agent.port + 1)


async def is_up(running):
    async with asyncio.timeout(10):
        while not await is_answering(running):
            await asyncio.sleep(0.01)


def request_of(running, body, **headers):
    host, port = running.agent.removeprefix("http://").split(":")
    told = {"Host": f"{host}:{port}", "Content-Type": "application/json", "Content-Length": len(body)} | headers
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items() if value is not None)
    return host, int(port), f"POST /installBiz HTTP/1.1\r\n{head}\r\n{body}".encode()


async def as_user(running, uid, body, leaves=False):
    host, port, request = request_of(running, body)
    code = OTHER_USER.format(uid=uid, host=host, port=port, request=request, leaves=leaves)
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@as_root
@pytest.mark.parametrize(("uid", "status"), [(NOBODY, "401"), (1, "401"), (0, "200")])
async def test_another_user_of_the_machine_installs_nothing(plain, make_wheel, uid, status):
    await is_up(plain)
    body = json.dumps({"bizUrl": make_wheel()})
    assert await as_user(plain, uid, body) == status
    assert await plain.states() == ({} if uid else {"1.0.2": "activated"})


@as_root
async def test_nor_does_one_that_leaves_before_anybody_has_looked(plain, make_wheel):
    await is_up(plain)
    body = json.dumps({"bizUrl": make_wheel()})
    for _ in range(20):
        await as_user(plain, NOBODY, body, leaves=True)
    assert await plain.states() == {}


LEAVES_BY_RESET = """
import os, socket, struct, sys, time
os.setgid({uid}); os.setuid({uid})
one = socket.socket({family})
one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
one.bind(({host!r}, {own}))
one.connect(({host!r}, {port}))
print("connected", flush=True)
sys.stdin.readline()
one.sendall({request!r})
one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
one.close()
"""


@as_root
@pytest.mark.parametrize("listening", ["0.0.0.0", "127.7.9.23"])
async def test_nor_one_whose_address_a_server_of_ours_listens_at_by_then(make_wheel, listening):
    """The kernel, asked about a connection that is gone, tells of who listens at its address."""
    agent = AgentSettings(host="127.7.9.23", port=next(_ports))
    async with started(agent) as running:
        await is_up(running)
        host, port, request = request_of(running, json.dumps({"bizUrl": make_wheel()}))
        for own in range(31000, 31010):
            words = {
                "uid": NOBODY,
                "family": int(socket.AF_INET),
                "host": host,
                "port": port,
                "own": own,
                "request": request,
            }
            code = [sys.executable, "-c", LEAVES_BY_RESET.format(**words)]
            other = await asyncio.create_subprocess_exec(*code, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            await other.stdout.readline()
            with socket.socket() as server:
                server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                server.bind((listening, own))
                server.listen()
                other.stdin.write(b"\n")
                await other.communicate()
                await asyncio.sleep(0.05)
        assert await running.states() == {}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Content-Type": None}, 200),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 200),  # curl -d, and no browser without an Origin
        ({"Host": "localhost:1"}, 200),
        ({"Host": "[::1]"}, 200),
        ({"Host": None}, 200),
        ({"Content-Type": "text/plain"}, 403),
        ({"Content-Type": "Text/Plain; charset=utf-8"}, 403),
        ({"Content-Type": "multipart/form-data; boundary=x"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": "10.0.0.1:1238"}, 403),
        ({"Host": ""}, 403),
        ({"X-Forwarded-For": "10.0.0.1"}, 200),  # who calls is who is connected
    ],
)
@pytest.mark.parametrize("insecure", [False, True], ids=["", "insecure"])
async def test_a_web_page_installs_nothing(worker_number, make_wheel, headers, status, insecure):
    agent = AgentSettings(host=f"127.7.{worker_number}.22", port=next(_ports), insecure=insecure)
    async with started(agent) as running:
        await is_up(running)
        host, port, request = request_of(running, json.dumps({"bizUrl": make_wheel()}), **headers)
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(request)
        assert int((await reader.readline()).split()[1]) == status
        writer.close()
        assert await running.states() == ({"1.0.2": "activated"} if status == 200 else {})


@pytest.mark.parametrize("host", ["0.0.0.0", "10.1.2.3", "::", "base.example"])
def test_beyond_loopback_an_agent_knows_its_callers_or_does_not_start(host, tmp_path):
    with pytest.raises(SettingsError, match="Say whose calls it takes: mount the ConfigMap arkwright-controller-keys"):
        Arklet(_nothing, Settings(agent=AgentSettings(host=host)))
    (tmp_path / "tokens").write_text("a token\n")
    for told in ({"insecure": True}, {"token_file": str(tmp_path / "tokens")}):
        Arklet(_nothing, Settings(agent=AgentSettings(host=host, **told)))


async def _nothing(scope, receive, send):
    raise AssertionError("it is never asked")


def test_on_loopback_it_needs_to_be_told_of_nobody():
    for host in ("127.0.0.1", "127.93.64.2", "::1", "localhost"):
        Arklet(_nothing, Settings(agent=AgentSettings(host=host)))


def test_ports_that_are_read_from_the_kernel_are_those_of_sockets():
    from arkwright.callers import user_of

    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        ends = client.getsockname(), server.getsockname()
        assert user_of(*ends) == os.geteuid()
        assert user_of(ends[1], ends[0]) is None, "nobody has accepted that one yet"
        assert user_of(("127.0.0.1", 1), ends[1]) is None
