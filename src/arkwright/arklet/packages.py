"""Archives: fetch, check, unpack, read. In: a url. Out: a ModulePackage on disk, or a PackageError that says what is wrong.

A module archive is a wheel with exactly one entry point in group `arkwright.module`: its name is the web path, its value
the ASGI application. Identity is the wheel's own name and version. No code of the archive runs here. Files are read and unpacked in
threads: the base goes on answering.
"""

import asyncio
import configparser
import hashlib
import shutil
import stat
import tempfile
import zipfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

import aiohttp
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from arkwright.model.arklet import without_secrets

ENTRY_POINT_GROUP = "arkwright.module"


class PackageError(Exception):
    """The archive cannot be used; the message names the url or the file in it, and the reason."""


class PullError(PackageError):
    """The archive could not be fetched."""


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes; `timeout_seconds` bounds a whole download."""

    archive_bytes: int = 100 * 1024 * 1024
    unpacked_bytes: int = 500 * 1024 * 1024
    files: int = 20_000
    timeout_seconds: float = 120.0


@dataclass(frozen=True)
class ModulePackage:
    """An unpacked archive. `application` reads `package.module:attribute`; `web_path` has no slash at either end."""

    name: str
    version: str
    web_path: str
    application: str
    directory: Path

    def discard(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)


async def fetch(url: str, md5: str = "", limits: Limits | None = None) -> ModulePackage:
    """Download, verify and unpack. Digests: `#sha256=<hex>` in the url, or `md5`. Raises PackageError."""
    limits = limits or Limits()
    directory = Path(tempfile.mkdtemp(prefix="arkwright-module-"))
    archive = directory.with_suffix(".whl")
    try:
        digests = await _download(url, archive, limits)
        _check_digests(url, md5, digests)
        await asyncio.to_thread(_unpack, archive, directory, limits)
        return _read(directory, url)
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    finally:
        archive.unlink(missing_ok=True)


async def _download(url: str, target: Path, limits: Limits) -> dict[str, str]:
    digests = {"sha256": hashlib.sha256(), "md5": hashlib.md5(usedforsecurity=False)}
    size = 0
    with target.open("wb") as out:
        async for chunk in _chunks(url, limits):
            size += len(chunk)
            if size > limits.archive_bytes:
                raise PackageError(f"{without_secrets(url)} is larger than {limits.archive_bytes} bytes")
            for digest in digests.values():
                digest.update(chunk)
            out.write(chunk)
    return {name: digest.hexdigest() for name, digest in digests.items()}


async def _chunks(url: str, limits: Limits) -> AsyncIterator[bytes]:
    parts = urlsplit(url)
    if parts.scheme == "file":
        chunks = _file_chunks(Path(unquote(parts.path)), url)
        while chunk := await asyncio.to_thread(next, chunks, b""):
            yield chunk
    elif parts.scheme in ("http", "https"):
        async for chunk in _http_chunks(url, limits.timeout_seconds):
            yield chunk
    else:
        raise PullError(f"no protocol: {url!r}; a module url starts with http://, https:// or file:///")


def _file_chunks(path: Path, url: str) -> Iterator[bytes]:
    try:
        with path.open("rb") as source:
            yield from iter(lambda: source.read(1 << 20), b"")
    except OSError as error:
        raise PullError(f"cannot read {without_secrets(url)}: {error.strerror}") from error


async def _http_chunks(url: str, timeout_seconds: float) -> AsyncIterator[bytes]:
    timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=5)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
            if response.status != 200:
                raise PullError(
                    f"cannot fetch {without_secrets(url)}: the server answered {response.status} {response.reason}"
                )
            async for chunk in response.content.iter_chunked(1 << 16):
                yield chunk
    except TimeoutError as error:
        raise PullError(f"cannot fetch {without_secrets(url)}: not done after {timeout_seconds:g} s") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise PullError(f"cannot fetch {without_secrets(url)}: {error}") from error


def _check_digests(url: str, md5: str, found: dict[str, str]) -> None:
    fragment = parse_qs(urlsplit(url).fragment)
    wanted = {"sha256": fragment.get("sha256", [""])[0].lower(), "md5": md5.lower()}
    for name, digest in wanted.items():
        if digest and digest != found[name]:
            raise PackageError(f"{without_secrets(url)} has {name} {found[name]}, not {digest}: it was not loaded")


def _unpack(archive: Path, directory: Path, limits: Limits) -> None:
    try:
        with zipfile.ZipFile(archive) as wheel:
            members = wheel.infolist()
            _check_members(members, limits)
            for member in members:
                wheel.extract(member, directory)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise PackageError(f"the archive is no wheel that can be read: {error}") from error


def _check_members(members: list[zipfile.ZipInfo], limits: Limits) -> None:
    if len(members) > limits.files:
        raise PackageError(f"the archive holds {len(members)} files; the limit is {limits.files}")
    if (size := sum(member.file_size for member in members)) > limits.unpacked_bytes:
        raise PackageError(f"the archive unpacks to {size} bytes; the limit is {limits.unpacked_bytes}")
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
            raise PackageError(f"the archive's file {member.filename!r} would leave its directory")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise PackageError(f"the archive's file {member.filename!r} is a link")


def _read(directory: Path, url: str) -> ModulePackage:
    found = list(directory.glob("*.dist-info"))
    if len(found) != 1 or not (found[0] / "METADATA").is_file():
        raise PackageError(
            f"{without_secrets(url)} is no wheel: it has {len(found)} .dist-info folders with METADATA, not one"
        )
    metadata = HeaderParser().parsestr((found[0] / "METADATA").read_text(encoding="utf-8"))
    web_path, application = _entry_point(found[0] / "entry_points.txt", url)
    return ModulePackage(metadata["Name"], metadata["Version"], web_path.strip("/"), application, directory)


def _entry_point(path: Path, url: str) -> tuple[str, str]:
    points = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    points.optionxform = str  # type: ignore[method-assign, assignment]
    if path.is_file():
        points.read_string(path.read_text(encoding="utf-8"))
    found = dict(points[ENTRY_POINT_GROUP]) if points.has_section(ENTRY_POINT_GROUP) else {}
    if len(found) != 1:
        raise PackageError(
            f"{without_secrets(url)} declares {len(found)} entry points in group {ENTRY_POINT_GROUP!r}, not one; "
            f'write [project.entry-points."{ENTRY_POINT_GROUP}"] web-path = "package.module:application"'
        )
    return next(iter(found.items()))


def is_same_identity(asked: tuple[str, str], found: tuple[str, str]) -> bool:
    """Whether (name, version) name one archive: wheels normalise both, so `My_Mod 1.0-beta1` is `my-mod 1.0b1`."""
    if canonicalize_name(asked[0]) != canonicalize_name(found[0]):
        return False
    try:
        return Version(asked[1]) == Version(found[1])
    except InvalidVersion:
        return asked[1] == found[1]
