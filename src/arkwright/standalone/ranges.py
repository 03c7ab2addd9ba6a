"""Which addresses of this machine belong to which site: two that share them would install into each other's bases.

In: a network, or none. Out: one that no other site has, held until this process ends, however that comes. Ranges are kept in files
that all users of the machine see; whoever holds a file's lock holds the range. A system with one loopback address needs none of it.
"""

import contextlib
import fcntl
import ipaddress
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from arkwright.model.text import plain

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
USUAL = ("127.8.0.0/16", *(f"127.{number}.0.0/16" for number in range(64, 127)))
HOLDER_BYTES = 400
GATE_SECONDS = 5.0


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
        if other is None and os.path.lexists(_file(directory, one)):
            other = f"{_file(directory, one)}, which another user has left there,"
        if other is None:
            return one
    if wish:
        raise RangeTaken(f"{other} has addresses of {wish}")
    raise RangeTaken(f"all of {USUAL[0]} and {USUAL[1]} to {USUAL[-1]} are taken by sites of this machine")


def _file(directory: Path, network: Network) -> Path:
    return directory / f"{str(network).replace('/', '_')}.range"


def _taken(directory: Path) -> Iterator[tuple[Network, str]]:
    """Files that nobody holds are those of sites that are down: they go. The directory may be anybody's, and so may be what is in it."""
    for file in directory.glob("*.range"):
        with contextlib.suppress(OSError, ValueError), _opened(file) as mark:
            try:
                fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = plain(mark.read(HOLDER_BYTES).strip(), HOLDER_BYTES)
                yield ipaddress.ip_network(file.stem.replace("_", "/")), holder
            else:
                file.unlink(missing_ok=True)


def _opened(file: Path) -> IO[str]:
    """To read; no link, and nothing that would keep us waiting. Raises OSError."""
    number = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise OSError(f"{file} is no file")
    return os.fdopen(number, errors="replace")


def _marked(directory: Path, network: Network, holder: str) -> IO[str]:
    """A file that was not there before: one that somebody has put there might lead to another. Raises RangeTaken."""
    file = _file(directory, network)
    try:
        number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        raise RangeTaken(f"{network} cannot be held: {file}: {error.strerror}") from error
    mark = os.fdopen(number, "w")
    fcntl.flock(mark, fcntl.LOCK_EX)
    os.fchmod(number, 0o644)  # other users' sites look at it
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
    with contextlib.suppress(OSError):  # it is there already, another user's perhaps
        directory.mkdir()
        os.chmod(directory, 0o1777)
    if directory.is_symlink() or not directory.is_dir():
        raise RangeTaken(f"{directory} is no directory; remove it")
    return directory


@contextlib.contextmanager
def _one_at_a_time(directory: Path) -> Iterator[None]:
    """Nobody else's lock holds us up for long. Raises RangeTaken."""
    gate, until = directory / "gate", time.monotonic() + GATE_SECONDS
    with contextlib.suppress(OSError):
        made = os.open(gate, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        os.fchmod(made, 0o644)
        os.close(made)
    try:
        lock = _opened(gate)
    except OSError as error:
        raise RangeTaken(f"{gate} cannot be used: {error.strerror or error}; remove it") from error
    with lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > until:
                    raise RangeTaken(f"somebody holds {gate}, and does not let go of it") from error
                time.sleep(0.05)
        yield
