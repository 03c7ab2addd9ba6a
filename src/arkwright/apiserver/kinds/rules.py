"""What the built-in kinds do beyond being stored: what the server fills in, and their rules. (Defaults: `defaults`.)

In: a document that is about to be written, in place. Out: FieldErrors. Kinds without an entry are just stored.
"""

from collections.abc import Callable
from typing import Any

from arkwright.apiserver.errors import INVALID, REQUIRED, FieldError
from arkwright.apiserver.kinds.defaults import default
from arkwright.apiserver.kinds.resources import custom_resources
from arkwright.apiserver.kinds.selectors import matches
from arkwright.apiserver.kinds.validation import shown

Document = dict[str, Any]
Fill = Callable[[Document, Document | None], None]
Check = Callable[[Document, Document | None], list[FieldError]]


# ── pods ──


def _fill_pod(pod: Document, old: Document | None) -> None:
    default(pod["spec"], preemptionPolicy="PreemptLowerPriority", priority=0, tolerations=_tolerations())
    if old is None:
        pod["status"] = {"phase": "Pending", "qosClass": _quality(pod["spec"])}


def _tolerations() -> list[Document]:
    names = ("not-ready", "unreachable")
    shared = {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    return [{"key": f"node.kubernetes.io/{name}"} | shared for name in names]


def _quality(spec: Document) -> str:
    wishes = [one.get("resources") or {} for one in spec.get("containers", ())]
    if not any(one.get("requests") or one.get("limits") for one in wishes):
        return "BestEffort"
    both = ("cpu", "memory")
    is_fixed = all(
        all(name in (one.get("limits") or {}) for name in both) and one.get("requests", one["limits"]) == one["limits"]
        for one in wishes
    )
    return "Guaranteed" if is_fixed else "Burstable"


def pod_spec_errors(spec: Document, path: str) -> list[FieldError]:
    wrong = []
    if not spec.get("containers"):
        wrong.append(FieldError(f"{path}.containers", REQUIRED, "Required value"))
    for number, container in enumerate(spec.get("containers") or ()):
        where = f"{path}.containers[{number}]"
        wrong += [
            FieldError(f"{where}.{name}", REQUIRED, "Required value")
            for name in ("name", "image")
            if not container.get(name)
        ]
    return wrong


def _check_pod(pod: Document, old: Document | None) -> list[FieldError]:
    return pod_spec_errors(pod["spec"], "spec")


# ── deployments and replica sets ──


def _fill_deployment(deployment: Document, old: Document | None) -> None:
    if old is None:
        deployment["status"] = {}


def _fill_replica_set(replica_set: Document, old: Document | None) -> None:
    if old is None:
        replica_set["status"] = {"replicas": 0}


def _check_selected(document: Document, old: Document | None) -> list[FieldError]:
    spec = document["spec"]
    labels = spec["template"]["metadata"].get("labels") or {}
    wrong = []
    if not spec.get("selector"):
        wrong.append(FieldError("spec.selector", REQUIRED, "Required value"))
    if not spec.get("selector") or not matches(spec["selector"], labels):
        said = "`selector` does not match template `labels`"
        wrong.append(FieldError("spec.template.metadata.labels", INVALID, f"Invalid value: {shown(labels)}: {said}"))
    if old and old["spec"].get("selector") != spec.get("selector"):
        said = f"Invalid value: {shown(spec.get('selector'))}: field is immutable"
        wrong.append(FieldError("spec.selector", INVALID, said))
    if isinstance(spec.get("replicas"), int) and spec["replicas"] < 0:
        said = f"Invalid value: {spec['replicas']}: must be greater than or equal to 0"
        wrong.append(FieldError("spec.replicas", INVALID, said))
    return wrong + pod_spec_errors(spec["template"]["spec"], "spec.template.spec")


# ── services ──


def _fill_service(service: Document, old: Document | None) -> None:
    if old is None:
        service["status"] = {"loadBalancer": {}}


def _check_service(service: Document, old: Document | None) -> list[FieldError]:
    spec = service["spec"]
    ports = spec.get("ports") or []
    wrong = []
    if not ports and spec["type"] != "ExternalName" and spec.get("clusterIP") != "None":
        wrong.append(FieldError("spec.ports", REQUIRED, "Required value"))
    for number, port in enumerate(ports):
        where = f"spec.ports[{number}]"
        if len(ports) > 1 and not port.get("name"):
            wrong.append(FieldError(f"{where}.name", REQUIRED, "Required value"))
        wrong += _port_errors(port, where)
    return wrong


def _port_errors(port: Document, where: str) -> list[FieldError]:
    said = "must be between 1 and 65535, inclusive"
    return [
        FieldError(f"{where}.{name}", INVALID, f"Invalid value: {port.get(name)}: {said}")
        for name in ("port", "targetPort")
        if isinstance(port.get(name), int) and not 1 <= port[name] <= 65535
    ]


# ── the others ──


def _fill_namespace(namespace: Document, old: Document | None) -> None:
    if old is None:
        namespace["spec"] = {"finalizers": ["kubernetes"]}
        namespace["status"] = {"phase": "Active"}


def _fill_definition(crd: Document, old: Document | None) -> None:
    spec, metadata = crd["spec"], crd["metadata"]
    names = spec["names"]
    stored = [one.get("name") for one in spec.get("versions") or () if one.get("storage")]
    known = (crd.get("status") or {}).get("storedVersions") or []
    said = {"status": "True", "lastTransitionTime": metadata.get("creationTimestamp")}
    crd["status"] = {
        "conditions": [
            said | {"type": "NamesAccepted", "reason": "NoConflicts", "message": "no conflicts found"},
            said
            | {
                "type": "Established",
                "reason": "InitialNamesAccepted",
                "message": "the initial names have been accepted",
            },
        ],
        "acceptedNames": dict(names),
        "storedVersions": known + [one for one in stored if one not in known],
    }


def _check_definition(crd: Document, old: Document | None) -> list[FieldError]:
    spec, names = crd["spec"], crd["spec"]["names"]
    wanted = f"{names.get('plural')}.{spec.get('group')}"
    if crd["metadata"].get("name") != wanted:
        said = f'Invalid value: "{crd["metadata"].get("name")}": must be spec.names.plural+"."+spec.group'
        return [FieldError("metadata.name", INVALID, said)]
    stored = [one for one in spec.get("versions") or () if one.get("storage")]
    if len(stored) != 1:
        said = f"Invalid value: {shown(spec.get('versions'))}: must have exactly one version marked as storage version"
        return [FieldError("spec.versions", INVALID, said)]
    try:
        for one in custom_resources(crd):
            _ = one.validator
    except (ValueError, KeyError, TypeError) as error:
        return [FieldError("spec.versions", INVALID, f"Invalid value: its schema cannot be used: {error}")]
    return []


FILL: dict[str, Fill] = {
    "pods": _fill_pod,
    "deployments.apps": _fill_deployment,
    "replicasets.apps": _fill_replica_set,
    "services": _fill_service,
    "namespaces": _fill_namespace,
    "customresourcedefinitions.apiextensions.k8s.io": _fill_definition,
}
CHECK: dict[str, Check] = {
    "pods": _check_pod,
    "deployments.apps": _check_selected,
    "replicasets.apps": _check_selected,
    "services": _check_service,
    "customresourcedefinitions.apiextensions.k8s.io": _check_definition,
}
# These count how often their spec was changed; the other built-in kinds do not.
WITH_GENERATION = frozenset(
    {"pods", "deployments.apps", "replicasets.apps", "customresourcedefinitions.apiextensions.k8s.io"}
)
