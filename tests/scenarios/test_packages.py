"""The kustomization and the Helm chart render what deploy/ has, elsewhere too (contract 6, [S9])."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from building import BuildFailed
from go_build import HELM, built

from scenarios.kubectl import kubectl

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


@pytest.fixture(scope="session")
def helm():
    """Runs Helm; returns its standard output."""
    try:
        program = built(HELM)
    except BuildFailed as error:
        pytest.skip(str(error))

    def run(*words):
        done = subprocess.run([program, *map(str, words)], capture_output=True, text=True, timeout=90)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def objects(text):
    """(kind, name) -> object."""
    found = [one for one in yaml.safe_load_all(text) if one]
    assert len({(one["kind"], one["metadata"]["name"]) for one in found}) == len(found)
    return {(one["kind"], one["metadata"]["name"]): one for one in found}


def plain(namespace="default"):
    """What the eight files have, in that namespace."""
    text = "\n---\n".join(path.read_text() for path in sorted(DEPLOY.glob("0*.yaml")))
    return objects(text.replace("namespace: default", f"namespace: {namespace}"))


def test_the_kustomization_renders_the_eight_files(tmp_path):
    assert objects(kubectl("kustomize", DEPLOY / "kustomize")) == plain()


def test_a_kustomization_on_top_of_it_changes_the_namespace(tmp_path):
    base = os.path.relpath(DEPLOY / "kustomize", tmp_path)
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump({"namespace": "platform", "resources": [base]}))
    assert objects(kubectl("kustomize", tmp_path)) == plain("platform")


@pytest.mark.parametrize("namespace", ["default", "platform"])
def test_the_chart_renders_the_eight_files(helm, namespace):
    rendered = helm("template", "arkwright", DEPLOY / "helm", "--include-crds", "--namespace", namespace)
    assert objects(rendered) == plain(namespace)


def test_the_chart_has_values_for_what_sites_change(helm):
    values = ("--set", "image=registry/arkwright:1", "--set", "replicas=2", "--set", "args={--drift-period=30}")
    rendered = objects(helm("template", "arkwright", DEPLOY / "helm", *values, "--set", "resources.limits.memory=1Gi"))
    spec = rendered["Deployment", "arkwright"]["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    assert (spec["replicas"], container["image"], container["args"][-1]) == (
        2,
        "registry/arkwright:1",
        "--drift-period=30",
    )
    assert container["resources"]["limits"] == {"cpu": "1", "memory": "1Gi"}


def test_the_chart_is_clean_and_a_cluster_takes_it(cluster, helm):
    helm("lint", "--strict", DEPLOY / "helm")
    helm("install", "arkwright", DEPLOY / "helm", "--namespace", "default", "--dry-run=server")


def test_both_follow_the_eight_files(tmp_path):
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    subprocess.run([tmp_path / "scripts" / "package.sh"], check=True)
    for path in (one for one in (tmp_path / "deploy").rglob("*") if one.is_file()):
        assert path.read_text() == (DEPLOY / path.relative_to(tmp_path / "deploy")).read_text(), (
            f"{path.name} does not follow: make packages"
        )
