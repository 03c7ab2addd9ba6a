"""The user's own samples, verbatim, on real base processes: what happens where their url cannot be reached, and after it is corrected."""

import json
import re
from pathlib import Path

import pytest

from scenarios.kubectl import kubectl
from scenarios.test_commands import run

ROOT = Path(__file__).parents[2]
SAMPLES = sorted(path.name for path in (ROOT / "samples").glob("*.yaml") if "expected" not in path.name)


def of_module(site, *words):
    return kubectl(*words, "-n", site.namespace)


async def test_a_sample_whose_url_cannot_be_reached_says_why_everywhere_and_completes_once_it_is_corrected(
    site, bases, archive
):
    kubectl("apply", "-n", site.namespace, "-f", ROOT / "samples" / "online.yaml")
    await site.until(lambda: _has_failed(site))
    words = "cannot fetch http://serverless-opensource.oss-cn-shanghai.aliyuncs.com/module-packages"
    assert re.search(f"Failed .*PullFailed +{words}", of_module(site, "get", "module", "-o", "wide"))
    await site.until(lambda: words in of_module(site, "describe", "module").partition("Events:")[2])
    _, status, _ = await run(site, "status", "moduledeployment-sample")
    assert f"Failed  PullFailed: {words}" in status
    correction = json.dumps({"spec": {"template": {"spec": {"module": {"url": archive}}}}})
    of_module(site, "patch", "mddeploy", "moduledeployment-sample", "--type=merge", "-p", correction)
    await site.until_progress("Paused", 1, 1, name="moduledeployment-sample")
    of_module(site, "patch", "mddeploy", "moduledeployment-sample", "--type=merge", "-p", '{"spec":{"pause":false}}')
    await site.until_progress("Completed", 2, 2, name="moduledeployment-sample")


async def _has_failed(site):
    return [one["status"]["reason"] for one in await site.modules(status="Failed")] == ["PullFailed"]


@pytest.mark.parametrize("name", SAMPLES)
async def test_every_sample_applies_verbatim(site, name):
    assert "created" in kubectl("apply", "-n", site.namespace, "-f", ROOT / "samples" / name)
    kubectl(
        "apply",
        "-n",
        site.namespace,
        "--server-side",
        "--dry-run=server",
        "--force-conflicts",
        "-f",
        ROOT / "samples" / name,
    )


def test_each_crd_stays_well_below_what_plain_apply_can_take():
    assert all(path.stat().st_size < 64 * 1024 for path in (ROOT / "deploy").glob("*-crd.yaml"))


def test_deploy_holds_the_eight_files_and_nothing_else_that_kubectl_would_apply():
    names = [path.name for path in sorted((ROOT / "deploy").iterdir()) if path.is_file()]
    assert [name.partition("-")[0] for name in names] == [f"0{n}" for n in range(1, 9)]


def test_all_eight_files_apply_in_order(cluster):
    kubectl("apply", "--dry-run=server", "-f", ROOT / "deploy")
