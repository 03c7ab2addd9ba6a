"""What terminal UIs and desktops ask an API first, and what they are answered.

k9s 0.50.16 was run in a terminal against a site, and shows pods, modules, logs, descriptions, nodes and events there. It takes four
minutes to build, so what it asked was written down and stands here (the rest is what Lens asks); requests that differ in a
name only stand once.
"""

import json

import pytest

AGGREGATED = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
)
TABLE = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)
PROTOBUF = "application/vnd.kubernetes.protobuf,application/json"
PAGE, FOLLOWED = "limit=500&resourceVersion=0", "allowWatchBookmarks=true&resourceVersion=0&timeoutSeconds=0&watch=true"
OURS = "/apis/serverless.alipay.com/v1alpha1"
LISTED = {
    "/api/v1/nodes": "NodeList",
    "/api/v1/pods": "PodList",
    "/api/v1/namespaces": "NamespaceList",
    "/api/v1/services": "ServiceList",
    "/api/v1/endpoints": "EndpointsList",
    "/apis/apps/v1/deployments": "DeploymentList",
    "/apis/batch/v1/jobs": "JobList",
    "/apis/autoscaling/v2/horizontalpodautoscalers": "HorizontalPodAutoscalerList",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions": "CustomResourceDefinitionList",
    "/apis/events.k8s.io/v1/events": "EventList",
    f"{OURS}/moduledeployments": "ModuleDeploymentList",
    f"{OURS}/modules": "ModuleList",
}
READ = [
    ("/version", "application/json, */*", 200, ""),
    ("/api", AGGREGATED, 200, "APIGroupDiscoveryList"),
    ("/apis", AGGREGATED, 200, "APIGroupDiscoveryList"),
    ("/api", "application/json", 200, "APIVersions"),
    ("/apis", "application/json", 200, "APIGroupList"),
    ("/api/v1", "application/json", 200, "APIResourceList"),
    ("/apis/events.k8s.io/v1", "application/json", 200, "APIResourceList"),
    (OURS, "application/json", 200, "APIResourceList"),
    ("/openapi/v3", "application/json", 200, ""),
    ("/api/v1/namespaces", PROTOBUF, 200, "NamespaceList"),
    ("/apis/metrics.k8s.io", "application/json", 200, "APIGroup"),
    ("/apis/metrics.k8s.io/v1beta1/pods", "application/json", 200, "PodMetricsList"),
    ("/apis/metrics.k8s.io/v1beta1/nodes", "application/json", 200, "NodeMetricsList"),
    ("/api/v1/namespaces/lens-metrics/services/prometheus:80/proxy/api/v1/query", "application/json", 404, "Status"),
    (
        "/api/v1/namespaces/default/pods/none/log?container=c&follow=true&tailLines=100&timestamps=true",
        "*/*",
        404,
        "Status",
    ),
    *((f"{path}?{PAGE}", "application/json", 200, kind) for path, kind in LISTED.items()),
    *((f"{path}?includeObject=Metadata", TABLE, 200, "Table") for path in LISTED),
]
MAY_LIST_NAMESPACES = bytes.fromhex(
    "6b3873000a320a17617574686f72697a6174696f6e2e6b38732e696f2f7631121753656c665375626a656374416363657373526576696577123e0a10"
    "0a0012001a0022002a0032003800420012200a1e0a0012046c6973741a00220276312a0a6e616d6573706163657332003a001a08080012001a0020001a"
    "002200"
)
MAY_WATCH = {"spec": {"resourceAttributes": {"verb": "watch", "resource": "pods", "namespace": "default"}}}


@pytest.mark.parametrize(
    "path, accept, code, kind", READ, ids=[f"{path} as {accept[16:24]}" for path, accept, *_ in READ]
)
def test_what_is_read_first_is_answered(embedded_api, path, accept, code, kind):
    found, _, answer = embedded_api.raw("GET", path, Accept=accept)
    assert found == code
    assert not kind or json.loads(answer)["kind"] == kind


@pytest.mark.parametrize("path", LISTED)
def test_what_is_listed_is_followed(embedded_api, path):
    code, headers, _ = embedded_api.raw("GET", f"{path}?{FOLLOWED}", Accept="application/json")
    assert code == 200 and headers["Content-Type"] == "application/json;stream=watch"


@pytest.mark.parametrize(
    "body, kind", [(MAY_LIST_NAMESPACES, "application/vnd.kubernetes.protobuf"), (MAY_WATCH, "application/json")]
)
def test_who_asks_whether_it_may_is_told(embedded_api, body, kind):
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    code, _, answer = embedded_api.raw("POST", path, body, **{"Content-Type": kind, "Accept": PROTOBUF})
    assert (code, json.loads(answer)["status"]) == (201, {"allowed": True})


def test_every_kind_that_is_promised_can_be_listed(embedded_api):
    """Desktops list whatever discovery names, and show an error for each that fails."""
    for root in ("/api", "/apis"):
        for group in json.loads(embedded_api.raw("GET", root, Accept=AGGREGATED)[2])["items"]:
            for version in group["versions"]:
                base = f"/apis/{group['metadata']['name']}" if root == "/apis" else root
                for one in version["resources"]:
                    path = f"{base}/{version['version']}/{one['resource']}"
                    if "list" in one["verbs"]:
                        assert embedded_api.raw("GET", path)[0] == 200, path
