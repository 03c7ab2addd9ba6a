"""The server is killed under load, again and again: what was acknowledged stays, and a watch that resumes misses and repeats
nothing. `--kills 100` for the long run."""

import asyncio
import contextlib
import itertools
import json
import random
import signal
import ssl
import sys
import time
from pathlib import Path

import aiohttp
import pytest
import yaml

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
WRITERS, NAMES = 8, 12
CUT = (aiohttp.ClientError, ConnectionError, asyncio.TimeoutError)


def pytest_generate_tests(metafunc):
    if "kills" in metafunc.fixturenames:
        metafunc.parametrize("kills", [metafunc.config.getoption("--kills")])


class Client:
    """Where the server is, across its lives."""

    def __init__(self, directory):
        config = yaml.safe_load((directory / "kubeconfig").read_text())
        self.server = config["clusters"][0]["cluster"]["server"]
        self._token = config["users"][0]["user"]["token"]
        self._tls = ssl.create_default_context(cafile=str(directory / "server.crt"))

    def session(self):
        headers = {"Authorization": f"Bearer {self._token}"}
        connector = aiohttp.TCPConnector(ssl=self._tls, limit=0)
        return aiohttp.ClientSession(self.server, headers=headers, connector=connector)


class Reader:
    """A copy that is kept by a watch; `events`: (version, type, name), as they came."""

    def __init__(self):
        self.events, self.copy, self.version = [], {}, 1  # from 0, what is there already would come first, in any order

    async def follow(self, session):
        """Until cancelled: on from where it was cut off."""
        while True:
            with contextlib.suppress(*CUT):
                await self._read(session)
            await asyncio.sleep(0.01)

    async def _read(self, session):
        query = {"watch": "true", "resourceVersion": str(self.version)}
        async with session.get(CONFIGMAPS, params=query, timeout=aiohttp.ClientTimeout(sock_read=30)) as answer:
            async for line in answer.content:
                if not line.endswith(b"\n"):
                    return  # the server died in the middle of it
                self._take(json.loads(line))

    def _take(self, event):
        metadata = event["object"]["metadata"]
        version, name = int(metadata["resourceVersion"]), metadata["name"]
        assert event["type"] != "ERROR", event
        assert version > self.version, f"{version} after {self.version}: told again"
        assert (event["type"] == "ADDED") == (name not in self.copy), f"{event['type']} of {name}: one was missed"
        self.version = version
        self.events.append((version, event["type"], name))
        if event["type"] == "DELETED":
            del self.copy[name]
        else:
            self.copy[name] = event["object"]["data"]


class Writer:
    """Creates, changes and deletes configmaps of its own, one after the other. `acknowledged`: versions."""

    def __init__(self, number):
        self._random = random.Random(number)
        self._names = [f"w{number}-{one}" for one in range(NAMES)]
        self._count = itertools.count()
        self.acknowledged = []

    async def write(self, session):
        """Until cancelled."""
        while True:
            with contextlib.suppress(*CUT):
                await self._write_one(session)
                continue
            await asyncio.sleep(0.01)

    async def _write_one(self, session):
        name, data = self._random.choice(self._names), {"n": str(next(self._count))}
        if self._random.random() < 0.2:
            async with session.delete(f"{CONFIGMAPS}/{name}") as answer:
                await answer.read()
            return
        async with session.patch(
            f"{CONFIGMAPS}/{name}", json={"data": data}, headers={"Content-Type": "application/merge-patch+json"}
        ) as answer:
            found = await answer.json()
        if answer.status == 404:
            async with session.post(CONFIGMAPS, json={"metadata": {"name": name}, "data": data}) as answer:
                found = await answer.json()
        if answer.status in (200, 201):
            self.acknowledged.append(int(found["metadata"]["resourceVersion"]))


async def started(directory, port):
    """The server, once it serves."""
    command = [sys.executable, "-m", "arkwright", "api", "--data-dir", str(directory), "--port", str(port)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    line = await asyncio.wait_for(process.stdout.readline(), 30)
    assert line.startswith(b"https://"), line
    return process


class Lives:
    """One server after the other, on one port."""

    def __init__(self, directory):
        self._directory, self._port, self._process = directory, 0, None

    async def begin(self):
        self._process = await started(self._directory, self._port)
        client = Client(self._directory)
        self._port = client.server.rpartition(":")[2]
        return client

    async def end(self, number):
        self._process.send_signal(number)
        await self._process.wait()


async def kill_and_restart(directory, kills):
    chance, server = random.Random(kills), Lives(directory)
    client = await server.begin()
    reader, writers = Reader(), [Writer(number) for number in range(WRITERS)]
    try:
        async with client.session() as session, asyncio.TaskGroup() as tasks:
            writing = [tasks.create_task(one.write(session)) for one in writers]
            following = tasks.create_task(reader.follow(session))
            for _ in range(kills):
                await asyncio.sleep(chance.uniform(0.05, 0.6))
                await server.end(signal.SIGKILL)
                await server.begin()
            for one in writing:
                one.cancel()
            await asyncio.wait(writing)
            listed = await settled(session, reader)
            following.cancel()
    finally:
        await server.end(signal.SIGTERM)
    return reader, writers, listed


async def settled(session, reader):
    """What a list says, once the reader has come that far."""
    async with session.get(CONFIGMAPS) as answer:
        found = await answer.json()
    deadline = time.monotonic() + 10
    while reader.version < int(found["metadata"]["resourceVersion"]) and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    return {one["metadata"]["name"]: one["data"] for one in found["items"]}


@pytest.mark.timeout(900)
def test_killed_under_load(tmp_path: Path, kills):
    reader, writers, listed = asyncio.run(kill_and_restart(tmp_path, kills))
    acknowledged = {version for one in writers for version in one.acknowledged}
    seen = {version for version, _, _ in reader.events}
    print(f"{kills} kills, {len(acknowledged)} acknowledged writes, {len(seen)} events")
    assert len(acknowledged) > kills * 10, "there was no load"
    assert acknowledged <= seen, f"lost: {sorted(acknowledged - seen)[:10]}"
    assert reader.copy == listed
