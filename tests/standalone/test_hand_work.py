"""What people do to pods and their owners by hand, on a whole site: quarantine, orphans and who comes after them."""

import json

import pytest

from apiserver.asking import MERGE
from standalone.test_site import BASE, JSON, PODS, api, pods_of, ready_pods, site, until  # noqa: F401 (fixtures)

APPS = "/apis/apps/v1/namespaces/default"
ORPHAN = {"propagationPolicy": "Orphan"}


def owners(pod):
    return [one["kind"] for one in pod["metadata"].get("ownerReferences", ())]


def named(api, name):  # noqa: F811
    return json.loads(api.raw("GET", f"{PODS}/{name}")[2])


def own(api):  # noqa: F811
    """Names of the base's own ready pods."""
    return {one["metadata"]["name"] for one in pods_of(api) if owners(one)} & set(ready_pods(api))


@pytest.fixture
def two(api):  # noqa: F811
    return until(lambda: len(found := own(api)) == 2 and found)


def test_a_pod_in_quarantine_is_let_go_goes_on_and_is_replaced(api, two):  # noqa: F811
    name = min(two)
    before = named(api, name)["status"]["containerStatuses"][0]["containerID"]
    api.raw("PATCH", f"{PODS}/{name}", {"metadata": {"labels": {"app": "debug"}}}, **{"Content-Type": MERGE})
    until(lambda: len(found := own(api)) == 2 and name not in found)
    kept = named(api, name)
    assert not owners(kept)
    assert kept["status"]["containerStatuses"][0]["containerID"] == before
    api.raw("PATCH", f"{PODS}/{name}", {"metadata": {"labels": {"app": "base"}}}, **{"Content-Type": MERGE})
    until(lambda: len(pods_of(api)) == 2 and len(own(api)) == 2)  # it is taken in again, and one too many goes


def test_a_deployment_that_was_deleted_alone_finds_its_pods_again(api, two):  # noqa: F811
    deployment = json.loads(api.raw("GET", BASE)[2])
    api.raw("DELETE", BASE, ORPHAN, **JSON)
    until(lambda: api.raw("GET", BASE)[0] == 404)
    [left] = [one for one in json.loads(api.raw("GET", f"{APPS}/replicasets")[2])["items"]]
    assert not owners(left)
    wish = {"metadata": {"name": "base"}, "spec": deployment["spec"]}
    assert api.raw("POST", f"{APPS}/deployments", wish, **JSON)[0] == 201
    until(lambda: json.loads(api.raw("GET", BASE)[2]).get("status", {}).get("availableReplicas") == 2)
    assert own(api) == two


def test_a_replica_set_that_was_deleted_alone_leaves_its_pods_to_the_next(api, two):  # noqa: F811
    [old] = json.loads(api.raw("GET", f"{APPS}/replicasets")[2])["items"]
    api.raw("DELETE", f"{APPS}/replicasets/{old['metadata']['name']}", ORPHAN, **JSON)

    def is_settled():
        found = json.loads(api.raw("GET", f"{APPS}/replicasets")[2])["items"]
        is_new = len(found) == 1 and found[0]["metadata"]["uid"] != old["metadata"]["uid"]
        return is_new and found[0]["status"].get("availableReplicas") == 2

    until(is_settled)
    assert own(api) == two


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_pod_that_has_ended_is_replaced(api, two, phase):  # noqa: F811
    name = min(two)
    api.raw("PATCH", f"{PODS}/{name}/status", {"status": {"phase": phase}}, **{"Content-Type": MERGE})
    until(lambda: len(own(api) - {name}) == 2)
    api.raw("DELETE", f"{PODS}/{name}")
    until(lambda: len(pods_of(api)) == 2)
