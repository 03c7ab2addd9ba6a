"""Which user of this machine is at the other end of a loopback connection. In: the two ends. Out: a user's number, as the kernel tells it.

Loopback is open to every user of a machine, and only the kernel knows which one it is: Linux says so in /proc. Elsewhere nobody can tell.
"""

import ipaddress
import os
import sys
from pathlib import Path

from arkwright.model.hosts import is_loopback

End = tuple[str, int]
TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
OVERFLOW = Path("/proc/sys/kernel/overflowuid")  # stands for users of other namespaces
LOCAL, REMOTE, USER, INODE = 1, 2, 7, 9  # columns
ROOT = 0


def is_own_user(client: End, server: End) -> bool:
    """Whether this process' user, or root, is at the other end. False where that cannot be told."""
    if not (is_loopback(client[0]) and is_loopback(server[0])):
        return False
    ours, user = os.geteuid(), user_of(client, server)
    if user is None or (user == ours and ours == _overflow()):
        return False
    return user in (ours, ROOT)


def user_of(client: End, server: End) -> int | None:
    """The user whose socket `client` is; None if there is no such socket, or nobody holds it any more."""
    for table in TABLES:
        try:
            lines = table.read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            row = line.split()
            if _end(row[LOCAL]) == _known(client) and _end(row[REMOTE]) == _known(server):
                return int(row[USER]) if row[INODE] != "0" else None  # one that was let go of reads as root's
    return None


def _known(end: End) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]:
    return _plain(ipaddress.ip_address(end[0])), end[1]


def _end(text: str) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]:
    """
    >>> _end("0100007F:04D6"), _end("0000000000000000FFFF00000100007F:04D6")
    ((IPv4Address('127.0.0.1'), 1238), (IPv4Address('127.0.0.1'), 1238))
    """
    address, _, port = text.partition(":")
    words = bytes.fromhex(address)
    if sys.byteorder == "little":  # words of four bytes, each as this machine has them
        words = b"".join(words[at : at + 4][::-1] for at in range(0, len(words), 4))
    return _plain(ipaddress.ip_address(words)), int(port, 16)


def _plain(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return getattr(address, "ipv4_mapped", None) or address


def _overflow() -> int:
    try:
        return int(OVERFLOW.read_text())
    except (OSError, ValueError):
        return -1
