"""Where a Service leads, as a cluster says it: its Endpoints and EndpointSlices. Pure.

In: a Service, the pods of its namespace, what is written already. Out: intents. The rules are Kubernetes' own: a pod is used if it
is ready and to stay; one that is going is still named in slices, as terminating; a Service without a selector is its user's affair.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from arkwright.model.cluster import Document, Endpoints, EndpointSlice, Workload
from arkwright.model.meta import KubernetesObject
from arkwright.model.names import PORT, cut, short_hash
from arkwright.model.resources import Kind
from arkwright.plan.intents import Create, Delete, Intent, Patch, Target, target_of
from arkwright.standalone.belonging import Belonging, is_owned_by
from arkwright.standalone.readers import containers, documents, inside, port, ports
from arkwright.standalone.replicas import is_ready

MANAGED_BY = "managed-by"
ENDPOINTS_LABEL, ENDPOINTS_WRITER = f"endpoints.kubernetes.io/{MANAGED_BY}", "endpoint-controller"
SLICE_LABEL, SLICE_WRITER = f"endpointslice.kubernetes.io/{MANAGED_BY}", "endpointslice-controller.k8s.io"
SERVICE_NAME, HEADLESS = "kubernetes.io/service-name", "service.kubernetes.io/headless"
MOST_IN_SLICE = 100
NAME_LIMIT = 240
BECAUSE = "the pods that its Service leads to have changed"
PortOf = tuple[str, int, str]  # name, number, protocol


@dataclass(frozen=True)
class Known:
    """What is written already. `slices`: all that name the Service."""

    endpoints: Endpoints | None = None
    slices: tuple[EndpointSlice, ...] = ()


@dataclass(frozen=True)
class Member:
    """One pod as its Service sees it. `is_open`: it gets requests."""

    pod: Workload
    address: str
    ports: tuple[PortOf, ...]
    is_open: bool

    def reference(self) -> Document:
        """Which pod it is."""
        about = self.pod.metadata
        return {"kind": "Pod", "namespace": about.namespace, "name": about.name, "uid": about.uid}

    def in_endpoints(self) -> Document:
        return {"ip": self.address, "nodeName": self.pod.spec.get("nodeName"), "targetRef": self.reference()}

    def in_slice(self) -> Document:
        leaves = self.pod.is_terminating
        conditions = {"ready": self.is_open, "serving": is_ready(self.pod), "terminating": leaves}
        where = {"addresses": [self.address], "nodeName": self.pod.spec.get("nodeName")}
        return where | {"conditions": conditions, "targetRef": self.reference()}


def selects(service: Workload, pod: Workload) -> bool:
    """Whether a pod is one of a Service, ready or not; one that has ended is not."""
    selector = inside(service.spec, "selector").items()
    is_there = pod.status.get("phase") not in ("Succeeded", "Failed")
    is_near = pod.metadata.namespace == service.metadata.namespace
    labels = pod.metadata.labels
    return bool(is_near and is_there and selector and all(labels.get(name) == value for name, value in selector))


def target_port(pod: Workload, wish: int | str) -> int:
    """A number, or the container port of that name; 0 for none. A pod that has no address of its own says where it is."""
    if given := port(pod.metadata.annotations.get(PORT)):
        return given
    if isinstance(wish, int):
        return port(wish)
    named = (each for one in containers(pod) for each in documents(one.get("ports")) if each.get("name") == wish)
    chosen: Document = next(named, {})
    return port(chosen.get("containerPort"))


def plan_endpoints(key: Target, service: Workload | None, pods: Iterable[Workload], known: Known) -> list[Intent]:
    """`key`: the Service that is looked at; None: it is gone, and what its owner's end does not take goes here."""
    if service is None:
        gone = known.endpoints
        is_ours = gone is not None and gone.metadata.labels.get(ENDPOINTS_LABEL) == ENDPOINTS_WRITER
        return [Delete(target_of(Kind.ENDPOINTS, gone), f"Service {key.name} is gone")] if gone and is_ours else []
    if service.is_terminating or service.spec.get("type") == "ExternalName" or not inside(service.spec, "selector"):
        return []
    found = members(service, pods)
    return [*_of_endpoints(service, found, known.endpoints), *_of_slices(service, found, known.slices)]


def members(service: Workload, pods: Iterable[Workload]) -> list[Member]:
    """By the pods' names."""
    is_early = bool(service.spec.get("publishNotReadyAddresses"))
    made = []
    for pod in sorted((one for one in pods if selects(service, one)), key=lambda one: one.name):
        address = pod.status.get("podIP")
        is_open = is_early or (is_ready(pod) and not pod.is_terminating)
        if isinstance(address, str) and address:
            made.append(Member(pod, address, _ports_of(service, pod), is_open))
    return made


def _ports_of(service: Workload, pod: Workload) -> tuple[PortOf, ...]:
    found = (
        (str(one.get("name") or ""), target_port(pod, one.get("targetPort") or one.get("port") or 0), _protocol(one))
        for one in ports(service)
    )
    return tuple(one for one in found if one[1])


