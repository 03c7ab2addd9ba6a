"""Real base processes with the real agent: they come back when they die, and the demo does what it says."""

import asyncio
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil
import pytest

from arkwright.model.resources import Kind
from standalone.pods import container_of, pid_of

ROOT = Path(__file__).parents[2]


async def online(site, base, archive):
    """A module on both base pods."""
    module = {"name": "provider", "version": "1.0.2", "url": archive}
    await site.apply(baseDeploymentName=base, replicas=2, template={"spec": {"module": module}})
    await site.until_progress("Completed", 1, 2)


def answer(pod):
    with urllib.request.urlopen(f"http://{pod['status']['podIP']}:8080/provider/", timeout=5) as response:
        return response.read().decode()


async def test_a_base_process_that_dies_is_started_again_and_gets_its_module_back(site, bases, archive):
    await online(site, bases, archive)
    victim, other = await site.all(Kind.POD)
    os.kill(pid_of(victim), signal.SIGKILL)
    await site.until(lambda: _has_restarted(site, victim))
    again = await site.get(Kind.POD, victim["metadata"]["name"])
    assert [await asyncio.to_thread(answer, pod) for pod in (again, other)] == ["1.0.2", "1.0.2"]


async def _has_restarted(site, victim):
    pod = await site.get(Kind.POD, victim["metadata"]["name"])
    return container_of(pod)["restartCount"] == 1 and len(await site.serves_labels()) == 2


async def test_a_pod_that_is_deleted_ends_its_process_and_the_next_one_gets_the_module(site, bases, archive):
    await online(site, bases, archive)
    gone, _ = await site.all(Kind.POD)
    await site.delete(Kind.POD, gone["metadata"]["name"])
    await site.until(lambda: _is_replaced(site, gone))
    assert not psutil.pid_exists(pid_of(gone))


async def _is_replaced(site, gone):
    names = {pod["metadata"]["name"] for pod in await site.all(Kind.POD)}
    return gone["metadata"]["name"] not in names and len(await site.modules(status="Available")) == 2


@pytest.mark.timeout(240)
def test_the_demo_ends_as_it_says_although_its_controller_is_killed_all_along(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"}
    command = [sys.executable, str(ROOT / "examples" / "demo.py"), "--crash"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 of " in done.stdout and "requests failed" in done.stdout
