"""What a backup tool restores to a site is taken in again: a base, its ReplicaSet, its pods, a Service and where it leads."""

import copy
import json

import pytest

from apiserver.asking import Api
from standalone.test_site import JSON, PODS, SERVICES, pods_of, ready_pods, site, until  # noqa: F401 (fixtures)

APPS = "/apis/apps/v1/namespaces/default"
SETS, DEPLOYMENTS = f"{APPS}/replicasets", f"{APPS}/deployments"
ENDPOINTS = "/api/v1/namespaces/default/endpoints"
ORDER = (PODS, SETS, DEPLOYMENTS, SERVICES, ENDPOINTS)  # pods come before who owned them
MARKS = {"velero.io/backup-name": "nightly", "velero.io/restore-name": "nightly-1"}


@pytest.fixture
def api(site):  # noqa: F811
    return Api(site / "kubeconfig")


def listed(api, path):
    return json.loads(api.raw("GET", path)[2])["items"]


def reset(one):
    """As Velero restores: names, labels and annotations are kept, a pod's node is not."""
    made = copy.deepcopy(one)
    kept = {name: made["metadata"][name] for name in ("name", "labels", "annotations") if name in made["metadata"]}
    made["metadata"] = kept | {"labels": kept.get("labels", {}) | MARKS}
    made.pop("status", None)
    made.get("spec", {}).pop("nodeName", None)
    for name in ("clusterIP", "clusterIPs"):
        made.get("spec", {}).pop(name, None)
    return made


def as_it_was(one):
    """As a script does it that sends what it has read: with status, uid and owners that are no more."""
    made = copy.deepcopy(one)
    made["metadata"].pop("resourceVersion")
    return made


def without_owners(one):
    made = as_it_was(one)
    made["metadata"].pop("ownerReferences", None)
    return made


def backed_up(api):
    until(lambda: len(ready_pods(api)) == 2 == len(pods_of(api)))
    service = {"selector": {"app": "base"}, "type": "NodePort", "ports": [{"port": 80, "targetPort": 8080}]}
    api.raw("POST", SERVICES, {"metadata": {"name": "web"}, "spec": service}, **JSON)
    until(lambda: addresses(api) == sorted(one["status"]["podIP"] for one in pods_of(api)))
    return {path: listed(api, path) for path in ORDER}


def addresses(api):
    found = json.loads(api.raw("GET", f"{ENDPOINTS}/web")[2]).get("subsets") or [{}]
    return sorted(one["ip"] for one in found[0].get("addresses", ()))


def lose(api):
    api.raw("DELETE", f"{DEPLOYMENTS}/base", {"propagationPolicy": "Foreground"}, **JSON)
    api.raw("DELETE", f"{SERVICES}/web")
    until(lambda: not any(listed(api, path) for path in ORDER))


@pytest.mark.parametrize("how, is_adopted", [(reset, True), (without_owners, True), (as_it_was, False)])
def test_a_base_is_restored(api, how, is_adopted):
    """Pods whose owner is no more go, as in a cluster, and others come: nothing waits."""
    backup = backed_up(api)
    names = sorted(one["metadata"]["name"] for one in backup[PODS])
    [replica_set] = (one["metadata"]["name"] for one in backup[SETS])
    lose(api)
    for path in ORDER:
        for one in backup[path]:
            code, _, answer = api.raw("POST", path, how(one), **JSON)
            assert code == 201 or b"already exists" in answer, answer
    until(lambda: len(ready_pods(api)) == 2 == len(pods_of(api)))
    assert (ready_pods(api) == names) is is_adopted
    [found] = until(lambda: len(made := listed(api, SETS)) == 1 and made)
    assert found["metadata"]["name"] == replica_set
    [owner] = found["metadata"]["ownerReferences"]
    assert owner["uid"] == listed(api, DEPLOYMENTS)[0]["metadata"]["uid"]
    until(lambda: listed(api, DEPLOYMENTS)[0]["status"].get("availableReplicas") == 2)
    until(lambda: addresses(api) == sorted(one["status"]["podIP"] for one in pods_of(api)))
