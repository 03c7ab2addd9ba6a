"""Real base processes with the real agent: they come back when they die, and the demo does what it says."""

import asyncio
import os
import shutil
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


@pytest.fixture(params=["arkwright.module", "arkwright.module.shared"], ids=["process", "shared"])
def rival(request, tmp_path):
    """url of another module on the web path of examples/provider, in either isolation."""
    shutil.copytree(ROOT / "examples" / "provider", tmp_path / "rival", ignore=shutil.ignore_patterns("dist"))
    (tmp_path / "rival" / "provider").rename(tmp_path / "rival" / "rival")
    for file in [tmp_path / "rival" / "pyproject.toml", *(tmp_path / "rival" / "rival").glob("*.py")]:
        renamed = file.read_text().replace("provider", "rival").replace("\nrival = ", "\nprovider = ")
        file.write_text(renamed.replace('"arkwright.module"', f'"{request.param}"').replace("1.0.2", "3.0"))
    command = ["arkwright", "module", "build", str(tmp_path / "rival"), "--out", str(tmp_path)]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()).as_uri()


async def test_one_web_path_wanted_by_two_names_the_first_and_is_taken_when_that_goes(site, bases, archive, rival):
    await online(site, bases, archive)
    module = {"name": "rival", "version": "3.0", "url": rival}
    await site.apply("second", baseDeploymentName=bases, replicas=-1, template={"spec": {"module": module}})
    await site.until(lambda: _is_told_of_the_first(site))
    assert [await asyncio.to_thread(answer, pod) for pod in await site.all(Kind.POD)] == ["1.0.2"] * 2, (
        "it is not harmed"
    )
    shown = await asyncio.to_thread(status_shown, site.namespace)
    assert "the web path is that of provider:1.0.2 of demo: give rival another one" in shown
    await site.delete()
    await site.until(lambda: _serves_in_place_of_the_first(site))


def status_shown(namespace):
    command = ["arkwright", "status", "-n", namespace]
    return " ".join(subprocess.run(command, capture_output=True, text=True).stdout.split())


async def _is_told_of_the_first(site):
    failure = await site.condition("ReplicaFailure", "second")
    events = [one["message"] for one in await site.events("ModuleInstallFailed")]
    is_said = "provider:1.0.2 of demo" in failure.get("message", "") and failure["reason"] == "WebPathConflict"
    return is_said and any("take provider:1.0.2 out of this base" in one for one in events)


async def _serves_in_place_of_the_first(site):
    pods = await site.all(Kind.POD)
    return len(await site.serves_labels("rival")) == 2 and {answer(pod) for pod in pods} == {"3.0"}


@pytest.mark.timeout(240)
def test_the_demo_ends_as_it_says_although_its_controller_is_killed_all_along(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"}
    command = [sys.executable, str(ROOT / "examples" / "demo.py"), "--crash"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 of " in done.stdout and "requests failed" in done.stdout
