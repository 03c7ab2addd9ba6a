"""What a pod uses is what its processes use: measured on processes that the test starts."""

import json
import multiprocessing
import os
import time
from datetime import UTC, datetime, timedelta

import pytest

from apiserver.asking import MERGE
from arkwright.apiserver.wire.metrics import Run, samples

PODS = "/api/v1/namespaces/default/pods"
FIGURES = "/apis/metrics.k8s.io/v1beta1"
JSON = {"Content-Type": "application/json"}
MEBIBYTE = 1024 * 1024


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def work(ready, seconds):
    """One core busy, and 64 MiB held."""
    held = bytearray(os.urandom(64 * MEBIBYTE))
    ready.set()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        held[0] = (held[0] + 1) % 255


def nest(ready, seconds):
    """A child that works, as a module's process beside its base."""
    inner = multiprocessing.Process(target=work, args=(ready, seconds))
    inner.start()
    inner.join()


@pytest.fixture(params=[work, nest], ids=["itself", "its child"])
def busy(request):
    """A process that works, or whose child does."""
    ready = multiprocessing.Event()
    process = multiprocessing.Process(target=request.param, args=(ready, 8))
    process.start()
    assert ready.wait(20)
    yield process.pid
    process.terminate()
    process.join(10)


def run_as_a_pod(api, name, pid, started):
    container = {"name": "base", "image": "process"}
    spec = {"nodeName": "nobody", "containers": [container]}
    api.raw("POST", PODS, {"metadata": {"name": name, "labels": {"of": "figures"}}, "spec": spec}, **JSON)
    state = {"running": {"startedAt": stamp(started)}}
    about = {"name": "base", "image": "process", "imageID": "", "ready": True, "restartCount": 0, "state": state}
    statuses = [about | {"containerID": f"process://uid/0/{pid}"}]
    status = {"status": {"phase": "Running", "containerStatuses": statuses}}
    assert api.raw("PATCH", f"{PODS}/{name}/status", status, **{"Content-Type": MERGE})[0] == 200


def figures(api, query=""):
    return json.loads(api.raw("GET", f"{FIGURES}/namespaces/default/pods{query}")[2])["items"]


def test_a_pod_uses_what_its_processes_use(embedded_api, busy):
    run_as_a_pod(embedded_api, "busy", busy, datetime.now(UTC))
    [found] = figures(embedded_api, "?labelSelector=of=figures")
    usage = found["containers"][0]["usage"]
    assert found["metadata"]["name"] == "busy"
    assert 0.1e9 < int(usage["cpu"].removesuffix("n")) < 1.5e9
    assert 64 * 1024 <= int(usage["memory"].removesuffix("Ki")) < 1024 * 1024
    assert figures(embedded_api, "?labelSelector=of=others") == []
    embedded_api.raw("DELETE", f"{PODS}/busy", {"gracePeriodSeconds": 0}, **JSON)


@pytest.mark.parametrize(
    "pid, since", [(os.getpid(), timedelta(days=400)), (2**30, timedelta(0))], ids=["another process", "none"]
)
def test_of_a_process_that_is_not_the_pods_nothing_is_told(embedded_api, pid, since):
    run_as_a_pod(embedded_api, "other", pid, datetime.now(UTC) - since)
    assert figures(embedded_api) == []
    assert embedded_api.raw("GET", f"{FIGURES}/namespaces/default/pods/other")[0] == 404
    embedded_api.raw("DELETE", f"{PODS}/other", {"gracePeriodSeconds": 0}, **JSON)


def test_figures_are_not_written(embedded_api):
    code, _, answer = embedded_api.raw("POST", f"{FIGURES}/nodes", {"metadata": {"name": "n"}}, **JSON)
    assert code == 405 and "measured when it is asked for" in json.loads(answer)["message"]


def test_the_machine_is_a_run_of_its_own():
    assert samples([Run(0)])[Run(0)].memory > 0
    assert samples([Run(os.getpid(), "yesterday")]) == {}
