"""The kustomization and the Helm chart render what deploy/ has, elsewhere too (contract 6, [S9])."""

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from building import BuildFailed
from go_build import HELM, built

from arkwright.clients.errors import ApiRefused
from arkwright.model.resources import RESOURCES, Kind
from scenarios.kubectl import kubectl
from scenarios.rights import RECORD, granted

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
_numbers = itertools.count()


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


def test_several_that_share_come_by_kustomization_and_by_a_value_of_the_chart(helm, tmp_path):
    base, component = (os.path.relpath(DEPLOY / one, tmp_path) for one in ("kustomize", "shards/component"))
    counted = {"replicas": [{"name": "arkwright", "count": 4}], "resources": [base], "components": [component]}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(counted))
    four = objects(kubectl("kustomize", tmp_path))
    words = ("template", "arkwright", DEPLOY / "helm", "--include-crds", "--set", "shards=true")
    assert objects(helm(*words, "--set", "replicas=4")) == four
    assert objects(kubectl("kustomize", DEPLOY / "shards")) == objects(helm(*words, "--set", "replicas=3"))
    assert four.keys() - plain().keys() == {("PodDisruptionBudget", "arkwright"), ("PriorityClass", "arkwright")}


def test_the_chart_is_clean_and_a_cluster_takes_it(cluster, helm):
    helm("lint", "--strict", DEPLOY / "helm")
    helm("install", "arkwright", DEPLOY / "helm", "--namespace", "default", "--dry-run=server")


def test_both_follow_the_eight_files(tmp_path):
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    subprocess.run([tmp_path / "scripts" / "package.sh"], check=True, env=os.environ | {"PYTHON": sys.executable})
    for path in (one for one in (tmp_path / "deploy").rglob("*") if one.is_file()):
        assert path.read_text() == (DEPLOY / path.relative_to(tmp_path / "deploy")).read_text(), (
            f"{path.name} does not follow: make packages"
        )


# ── rights ──

NEEDED_WITHOUT_A_REQUEST = (
    {  # and by whom
        f"serverless.alipay.com {plural}/finalizers update"  # owner references that block deletion, where admission checks them
        for plural in ("moduledeployments", "modulereplicasets", "modules")
    }
    | {
        "coordination.k8s.io leases get",  # a controller that acts alone has none in scenarios
        " services get",  # where somebody has made one at the same moment
        "serverless.alipay.com modulereplicasets get",
        " configmaps patch",  # once a week, when a key is replaced
    }
)


def test_the_roles_grant_what_the_controller_asks_for_and_nothing_else():
    recorded = set(RECORD.read_text().splitlines())
    assert granted() == recorded | NEEDED_WITHOUT_A_REQUEST


def of_one_namespace(text):
    found = objects(text)
    kinds = {kind for kind, _ in found}
    assert not [kind for kind in kinds if kind.startswith("Cluster") or kind == "CustomResourceDefinition"]
    rules = found["Role", "arkwright"]["rules"]
    assert not [
        rule for rule in rules if "*" in (*rule["verbs"], *rule["resources"]) or "namespaces" in rule["resources"]
    ]
    (container,) = found["Deployment", "arkwright"]["spec"]["template"]["spec"]["containers"]
    assert "--namespace=$(POD_NAMESPACE)" in container["args"]
    return found


def test_one_namespaces_controller_has_rights_there_only_by_kustomization_and_by_chart(helm, tmp_path):
    rendered = helm("template", "arkwright", DEPLOY / "helm", "--skip-crds", "--set", "namespaced=true")
    assert of_one_namespace(rendered) == of_one_namespace(kubectl("kustomize", DEPLOY / "namespaced"))


# ── the dashboard, beside the eight files ──


def dashboard(namespace="default"):
    text = (DEPLOY / "dashboard" / "dashboard.yaml").read_text()
    return objects(text.replace("namespace: default", f"namespace: {namespace}"))


