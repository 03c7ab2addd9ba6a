"""Endpoints and EndpointSlices of a site are those that a cluster's controllers write for the same Services and pods."""

import json
import sys
import time
from pathlib import Path

import pytest

from apiserver.asking import MERGE, Api

sys.path.insert(0, str(Path(__file__).parents[1] / "kubernetes"))
import embedded  # noqa: E402
from control_plane import running  # noqa: E402

CONTROLLERS = (
    "garbage-collector-controller",
    "serviceaccount-controller",
    "endpoints-controller",
    "endpointslice-controller",
)
JSON = {"Content-Type": "application/json"}
PODS, SERVICES, ENDPOINTS = (f"/api/v1/namespaces/shop/{name}" for name in ("pods", "services", "endpoints"))
SLICES = "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices"
WEB = {"name": "web", "port": 80, "targetPort": "http"}
ADMIN = {"name": "admin", "port": 81, "targetPort": 1238}
OF = {
    "plain": {"ports": [{"port": 80, "targetPort": 8080}]},
    "two-ports": {"ports": [WEB, ADMIN]},
    "open": {"type": "NodePort", "ports": [{"port": 80}]},
    "headless": {"clusterIP": "None"},
    "early": {"ports": [{"port": 80}], "publishNotReadyAddresses": True},
    "of-nobody": {"ports": [{"port": 80}], "selector": {"app": "other"}},
    "by-hand": {"ports": [{"port": 80}], "selector": None},
    "elsewhere": {"type": "ExternalName", "externalName": "x.dev"},
}
STATES = {  # phase, ready, whether it is going
    "ready": ("Running", "True", False),
    "unready": ("Running", "False", False),
    "done": ("Succeeded", "True", False),
    "going": ("Running", "True", True),
    "starting": ("Pending", "False", False),
}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """(embedded, real), each with a node that nobody plays."""
    directory = tmp_path_factory.mktemp("endpoints")
    with embedded.running(directory / "ours") as ours, running(directory / "theirs", CONTROLLERS) as theirs:
        found = [Api(ours), Api(theirs.kubeconfig)]
        for api in found:
            sent(api, "POST", "/api/v1/namespaces", {"metadata": {"name": "shop"}})
            sent(api, "POST", "/api/v1/nodes", {"metadata": {"name": "nobody"}})
            begin(api)
        yield found


def sent(api, method, path, body=None, kind="application/json"):
    code, _, answer = api.raw(method, path, body, **{"Content-Type": kind})
    assert code in (200, 201, 202), answer
    return json.loads(answer)


def begin(api):
    for number, (name, state) in enumerate(STATES.items()):
        container = {"name": "c", "image": "i", "ports": [{"name": "http", "containerPort": 8000 + number}]}
        about = {"name": name, "labels": {"app": "a"}, "finalizers": ["x.dev/held"]}
        sent(api, "POST", PODS, {"metadata": about, "spec": {"nodeName": "nobody", "containers": [container]}})
        phase, ready, is_going = state
        address = f"10.0.0.{number}"
        status = {"phase": phase, "conditions": [{"type": "Ready", "status": ready}]}
        if phase != "Pending":
            status |= {"podIP": address, "podIPs": [{"ip": address}]}
        sent(api, "PATCH", f"{PODS}/{name}/status", {"status": status}, MERGE)
        if is_going:
            sent(api, "DELETE", f"{PODS}/{name}")
    for name, spec in OF.items():
        body = {"metadata": {"name": name, "labels": {"of": name}}, "spec": {"selector": {"app": "a"}} | spec}
        sent(api, "POST", SERVICES, body)


def plain(value):
    """Without what no two servers have in common, lists in one order."""
    if isinstance(value, dict):
        given = ("uid", "resourceVersion", "creationTimestamp", "generation", "annotations", "managedFields")
        return {name: plain(one) for name, one in value.items() if name not in given}
    if isinstance(value, list):
        return sorted(map(plain, value), key=json.dumps)
    return value


def written(api, service):
    """Of one Service."""
    query = f"?labelSelector=kubernetes.io/service-name={service}"
    slices = json.loads(api.raw("GET", SLICES + query)[2])["items"]
    for one in slices:
        del one["metadata"]["name"]
    code, _, answer = api.raw("GET", f"{ENDPOINTS}/{service}")
    return plain({"Endpoints": json.loads(answer) if code == 200 else None, "slices": slices})


def addresses(found):
    """Each with whether it is ready."""
    every = [one for each in found["slices"] for one in each["endpoints"] or ()]
    return {one["addresses"][0]: one["conditions"]["ready"] for one in every}


def settled(both, service, is_so):
    """What each says, as soon as it is the same, and so."""
    deadline = time.monotonic() + 15
    while True:
        ours, theirs = (written(api, service) for api in both)
        if (ours == theirs and is_so(ours)) or time.monotonic() > deadline:
            return [json.dumps(one, indent=1, sort_keys=True).splitlines() for one in (ours, theirs)]
        time.sleep(0.1)


@pytest.mark.parametrize("service", OF)
def test_a_service_leads_where_it_leads_in_a_cluster(both, service):
    count = {"of-nobody": 0, "by-hand": 0, "elsewhere": 0}.get(service, 3)
    ours, theirs = settled(both, service, lambda found: len(addresses(found)) == count)
    assert ours == theirs


def test_a_pod_that_becomes_ready_and_leaves_the_selector_is_followed(both):
    for api in both:
        ready = [{"type": "Ready", "status": "True"}]
        sent(api, "PATCH", f"{PODS}/unready/status", {"status": {"conditions": ready}}, MERGE)
        sent(api, "PATCH", f"{PODS}/ready", {"metadata": {"labels": {"app": "debug"}}}, MERGE)
    wanted = {"10.0.0.1": True, "10.0.0.3": False}
    ours, theirs = settled(both, "plain", lambda found: addresses(found) == wanted)
    assert ours == theirs and addresses(written(both[0], "plain")) == wanted


def test_what_leads_to_a_service_goes_with_it(both):
    for api in both:
        sent(api, "DELETE", f"{SERVICES}/two-ports")
    nothing = {"Endpoints": None, "slices": []}
    settled(both, "two-ports", lambda found: found == nothing)
    assert [written(api, "two-ports") for api in both] == [nothing, nothing]
