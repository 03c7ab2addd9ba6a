"""Clients that would hold a server up, by hundreds, beside one that asks something: its p99, quiet and then, and the server's memory.

    python bench/crowds.py

500 connections that say half a head and wait, 500 that send a byte now and then, and five that try to send 100 MB of headers, again and again. Whoever is let go
of comes back after a second. Four servers: a base's application, its agent, the embedded API, the controller's health.
"""

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import psutil

HALF = b"POST /queryAllBiz HTTP/1.1\r\nHost: x\r\nX-Half: "
FLOOD = b"a: " + b"b" * 50_000 + b"\r\n"


async def half_open(host, port, tls):
    reader, writer = await asyncio.open_connection(host, port, ssl=tls)
    writer.write(HALF)
    await reader.read()


async def slow(host, port, tls):
    reader, writer = await asyncio.open_connection(host, port, ssl=tls)
    reading = asyncio.create_task(reader.read())
    for one in HALF * 100:
        if reading.done():
            return
        writer.write(bytes([one]))
        await asyncio.sleep(0.5)


async def flooding(host, port, tls):
    reader, writer = await asyncio.open_connection(host, port, ssl=tls)
    writer.write(b"GET / HTTP/1.1\r\n")
    for _ in range(2000):
        writer.write(FLOOD)
        await writer.drain()


async def again(what, host, port, tls):
    while True:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await what(host, port, tls)
        await asyncio.sleep(1)


def crowd(host, port, halves, slows, is_tls):
    os.nice(19)  # such a crowd is on machines of its own: what TLS costs it is not to be taken from the server
    tls = ssl._create_unverified_context() if is_tls else None

    async def run():
        tasks = [again(half_open, host, port, tls) for _ in range(halves)]
        tasks += [again(slow, host, port, tls) for _ in range(slows)]
        tasks += [again(flooding, host, port, tls) for _ in range(5)]
        await asyncio.gather(*tasks)

    asyncio.run(run())


async def asked(url, seconds, **request):
    """Milliseconds of each answer, and how many failed."""
    times, failed, until = [], 0, time.monotonic() + seconds
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < until:
            began = time.monotonic()
            try:
                async with session.request(url=url, ssl=False, **request) as response:
                    await response.read()
                    failed += response.status >= 400
            except aiohttp.ClientError:
                failed += 1
            times.append((time.monotonic() - began) * 1000)
            await asyncio.sleep(0.005)
    return sorted(times), failed


def percentile(ordered, percent):
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def measured(name, host, port, process, seconds, path="/", scheme="http", **request):
    url, memory = f"{scheme}://{host}:{port}{path}", lambda: psutil.Process(process.pid).memory_info().rss >> 20
    quiet, bad = asyncio.run(asked(url, seconds, **request))
    before = memory()
    others = multiprocessing.Process(target=crowd, args=(host, port, 500, 500, scheme == "https"), daemon=True)
    others.start()
    time.sleep(4)
    busy, failed = asyncio.run(asked(url, 2 * seconds, **request))
    after = memory()
    others.terminate()
    others.join()
    calm, wanted = percentile(quiet, 99), percentile(busy, 99)
    print(
        f"{name:12} p50 {percentile(quiet, 50):5.1f} -> {percentile(busy, 50):5.1f} ms, p99 {calm:5.1f} -> {wanted:6.1f} ms ({wanted / calm:.1f} x),"
        f" failed {bad} -> {failed} of {len(busy)}, memory {before} -> {after} MB",
        flush=True,
    )


def main(seconds, only):
    arkwright = [sys.executable, "-m", "arkwright"]
    with tempfile.TemporaryDirectory() as scratch:
        base = subprocess.Popen([*arkwright, "base", "--host", "127.9.9.1"], cwd=scratch, stderr=subprocess.DEVNULL)
        api = subprocess.Popen(
            [*arkwright, "api", "--data-dir", f"{scratch}/site", "--port", "16443"], stdout=subprocess.PIPE
        )
        api.stdout.readline()
        config = os.environ | {"KUBECONFIG": f"{scratch}/site/kubeconfig"}
        health = subprocess.Popen(
            [*arkwright, "controller", "--health-host", "127.9.9.2"],
            env=config,
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        time.sleep(3)
        token = (Path(scratch) / "site" / "admin.token").read_text()
        try:
            bearer = {"Authorization": f"Bearer {token}"}
            servers = {
                "base": (("127.9.9.1", 8080, base, seconds), {"method": "GET"}),
                "agent": (("127.9.9.1", 1238, base, seconds, "/queryAllBiz"), {"method": "POST", "json": {}}),
                "API": (
                    ("127.0.0.1", 16443, api, seconds, "/api/v1/namespaces", "https"),
                    {"method": "GET", "headers": bearer},
                ),
                "health": (("127.9.9.2", 8081, health, seconds, "/healthz"), {"method": "GET"}),
            }
            for name in only:
                where, request = servers[name]
                measured(name, *where, **request)
        finally:
            for one in (health, base, api):
                one.terminate()
                one.wait(20)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seconds", type=float, default=8)
    options.add_argument(
        "--only", choices=("base", "agent", "API", "health"), nargs="+", default=("base", "agent", "API", "health")
    )
    asked_for = options.parse_args()
    main(asked_for.seconds, asked_for.only)
