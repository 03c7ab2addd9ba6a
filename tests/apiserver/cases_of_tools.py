"""What tools ask beside the kinds that people write: nodes, endpoints, metadata alone. As in `cases`."""

from apiserver.asking import STRATEGIC, TABLE, Ask
from apiserver.cases import delete, get, merge, post, quiet, strategic
from apiserver.cases_of_kinds import CONFIGMAPS, WIDGETS, configmap, widget

NODES, ENDPOINTS = "/api/v1/nodes", "/api/v1/namespaces/NS/endpoints"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/NS/endpointslices"
METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
ONLY_C = {"fieldSelector": "metadata.name=c"}
FROM_BEGINNING = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
MADE_C, MADE_W = quiet(post(CONFIGMAPS, configmap(a="1"))), quiet(post(WIDGETS, widget()))
MADE_NODE, NODE_GOES = (
    quiet(post(NODES, {"metadata": {"name": "NS", "labels": {"a": "b"}}})),
    quiet(delete(f"{NODES}/NS")),
)
TWO_PORTS = [{"port": 1}, {"port": 2}]


def endpoints(*ips, ports=({"port": 80},)):
    return {"metadata": {"name": "e"}, "subsets": [{"addresses": [{"ip": ip} for ip in ips], "ports": list(ports)}]}


def endpoint_slice(*ips, ports=({"port": 80},), kind="IPv4"):
    found = [{"addresses": list(ips)}]
    return {"metadata": {"name": "e"}, "addressType": kind, "endpoints": found, "ports": list(ports)}


def table(path):
    return get(path, accept=TABLE, query={"fieldSelector": "metadata.name=e"})


