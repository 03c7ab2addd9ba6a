"""Kinds that tools list everywhere and that nothing here would act on: there are none, and whoever makes one is told what works."""

import json

import pytest

from apiserver.asking import APPLY, TABLE
from arkwright.apiserver.kinds.absent import ABSENT
from arkwright.apiserver.kinds.registry import Registry
from arkwright.apiserver.wire import discovery

NAMES = [f"{one.name}/{one.version}" for one in ABSENT]
# What `kubectl apply --prune` looks at unless it is told otherwise; it gives up where one of them is not known.
PRUNED = (
    "v1/configmaps v1/endpoints v1/namespaces v1/persistentvolumeclaims v1/persistentvolumes v1/pods"
    " v1/replicationcontrollers v1/secrets v1/services batch/v1/jobs batch/v1/cronjobs networking.k8s.io/v1/ingresses"
    " apps/v1/daemonsets apps/v1/deployments apps/v1/replicasets apps/v1/statefulsets"
).split()
# What k9s and Lens look for when they begin, beside those.
ASKED = (
    "v1/nodes v1/events v1/serviceaccounts v1/resourcequotas v1/limitranges autoscaling/v2/horizontalpodautoscalers"
    " autoscaling/v1/horizontalpodautoscalers policy/v1/poddisruptionbudgets storage.k8s.io/v1/storageclasses"
    " networking.k8s.io/v1/networkpolicies discovery.k8s.io/v1/endpointslices scheduling.k8s.io/v1/priorityclasses"
    " coordination.k8s.io/v1/leases rbac.authorization.k8s.io/v1/roles apiextensions.k8s.io/v1/customresourcedefinitions"
).split()


def path(one):
    root = f"/apis/{one.api_version}" if one.group else f"/api/{one.version}"
    return f"{root}/{'namespaces/default/' if one.is_namespaced else ''}{one.plural}"


@pytest.mark.parametrize("name", PRUNED + ASKED)
def test_what_tools_look_for_is_known(name):
    version, _, plural = name.rpartition("/")
    group, _, number = version.rpartition("/")
    assert Registry().find(group, number, plural)


@pytest.mark.parametrize("one", ABSENT, ids=NAMES)
def test_there_are_none_in_any_form(embedded_api, one):
    whole, table = (json.loads(embedded_api.raw("GET", path(one), Accept=form)[2]) for form in ("*/*", TABLE))
    assert whole["kind"] == f"{one.kind}List" and whole["items"] == []
    assert table["kind"] == "Table" and table["rows"] == []
    assert embedded_api.raw("GET", f"{path(one)}?watch=1&timeoutSeconds=0&resourceVersion=0")[0] == 200
    assert embedded_api.raw("GET", f"{path(one)}/x")[0] == 404


@pytest.mark.parametrize(
    "method, at, kind",
    [
        ("POST", "", "application/json"),
        ("POST", "", "application/vnd.kubernetes.protobuf"),
        ("PATCH", "/x?fieldManager=me", APPLY),
    ],
)
@pytest.mark.parametrize("one", ABSENT, ids=NAMES)
def test_whoever_makes_one_is_told_what_works(embedded_api, one, method, at, kind):
    body = {"apiVersion": one.api_version, "kind": one.kind, "metadata": {"name": "x"}}
    code, _, answer = embedded_api.raw(method, path(one) + at, body, **{"Content-Type": kind})
    assert code == 405
    assert json.loads(answer)["message"] == f"there are no {one.name} in this API: {one.absence}"


def test_discovery_promises_no_writes_of_them():
    found = discovery.resource_list(Registry(), "batch", "v1")["resources"]
    assert {tuple(one["verbs"]) for one in found} == {("get", "list", "watch")}
