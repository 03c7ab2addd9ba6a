"""Helm 3 and 4 install, upgrade, roll back and uninstall the chart, on the embedded API as on a real one."""

import itertools
import os
import subprocess
from pathlib import Path

import pytest
from building import BuildFailed
from go_build import HELM, HELM_4, built

from scenarios.kubectl import kubectl

CHART = Path(__file__).parents[2] / "deploy" / "helm"
_numbers = itertools.count(1)
IMAGE = "jsonpath={.spec.template.spec.containers[0].image}"


@pytest.fixture(params=[HELM, HELM_4], ids=["3", "4"])
def helm(request, cluster, tmp_path, worker_number):
    """Runs a version of Helm in a namespace of its own; returns what it says on standard output."""
    if request.param is HELM_4 and not HELM_4.path.exists():
        pytest.skip("Helm 4 has not been built: python tests/kubernetes/go_build.py all")
    try:
        program = built(request.param)
    except BuildFailed as error:
        pytest.skip(str(error))
    namespace = f"helm-{worker_number}-{os.getpid()}-{next(_numbers)}"
    kubectl("create", "namespace", namespace)
    kubectl("delete", "--ignore-not-found", "clusterrole,clusterrolebinding", "arkwright")

    def run(*words, code=0):
        environment = os.environ | {"HOME": str(tmp_path), "HELM_NAMESPACE": namespace}
        command = [program, *map(str, words)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    run.namespace = namespace
    yield run
    kubectl("delete", "namespace", namespace, "--wait=false")


def image(helm):
    return kubectl("get", "deployment", "arkwright", "-n", helm.namespace, "-o", IMAGE)


def test_a_release_of_the_chart_lives_and_goes(helm):
    helm("install", "arkwright", CHART, "--set", "image=x:1")
    assert "deployed" in helm("list") and image(helm) == "x:1"
    helm("upgrade", "arkwright", CHART, "--set", "image=x:2", "--set", "args={--drift-period=30}")
    assert image(helm) == "x:2" and "image: x:2" in helm("get", "values", "arkwright")
    helm("rollback", "arkwright", "1")
    assert image(helm) == "x:1"
    states = [line.split("\t")[2].strip() for line in helm("history", "arkwright").splitlines()[1:]]
    assert states == ["superseded", "superseded", "deployed"]
    assert "STATUS: deployed" in helm("status", "arkwright")
    assert "kind: Deployment" in helm("get", "manifest", "arkwright")
    helm("upgrade", "--install", "arkwright", CHART, "--set", "image=x:3", "--dry-run=server")
    assert image(helm) == "x:1"
    helm("uninstall", "arkwright", "--wait", "--timeout", "30s")
    left = kubectl("get", "deployment,secret,role,rolebinding", "-n", helm.namespace, "-o", "name")
    assert left == "" and "arkwright" not in helm("list").replace(helm.namespace, "")
    assert "arkwright" not in kubectl("get", "clusterrole,clusterrolebinding", "-o", "name")


def test_what_does_not_become_ready_in_time_is_a_failed_release(helm):
    said = helm("install", "arkwright", CHART, "--set", "image=x:1", "--wait", "--timeout", "2s", code=1)
    assert "INSTALLATION FAILED" in said
    assert "failed" in helm("list", *(["--all"] if "v3" in helm("version", "--short") else []))
    helm("uninstall", "arkwright")


def test_what_somebody_else_has_set_is_a_conflict_for_helm_4_and_none_for_helm_3(helm):
    helm("install", "arkwright", CHART, "--set", "image=x:1")
    kubectl("scale", "deployment", "arkwright", "-n", helm.namespace, "--replicas=3")
    is_third = "v3" in helm("version", "--short")
    said = helm("upgrade", "arkwright", CHART, "--set", "image=x:2", code=0 if is_third else 1)
    conflict = (
        'Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas'
    )
    assert ("has been upgraded" if is_third else conflict) in said
    helm("uninstall", "arkwright")
