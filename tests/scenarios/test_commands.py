"""`arkwright get`, `status`, `confirm`, `abort` and `retry`, as a person runs them."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ARKWRIGHT = str(Path(sys.executable).with_name("arkwright"))


async def run(site, *words):
    """(exit status, standard output, standard error)"""
    command = [ARKWRIGHT, *words, "-n", site.namespace]
    environment = os.environ | {"COLUMNS": "200"}
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, env=environment)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
async def paused(site):
    await site.add_pods(2)
    await site.apply(version="1.0.2", replicas=2, operationStrategy={"batchCount": 2, "needConfirm": True})
    await site.until_progress("Paused", 1, 1)
    return site


async def test_status_draws_what_is_where_and_says_how_to_go_on(paused):
    code, out, _ = await run(paused, "status", "demo")
    assert code == 0
    assert "॥ demo  provider:1.0.2 on stock  Paused  batch 1/2  1 of 2 updated, 1 available" in out
    assert "batch 1/2 is complete and waits for a person; to go on: set spec.pause to false" in out
    assert "→ arkwright confirm demo\n" in out
    assert "✔ stock-1  Available" in out and "\x1b" not in out


async def test_confirm_lets_the_batch_that_waits_go_on_and_status_watches_it_arrive(paused):
    code, _, said = await run(paused, "confirm", "demo")
    assert code == 0 and "batch 1/2 of demo is confirmed" in said
    code, out, _ = await run(paused, "status", "demo", "--watch", "--timeout", "20")
    assert code == 0 and "✔ demo" in out
    code, _, said = await run(paused, "confirm", "demo")
    assert code == 1 and "demo waits for nobody: Completed" in said


async def test_a_confirm_of_a_batch_that_is_not_there_is_refused(paused):
    code, _, said = await run(paused, "confirm", "demo", "--batch", "7")
    assert code == 1 and "there is no batch 7: this release has 2" in said


async def test_status_shows_the_agents_own_words_for_a_failure(site):
    (agent,) = await site.add_pods(1)
    agent.base.failures["installBiz"] = 99
    await site.apply(version="1.0.2", replicas=1)
    await site.until(lambda: _has_failed(site))
    code, out, _ = await run(site, "status")
    assert code == 0
    assert "✖ stock-1  Failed  InstallFailed: java.lang.IllegalStateException: this module never starts" in out
    assert "→ correct the module's url or version and apply it again\n" in out
    code, _, said = await run(site, "abort", "demo")
    assert code == 1 and "demo has no earlier version to go back to" in said


async def test_a_release_that_fails_is_aborted_and_tried_again(site):
    (agent,) = await site.add_pods(1)
    await site.apply(version="1.0.2", replicas=1)
    await site.until_progress("Completed", 1, 1)
    code, _, said = await run(site, "abort", "demo")
    assert code == 1 and "no release of demo is under way: Completed" in said
    agent.base.broken_versions.add("2.0.0")
    await site.apply(version="2.0.0")
    await site.until(lambda: _has_failed(site))
    assert "to go back: arkwright abort demo" in (await run(site, "status"))[1]
    code, _, said = await run(site, "abort", "demo")
    assert code == 0 and "demo-replicas-2 of demo is given up" in said
    await site.until_progress("Aborted")
    assert "→ apply another version, or arkwright retry demo" in (await run(site, "status", "--watch"))[1]
    agent.base.broken_versions.clear()
    code, _, said = await run(site, "retry", "demo")
    assert code == 0 and "the release of demo begins anew" in said
    await site.until_progress("Completed", 1, 1)
    assert site.serving("2.0.0")
    code, _, said = await run(site, "retry", "demo")
    assert code == 1 and "no release of demo was aborted" in said


async def _has_failed(site):
    return bool(await site.modules(status="Failed")) and (await site.condition("ReplicaFailure"))["status"] == "True"


@pytest.mark.parametrize("view, first", [("deployments", "demo"), ("modules", "1.0.2"), ("bases", "stock-")])
async def test_get_lists_in_every_format(paused, view, first):
    _, table, _ = await run(paused, "get", view)
    _, wide, _ = await run(paused, "get", view, "-o", "wide")
    _, as_json, _ = await run(paused, "get", view, "-o", "json")
    _, as_yaml, _ = await run(paused, "get", view, "-o", "yaml")
    assert first in table and len(wide.splitlines()[0]) > len(table.splitlines()[0])
    assert json.loads(as_json) == yaml.safe_load(as_yaml) and len(json.loads(as_json)) == 1


async def test_a_name_that_is_not_there_says_what_is(paused):
    code, out, said = await run(paused, "status", "dmeo")
    assert (code, out) == (1, "") and "no ModuleDeployment 'dmeo'" in said and "there: demo" in said


def test_without_a_cluster_the_error_names_the_file_that_was_looked_for(tmp_path):
    environment = os.environ | {"KUBECONFIG": str(tmp_path / "nothing")}
    done = subprocess.run([ARKWRIGHT, "get"], capture_output=True, text=True, env=environment)
    assert done.returncode == 1 and str(tmp_path / "nothing") in done.stderr and "set KUBECONFIG" in done.stderr
