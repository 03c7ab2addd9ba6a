"""`arkwright get`, `status`, `confirm`, `abort` and `retry`, as a person runs them."""

import json
import os
import subprocess

import pytest
import yaml

from scenarios.commands import ARKWRIGHT, run


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
    assert code == 0 and "demo: Batch 2 of 2 begins: provider:1.0.2 goes to 1 more base pod." in said
    code, out, _ = await run(paused, "status", "demo", "--watch", "--timeout", "20")
    assert code == 0 and "✔ demo" in out
    code, _, said = await run(paused, "confirm", "demo")
    assert code == 1 and "demo: it waits for nobody: Completed" in said


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
    assert code == 1 and "demo: there is no earlier version to go back to" in said


async def test_a_release_that_fails_is_aborted_and_tried_again(site):
    (agent,) = await site.add_pods(1)
    await site.apply(version="1.0.2", replicas=1)
    await site.until_progress("Completed", 1, 1)
    code, _, said = await run(site, "abort", "demo")
    assert code == 1 and "demo: no release is under way: Completed" in said
    agent.base.broken_versions.add("2.0.0")
    await site.apply(version="2.0.0")
    await site.until(lambda: _has_failed(site))
    assert "to go back: arkwright abort demo" in (await run(site, "status"))[1]
    code, _, said = await run(site, "abort", "demo")
    assert code == 0 and "demo: 2.0.0 is given up; 1.0.2 comes back" in said
    await site.until_progress("Aborted")
    assert "→ apply another version, or arkwright retry demo" in (await run(site, "status", "--watch"))[1]
    agent.base.broken_versions.clear()
    code, _, said = await run(site, "retry", "demo")
    assert code == 0 and "demo: The release of 2.0.0 begins anew" in said
    await site.until_progress("Completed", 1, 1)
    assert site.serving("2.0.0")
    code, _, said = await run(site, "retry", "demo")
    assert code == 1 and "demo: no release of it was aborted" in said


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