WHERE = {
    "a node": [MADE_NODE, get(f"{NODES}/NS"), NODE_GOES],
    "a node that takes no pods": [
        MADE_NODE,
        Ask("PATCH", f"{NODES}/NS", {"spec": {"unschedulable": True}}, STRATEGIC),
        merge(f"{NODES}/NS/status", {"status": {"nodeInfo": {"kubeletVersion": "1"}}}),
        get(f"{NODES}/NS", accept=TABLE),
        NODE_GOES,
    ],
    "endpoints": [post(ENDPOINTS, endpoints("10.0.0.1", "10.0.0.2")), table(ENDPOINTS)],
    "endpoints that are many": [
        quiet(post(ENDPOINTS, endpoints(*(f"10.0.0.{number}" for number in range(1, 6))))),
        table(ENDPOINTS),
    ],
    "endpoints of nothing": [post(ENDPOINTS, {"metadata": {"name": "e"}}), table(ENDPOINTS)],
    "endpoints without addresses": [post(ENDPOINTS, endpoints())],
    "endpoints with a wrong port": [post(ENDPOINTS, endpoints("10.0.0.1", ports=[{"port": 0, "protocol": "X"}]))],
    "endpoints with two ports without names": [post(ENDPOINTS, endpoints("10.0.0.1", ports=TWO_PORTS))],
    "an endpoint slice": [post(SLICES, endpoint_slice("10.0.0.1")), table(SLICES)],
    "an endpoint slice without ports": [
        post(SLICES, {"metadata": {"name": "e"}, "addressType": "IPv4", "endpoints": []}),
        table(SLICES),
    ],
    "an endpoint slice without a type": [post(SLICES, {"metadata": {"name": "e"}, "endpoints": []})],
    "an endpoint slice of another type": [post(SLICES, endpoint_slice("10.0.0.1", kind="X"))],
    "an endpoint slice with a wrong address": [post(SLICES, endpoint_slice("x"))],
    "an endpoint slice without an address": [post(SLICES, endpoint_slice())],
    "an endpoint slice with a port twice": [post(SLICES, endpoint_slice("10.0.0.1", ports=TWO_PORTS))],
    "an endpoint slice's type is fixed": [
        quiet(post(SLICES, endpoint_slice("10.0.0.1"))),
        merge(f"{SLICES}/e", {"addressType": "IPv6", "endpoints": []}),
    ],
}
FORMS = {
    "metadata alone": [MADE_C, get(f"{CONFIGMAPS}/c", accept=METADATA)],
    "metadata of a list": [MADE_C, get(CONFIGMAPS, accept=METADATA_LIST, query=ONLY_C)],
    "metadata of a list of widgets": [MADE_W, get(WIDGETS, accept=METADATA_LIST)],
    "metadata, or else all of it": [MADE_C, get(f"{CONFIGMAPS}/c", accept=f"{METADATA},application/json")],
    "a watch of metadata": [
        MADE_C,
        get(CONFIGMAPS, accept=METADATA, query=ONLY_C | FROM_BEGINNING | {"watch": "1", "timeoutSeconds": "1"}),
    ],
    "a watch of tables": [
        MADE_C,
        get(
            CONFIGMAPS,
            accept=TABLE,
            query=ONLY_C | FROM_BEGINNING | {"watch": "1", "timeoutSeconds": "1", "includeObject": "None"},
        ),
    ],
}
EVENTS, SEEN = "/api/v1/namespaces/NS/events", "/apis/events.k8s.io/v1/namespaces/NS/events"
ABOUT = {"kind": "Pod", "namespace": "NS", "name": "p", "apiVersion": "v1"}
TOLD = {
    "metadata": {"name": "e"},
    "eventTime": "2026-01-01T00:00:00.000000Z",
    "reportingController": "x.dev/tool",
    "reportingInstance": "one",
    "action": "Testing",
    "reason": "Tested",
    "regarding": ABOUT,
    "note": "hello",
    "type": "Normal",
}
OLD = {
    "metadata": {"name": "e"},
    "involvedObject": ABOUT,
    "reason": "Old",
    "message": "hi",
    "type": "Normal",
    "count": 2,
}
SAID_OF = {
    "an event": [post(SEEN, TOLD), get(f"{EVENTS}/e")],
    "an event of the older kind": [quiet(post(EVENTS, OLD)), get(f"{SEEN}/e"), get(SEEN)],
    "an event that goes on": [
        quiet(post(SEEN, TOLD)),
        strategic(f"{SEEN}/e", {"series": {"count": 2, "lastObservedTime": "2026-01-01T00:00:01.000000Z"}}),
        merge(f"{SEEN}/e", {"metadata": {"labels": {"a": "b"}}}),
        delete(f"{SEEN}/e"),
    ],
    "an event that is not there": [get(f"{SEEN}/none")],
    "events by what they are about": [
        quiet(post(EVENTS, OLD)),
        get(SEEN, query={"fieldSelector": "reason=Old"}),
        get(SEEN, query={"fieldSelector": "reason=Other"}),
    ],
    "a watch of events": [
        quiet(post(EVENTS, OLD)),
        get(SEEN, query={"watch": "1", "timeoutSeconds": "1", "resourceVersion": "0"}),
    ],
}
GROUPS = {
    "/apis/events.k8s.io/v1": "events",
    "/api/v1": "nodes pods services namespaces events configmaps secrets serviceaccounts endpoints",
    "/apis/apps/v1": "deployments replicasets",
    "/apis/coordination.k8s.io/v1": "leases",
    "/apis/discovery.k8s.io/v1": "endpointslices",
    "/apis/rbac.authorization.k8s.io/v1": "roles clusterroles rolebindings clusterrolebindings",
    "/apis/apiextensions.k8s.io/v1": "customresourcedefinitions",
}
COLUMNS = {
    f"{root}/{name}": [get(f"{root}/{name}", accept=TABLE, query={"fieldSelector": "metadata.name=none"})]
    for root, names in GROUPS.items()
    for name in names.split()
}
TOOLS = {
    f"{group}: {name}": steps
    for group, cases in {"where": WHERE, "forms": FORMS, "columns": COLUMNS, "events": SAID_OF}.items()
    for name, steps in cases.items()
}