def _protocol(one: Document) -> str:
    return str(one.get("protocol") or "TCP")


# ── Endpoints ──


def _of_endpoints(service: Workload, found: list[Member], known: Endpoints | None) -> list[Intent]:
    labels = _labels(service, {ENDPOINTS_LABEL: ENDPOINTS_WRITER})
    wanted = {"subsets": subsets(service, found)}
    if known is None:
        target = Target(Kind.ENDPOINTS, service.metadata.namespace, service.name)
        document = {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": service.name, "labels": labels}}
        return [Create(target, document | wanted, "its Service is new")]
    return _changes(Kind.ENDPOINTS, known, labels, _differing(wanted, {"subsets": known.subsets}))


def subsets(service: Workload, found: list[Member]) -> list[Document]:
    """Ports that the same pods have stand together."""
    stays = [one for one in found if one.is_open or not one.pod.is_terminating]
    if not ports(service):
        return [_subset(stays, [])] if stays else []
    by_pods: dict[tuple[str, ...], list[PortOf]] = {}
    for number in dict.fromkeys(each for one in stays for each in one.ports):
        with_it = tuple(one.pod.name for one in stays if number in one.ports)
        by_pods.setdefault(with_it, []).append(number)
    return [_subset([one for one in stays if one.pod.name in names], numbers) for names, numbers in by_pods.items()]


def _subset(those: Sequence[Member], numbers: list[PortOf]) -> Document:
    lists = {
        "addresses": [one.in_endpoints() for one in those if one.is_open],
        "notReadyAddresses": [one.in_endpoints() for one in those if not one.is_open],
        "ports": [
            ({"name": name} if name else {}) | {"port": number, "protocol": protocol}
            for name, number, protocol in numbers
        ],
    }
    return {name: value for name, value in lists.items() if value}


# ── EndpointSlices ──


def _of_slices(service: Workload, found: list[Member], known: tuple[EndpointSlice, ...]) -> list[Intent]:
    labels = _labels(service, {SLICE_LABEL: SLICE_WRITER, SERVICE_NAME: service.name})
    own = {one.name: one for one in known if is_owned_by(one, service)}
    wanted = slices(service, found)
    intents: list[Intent] = []
    for name, fields in wanted.items():
        if name not in own:
            intents.append(_new_slice(service, name, labels, fields))
        else:
            had = {"endpoints": own[name].endpoints or None, "ports": own[name].ports or None}
            changed = _differing({part: fields[part] for part in had}, had)
            intents += _changes(Kind.ENDPOINT_SLICE, own[name], labels, changed)
    gone = (one for name, one in own.items() if name not in wanted)
    return intents + [Delete(target_of(Kind.ENDPOINT_SLICE, one), "it has no pods any more") for one in gone]


def slices(service: Workload, found: list[Member]) -> dict[str, Document]:
    """By their names, which tell the kind of address, the ports and the number: planned twice, they are the same. One at least."""
    groups: dict[tuple[str, tuple[PortOf, ...]], list[Member]] = {}
    for one in found:
        groups.setdefault(("IPv6" if ":" in one.address else "IPv4", one.ports), []).append(one)
    made: dict[str, Document] = {}
    for (kind, numbers), those in (groups or {("IPv4", ()): []}).items():
        for first in range(0, max(1, len(those)), MOST_IN_SLICE):
            digest = short_hash(f"{service.metadata.uid}/{kind}/{numbers}/{first}")
            fields: Document = {"addressType": kind}
            fields["endpoints"] = [one.in_slice() for one in those[first : first + MOST_IN_SLICE]] or None
            named = [{"name": name, "port": number, "protocol": protocol} for name, number, protocol in numbers]
            made[f"{cut(service.name, NAME_LIMIT)}-{digest}"] = fields | {"ports": named or None}
    return made


def _new_slice(service: Workload, name: str, labels: dict[str, str], fields: Document) -> Create:
    owner = Belonging(Kind.SERVICE, Kind.ENDPOINT_SLICE, service).reference()
    about = {"name": name, "generateName": f"{service.name}-", "labels": labels, "ownerReferences": [owner]}
    document = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": about}
    return Create(Target(Kind.ENDPOINT_SLICE, service.metadata.namespace, name), document | fields, BECAUSE)


# ── both ──


def _labels(service: Workload, own: dict[str, str]) -> dict[str, str]:
    """The Service's, and who writes it."""
    is_headless = service.spec.get("clusterIP") == "None"
    return service.metadata.labels | own | ({HEADLESS: ""} if is_headless else {})


def _differing(wanted: Document, had: Document) -> Document:
    return {name: value for name, value in wanted.items() if value != had[name]}


def _changes(kind: Kind, known: KubernetesObject, labels: dict[str, str], changed: Document) -> list[Intent]:
    before = known.metadata.labels
    if before != labels:
        gone = dict.fromkeys(before.keys() - labels.keys())
        changed |= {"metadata": {"labels": gone | labels}}
    return [Patch(target_of(kind, known), changed, BECAUSE)] if changed else []
