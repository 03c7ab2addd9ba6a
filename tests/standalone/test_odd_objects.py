"""A site with an object that somebody has written oddly, and a healthy neighbour: whatever the API let in, the neighbour is served."""

import json

import pytest

from apiserver.asking import MERGE
from arkwright.standalone.site import Site
from standalone.odd import ODD, PORT, REVISION, put
from standalone.test_site import (  # noqa: F401 (fixtures)
    JSON,
    SERVICES,
    api,
    fetched,
    is_answering,
    node_port,
    ready_pods,
    site,
    until,
)

APPS, CORE = "/apis/apps/v1/namespaces/default", "/api/v1/namespaces/default"
LABELS = {"app": "odd"}


def odd_deployment():
    container = {"name": "odd", "image": "process", "command": ["sleep", "1000"]}
    template = {"metadata": {"labels": LABELS}, "spec": {"containers": [container]}}
    return {
        "metadata": {"name": "odd"},
        "spec": {"replicas": 1, "selector": {"matchLabels": LABELS}, "template": template},
    }


def listed(api, collection):  # noqa: F811
    return json.loads(api.raw("GET", collection, labelSelector="")[2])["items"]


def named(api, collection):  # noqa: F811
    return [
        one["metadata"]["name"]
        for one in listed(api, collection)
        if one["metadata"].get("labels", {}).get("app") == "odd"
    ]


@pytest.fixture
def odd(api):  # noqa: F811
    """Paths of a Deployment, its ReplicaSet, its pod and a Service of it, beside the site's own base."""
    api.raw("POST", f"{APPS}/deployments", odd_deployment(), **JSON)
    service = {"metadata": {"name": "odd"}, "spec": {"type": "NodePort", "selector": LABELS, "ports": [{"port": 80}]}}
    api.raw("POST", SERVICES, service, **JSON)
    [replica_set] = until(lambda: named(api, f"{APPS}/replicasets"))
    [pod] = until(lambda: named(api, f"{CORE}/pods"))
    yield {
        "deployment": f"{APPS}/deployments/odd",
        "replica set": f"{APPS}/replicasets/{replica_set}",
        "pod": f"{CORE}/pods/{pod}",
        "service": f"{SERVICES}/odd",
    }
    api.raw("DELETE", f"{APPS}/deployments/odd")
    api.raw("DELETE", f"{SERVICES}/odd")
    until(lambda: not named(api, f"{CORE}/pods") and not named(api, f"{APPS}/replicasets"))


FIELDS = [
    *(
        (kind, "metadata.annotations", name)
        for kind in ("deployment", "replica set", "pod")
        for name in (REVISION, PORT)
    ),
    *(("deployment", "spec.strategy.rollingUpdate", name) for name in ("maxSurge", "maxUnavailable")),
    *(("deployment", "spec", name) for name in ("minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")),
    *(("replica set", "spec", name) for name in ("minReadySeconds",)),
    *((kind, "status", "conditions") for kind in ("deployment", "replica set", "pod")),
    *((kind, "status", "availableReplicas") for kind in ("deployment", "replica set")),
    *(("pod", "status", name) for name in ("podIP", "phase", "containerStatuses")),
    *(("pod", "spec", name) for name in ("terminationGracePeriodSeconds", "containers")),
    *(("service", "spec", name) for name in ("type", "ports", "selector")),
]


def write_oddly(api, paths, kind, way, name):  # noqa: F811
    """All values of the table, one after the other; what the API refuses it refuses."""
    for value in [*ODD, [{"type": "Progressing"}], [{"type": "Ready", "status": "True", "lastTransitionTime": "x"}]]:
        patch = {}
        put(
            patch,
            f"{way}.{name}" if "annotations" not in way else way,
            value if "annotations" not in way else {name: value},
        )
        part = "/status" if way == "status" else ""
        status, _, body = api.raw("PATCH", paths[kind] + part, patch, **{"Content-Type": MERGE})
        assert status in (200, 400, 404, 422), (kind, way, name, value, body)


def events_about(api, name):  # noqa: F811
    found = json.loads(api.raw("GET", f"{CORE}/events")[2])["items"]
    return [one["message"] for one in found if one["involvedObject"]["name"] == name and one["type"] == "Warning"]


def test_no_value_of_any_field_stops_the_neighbour(site, api, node_port, odd):  # noqa: F811
    keeper = Site(site).keeper()
    for field in FIELDS:
        write_oddly(api, odd, *field)
        assert fetched(node_port).startswith("base base-"), field
    assert Site(site).keeper() == keeper
    before = ready_pods(api)
    api.raw("DELETE", f"{CORE}/pods/{before[0]}")
    until(lambda: before[0] not in (now := ready_pods(api)) and len(now) >= 2)


def test_what_is_odd_is_said_on_the_object(api, odd):  # noqa: F811
    for kind, name, value in (("replica set", REVISION, "test"), ("pod", PORT, "http")):
        patch = {"metadata": {"annotations": {name: value}}}
        assert api.raw("PATCH", odd[kind], patch, **{"Content-Type": MERGE})[0] == 200
        about = odd[kind].rpartition("/")[2]
        until(lambda about=about, value=value: any(f"{value!r} is no" in said for said in events_about(api, about)))


def test_one_pod_with_an_odd_port_keeps_no_request_from_the_others(api, node_port):  # noqa: F811
    pod = ready_pods(api)[0]
    for value in ("http", "99999", "-1"):
        patch = {"metadata": {"annotations": {PORT: value}}}
        api.raw("PATCH", f"{CORE}/pods/{pod}", patch, **{"Content-Type": MERGE})
        assert all(is_answering(node_port) for _ in range(4))
