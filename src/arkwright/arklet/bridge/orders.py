"""What a base asks of the process that starts its modules' processes, and what that reports. In: Structs, descriptors. Out: the same, read.

Two sockets, one for each direction: orders carry descriptors along. Both sides are ours and trust each other.
"""

import logging
import socket
from typing import Any, TypeVar

import msgspec

from arkwright.arklet.bridge.frames import LENGTH_BYTES, encoded

DESCRIPTORS = 4  # at most, with one order


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A module to run. `directories` come first in the import path, `path` after them; `memory_bytes` and `cpus`: 0 is no limit;
    `bridge`, `services`: descriptors of the sockets to the base, in the process that runs it."""

    identity: str
    application: str
    directories: list[str]
    path: list[str] = []
    memory_bytes: int = 0
    cpus: int = 0
    log_level: int = logging.WARNING
    threads: int = 40
    shutdown_seconds: float = 30.0
    bridge: int = -1
    services: int = -1


class Fork(msgspec.Struct, frozen=True, tag=True):
    """Start a module; the descriptors of its bridge, its services' line and its output come along. `is_fresh`: as an interpreter of its own."""

    number: int
    order: Order
    is_fresh: bool = False


class Preload(msgspec.Struct, frozen=True, tag=True):
    """Import these, where that is safe."""

    names: list[str]


class Signal(msgspec.Struct, frozen=True, tag=True):
    """Send a signal to a child and all that it has started."""

    pid: int
    signal: int


class Born(msgspec.Struct, frozen=True, tag=True):
    """A child has been started."""

    number: int
    pid: int


class Gone(msgspec.Struct, frozen=True, tag=True):
    """A child has ended; `code` as subprocess has it: negative for a signal."""

    pid: int
    code: int


class Preloaded(msgspec.Struct, frozen=True, tag=True):
    """What has been asked for, and the packages that were left out because they start threads when they are imported."""

    names: list[str]
    unsafe: list[str]


FromBase = Fork | Preload | Signal
FromWarm = Born | Gone | Preloaded
Kind = TypeVar("Kind")


def send(connection: socket.socket, said: msgspec.Struct, descriptors: tuple[int, ...] = ()) -> None:
    """Waits until the other side has taken it. Raises OSError."""
    data = encoded(said)
    sent = socket.send_fds(connection, [data], descriptors) if descriptors else 0
    connection.sendall(data[sent:])


def receive(connection: socket.socket, kinds: Any) -> "tuple[Any, list[int]] | None":
    """What is said next, and the descriptors that came along; None if nothing will be said any more."""
    head, descriptors, _, _ = socket.recv_fds(connection, LENGTH_BYTES, DESCRIPTORS)
    if not head or not (head := head + _exactly(connection, LENGTH_BYTES - len(head))):
        return None
    payload = _exactly(connection, int.from_bytes(head, "big"))
    return msgspec.msgpack.decode(payload, type=kinds), list(descriptors)


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count and (more := connection.recv(count - len(data))):
        data += more
    return bytes(data)
