"""The rules of Services. In: one, and what stands there now. Out: FieldErrors. Pure."""

import ipaddress
from typing import Any

from arkwright.apiserver.errors import DUPLICATE, FieldError
from arkwright.apiserver.kinds import formats
from arkwright.apiserver.kinds.rules.wrongs import (
    Errors,
    as_go_writes_it,
    forbidden,
    label_errors,
    no_port,
    no_port_or_name,
    not_one_of,
    repeated,
    required,
    wrong,
)

Document = dict[str, Any]
TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
OPEN = ("LoadBalancer", "NodePort")
PROTOCOLS = ("SCTP", "TCP", "UDP")
POLICIES = ("Cluster", "Local")
FAMILIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
SAYS_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"


def service_errors(service: Document, old: Document | None) -> Errors:
    spec = service["spec"]
    kind = spec.get("type")
    found = not_one_of("spec.type", kind, TYPES) + label_errors("spec.selector", spec.get("selector") or {})
    found += not_one_of("spec.sessionAffinity", spec.get("sessionAffinity"), ("ClientIP", "None"))
    found += not_one_of("spec.internalTrafficPolicy", spec.get("internalTrafficPolicy"), POLICIES)
    found += not_one_of("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), FAMILIES)
    found += _traffic_errors(spec, kind)
    if kind == "ExternalName":
        name = spec.get("externalName")
        return found + (
            wrong("spec.externalName", name, formats.subdomain(name)) if name else required("spec.externalName")
        )
    return found + _address_errors(spec, old) + _ports_errors(spec)


def _traffic_errors(spec: Document, kind: str | None) -> Errors:
    policy = spec.get("externalTrafficPolicy")
    if policy and kind not in OPEN:
        return wrong("spec.externalTrafficPolicy", policy, "may only be set for externally-accessible services")
    return not_one_of("spec.externalTrafficPolicy", policy, POLICIES)


def _address_errors(spec: Document, old: Document | None) -> Errors:
    address, kind = spec.get("clusterIP"), spec.get("type")
    before = old["spec"].get("clusterIP") if old and old["spec"].get("type") != "ExternalName" else None
    if before and address and address != before:
        return wrong("spec.clusterIPs[0]", [address], "may not change once set")
    if address == "None" and kind in OPEN:
        return wrong("spec.clusterIPs[0]", address, f"may not be set to 'None' for {kind} services")
    if address in (None, "", "None"):
        return []
    try:
        ipaddress.ip_address(str(address))
    except ValueError:
        return wrong("spec.clusterIPs[0]", address, SAYS_ADDRESS)
    return []


def _ports_errors(spec: Document) -> Errors:
    ports = spec.get("ports") or []
    found = [] if ports or spec.get("clusterIP") == "None" else required("spec.ports")
    found += repeated("spec.ports", (one.get("name") for one in ports), ".name")
    seen = set()
    for number, one in enumerate(ports):
        where, ends = f"spec.ports[{number}]", (one.get("protocol"), one.get("port"))
        found += _port_errors(one, where, is_only=len(ports) == 1)
        if one.get("nodePort") and spec.get("type") not in OPEN:
            found += forbidden(f"{where}.nodePort", "may not be used when `type` is 'ClusterIP'")
        if ends in seen:
            twin = {
                "Name": "",
                "Protocol": ends[0],
                "AppProtocol": None,
                "Port": ends[1],
                "TargetPort": 0,
                "NodePort": 0,
            }
            found.append(FieldError(where, DUPLICATE, f"Duplicate value: {as_go_writes_it(twin)}"))
        seen.add(ends)
    return found


def _port_errors(port: Document, where: str, *, is_only: bool) -> Errors:
    found = [] if is_only or port.get("name") else required(f"{where}.name")
    found += wrong(f"{where}.name", port["name"], formats.label(port["name"])) if port.get("name") else []
    found += not_one_of(f"{where}.protocol", port.get("protocol") or "TCP", PROTOCOLS)
    return (
        found
        + no_port(f"{where}.port", port.get("port"))
        + no_port_or_name(f"{where}.targetPort", port.get("targetPort"))
    )
