"""Packages that lie beside a module. In: its requirements. Out: what the base's environment has not, and only that, in a directory.

Resolving and installing are pip's work, with the index and options that its environment gives it (PIP_INDEX_URL and the like). It
resolves against what is installed in the base, so nothing that the base has is there twice or in another version, unless
a requirement asks for another version.
"""

import asyncio
import contextlib
import re
import shutil
import sys
import tempfile
import zipfile
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from arkwright.arklet.archives.errors import PackageError
from arkwright.arklet.archives.locks import Locked, refuse_sources
from arkwright.model.urls import without_secrets

PIP_SECONDS = 300.0
METADATA = re.compile(r"[^/]+\.dist-info/METADATA")
Fetch = Callable[[str], AbstractAsyncContextManager[Path]]
PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--only-binary", ":all:")


class _Digests(msgspec.Struct, frozen=True):
    hashes: dict[str, str] = {}


class _Archive(msgspec.Struct):
    url: str
    archive_info: _Digests = _Digests()


class _Distribution(msgspec.Struct):
    name: str
    version: str


class _Found(msgspec.Struct):
    """One that pip would install."""

    metadata: _Distribution
    download_info: _Archive
    is_direct: bool = False

    def __str__(self) -> str:
        one = self.metadata
        return f"{one.name} @ {self.download_info.url}" if self.is_direct else f"{one.name}=={one.version}"


class _Report(msgspec.Struct):
    """What `pip install --report` writes, as far as it is needed here."""

    install: list[_Found]


async def resolved(requirements: list[str]) -> list[Locked]:
    """What they come to here and now, whatever is installed already; by name. Raises PackageError with pip's own words."""
    if not requirements:
        return []
    report = await _pip(requirements, "--dry-run", "--ignore-installed", "--report", "-", *requirements)
    return sorted(map(_locked, msgspec.json.decode(report, type=_Report).install), key=lambda one: one.name)


def _locked(found: _Found) -> Locked:
    about, digest = found.metadata, found.download_info.archive_info.hashes.get("sha256")
    if found.is_direct or not digest:
        raise PackageError(f"{about.name} comes by a url, which no lock can name: name a version of an index")
    return Locked(canonicalize_name(about.name), about.version, (f"sha256:{digest}",))


async def install_locked(lock: Iterable[Locked], directory: Path) -> list[str]:
    """What of it the base has not, by its hashes and nothing else. Raises PackageError with pip's own words."""
    missing = [one for one in lock if not one.is_here()]
    named = [f"{one.name}=={one.version}" for one in missing]
    if missing:
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write("\n".join(one.line() for one in missing))
            file.flush()
            words = ("--require-hashes", "--no-deps", "--no-compile", "--target", str(directory), "-r", file.name)
            await _pip(named, *words)
    return named


async def install_beside(requirements: Iterable[Requirement], directory: Path, fetch: Fetch) -> list[str]:
    """Into `directory`; the names of what lies there then. `fetch`: what a requirement names by url, where this base may have it from.
    Raises PackageError, with pip's own words where it is pip that fails."""
    requirements = tuple(requirements)
    refuse_sources(requirements)
    said = [_shown(one) for one in requirements]
    async with contextlib.AsyncExitStack() as stack:
        wheels = {one.name: await stack.enter_async_context(_wheel(one, fetch)) for one in requirements if one.url}
        wanted = [_at(one, wheels[one.name]) if one.url else str(one) for one in requirements]
        report = await _pip(said, "--dry-run", "--report", "-", *wanted)
        found = msgspec.json.decode(report, type=_Report).install
        _refuse_foreign(found, {one.as_uri() for one in wheels.values()})
        if found:
            await _pip(said, "--no-deps", "--no-compile", "--target", str(directory), *map(str, found))
    return [f"{one.metadata.name}=={one.metadata.version}" for one in found]


def _shown(requirement: Requirement) -> str:
    return f"{requirement.name} @ {without_secrets(requirement.url)}" if requirement.url else str(requirement)


def _at(requirement: Requirement, wheel: Path) -> str:
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return f"{requirement.name}{extras} @ {wheel.as_uri()}"


@contextlib.asynccontextmanager
async def _wheel(requirement: Requirement, fetch: Fetch) -> AsyncIterator[Path]:
    """What its url leads to, as a file of the name that pip reads; pip itself would ask anybody, and follow redirects anywhere."""
    assert requirement.url
    name = PurePosixPath(unquote(urlsplit(requirement.url).path)).name
    async with fetch(requirement.url) as archive:
        with tempfile.TemporaryDirectory() as directory:
            wheel = Path(directory) / name
            await asyncio.to_thread(shutil.copyfile, archive, wheel)
            await asyncio.to_thread(_refuse_further, requirement.name, wheel)
            yield wheel


def _refuse_further(name: str, wheel: Path) -> None:
    """Its own requirements by url would be pip's to fetch. Raises PackageError."""
    try:
        with zipfile.ZipFile(wheel) as members:
            texts = [members.read(one).decode() for one in members.namelist() if METADATA.fullmatch(one)]
        declared = [
            Requirement(line) for text in texts for line in HeaderParser().parsestr(text).get_all("Requires-Dist", [])
        ]
    except (zipfile.BadZipFile, OSError, ValueError, KeyError, NotImplementedError) as error:
        raise PackageError(f"it needs {name} by a url that leads to no wheel: {error}") from error
    if further := [one.name for one in declared if one.url]:
        raise PackageError(
            f"it needs {name}, which needs {', '.join(further)} by a url: name that url in the module's own requirements"
        )


def _refuse_foreign(found: list[_Found], ours: set[str]) -> None:
    """Of urls, those that a package of the index names: nobody has looked at them. Raises PackageError."""
    if foreign := [one.metadata.name for one in found if one.is_direct and one.download_info.url not in ours]:
        raise PackageError(f"what it needs asks for {', '.join(foreign)} by a url, which this base does not follow")


async def _pip(wanted: list[str], *words: str) -> bytes:
    """What it says on standard output."""
    pip = await asyncio.create_subprocess_exec(
        sys.executable,
        *PIP,
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        told, complained = await asyncio.wait_for(pip.communicate(), PIP_SECONDS)
    except BaseException:
        pip.kill()
        await pip.wait()
        raise
    if pip.returncode:
        lines = [
            one.removeprefix("ERROR: ") for one in complained.decode(errors="replace").splitlines() if "ERROR" in one
        ]
        said: Any = " ".join(lines) or complained[-500:]
        raise PackageError(f"cannot install {', '.join(wanted)} beside the module: {said!r}")
    return told
