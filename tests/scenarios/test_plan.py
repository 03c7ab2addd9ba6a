"""What `arkwright plan` says, on both APIs: of files and of names, with the statuses that scripts go by."""

import json

import yaml

from arkwright.model.names import API_VERSION
from scenarios.commands import run
from scenarios.kubectl import kubectl

NOTHING, SOMETHING, ERROR = 0, 2, 1
STRATEGY = {"batchCount": 2, "useBeta": True, "needConfirm": True}


def manifest(version, **spec):
    module = {"name": "provider", "version": version, "url": f"http://archives/provider-{version}.whl"}
    spec = {"baseDeploymentName": "stock", "replicas": 2, "operationStrategy": STRATEGY} | spec
    spec["template"] = {"spec": {"module": module}}
    return {"apiVersion": API_VERSION, "kind": "ModuleDeployment", "metadata": {"name": "demo"}, "spec": spec}


def file_of(folder, *documents):
    path = folder / "wish.yaml"
    path.write_text(yaml.safe_dump_all(documents))
    return str(path)


async def planned(site, *words):
    code, out, said = await run(site, "plan", *words)
    return code, out or said


async def _serves(site, version, count):
    await site.until(lambda: len(site.serving(version)) == count)
    await site.until_progress("Completed")


async def test_a_plan_says_what_a_file_would_do_and_writes_nothing(site, tmp_path):
    await site.add_pods(2)
    wish = manifest("1.0.2", pause=False) | {"extra": None}
    file = file_of(tmp_path, {"kind": "Deployment", "metadata": {"name": "other"}}, wish)
    code, said = await planned(site, file)
    assert code == SOMETHING and "demo: provider:1.0.2 on 2 base pods of stock, in 2 batches" in said
    assert "batch 1/2  1 base pod: stock-1: install provider:1.0.2" in said
    assert "a person is asked: arkwright confirm demo" in said
    assert "batch 2/2  1 base pod: stock-2: install provider:1.0.2" in said
    assert await site.deployment() is None and site.calls("installBiz") == 0
    kubectl("apply", "-n", site.namespace, "-f", file_of(tmp_path, manifest("1.0.2")))
    await site.until_progress("Paused", 1, 1)
    await _of_one_that_waits(site)
    await run(site, "confirm", "demo")
    await _serves(site, "1.0.2", 2)
    await _of_one_that_is_there(site, tmp_path)


async def _of_one_that_waits(site):
    code, said = await planned(site, "demo")
    assert code == SOMETHING and "batch 1/2 is complete" in said
    assert "batch 2/2  1 base pod: stock-2: install provider:1.0.2" in said


async def _of_one_that_is_there(site, folder):
    assert await planned(site, "-f", file_of(folder, manifest("1.0.2"))) == (NOTHING, "demo: nothing would change\n")
    assert await planned(site, "mddeploy/demo") == (NOTHING, "demo: nothing would change\n")
    code, out = await planned(site, file_of(folder, manifest("2.0.0", replicas=3)), "-o", "json")
    (one,) = json.loads(out)
    assert code == SOMETHING and one["waitsFor"].startswith("InsufficientBases: 0/2 base pods fit")
    assert [pod["pod"] for batch in one["release"]["batches"] for pod in batch["pods"]] == ["stock-1", "stock-2"]
    code, said = await planned(site, "demo", "--version", "2.0.0", "--replicas", "1")
    assert code == SOMETHING and "spec.template.spec.module.version: 1.0.2 → 2.0.0" in said
    assert "uninstall provider:1.0.2" in said


async def test_a_plan_that_cannot_be_made_says_why_with_status_1(site, tmp_path):
    code, said = await planned(site, "nobody")
    assert code == ERROR and '"nobody" not found' in said
    code, said = await planned(site, file_of(tmp_path, manifest("1.0.2", replicas=-2)))
    assert code == ERROR and "spec.replicas" in said
    code, said = await planned(site, str(tmp_path / "none.yaml"))
    assert code == ERROR and "No such file" in said
    code, said = await planned(site, file_of(tmp_path, {"kind": "Pod"}))
    assert code == ERROR and "there is no ModuleDeployment" in said
    assert (await planned(site))[0] == (await planned(site, "a.yaml", "--version", "2"))[0] == ERROR


async def test_a_dry_run_says_what_a_decision_would_do_to_each_base_pod(site):
    await site.add_pods(2)
    await site.apply(version="1.0.2", replicas=2)
    await _serves(site, "1.0.2", 2)
    _, _, said = await run(site, "restart", "demo", "--dry-run")
    assert "stock-1, stock-2: uninstall provider:1.0.2, then install provider:1.0.2" in said


async def test_a_plan_says_what_a_deletion_would_do_and_deletes_nothing(site, tmp_path):
    await site.add_pods(2)
    await site.apply(version="1.0.2", replicas=2, operationStrategy={"batchCount": 2})
    await _serves(site, "1.0.2", 2)
    code, said = await planned(site, "demo", "--delete")
    assert code == SOMETHING and "demo: its deletion uninstalls from 2 base pods, in 2 batches" in said
    assert "batch 1/2  1 base pod: stock-1: uninstall provider:1.0.2" in said
    assert "revision demo-replicas-1 is deleted: its ModuleDeployment is deleted" in said
    assert (await planned(site, "-f", file_of(tmp_path, manifest("2.0.0")), "--delete")) == (code, said)
    await _of_a_module(site)
    assert (await planned(site, "demo", "--delete", "--version", "2.0.0"))[0] == ERROR
    assert (await planned(site, "deployment/stock", "--delete"))[0] == ERROR
    assert len(site.serving("1.0.2")) == 2


async def _of_a_module(site):
    (first, _) = sorted(one["metadata"]["name"] for one in await site.modules())
    code, out = await planned(site, f"module.serverless.alipay.com/{first}", "--delete", "-o", "json")
    (one,) = json.loads(out)
    ((batch,), kind) = one["batches"], one["deletes"]
    assert (code, kind, one["deployment"]) == (SOMETHING, "Module", "demo")
    assert [pod["steps"] for pod in batch["pods"]] == [["uninstall provider:1.0.2", "install provider:1.0.2"]]
