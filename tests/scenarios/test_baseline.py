"""A base that restarts comes back whole: it asks the controller, and nobody reaches it before its modules are in."""

import asyncio
import contextlib
import os
import signal
import socket
import urllib.error
import urllib.request

import pytest
import uvicorn
from starlette.applications import Starlette

from arkwright.model.resources import Kind
from scenarios.kubectl import kubectl
from scenarios.test_real_bases import online
from standalone.pods import pid_of


@pytest.fixture
async def baseline_url(site):
    """The controller's, as `arkwright controller` serves it on its health port."""
    with socket.create_server((f"{site.network}.200", 0)) as listening:
        server = uvicorn.Server(
            uvicorn.Config(Starlette(routes=site.controller.baselines.routes()), lifespan="off", log_level="warning")
        )
        serving = asyncio.create_task(server._serve(sockets=[listening]))
        yield "http://{}:{}".format(*listening.getsockname())
        server.should_exit = True
        await serving


def first_answer(url):
    """What the first one to reach it gets; until then, nobody listens."""
    while True:
        with (
            contextlib.suppress(ConnectionError, urllib.error.URLError),
            urllib.request.urlopen(url, timeout=5) as said,
        ):
            return said.read().decode()


async def _has_two_pods(site):
    return len(await site.all(Kind.POD)) == 2


async def test_nobody_reaches_a_restarted_base_before_its_modules_are_in(site, bases, archive, baseline_url):
    kubectl("set", "env", "-n", site.namespace, f"deployment/{bases}", f"ARKWRIGHT_BASELINE_URL={baseline_url}")
    rolled_out = ("rollout", "status", "-n", site.namespace, f"deployment/{bases}", "--timeout=60s")
    await asyncio.to_thread(kubectl, *rolled_out)  # not here: the new pods ask this very loop
    await site.until(lambda: _has_two_pods(site))
    await online(site, bases, archive)
    victim, _ = await site.all(Kind.POD)
    os.kill(pid_of(victim), signal.SIGKILL)
    await asyncio.sleep(0.1)  # until the kernel has closed its sockets
    url = f"http://{victim['status']['podIP']}:8080/provider/"
    assert await asyncio.to_thread(first_answer, url) == "1.0.2"
