"""Agents that lie, hang and flood, beside as many that are good: how long the good ones' release takes, as a ratio within one run, and the memory.

    python bench/hostile.py --pods 1000

The real loop and the real client, over real HTTP on loopback; the API is in memory, the agents are in a process of their own. First the good ones'
release is timed alone, then while as many other good ones are released to for the first time, which costs what it costs, then while as many hostile
ones are. Hostile agents take turns: a body without end, nothing at all, a byte now and then, a megabyte of brackets, headers without end, a redirect, a thousand odd modules.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import multiprocessing
import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import structlog

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from arkwright.clients.arklet import ArkletClient  # noqa: E402
from arkwright.controller.app import Controller, Settings  # noqa: E402
from arkwright.listening import raise_descriptors, spare_the_collector  # noqa: E402
from arkwright.model.resources import Kind  # noqa: E402
from fakes.agent_server import FakeAgent  # noqa: E402
from fakes.kube import FakeKube  # noqa: E402

OK = b"HTTP/1.1 200 OK\r\n\r\n"


async def floods(writer):
    writer.write(OK)
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def hangs(writer):
    await asyncio.sleep(3600)


async def drops(writer):
    writer.write(OK)
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.5)


async def nests(writer):
    writer.write(OK + b"[" * (1 << 20))


async def headers(writer):
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"x: y\r\n" * 1000)
        await writer.drain()


async def leads(writer):
    writer.write(b"HTTP/1.1 307 x\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n")


async def lists(writer):
    one = {"bizName": "a", "bizVersion": "1", "bizState": "activated"}
    writer.write(OK + json.dumps({"code": "SUCCESS", "data": [one] * 3000}).encode())


GOOD, MORE, EVIL = 201, 203, 202  # second bytes of their addresses
WAYS = (floods, hangs, drops, nests, headers, leads, lists)


def address(first, number):
    return f"127.{first}.{number // 250}.{number % 250 + 1}"


def agents(pods, ready):
    asyncio.run(_agents(pods, ready))


async def _agents(pods, ready):
    raise_descriptors()
    async with contextlib.AsyncExitStack() as stack:
        for number in range(pods):
            for first in (GOOD, MORE):
                await stack.enter_async_context(FakeAgent(address(first, number)))
            way = WAYS[number % len(WAYS)]

            async def converse(reader, writer, way=way):
                with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                    await reader.readuntil(b"\r\n\r\n")
                    await way(writer)
                    await writer.drain()
                writer.close()

            await asyncio.start_server(converse, address(EVIL, number), 1238)
        ready.set()
        await asyncio.sleep(3600)


def pod(base, number, at):
    container = {"name": "base", "containerID": f"fake://{base}-{number}", "restartCount": 0}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{base}-{number}", "namespace": "default", "labels": {"app": base}},
        "spec": {"containers": [{"name": "base", "ports": [{"containerPort": 1238}]}]},
        "status": {"phase": "Running", "podIP": at, "containerStatuses": [container]},
    }


def wish(kube, base, version):
    module = {"name": base, "version": str(version), "url": f"http://archives/{base}-{version}.whl"}
    spec = {"baseDeploymentName": base, "replicas": -1, "template": {"spec": {"module": module}}}
    found = kube.one(Kind.MODULE_DEPLOYMENT, "default", base)
    if found:
        kube.change(kube.path(found), {"spec": spec})
    else:
        about = {"apiVersion": "serverless.alipay.com/v1alpha1", "kind": "ModuleDeployment"}
        kube.put(about | {"metadata": {"name": base, "namespace": "default"}, "spec": spec})


def add_base(kube, base, pods, first):
    labels = {"app": base}
    spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}
    about = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": base, "namespace": "default"}}
    kube.put(about | {"spec": spec})
    for number in range(pods):
        kube.put(pod(base, number, address(first, number)))


async def release(kube, base, version):
    """Seconds until it is complete."""
    began = time.monotonic()
    wish(kube, base, version)
    while True:
        status = kube.one(Kind.MODULE_DEPLOYMENT, "default", base).get("status", {})
        release = status.get("releaseStatus", {})
        if (release.get("progress"), release.get("updateRevision")) == ("Completed", f"{base}-replicas-{version}"):
            return time.monotonic() - began
        await asyncio.sleep(0.05)


async def run(pods):
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    raise_descriptors()
    spare_the_collector()
    kube = FakeKube(lambda: datetime.now(UTC))
    add_base(kube, "good", pods, GOOD)
    versions = itertools.count(1)
    async with ArkletClient() as client:
        controller = Controller(kube, client, Settings(terms=None))
        running = asyncio.create_task(controller.run())

        async def timed():
            return [await release(kube, "good", next(versions)) for _ in range(3)]

        await release(kube, "good", next(versions))
        alone = await timed()
        told(f"{pods} good agents alone", alone, alone)
        for name, first, words in (("more", MORE, "other good"), ("evil", EVIL, "hostile")):
            add_base(kube, name, pods, first)
            wish(kube, name, 1)
            told(f"while {pods} {words} ones are new", await timed(), alone)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def told(what, seconds, alone):
    ratio = sorted(seconds)[1] / sorted(alone)[1]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{what}: {' '.join(f'{one:.1f}' for one in seconds)} s, {ratio:.2f} of alone; {memory} MB", flush=True)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--pods", type=int, default=1000)
    asked = options.parse_args()
    is_ready = multiprocessing.Event()
    others = multiprocessing.Process(target=agents, args=(asked.pods, is_ready), daemon=True)
    others.start()
    is_ready.wait(60)
    asyncio.run(run(asked.pods))
    others.terminate()
