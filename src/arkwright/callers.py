"""Which user of this machine is at the other end of a loopback connection. In: the two ends. Out: a user's number, as the kernel tells it.

Loopback is open to every user of a machine, and only the kernel knows which one it is: Linux says so in /proc. Elsewhere nobody can tell.
"""

import ipaddress
import os
import socket
import struct
import sys
from pathlib import Path

from arkwright.model.hosts import is_loopback

End = tuple[str, int]
KnownEnd = tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]
TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
OVERFLOW = Path("/proc/sys/kernel/overflowuid")  # stands for users of other namespaces
LOCAL, REMOTE, USER, INODE = 1, 2, 7, 9  # columns
ROOT = 0
UNKNOWN = -1  # no user's number
# linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h
AF_NETLINK, NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST = 16, 4, 20, 1
ALL_STATES = ANY = 0xFFFFFFFF
HEAD_BYTES, ABOUT_BYTES, ENDS_AT, USER_AT = 16, 72, 4, 64


def is_own_user(client: End, server: End) -> bool:
    """Whether this process' user, or root, is at the other end. False where that cannot be told."""
    if not (is_loopback(client[0]) and is_loopback(server[0])):
        return False
    ours, user = os.geteuid(), user_of(client, server)
    if user is None or (user == ours and ours == _overflow()):
        return False
    return user in (ours, ROOT)


def is_stranger(client: End, server: End) -> bool:
    """Whether it is another user of this machine, as far as the system tells; who comes from elsewhere is none."""
    is_told = sys.platform.startswith("linux") and is_loopback(client[0]) and is_loopback(server[0])
    return is_told and not is_own_user(client, server)


def user_of(client: End, server: End) -> int | None:
    """The user whose socket `client` is; None if there is no such socket, or nobody holds it any more."""
    ends = _known(client), _known(server)
    found = _asked(*ends)
    return _looked_up(*ends) if found is UNKNOWN else found


def _asked(client: KnownEnd, server: KnownEnd) -> int | None:
    """Of the kernel, about this one socket (sock_diag). UNKNOWN where it may not be asked."""
    family = socket.AF_INET if client[0].version == 4 else socket.AF_INET6
    ends = struct.pack("!HH16s16s", client[1], server[1], client[0].packed, server[0].packed)
    wish = struct.pack("=BBBBI", family, socket.IPPROTO_TCP, 0, 0, ALL_STATES) + ends + struct.pack("=III", 0, ANY, ANY)
    head = struct.pack("=IHHII", HEAD_BYTES + len(wish), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0)
    try:
        with socket.socket(AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as kernel:
            kernel.settimeout(1)
            kernel.send(head + wish)
            answer = kernel.recv(4096)
    except OSError:
        return UNKNOWN
    if len(answer) < HEAD_BYTES + ABOUT_BYTES or struct.unpack_from("=H", answer, 4)[0] != SOCK_DIAG_BY_FAMILY:
        return UNKNOWN  # a dual-stack socket is of the other family, and is found in the table
    if answer[HEAD_BYTES + ENDS_AT : HEAD_BYTES + ENDS_AT + len(ends)] != ends:
        return UNKNOWN  # where the connection is gone it tells of a socket that listens at the client's address, which may be anybody's
    user, inode = struct.unpack_from("=II", answer, HEAD_BYTES + USER_AT)
    return user if inode else None  # one that was let go of reads as root's


def _looked_up(client: KnownEnd, server: KnownEnd) -> int | None:
    """In the tables of all sockets: that takes milliseconds."""
    for table in TABLES:
        try:
            lines = table.read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            row = line.split()
            if _end(row[LOCAL]) == client and _end(row[REMOTE]) == server:
                return int(row[USER]) if row[INODE] != "0" else None
    return None


def _known(end: End) -> KnownEnd:
    return _plain(ipaddress.ip_address(end[0])), end[1]


def _end(text: str) -> KnownEnd:
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
