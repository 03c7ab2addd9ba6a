"""Gets archives onto this machine. In: a url. Out: a file with the digests it was asked for, or a PullError.

http(s) downloads go on where a broken connection left them, if the server can tell that the file is the same; archives
that name their sha256 are kept, up to a size budget. Not done here: looking into the file.
"""

import asyncio
import logging
import os
import re
import shutil
import socket
import ssl
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

import aiohttp
import yarl

from arkwright.arklet.archives.digests import digests_of, mismatch
from arkwright.arklet.archives.errors import PackageError, PullError
from arkwright.arklet.archives.scratch import Scratch
from arkwright.arklet.archives.sources import Sources, Ways, connector
from arkwright.arklet.settings import MEGABYTE, ArchiveSettings
from arkwright.model.text import plain
from arkwright.model.urls import without_secrets

log = logging.getLogger(__name__)
CHUNK_BYTES = 1 << 18
SILENCE_SECONDS = 30.0  # without a byte, a connection counts as broken
RESUMES = 5
REDIRECTS = 10
REDIRECTING = (301, 302, 303, 307, 308)
PAGES = ("text/html", "application/xhtml+xml")
PAUSE_SECONDS = 0.1  # before going on; doubled each time


@dataclass
class _Transfer:
    """One download under way: what has come, and what tells that the rest belongs to it (an ETag or a date)."""

    url: str
    out: IO[bytes]
    limit_bytes: int
    size: int = 0
    validator: str = ""

    def add(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if self.size > self.limit_bytes:
            raise PackageError(f"{without_secrets(self.url)} is larger than {self.limit_bytes} bytes")
        self.out.write(chunk)

    def begin_again(self) -> None:
        self.out.seek(0)
        self.out.truncate()
        self.size = 0


class Downloads:
    """The archives of one base. Raises OSError if its cache directory cannot be made."""

    def __init__(self, settings: ArchiveSettings, scratch: Scratch, sources: Sources) -> None:
        self._settings, self._scratch, self._sources = settings, scratch, sources
        self._cache = Path(settings.cache_directory) if settings.cache_directory else None
        if self._cache:
            self._cache.mkdir(parents=True, exist_ok=True, mode=0o700)

    @asynccontextmanager
    async def archive(self, url: str, md5: str = "") -> AsyncIterator[Path]:
        """The file, until the block ends. Digests: `#sha256=<hex>` or `#sha512=<hex>` in the url, or `md5`. Raises PackageError."""
        wanted = digests_of(url, md5)
        async with self._directory("download") as directory:
            try:
                target = directory / "archive.whl"
                if not await asyncio.to_thread(self._from_cache, wanted, target):
                    await self._pull(url, target)
                    if wrong := await asyncio.to_thread(mismatch, target, wanted):
                        raise PackageError(f"{without_secrets(url)} {wrong}: it was not loaded")
                    await asyncio.to_thread(self._keep, wanted.get("sha256", ""), target)
                yield target
            except OSError as error:
                said = f"{without_secrets(url)} cannot be stored here: {error.strerror or error}"
                raise PackageError(said) from error

    async def beside(self, url: str, suffix: str) -> bytes:
        """A small file that lies next to the archive. Raises PullError."""
        parts = urlsplit(url)
        other = urlunsplit((parts.scheme, parts.netloc, parts.path + suffix, parts.query, ""))
        async with self._directory("beside") as directory:
            target = directory / "file"
            await self._pull(other, target, limit_bytes=1 << 16)
            return await asyncio.to_thread(target.read_bytes)

    @asynccontextmanager
    async def _directory(self, purpose: str) -> AsyncIterator[Path]:
        """Until the block ends."""
        made = await asyncio.to_thread(self._scratch.directory, purpose)
        try:
            yield made
        finally:
            await asyncio.to_thread(shutil.rmtree, made, ignore_errors=True)

    async def _pull(self, url: str, target: Path, limit_bytes: int = 0) -> None:
        limit = limit_bytes or self._settings.archive_mb * MEGABYTE
        scheme = urlsplit(url).scheme
        self._sources.check(url)
        with target.open("wb") as out:
            transfer = _Transfer(url, out, limit)
            if scheme == "file":
                await asyncio.to_thread(_copy, transfer, self._sources)
            elif scheme in ("http", "https"):
                await self._pull_over_http(transfer)
            else:
                shown = without_secrets(url)
                raise PullError(f"no protocol: {shown!r}; a module url starts with http://, https:// or file:///")

    async def _pull_over_http(self, transfer: _Transfer) -> None:
        seconds = self._settings.timeout_seconds
        try:
            ways = Ways()
            async with asyncio.timeout(seconds), _session(ways) as session:
                await _with_resumes(_Road(session, ways, self._sources), transfer)
        except TimeoutError as error:
            raise PullError(f"cannot fetch {without_secrets(transfer.url)}: not done after {seconds:g} s") from error
        except (aiohttp.ClientError, ConnectionError, ValueError) as error:
            raise PullError(f"cannot fetch {without_secrets(transfer.url)}: {_plainly(error)}") from error

    def _from_cache(self, wanted: dict[str, str], target: Path) -> bool:
        """Copied, not linked: other bases may share the cache, so what is in it may go at any moment. A file that has changed
        there is dropped."""
        kept = self._kept(wanted.get("sha256", ""))
        if kept is None:
            return False
        try:
            shutil.copyfile(kept, target)
            os.utime(kept)
        except FileNotFoundError:
            return False
        if mismatch(target, wanted):
            kept.unlink(missing_ok=True)
            return False
        return True

    def _keep(self, sha256: str, archive: Path) -> None:
        """What cannot be kept costs the next download, not this one."""
        kept = self._kept(sha256)
        if kept is None:
            return
        part = kept.with_name(f"{kept.name}.{archive.parent.name}")
        try:
            shutil.copyfile(archive, part)
            part.replace(kept)
            self._make_room()
        except OSError as error:
            log.warning("archive %s was not kept in %s: %s", sha256, self._cache, error.strerror or error)
            with suppress(OSError):
                part.unlink()

    def _kept(self, sha256: str) -> Path | None:
        """Where the archive of that digest would lie; the digest is checked, for it becomes a file's name."""
        is_digest = len(sha256) == 64 and not set(sha256) - set("0123456789abcdef")
        return self._cache / sha256 if self._cache and is_digest else None

    def _make_room(self) -> None:
        """The archives that were used longest ago go until the rest fits the budget."""
        assert self._cache
        room = self._settings.cache_mb * MEGABYTE
        for _, size, path in sorted(_used(self._cache), reverse=True):
            room -= size
            if room < 0:
                path.unlink(missing_ok=True)


def _used(directory: Path) -> Iterator[tuple[float, int, Path]]:
    """(when it was used last, bytes, file) of each that is there still."""
    for one in directory.iterdir():
        with suppress(FileNotFoundError):
            found = one.stat()
            yield found.st_mtime, found.st_size, one


@dataclass(frozen=True)
class _Road:
    """How one archive is asked for: the urls that may be asked, and the addresses behind them."""

    session: aiohttp.ClientSession
    ways: Ways
    sources: Sources

    @asynccontextmanager
    async def get(self, url: str, headers: dict[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer at the end of its redirects. Raises PullError. Urls go as they were written: a signature is over their bytes."""
        for _ in range(REDIRECTS + 1):
            self.sources.check(url)
            self.ways.begin_hop(url, self.sources.is_listed(url))
            asked = yarl.URL(url.partition("#")[0], encoded=True)
            async with self.session.get(asked, headers=headers, allow_redirects=False) as response:
                if response.status not in REDIRECTING or "Location" not in response.headers:
                    yield response
                    return
                url = urljoin(url, response.headers["Location"])
            if urlsplit(url).scheme not in ("http", "https"):
                raise PullError(f"a redirect leads to {without_secrets(url)}, which is not followed")
        raise PullError(f"more than {REDIRECTS} redirects, the last to {without_secrets(url)}")


def _session(ways: Ways) -> aiohttp.ClientSession:
    """Bytes as the server has them: a digest is of the archive, not of what a transfer encoding makes of it."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=SILENCE_SECONDS)
    headers = {"Accept-Encoding": "identity"}
    return aiohttp.ClientSession(connector=connector(ways), timeout=timeout, auto_decompress=False, headers=headers)


def _plainly(error: Exception) -> str:
    """Without what the library says of urls."""
    cause = getattr(error, "os_error", error)
    if isinstance(cause, ssl.SSLError | socket.gaierror):
        return str(cause.strerror or type(cause).__name__)
    if number := getattr(cause, "errno", None):
        return os.strerror(number)
    if isinstance(error, aiohttp.InvalidURL | ValueError):
        return "the url cannot be read"
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__.removesuffix("Error")).lower()


async def _with_resumes(road: _Road, transfer: _Transfer) -> None:
    pause = PAUSE_SECONDS
    for left in reversed(range(RESUMES + 1)):
        before = transfer.size
        try:
            await _request(road, transfer)
            return
        except (aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError, ConnectionResetError):
            if not left or transfer.size == before:
                raise
        await asyncio.sleep(pause)
        pause *= 2


async def _request(road: _Road, transfer: _Transfer) -> None:
    """One connection's worth of bytes, from the first one that is missing."""
    headers = {}
    if transfer.size and transfer.validator:
        headers = {"Range": f"bytes={transfer.size}-", "If-Range": transfer.validator}
    async with road.get(transfer.url, headers) as response:
        if response.status == 200:
            transfer.begin_again()
        elif response.status != 206 or _first_byte(response) != transfer.size:
            said = f"the server answered {response.status} {plain(response.reason or '', 60)}".rstrip()
            raise PullError(f"cannot fetch {without_secrets(transfer.url)}: {said}")
        if response.content_type in PAGES:
            said = "the server answered with a web page, not with an archive: does it want a login?"
            raise PullError(f"cannot fetch {without_secrets(transfer.url)}: {said}")
        transfer.validator = _validator(response)
        async for chunk in response.content.iter_chunked(CHUNK_BYTES):
            transfer.add(chunk)


def _first_byte(response: aiohttp.ClientResponse) -> int:
    unit, _, rest = response.headers.get("Content-Range", "").partition(" ")
    start = rest.partition("-")[0]
    return int(start) if unit == "bytes" and start.isdecimal() else -1


def _validator(response: aiohttp.ClientResponse) -> str:
    """A strong ETag, else the date: RFC 9110 13.1.5 lets no weak one resume."""
    etag = response.headers.get("ETag", "")
    return etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified", "")


def _copy(transfer: _Transfer, sources: Sources) -> None:
    path = Path(unquote(urlsplit(transfer.url).path))
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise PullError(f"cannot read {without_secrets(transfer.url)}: it is not a file")  # a pipe might never end
        source = path.open("rb")
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        said = getattr(error, "strerror", None) or error
        raise PullError(f"cannot read {without_secrets(transfer.url)}: {said}") from error
    with source:
        sources.check_opened(transfer.url, source)
        while chunk := source.read(CHUNK_BYTES):
            transfer.add(chunk)