def test_the_dashboard_comes_by_kustomization_by_component_and_by_a_value_of_the_chart(helm, tmp_path):
    assert objects(kubectl("kustomize", DEPLOY / "dashboard")) == dashboard()
    base, component = (os.path.relpath(DEPLOY / one, tmp_path) for one in ("kustomize", "dashboard/component"))
    both = {"namespace": "platform", "resources": [base], "components": [component]}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(both))
    assert objects(kubectl("kustomize", tmp_path)) == plain("platform") | dashboard("platform")
    words = ("--include-crds", "--namespace", "platform", "--set", "dashboard.enabled=true")
    assert objects(helm("template", "arkwright", DEPLOY / "helm", *words)) == plain("platform") | dashboard("platform")


def test_the_dashboard_may_look_and_ask_and_change_nothing():
    roles = [one for (kind, _), one in dashboard().items() if kind in ("Role", "ClusterRole")]
    rules = [(resource, *rule["verbs"]) for role in roles for rule in role["rules"] for resource in rule["resources"]]
    writing = [rule for rule in rules if set(rule[1:]) - {"get", "list", "watch"}]
    assert writing == [("tokenreviews", "create"), ("subjectaccessreviews", "create")]


RESTRICTED = ["pod-security.kubernetes.io/enforce=restricted", "pod-security.kubernetes.io/enforce-version=latest"]


@pytest.mark.parametrize(
    "file",
    [
        DEPLOY / "08-controller.yaml",
        DEPLOY / "dashboard" / "dashboard.yaml",
        ROOT / "examples" / "base" / "deployment.yaml",
    ],
    ids=lambda one: one.parent.name,
)
async def test_what_is_shipped_runs_where_pod_security_is_restricted(site, file):
    if not site.is_real:
        pytest.skip("the embedded API has no Pod Security: its pods are processes of one user")
    kubectl("label", "namespace", site.namespace, *RESTRICTED)
    (template,) = (
        one["spec"]["template"] for one in yaml.safe_load_all(file.read_text()) if one["kind"] == "Deployment"
    )
    template["spec"].pop("nodeName", None)
    pod = {"apiVersion": "v1", "kind": "Pod"} | template
    pod["metadata"]["name"] = "shipped"
    kubectl("create", "-n", site.namespace, "--dry-run=server", "-f", "-", text=yaml.safe_dump(pod))


async def test_beside_the_policy_of_pod_writes_releases_go_on_and_nothing_else_of_a_pod_is_changed(site):
    if not site.is_real:
        pytest.skip("the embedded API has no admission policies")
    text = (DEPLOY / "extra" / "pod-writes-policy.yaml").read_text()
    text = text.replace("system:serviceaccount:default:", f"system:serviceaccount:{site.namespace}:")
    text = text.replace("name: arkwright-pod-writes", f"name: {site.namespace}").replace(
        "policyName: arkwright-pod-writes", f"policyName: {site.namespace}"
    )
    kubectl("apply", "-f", "-", text=text)
    try:
        await site.add_pods(2)
        path = RESOURCES[Kind.POD].path(site.namespace, "stock-1")
        for what in ("spec", "labels", "annotations"):
            await site.until(lambda what=what: is_refused(site, path, what))
        await site.apply(version="1.0.2", replicas=2)
        await site.until_progress("Completed", 1, 2)
        await site.apply(version="2.0.0")
        await site.until_progress("Completed", 1, 2)
        await site.delete()
        await site.until(lambda: is_gone(site))
        assert not [key for one in await site.all(Kind.POD) for key in one["metadata"]["labels"] if "serverless" in key]
    finally:
        kubectl("delete", "-f", "-", text=text)


async def is_refused(site, path, what):
    """Another value each time: one that is there already would change nothing."""
    value = f"evil-{next(_numbers)}"
    container = {"name": "base", "image": value, "ports": [{"containerPort": 1238}]}
    patch = {"spec": {"containers": [container]}} if what == "spec" else {"metadata": {what: {"app": value}}}
    try:
        await site.acting.patch(RESOURCES[Kind.POD], path, patch)
    except ApiRefused as error:
        return "the module controller changes no" in str(error)
    return False


async def is_gone(site):
    return await site.deployment() is None
