"""The rules of Endpoints and EndpointSlices. In: one, and what stands there now. Out: FieldErrors. Pure.

Not done here: a cluster refuses addresses of the loopback network, which are those of all pods of one machine.
"""

import ipaddress
from typing import Any

from arkwright.apiserver.errors import DUPLICATE, FieldError
from arkwright.apiserver.kinds.rules.services import PROTOCOLS, SAYS_ADDRESS
from arkwright.apiserver.kinds.rules.wrongs import Errors, no_port, not_one_of, required, wrong

Document = dict[str, Any]
ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")


def endpoints_errors(endpoints: Document, old: Document | None) -> Errors:
    found: Errors = []
    for number, subset in enumerate(endpoints.get("subsets") or ()):
        path = f"subsets[{number}]"
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            found += required(path, "must specify `addresses` or `notReadyAddresses`")
        for name in ("addresses", "notReadyAddresses"):
            for index, one in enumerate(subset.get(name) or ()):
                found += _address_errors(f"{path}.{name}[{index}].ip", one.get("ip"))
        ports = subset.get("ports") or ()
        for index, port in enumerate(ports):
            found += [] if port.get("name") or len(ports) == 1 else required(f"{path}.ports[{index}].name")
            found += no_port(f"{path}.ports[{index}].port", port.get("port"))
            found += not_one_of(f"{path}.ports[{index}].protocol", port.get("protocol"), PROTOCOLS)
    return found


def endpoint_slice_errors(one: Document, old: Document | None) -> Errors:
    kind = one.get("addressType")
    found = _ports_errors(one.get("ports") or []) + ([] if kind else required("addressType"))
    found += not_one_of("addressType", kind or None, ADDRESS_TYPES)
    if old and old.get("addressType") != kind:
        found += wrong("addressType", kind, "field is immutable")
    for number, endpoint in enumerate(one.get("endpoints") or ()):
        path, addresses = f"endpoints[{number}].addresses", endpoint.get("addresses") or ()
        found += [] if addresses else required(path, "must contain at least 1 address")
        for index, address in enumerate(addresses):
            found += _address_errors(f"{path}[{index}]", address) if kind in ADDRESS_TYPES[1:] else []
    return found


def _ports_errors(ports: list[Document]) -> Errors:
    found: Errors = []
    names = [port.get("name") or "" for port in ports]
    for number, port in enumerate(ports):
        if names[number] in names[:number]:
            said = f'Duplicate value: "{names[number]}"'
            found.append(FieldError(f"ports[{number}].name", DUPLICATE, said))
        found += not_one_of(f"ports[{number}].protocol", port.get("protocol"), PROTOCOLS)
    return found


def _address_errors(path: str, address: Any) -> Errors:
    try:
        ipaddress.ip_address(str(address))
    except ValueError:
        return wrong(path, address, SAYS_ADDRESS)
    return []
