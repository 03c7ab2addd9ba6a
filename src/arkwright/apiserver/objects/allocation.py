"""What Services are given: a clusterIP each, and a nodePort for each port that asks for one.

In: a Service that is about to be written. Out: the same with addresses that no other has, in place, or Invalid.
"""

import ipaddress
import random
from itertools import chain
from typing import Any

import msgspec

from arkwright.apiserver.errors import INVALID, FieldError, invalid
from arkwright.apiserver.kinds import Resource
from arkwright.apiserver.store import Key, Store

Document = dict[str, Any]
NETWORK = ipaddress.ip_network("10.96.0.0/16")
NODE_PORTS = range(30000, 32768)


class Addresses:
    """Which addresses and ports are taken, and by whom."""

    def __init__(self, store: Store) -> None:
        self._taken: dict[str | int, Key] = {}
        for record in store.find("services"):
            self._take(record.key, msgspec.json.decode(record.body))
        self._next_host = 1

    def give(self, resource: Resource, service: Document, old: Document | None) -> None:
        """Raises Invalid if an address or port that is asked for is taken or out of range."""
        if resource.name != "services":
            return
        metadata, spec = service["metadata"], service["spec"]
        key = Key("services", metadata.get("namespace", ""), metadata["name"])
        if spec["type"] == "ExternalName":
            return
        if old and not spec.get("clusterIP"):
            spec["clusterIP"] = old["spec"].get("clusterIP", "")
        if not spec.get("clusterIP"):
            spec["clusterIP"] = self._free_address()
        spec |= {"clusterIPs": [spec["clusterIP"]], "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}
        self._give_ports(key, spec, old)
        self._refuse_taken(key, spec)
        self.take_back(key)
        self._take(key, service)

    def _give_ports(self, key: Key, spec: Document, old: Document | None) -> None:
        if spec["type"] not in ("NodePort", "LoadBalancer"):
            return
        before = {one.get("name"): one.get("nodePort") for one in (old["spec"].get("ports") or () if old else ())}
        given: set[int] = set()
        for port in spec.get("ports") or ():
            if not port.get("nodePort"):
                known = before.get(port.get("name"))
                port["nodePort"] = known or self._free_port(key, given)
            given.add(port["nodePort"])

    def _refuse_taken(self, key: Key, spec: Document) -> None:
        wrong, own = [], set()
        for number, port in enumerate(spec.get("ports") or ()):
            wanted, path = port.get("nodePort"), f"spec.ports[{number}].nodePort"
            if wanted and wanted not in NODE_PORTS:
                said = "provided port is not in the valid range. The range of valid ports is 30000-32767"
                wrong.append(FieldError(path, INVALID, f"Invalid value: {wanted}: {said}"))
            elif wanted and (self._taken.get(wanted, key) != key or (wanted, port.get("protocol")) in own):
                wrong.append(FieldError(path, INVALID, f"Invalid value: {wanted}: provided port is already allocated"))
            own.add((wanted, port.get("protocol")))
        address = spec["clusterIP"]
        if address != "None" and self._taken.get(address, key) != key:
            said = f"failed to allocate IP {address}: provided IP is already allocated"
            wrong.append(FieldError("spec.clusterIPs", INVALID, f'Invalid value: ["{address}"]: {said}'))
        if wrong:
            raise invalid("", "Service", key.name, wrong)

    def _free_port(self, key: Key, given: set[int]) -> int:
        """Anywhere in the range: sites of one machine share its ports, and each would begin with the first."""
        start = random.randrange(len(NODE_PORTS))
        numbers: list[int] = [*NODE_PORTS[start:], *NODE_PORTS[:start]]
        for one in numbers:
            if one not in self._taken and one not in given:
                return one
        said = "Invalid value: 0: range is full"
        raise invalid("", "Service", key.name, [FieldError("spec.ports[0].nodePort", INVALID, said)])

    def _free_address(self) -> str:
        while True:
            self._next_host = self._next_host % (NETWORK.num_addresses - 2) + 1
            address = str(NETWORK[self._next_host])
            if address not in self._taken:
                return address

    def _take(self, key: Key, service: Document) -> None:
        spec = service["spec"]
        ports = (port.get("nodePort") for port in spec.get("ports") or ())
        for one in chain([spec.get("clusterIP")], ports):
            if one and one != "None":
                self._taken[one] = key

    def take_back(self, key: Key) -> None:
        """A Service is gone, or gets others."""
        if key.resource == "services":
            for one in [one for one, owner in self._taken.items() if owner == key]:
                del self._taken[one]
