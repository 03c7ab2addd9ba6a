"""Where base pods listen: each on a loopback address of its own, or, where the system has but one, on ports of its own.

In: a network. Out: Seats. Linux has the whole of 127.0.0.0/8; macOS has 127.0.0.1 alone.
"""

import contextlib
import ipaddress
import itertools
import socket
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from arkwright.model.names import ARKLET_PORT, PORT

THE_ONE = "127.0.0.1"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class NoSeat(Exception):
    """Other pods have them all."""


@dataclass(frozen=True)
class Seat:
    """`ports`: the port that stands for each declared one; empty where the address is the pod's alone."""

    address: str
    ports: dict[int, int] = field(default_factory=dict)

    def port(self, declared: int) -> int:
        """Where a declared port really is."""
        return self.ports.get(declared, declared)

    def annotations(self, agent: int, application: int) -> dict[str, str]:
        """So that others find them: the controller the agent, node ports the application. Empty for a seat of its own."""
        return {ARKLET_PORT: str(self.port(agent)), PORT: str(self.port(application))} if self.ports else {}


class Seats:
    """One for each pod."""

    def __init__(self, network: str) -> None:
        self._network = ipaddress.ip_network(network)
        is_one = self._network.num_addresses == 1
        self._is_shared = is_one or not is_ours(str(next(iter(self._network.hosts()))))
        self._addresses = _round_and_round(self._network)
        self._one = network.partition("/")[0] if is_one else THE_ONE

    def next(self, taken: set[str], declared: Collection[int]) -> Seat:
        """A free one. `taken`: addresses of other pods; `declared`: ports that the pod will want. Raises NoSeat."""
        if self._is_shared:
            return Seat(self._one, dict(zip(declared, free_ports(self._one), strict=False)))
        for one in itertools.islice(self._addresses, self._network.num_addresses):
            if one not in taken:
                return Seat(one)
        raise NoSeat(f"other pods have all addresses of {self._network}; --addresses gives this machine's pods more")


def is_ours(address: str) -> bool:
    """Whether this machine can listen there."""
    with socket.socket() as one:
        try:
            one.bind((address, 0))
        except OSError:
            return False
    return True


def free_ports(address: str) -> Iterator[int]:
    """Ports that nobody listens on, each another."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with contextlib.ExitStack() as held:
        while True:
            one = held.enter_context(socket.socket(family))
            one.bind((address, 0))
            yield one.getsockname()[1]


def port_like(address: str, wanted: int) -> int:
    """The one that is wanted; another where that is taken, or 0."""
    return wanted if wanted and _is_free(address, wanted) else next(free_ports(address))


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((address, port))
        except OSError:
            return False
    return True


def _round_and_round(network: Network) -> Iterator[str]:
    """So that a new pod does not get the address that has just become free."""
    while True:
        yield from map(str, network.hosts())
