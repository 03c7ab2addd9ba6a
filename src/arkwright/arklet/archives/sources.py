"""Where archives may come from. In: urls, and the addresses that their hosts have. Out: nothing, or a PullError.

Any http and https host, but never a link-local or metadata address; files below certain directories. A list of prefixes narrows all that. A
redirect leads to no more inner place than the url that it begins with: from the world to a private network, to this machine, to its files.
"""

import ipaddress
import os
import socket
import tempfile
from enum import IntEnum
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver

from arkwright.arklet.archives.errors import PullError
from arkwright.arklet.settings import ArchiveSettings
from arkwright.model.urls import without_secrets

# Answers of clouds about the machine that asks; besides all link-local addresses.
METADATA = frozenset(
    map(
        ipaddress.ip_address,
        ("100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254", "fd00:c1::a9fe:a9fe"),
    )
)
# Networks whose addresses have an IPv4 address in them, and where: the last bit of it.
EMBEDDING = tuple(
    (ipaddress.IPv6Network(network), bits)
    for network, bits in (
        ("64:ff9b::/96", 0),
        ("::ffff:0:0/96", 0),
        ("::ffff:0:0:0/96", 0),
        ("::/96", 0),
        ("2002::/16", 80),
    )
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Zone(IntEnum):
    """From the inside out."""

    MACHINE = 1
    PRIVATE = 2
    WORLD = 3


def zone_of(address: str) -> Zone | None:
    """None: nobody's business.

    >>> [zone_of(one) for one in ("127.1.2.3", "10.0.0.1", "93.184.216.34", "::ffff:127.0.0.1")]
    [<Zone.MACHINE: 1>, <Zone.PRIVATE: 2>, <Zone.WORLD: 3>, <Zone.MACHINE: 1>]
    >>> zone_of("169.254.169.254"), zone_of("fe80::1"), zone_of("0.0.0.0")
    (None, None, None)
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    plain = _embedded(found)
    if plain.is_link_local or plain.is_multicast or plain.is_unspecified or plain in METADATA:
        return None
    if plain.is_loopback:
        return Zone.MACHINE
    return Zone.WORLD if plain.is_global else Zone.PRIVATE


def _embedded(address: Address) -> Address:
    """The IPv4 address that one of IPv6 leads to, if it does."""
    if isinstance(address, ipaddress.IPv6Address) and int(address) > 1:
        for network, bits in EMBEDDING:
            if address in network:
                return ipaddress.IPv4Address((int(address) >> bits) & 0xFFFFFFFF)
    return address


class Sources:
    """As one base's settings have them. Without `directories` a base on loopback reads files of its user: the home, the working directory
    and that of temporary files; another base reads none."""

    def __init__(self, settings: ArchiveSettings, is_on_loopback: bool) -> None:
        own = (Path.home(), Path.cwd(), Path(tempfile.gettempdir()), Path("/tmp")) if is_on_loopback else ()
        named = tuple(Path(one).resolve() for one in settings.directories)
        self._directories = named or tuple(dict.fromkeys(one.resolve() for one in own))
        self._allow = settings.allow

    def check(self, url: str) -> None:
        """Of a url before it is asked for, a redirect's too. Raises PullError."""
        if self._allow and not any(is_below(url, one) for one in self._allow):
            raise PullError(f"cannot fetch {without_secrets(url)}: the base's [archives] allow does not list it")
        if urlsplit(url).scheme == "file":
            self._check_file(url)

    def check_opened(self, url: str, file: IO[bytes]) -> None:
        """Of a file that is open: a path may have changed since it was looked at. Raises PullError."""
        try:
            path = Path(os.readlink(f"/proc/self/fd/{file.fileno()}"))
        except OSError:
            return  # no Linux
        self._require_own(path, url)

    def is_listed(self, url: str) -> bool:
        """Whether an administrator has named it, whatever its address is."""
        return any(is_below(url, one) for one in self._allow)

    def _check_file(self, url: str) -> None:
        parts = urlsplit(url)
        try:
            path = Path(unquote(parts.path)).resolve()
        except (OSError, ValueError) as error:
            raise PullError(f"cannot read {without_secrets(url)}: {error}") from error
        if parts.netloc not in ("", "localhost"):
            raise PullError(f"cannot read {without_secrets(url)}: a file of another machine; write file:///")
        self._require_own(path, url)

    def _require_own(self, path: Path, url: str) -> None:
        if not any(path.is_relative_to(one) for one in self._directories):
            where = ", ".join(map(str, self._directories)) or "no directory at all"
            raise PullError(
                f"cannot read {without_secrets(url)}: this base reads archives below {where}; name others in [archives] directories"
            )


def is_below(url: str, prefix: str) -> bool:
    """Whether it has that scheme, host and port, and its path begins with that one, segment by segment.

    >>> is_below("https://repo.example/mods/a.whl", "https://repo.example/mods"), is_below("https://repo.example.evil/a", "https://repo.example")
    (True, False)
    >>> is_below("https://repo.example/mods/../etc", "https://repo.example/mods"), is_below("https://me@repo.example/a", "https://repo.example/")
    (False, True)
    """
    try:
        asked, listed = urlsplit(url), urlsplit(prefix)
        if (asked.scheme, asked.hostname, asked.port) != (listed.scheme, listed.hostname, listed.port):
            return False
    except ValueError:
        return False
    path, start = _plain_path(asked.path), unquote(listed.path).rstrip("/")
    is_odd = "\\" in path or any(one.partition(";")[0] in (".", "..") for one in path.split("/"))
    return not is_odd and (path == start or path.startswith(f"{start}/"))


def _plain_path(path: str) -> str:
    """As the most willing of servers reads it: with nothing escaped any more."""
    while (plainer := unquote(path)) != path:
        path = plainer
    return path


class Ways:
    """The addresses that one download may connect to, hop by hop. Names may lead anywhere: `connector` looks at what they lead to."""

    def __init__(self) -> None:
        self.floor = Zone.MACHINE
        self.is_listed = False
        self._seen: list[Zone] = []

    def begin_hop(self, url: str, is_listed: bool) -> None:
        """The next request. Raises PullError for an address that may not be asked."""
        self.floor = min(self._seen, default=self.floor)
        self._seen, self.is_listed = [], is_listed
        host = urlsplit(url).hostname or ""
        try:
            ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return
        self.take(host, host)

    def take(self, host: str, address: str) -> None:
        """Raises PullError."""
        zone = zone_of(address)
        if zone is None and not self.is_listed:
            raise PullError(f"cannot fetch from {host}: {address} is a link-local or metadata address")
        if zone is not None and zone < self.floor:
            raise PullError(f"cannot fetch from {host}: a redirect leads to a more inner place, {address}")
        self._seen.append(zone or Zone.MACHINE)


class _Resolver(AbstractResolver):
    """Leaves out nothing: one address that may not be asked is enough to ask none."""

    def __init__(self, ways: Ways) -> None:
        self._ways, self._names = ways, DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._names.resolve(host, port, family)
        for one in found:
            self._ways.take(host, one["host"])
        return found

    async def close(self) -> None:
        await self._names.close()


def connector(ways: Ways) -> aiohttp.TCPConnector:
    return aiohttp.TCPConnector(resolver=_Resolver(ways), use_dns_cache=False)
