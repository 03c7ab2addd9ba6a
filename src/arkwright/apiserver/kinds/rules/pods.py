"""The rules of pods and of what pods are made from. In: a spec, its path. Out: FieldErrors. Pure."""

import copy
from typing import Any

from arkwright.apiserver.errors import DUPLICATE, FieldError
from arkwright.apiserver.kinds import formats
from arkwright.apiserver.kinds.rules.containers import container_errors
from arkwright.apiserver.kinds.rules.wrongs import (
    Errors,
    forbidden,
    label_errors,
    not_one_of,
    repeated,
    required,
    wrong,
)

Document = dict[str, Any]
RESTARTS = ("Always", "OnFailure", "Never")
DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
MAX_INT32 = 2**31 - 1
MAY_CHANGE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def pod_errors(pod: Document, old: Document | None) -> Errors:
    """Of a pod itself."""
    spec = pod["spec"]
    found = pod_spec_errors(spec, "spec")
    seconds = spec.get("activeDeadlineSeconds")
    if seconds is not None and not 1 <= seconds <= MAX_INT32:
        found += wrong("spec.activeDeadlineSeconds", seconds, f"must be between 1 and {MAX_INT32}, inclusive")
    return found + (_change_errors(spec, old["spec"]) if old else [])


def template_errors(template: Document, path: str) -> Errors:
    """Of the pods of a Deployment or a ReplicaSet: they run for ever."""
    metadata, spec = template.get("metadata") or {}, template.get("spec") or {}
    found = label_errors(f"{path}.labels", metadata.get("labels") or {})
    found += pod_spec_errors(spec, f"{path}.spec")
    if spec.get("restartPolicy") in RESTARTS:
        found += not_one_of(f"{path}.spec.restartPolicy", spec["restartPolicy"], ("Always",))
    if spec.get("activeDeadlineSeconds") is not None:
        found += forbidden(f"{path}.spec.activeDeadlineSeconds", "activeDeadlineSeconds in ReplicaSet is not Supported")
    return found


def pod_spec_errors(spec: Document, path: str) -> Errors:
    containers = spec.get("containers") or []
    found = [] if containers else required(f"{path}.containers")
    found += repeated(f"{path}.containers", (one.get("name") for one in containers), ".name")
    names = {one.get("name") for one in containers}
    for kind in ("containers", "initContainers"):
        for number, one in enumerate(spec.get(kind) or ()):
            found += container_errors(one, f"{path}.{kind}[{number}]", spec)
            if kind == "initContainers" and one.get("name") in names:
                said = f'Duplicate value: "{one["name"]}"'
                found.append(FieldError(f"{path}.{kind}[{number}].name", DUPLICATE, said))
    found += not_one_of(f"{path}.restartPolicy", spec.get("restartPolicy"), RESTARTS)
    found += (
        _name_errors(spec, path)
        + _dns_errors(spec, path)
        + _volume_errors(spec.get("volumes") or [], f"{path}.volumes")
    )
    for number, one in enumerate(spec.get("tolerations") or ()):
        found += _toleration_errors(one, f"{path}.tolerations[{number}]")
    return found


def _name_errors(spec: Document, path: str) -> Errors:
    found = label_errors(f"{path}.nodeSelector", spec.get("nodeSelector") or {})
    for name, rule in (
        ("nodeName", formats.subdomain),
        ("serviceAccountName", formats.subdomain),
        ("hostname", formats.label),
        ("subdomain", formats.label),
    ):
        if spec.get(name):
            found += wrong(f"{path}.{name}", spec[name], rule(spec[name]))
    return found


def _dns_errors(spec: Document, path: str) -> Errors:
    found = not_one_of(f"{path}.dnsPolicy", spec.get("dnsPolicy"), DNS)
    if spec.get("dnsPolicy") == "None" and not spec.get("dnsConfig"):
        found += required(f"{path}.dnsConfig", "must provide `dnsConfig` when `dnsPolicy` is None")
    return found


def _volume_errors(volumes: list[Document], path: str) -> Errors:
    found = repeated(path, (one.get("name") for one in volumes), ".name")
    for number, one in enumerate(volumes):
        where, name = f"{path}[{number}].name", one.get("name")
        found += wrong(where, name, formats.label(name)) if name else required(where)
    return found


def _toleration_errors(one: Document, path: str) -> Errors:
    operator, found = (
        one.get("operator"),
        wrong(f"{path}.key", one["key"], formats.key(one["key"])) if one.get("key") else [],
    )
    if not one.get("key") and operator != "Exists":
        said = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        found += wrong(f"{path}.operator", operator or "", said)
    found += not_one_of(f"{path}.operator", operator or None, ("Equal", "Exists"))
    if operator == "Exists" and one.get("value"):
        found += wrong(f"{path}.operator", one["value"], "value must be empty when `operator` is 'Exists'")
    if one.get("tolerationSeconds") is not None and one.get("effect") != "NoExecute":
        said = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        found += wrong(f"{path}.effect", one.get("effect") or "", said)
    return found + not_one_of(f"{path}.effect", one.get("effect") or None, EFFECTS)


def _change_errors(spec: Document, old: Document) -> Errors:
    """A pod is what it is; some fields may change."""
    if len(spec.get("containers") or ()) != len(old.get("containers") or ()):
        return forbidden("spec.containers", "pod updates may not add or remove containers")
    return [] if _lasting(spec, old) == _lasting(old, old) else forbidden("spec", MAY_CHANGE)


def _lasting(spec: Document, old: Document) -> Document:
    """All that may not change; a pod gets its node once."""
    found = copy.deepcopy(spec)
    for name in ("activeDeadlineSeconds", "tolerations", "ephemeralContainers", "priority", "preemptionPolicy"):
        found.pop(name, None)
    if not old.get("nodeName"):
        found.pop("nodeName", None)
    if old.get("terminationGracePeriodSeconds", 0) < 0:
        found.pop("terminationGracePeriodSeconds", None)
    for container in (*found.get("containers", ()), *found.get("initContainers", ())):
        container.pop("image", None)
    return found
