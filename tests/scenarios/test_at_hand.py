"""What a person types of a release that is there: described on one page, opened on the dashboard, as kubectl's plugin, in whatever order."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from building import BuildFailed
from go_build import KUBECTL, built

from scenarios.commands import run

PROGRAMS = Path(sys.executable).parent


@pytest.fixture
def kubectl_plugin(site, tmp_path):
    """Runs real kubectl with a plugin beside it; its standard output."""
    try:
        (tmp_path / "kubectl").symlink_to(built(KUBECTL))
    except BuildFailed as error:
        pytest.skip(str(error))
    path = f"{tmp_path}{os.pathsep}{PROGRAMS}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path}

    def asked(*words):
        done = subprocess.run(["kubectl", *words], env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return asked


async def _waiting(site):
    await site.add_pods(2)
    strategy = {"batchCount": 2, "needConfirm": True}
    await site.apply(version="1.0.2", replicas=-1, operationStrategy=strategy)
    await site.until_progress("Paused")


async def test_a_release_is_described_on_one_page(site):
    await _waiting(site)
    code, out, said = await run(site, "describe", "mddeploy/demo")
    assert code == 0, said
    for words in (
        f"{site.namespace}/demo",
        "on every base pod",
        "a person confirms",
        "batch 1/2",
        "arkwright confirm demo",
        "Conditions",
        "Revisions",
        "Told",
        "BatchAwaitingConfirmation",
    ):
        assert words in out, words
    _, out, _ = await run(site, "describe", "demo", "-o", "json")
    (one,) = json.loads(out)
    assert (one["standing"], one["asked"]["policy"], one["failing"]) == (
        "Paused",
        "install_then_uninstall, scatter",
        [],
    )
    assert [each["revision"] for each in one["revisions"]] == [1] and one["events"]
    code, _, said = await run(site, "describe", "other")
    assert code == 1 and "other" in said and "arkwright get" in said


async def test_a_release_is_opened_where_the_dashboard_is(site):
    await _waiting(site)
    code, out, _ = await run(site, "open", "demo", "--url", "https://wall.example/")
    assert (code, out) == (0, f"https://wall.example/releases/{site.namespace}/demo\n")
    assert (await run(site, "open", "--url", "https://wall.example"))[1] == "https://wall.example/\n"
    code, out, said = await run(site, "open", "demo")
    assert (code, out) == (1, "") and "port-forward" in said


async def test_kubectl_has_a_plugin_that_completes(site, kubectl_plugin):
    await _waiting(site)
    assert "batch 1/2" in kubectl_plugin("arkwright", "-n", site.namespace, "status", "demo")
    assert kubectl_plugin("__complete", "arkwright", "describe", "-n", site.namespace, "").splitlines()[0] == "demo"
    assert kubectl_plugin("__complete", "arkwright", "hist").splitlines()[0] == "history"
    assert "Usage: kubectl arkwright confirm" in kubectl_plugin("arkwright", "confirm", "--help")


async def test_the_cluster_is_named_on_either_side_of_the_command(site, tmp_path):
    await _waiting(site)
    elsewhere = os.environ | {"KUBECONFIG": str(tmp_path / "nothing")}

    async def typed(*words):
        command = [PROGRAMS / "arkwright", *words]
        return await asyncio.to_thread(
            subprocess.run, command, env=elsewhere, capture_output=True, text=True, timeout=60
        )

    named = ("--kubeconfig", os.environ["KUBECONFIG"], "-n", site.namespace)
    for words in ((*named, "get", "deployments", "-o", "name"), ("get", "deployments", *named, "-o", "name")):
        done = await typed(*words)
        assert (done.returncode, done.stdout) == (0, "demo\n"), done.stderr
    done = await typed(*named, "--context", "none", "status")
    assert done.returncode == 1 and "none" in done.stderr
