"""What stands in the columns of the built-in kinds. In: documents, the time. Out: cells, as `kubectl get` shows them. Pure."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from arkwright.apiserver.kinds import Column

Document = dict[str, Any]
Cells = Callable[[Document, datetime], list[Any]]
MOST_ENDPOINTS = 3  # in one cell
NAME = Column("Name", "string", ".metadata.name", format="name", description="Name of the object")
AGE = Column("Age", "date", ".metadata.creationTimestamp", description="Time since the object was created")
UNITS = ((86400 * 365, "y"), (86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def human(seconds: float) -> str:
    """An age, in at most two units.

    >>> human(30), human(150), human(7500), human(90000), human(700000)
    ('30s', '2m30s', '125m', '25h', '8d')
    """
    whole = max(0, int(seconds))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    years = days // 365
    if years < 2:
        return f"{days}d"
    return _two(years, "y", days % 365, "d") if years < 8 else f"{years}y"


def _two(large: int, unit: str, small: int, small_unit: str) -> str:
    return f"{large}{unit}" + (f"{small}{small_unit}" if small else "")


def age(text: str | None, now: datetime) -> str:
    """Since a timestamp."""
    return human((now - datetime.fromisoformat(text)).total_seconds()) if text else "<unknown>"


def _age(document: Document, now: datetime) -> str:
    return age(document["metadata"].get("creationTimestamp"), now)


def _columns(*names: str, wide: tuple[str, ...] = ()) -> tuple[Column, ...]:
    """Columns whose cells a function makes; a name ending in # holds a number."""
    shown = [Column(one.rstrip("#"), "integer" if one.endswith("#") else "string", "") for one in names]
    return (NAME, *shown, *(Column(one, "string", "", priority=1) for one in wide))


def _pod(pod: Document, now: datetime) -> list[Any]:
    spec, status = pod["spec"], pod.get("status") or {}
    found = status.get("containerStatuses") or []
    ready = sum(bool(one.get("ready")) for one in found)
    restarts = sum(one.get("restartCount", 0) for one in found)
    cells = [
        pod["metadata"]["name"],
        f"{ready}/{len(spec['containers'])}",
        _pod_state(pod, found),
        str(restarts),
        _age(pod, now),
    ]
    return [*cells, status.get("podIP", "<none>"), spec.get("nodeName", "<none>"), "<none>", "<none>"]


def _pod_state(pod: Document, containers: list[Document]) -> str:
    if "deletionTimestamp" in pod["metadata"]:
        return "Terminating"
    for one in containers:
        waiting = (one.get("state") or {}).get("waiting") or {}
        if waiting.get("reason"):
            return str(waiting["reason"])
    status = pod.get("status") or {}
    return str(status.get("reason") or status.get("phase", "Unknown"))


def _selector(selector: Document | None) -> str:
    labels = (selector or {}).get("matchLabels", selector) or {}
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or "<none>"


def _containers(template: Document) -> list[str]:
    containers = template["spec"]["containers"]
    return [",".join(one["name"] for one in containers), ",".join(one.get("image", "") for one in containers)]


def _deployment(one: Document, now: datetime) -> list[Any]:
    status, spec = one.get("status") or {}, one["spec"]
    ready = f"{status.get('readyReplicas', 0)}/{spec['replicas']}"
    counts = [status.get("updatedReplicas", 0), status.get("availableReplicas", 0)]
    return [
        one["metadata"]["name"],
        ready,
        *counts,
        _age(one, now),
        *_containers(spec["template"]),
        _selector(spec["selector"]),
    ]


def _replica_set(one: Document, now: datetime) -> list[Any]:
    status, spec = one.get("status") or {}, one["spec"]
    counts = [spec["replicas"], status.get("replicas", 0), status.get("readyReplicas", 0)]
    return [
        one["metadata"]["name"],
        *counts,
        _age(one, now),
        *_containers(spec["template"]),
        _selector(spec["selector"]),
    ]


def _service(one: Document, now: datetime) -> list[Any]:
    spec = one["spec"]
    ports = ",".join(
        f"{port['port']}:{port['nodePort']}/{port['protocol']}"
        if port.get("nodePort")
        else f"{port['port']}/{port['protocol']}"
        for port in spec.get("ports") or ()
    )
    external = spec.get("externalName") or "<none>"
    return [
        one["metadata"]["name"],
        spec["type"],
        spec.get("clusterIP") or "None",
        external,
        ports or "<none>",
        _age(one, now),
        _selector(spec.get("selector")),
    ]


def _event(one: Document, now: datetime) -> list[Any]:
    target = one.get("involvedObject") or {}
    kind = target.get("kind", "").lower()
    last, first = one.get("lastTimestamp") or one.get("eventTime"), one.get("firstTimestamp") or one.get("eventTime")
    source = (one.get("source") or {}).get("component") or one.get("reportingComponent", "")
    cells = [age(last, now), one.get("type", ""), one.get("reason", ""), f"{kind}/{target.get('name', '')}"]
    wide = [age(first, now), one.get("count", 1), one["metadata"]["name"]]
    return [*cells, target.get("fieldPath", ""), source, one.get("message", "").strip(), *wide]


