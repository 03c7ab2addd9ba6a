"""Which addresses of this machine belong to which site: two that share them would install into each other's bases.

In: a network, or none. Out: one that no other site has, held until this process ends, however that comes. Ranges are kept in files
that all users of the machine see; whoever holds a file's lock holds the range. A system with one loopback address needs none of it.
"""

import contextlib
import fcntl
import ipaddress
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
USUAL = ("127.8.0.0/16", *(f"127.{number}.0.0/16" for number in range(64, 127)))


class RangeTaken(Exception):
    """Another site has some of these addresses."""


@contextlib.contextmanager
def held_range(wish: str | None, holder: str, places: Path | None = None) -> Iterator[str]:
    """`wish`: None for any that is free; `holder`: in words, for others to read. Raises RangeTaken."""
    network = ipaddress.ip_network(wish) if wish else None
    if network is not None and network.num_addresses == 1:
        yield str(network)  # pods there have ports of their own, each a free one
        return
    directory = places or _places()
    with _one_at_a_time(directory):
        found = _first_free(directory, network)
        mark = _marked(directory, found, holder)
    with mark:
        yield str(found)


def _first_free(directory: Path, wish: Network | None) -> Network:
    taken = dict(_taken(directory))
    for one in [wish] if wish else map(ipaddress.ip_network, USUAL):
        other = next((name for network, name in taken.items() if network.overlaps(one)), None)
        if other is None:
            return one
    if wish:
        raise RangeTaken(f"{other} has addresses of {wish}")
    raise RangeTaken(f"all of {USUAL[0]} and {USUAL[1]} to {USUAL[-1]} are taken by sites of this machine")


def _taken(directory: Path) -> Iterator[tuple[Network, str]]:
    """Files that nobody holds are those of sites that are down: they go."""
    for file in directory.glob("*.range"):
        with contextlib.suppress(OSError, ValueError), file.open() as mark:
            try:
                fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield ipaddress.ip_network(file.stem.replace("_", "/")), mark.read().strip()
            else:
                file.unlink(missing_ok=True)


def _marked(directory: Path, network: Network, holder: str) -> IO[str]:
    file = directory / f"{str(network).replace('/', '_')}.range"
    with contextlib.suppress(OSError):
        file.unlink(missing_ok=True)
    mark = file.open("w")
    fcntl.flock(mark, fcntl.LOCK_EX)
    os.fchmod(mark.fileno(), 0o644)  # other users' sites look at it
    mark.write(holder)
    mark.flush()
    return mark


def _places() -> Path:
    """Of all users, for each network of this machine: a container's loopback is another one."""
    try:
        space = os.stat("/proc/self/ns/net").st_ino
    except OSError:
        space = 0
    directory = Path(tempfile.gettempdir()) / f"arkwright-addresses-{space}"
    with contextlib.suppress(OSError):
        directory.mkdir(exist_ok=True)
        directory.chmod(0o1777)  # it may be another user's: then it is so already
    return directory


@contextlib.contextmanager
def _one_at_a_time(directory: Path) -> Iterator[None]:
    gate = directory / "gate"
    with contextlib.suppress(FileExistsError):
        gate.touch(exist_ok=False)
        gate.chmod(0o644)
    with gate.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
