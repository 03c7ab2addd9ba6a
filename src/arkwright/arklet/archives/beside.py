"""Packages that lie beside a module. In: its requirements. Out: what the base's environment has not, and only that, in a directory.

Resolving and installing are pip's work, with the index and options that its environment gives it (PIP_INDEX_URL and the like). It
resolves against what is installed in the base, so nothing that the base has is there twice or in another version, unless
a requirement asks for another version.
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from packaging.requirements import Requirement

from arkwright.arklet.archives.errors import PackageError
from arkwright.arklet.archives.locks import Locked, refuse_sources

PIP_SECONDS = 300.0
PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--only-binary", ":all:")


class _Archive(msgspec.Struct):
    url: str


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


async def install_beside(requirements: Iterable[Requirement], directory: Path) -> list[str]:
    """Into `directory`; the names of what lies there then. Raises PackageError with pip's own words."""
    requirements = tuple(requirements)
    refuse_sources(requirements)
    wanted = [str(one) for one in requirements]
    report = await _pip(wanted, "--dry-run", "--report", "-", *wanted)
    missing = [str(one) for one in msgspec.json.decode(report, type=_Report).install]
    if missing:
        await _pip(wanted, "--no-deps", "--no-compile", "--target", str(directory), *missing)
    return missing


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