def _node(one: Document, now: datetime) -> list[Any]:
    status = one.get("status") or {}
    info, where = status.get("nodeInfo") or {}, status.get("addresses") or ()
    ready = next((each["status"] for each in status.get("conditions") or () if each["type"] == "Ready"), "Unknown")
    words = {"True": "Ready", "False": "NotReady"}.get(ready, "Unknown")
    words += ",SchedulingDisabled" if (one.get("spec") or {}).get("unschedulable") else ""
    role = "node-role.kubernetes.io/"
    roles = sorted(key.removeprefix(role) for key in one["metadata"].get("labels") or () if key.startswith(role))
    addresses = [
        next((each["address"] for each in where if each["type"] == kind), "<none>")
        for kind in ("InternalIP", "ExternalIP")
    ]
    about = [info.get(name) or "<unknown>" for name in ("osImage", "kernelVersion", "containerRuntimeVersion")]
    shown = [one["metadata"]["name"], words, ",".join(roles) or "<none>", _age(one, now)]
    return [*shown, info.get("kubeletVersion", ""), *addresses, *about]


def _few(found: list[str]) -> str:
    """The first ones, and how many there are besides.

    >>> _few([]), _few(["a", "b"]), _few(["a", "b", "c", "d", "e"])
    ('<none>', 'a,b', 'a,b,c + 2 more...')
    """
    more = len(found) - MOST_ENDPOINTS
    return (",".join(found[:MOST_ENDPOINTS]) or "<none>") + (f" + {more} more..." if more > 0 else "")


def _endpoints(one: Document, now: datetime) -> list[Any]:
    found = [
        f"{address['ip']}:{port['port']}" if port else address["ip"]
        for subset in one.get("subsets") or ()
        for port in subset.get("ports") or (None,)
        for address in subset.get("addresses") or ()
    ]
    return [one["metadata"]["name"], _few(found), _age(one, now)]


def _endpoint_slice(one: Document, now: datetime) -> list[Any]:
    ports = [str(port.get("port") or "*") for port in one.get("ports") or ()]
    addresses = [address for each in one.get("endpoints") or () for address in each["addresses"]]
    shown = _few(ports) if ports else "<unset>"
    return [
        one["metadata"]["name"],
        one["addressType"],
        shown,
        _few(addresses) if addresses else "<unset>",
        _age(one, now),
    ]


def _created(one: Document, now: datetime) -> list[Any]:
    return [one["metadata"]["name"], one["metadata"]["creationTimestamp"]]


def _binding(one: Document, now: datetime) -> list[Any]:
    subjects = one.get("subjects") or ()
    names = {
        kind: ", ".join(
            f"{one['namespace']}/{one['name']}" if one.get("namespace") else one["name"]
            for one in subjects
            if one["kind"] == kind
        )
        for kind in ("User", "Group", "ServiceAccount")
    }
    role = one["roleRef"]
    return [one["metadata"]["name"], f"{role['kind']}/{role['name']}", _age(one, now), *names.values()]


def _named(*parts: Callable[[Document], Any]) -> Cells:
    return lambda one, now: [one["metadata"]["name"], *(part(one) for part in parts), _age(one, now)]


_WORKLOAD = ("Containers", "Images", "Selector")
_BINDING = _columns("Role", "Age", wide=("Users", "Groups", "ServiceAccounts"))
_EVENT = (
    *(Column(name, "string", "") for name in ("Last Seen", "Type", "Reason", "Object")),
    *(Column(name, "string", "", priority=1) for name in ("Subobject", "Source")),
    Column("Message", "string", ""),
    *(Column(name, "string", "", priority=1) for name in ("First Seen", "Count")),
    Column("Name", "string", "", priority=1, format="name"),
)
_CREATED = (NAME, Column("Created At", "date", ""))
BUILT_IN: dict[str, tuple[tuple[Column, ...], Cells]] = {
    "pods": (
        _columns("Ready", "Status", "Restarts", "Age", wide=("IP", "Node", "Nominated Node", "Readiness Gates")),
        _pod,
    ),
    "deployments.apps": (_columns("Ready", "Up-to-date", "Available", "Age", wide=_WORKLOAD), _deployment),
    "replicasets.apps": (_columns("Desired#", "Current#", "Ready#", "Age", wide=_WORKLOAD), _replica_set),
    "services": (_columns("Type", "Cluster-IP", "External-IP", "Port(s)", "Age", wide=("Selector",)), _service),
    "nodes": (
        _columns(
            "Status",
            "Roles",
            "Age",
            "Version",
            wide=("Internal-IP", "External-IP", "OS-Image", "Kernel-Version", "Container-Runtime"),
        ),
        _node,
    ),
    "endpoints": (_columns("Endpoints", "Age"), _endpoints),
    "endpointslices.discovery.k8s.io": (_columns("AddressType", "Ports", "Endpoints", "Age"), _endpoint_slice),
    "namespaces": (_columns("Status", "Age"), _named(lambda one: (one.get("status") or {}).get("phase", ""))),
    "configmaps": (
        _columns("Data", "Age"),
        _named(lambda one: len(one.get("data") or ()) + len(one.get("binaryData") or ())),
    ),
    "secrets": (
        _columns("Type", "Data", "Age"),
        _named(lambda one: one.get("type", ""), lambda one: len(one.get("data") or ())),
    ),
    "serviceaccounts": (_columns("Secrets", "Age"), _named(lambda one: len(one.get("secrets") or ()))),
    "leases.coordination.k8s.io": (
        _columns("Holder", "Age"),
        _named(lambda one: one.get("spec", {}).get("holderIdentity", "")),
    ),
    "rolebindings.rbac.authorization.k8s.io": (_BINDING, _binding),
    "clusterrolebindings.rbac.authorization.k8s.io": (_BINDING, _binding),
    "roles.rbac.authorization.k8s.io": (_CREATED, _created),
    "clusterroles.rbac.authorization.k8s.io": (_CREATED, _created),
    "customresourcedefinitions.apiextensions.k8s.io": (_CREATED, _created),
    "events": (_EVENT, _event),
}
