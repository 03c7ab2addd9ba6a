"""The rules of containers. In: a container, its path. Out: FieldErrors. Pure."""

import re
from typing import Any

from arkwright.apiserver.errors import NOT_FOUND, FieldError
from arkwright.apiserver.kinds import formats
from arkwright.apiserver.kinds.rules.wrongs import (
    SAYS_NOT_NEGATIVE,
    Errors,
    forbidden,
    negative,
    no_port,
    no_port_or_name,
    not_one_of,
    repeated,
    required,
    wrong,
)

Document = dict[str, Any]
PROTOCOLS = ("SCTP", "TCP", "UDP")
PULLS = ("Always", "IfNotPresent", "Never")
MESSAGES = ("File", "FallbackToLogsOnError")
HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
TIMES = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
FIELD_PATHS = re.compile(
    r"metadata\.(name|namespace|uid|(labels|annotations)\['[^']+'\])|spec\.(nodeName|serviceAccountName)|status\.(host|pod)IPs?"
).fullmatch
STANDARD = ("cpu", "memory", "ephemeral-storage", "storage")


def container_errors(container: Document, path: str, spec: Document) -> Errors:
    """`spec`: of the pod it is in."""
    name, image = container.get("name") or "", container.get("image") or ""
    found = wrong(f"{path}.name", name, formats.label(name)) if name else required(f"{path}.name")
    if not image:
        found += required(f"{path}.image")
    elif image != image.strip():
        found += wrong(f"{path}.image", image, "must not have leading or trailing whitespace")
    found += not_one_of(f"{path}.imagePullPolicy", container.get("imagePullPolicy"), PULLS)
    found += not_one_of(f"{path}.terminationMessagePolicy", container.get("terminationMessagePolicy"), MESSAGES)
    found += _ports_errors(container.get("ports") or [], f"{path}.ports")
    for number, one in enumerate(container.get("env") or ()):
        found += _variable_errors(one, f"{path}.env[{number}]")
    found += _resource_errors(container.get("resources") or {}, f"{path}.resources")
    found += _mount_errors(container.get("volumeMounts") or [], f"{path}.volumeMounts", spec)
    for each in PROBES:
        found += _probe_errors(container[each], f"{path}.{each}", each) if each in container else []
    return found + _lifecycle_errors(container.get("lifecycle") or {}, f"{path}.lifecycle", spec)


def _ports_errors(ports: list[Document], path: str) -> Errors:
    found = repeated(path, (one.get("name") for one in ports), ".name")
    for number, one in enumerate(ports):
        where, port = f"{path}[{number}]", one.get("containerPort") or 0
        found += no_port(f"{where}.containerPort", port) if port else required(f"{where}.containerPort")
        found += no_port(f"{where}.hostPort", one["hostPort"]) if one.get("hostPort") else []
        found += not_one_of(f"{where}.protocol", one.get("protocol") or "TCP", PROTOCOLS)
        found += wrong(f"{where}.name", one["name"], formats.port_name(one["name"])) if one.get("name") else []
    return found


def _variable_errors(one: Document, path: str) -> Errors:
    name = one.get("name") or ""
    found = wrong(f"{path}.name", name, formats.variable(name)) if name else required(f"{path}.name")
    source = one.get("valueFrom")
    if source is None:
        return found
    given = [each for each in SOURCES if each in source]
    if not given:
        said = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
        return found + wrong(f"{path}.valueFrom", "", said)
    if one.get("value"):
        found += wrong(f"{path}.valueFrom", "", "may not be specified when `value` is not empty")
    elif len(given) > 1:
        found += wrong(f"{path}.valueFrom", "", "may not have more than one field specified at a time")
    return found + _source_errors(source, f"{path}.valueFrom")


def _source_errors(source: Document, path: str) -> Errors:
    found: Errors = []
    if "fieldRef" in source:
        where, field = f"{path}.fieldRef.fieldPath", source["fieldRef"].get("fieldPath")
        if not field:
            found += required(where)
        elif not FIELD_PATHS(field):
            found += wrong(where, field, f"error converting fieldPath: field label not supported: {field}")
    for name in ("configMapKeyRef", "secretKeyRef"):
        if name in source:
            where, key = f"{path}.{name}.key", source[name].get("key")
            found += wrong(where, key, formats.config_key(key)) if key else required(where)
    return found


def _resource_errors(resources: Document, path: str) -> Errors:
    found: Errors = []
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for kind, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            found += _amount_errors(f"{path}.{kind}[{name}]", name, amount)
    for name, amount in requests.items():
        most, wanted = formats.quantity(limits.get(name, amount)), formats.quantity(amount)
        if most is not None and wanted is not None and wanted > most:
            said = f"must be less than or equal to {name} limit of {limits[name]}"
            found += wrong(f"{path}.requests", str(amount), said)
    return found


def _amount_errors(path: str, name: str, amount: Any) -> Errors:
    found: Errors = []
    if "/" not in name and name not in STANDARD and not name.startswith("hugepages-"):
        found += wrong(
            path,
            name,
            ("must be a standard resource type or fully qualified", "must be a standard resource for containers"),
        )
    number = formats.quantity(amount)
    return found + (wrong(path, str(amount), SAYS_NOT_NEGATIVE) if number is not None and number < 0 else [])


def _mount_errors(mounts: list[Document], path: str, spec: Document) -> Errors:
    known = {one.get("name") for one in spec.get("volumes") or ()}
    found: Errors = []
    for number, one in enumerate(mounts):
        if one.get("name") not in known:
            said = f'Not found: "{one.get("name", "")}"'
            found.append(FieldError(f"{path}[{number}].name", NOT_FOUND, said))
        if not one.get("mountPath"):
            found += required(f"{path}[{number}].mountPath")
    return found


def _probe_errors(probe: Document, path: str, kind: str) -> Errors:
    found = _handler_errors(probe, path)
    for name in TIMES:
        found += negative(f"{path}.{name}", probe.get(name))
    if kind != "readinessProbe" and probe.get("successThreshold", 1) > 1:
        found += wrong(f"{path}.successThreshold", probe["successThreshold"], "must be 1")
    return found


def _lifecycle_errors(lifecycle: Document, path: str, spec: Document) -> Errors:
    found: Errors = []
    grace = spec.get("terminationGracePeriodSeconds", 30)
    for name, hook in lifecycle.items():
        if not isinstance(hook, dict):
            continue
        found += _handler_errors(hook, f"{path}.{name}")
        seconds = (hook.get("sleep") or {}).get("seconds", 0)
        if not 0 <= seconds <= grace:
            said = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
            found += wrong(f"{path}.{name}.sleep", seconds, said)
    return found


def _handler_errors(given: Document, path: str) -> Errors:
    kinds = [one for one in HANDLERS if one in given]
    if not kinds:
        return required(path, "must specify a handler type")
    found = [
        each for one in kinds[:0:-1] for each in forbidden(f"{path}.{one}", "may not specify more than 1 handler type")
    ]
    first = given[kinds[0]]
    if "exec" in kinds and not given["exec"].get("command"):
        found += required(f"{path}.exec.command")
    for name in ("httpGet", "tcpSocket"):
        found += no_port_or_name(f"{path}.{name}.port", first.get("port")) if kinds[0] == name else []
    scheme = (given.get("httpGet") or {}).get("scheme")
    return found + not_one_of(f"{path}.httpGet.scheme", scheme, ("HTTP", "HTTPS"))
