"""Reads wheels that are modules. In: a url. Out: a ModulePackage on disk, or a PackageError that says what is wrong.

A module archive is a wheel with exactly one entry point in a group `arkwright.module` or `arkwright.module.<isolation>`: its
name is the web path, its value the application. Identity is the wheel's own name and version. No code of the archive
runs here. Files are read and unpacked in threads: the base goes on answering.
"""

import asyncio
import configparser
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from arkwright.arklet.archives.downloads import Downloads
from arkwright.arklet.archives.errors import PackageError
from arkwright.arklet.archives.locks import LOCK_FILE, Locked, read_lock
from arkwright.arklet.archives.naming import wrong_name, wrong_version, wrong_web_path
from arkwright.arklet.archives.scratch import Scratch
from arkwright.arklet.archives.signatures import SUFFIX, check_signature, read_public_key
from arkwright.arklet.archives.sources import Sources
from arkwright.arklet.archives.unpacking import unpack
from arkwright.arklet.settings import ArchiveSettings, Isolation
from arkwright.model.urls import without_secrets

ENTRY_POINT_GROUP = "arkwright.module"
FORMER_GROUP = f"{ENTRY_POINT_GROUP}.private"  # an isolation that is no more
GROUPS: dict[str, Isolation | None] = {
    ENTRY_POINT_GROUP: None,
    **{f"{ENTRY_POINT_GROUP}.{mode}": mode for mode in Isolation},
    FORMER_GROUP: Isolation.PROCESS,
}
FORMER = f"it asks for isolation private, which is no more: it has a process of its own. Write the entry point's group as {ENTRY_POINT_GROUP}"
COMPILED = (".so", ".pyd", ".dylib", ".dll")


@contextlib.asynccontextmanager
async def nobody(url: str) -> AsyncIterator[Path]:
    """Fetches nothing. Raises PackageError."""
    raise PackageError(f"there is nobody to fetch {without_secrets(url)}")
    yield


@dataclass(frozen=True)
class ModulePackage:
    """An unpacked archive. `application` reads `package.module:attribute`; `web_path` has no slash at either end;
    `isolation` is what the archive asks for, None if it leaves that to the base; `lock`: what it needs by hash, if it says so;
    `is_signed`: nothing but what a trusted key has signed may run with it; `notes`: what its author should hear; `fetch`: for what its requirements
    name by url, a file for as long as it is used."""

    name: str
    version: str
    web_path: str
    application: str
    directory: Path
    isolation: Isolation | None = None
    requirements: tuple[Requirement, ...] = ()
    lock: tuple[Locked, ...] | None = None
    is_signed: bool = False
    notes: tuple[str, ...] = ()
    fetch: Callable[[str], AbstractAsyncContextManager[Path]] = field(default=nobody, repr=False, compare=False)

    @property
    def identity(self) -> str:
        return f"{self.name}:{self.version}"

    @property
    def beside(self) -> Path:
        """Where third-party packages of its own lie, if it has any."""
        return self.directory.with_suffix(".beside")

    @property
    def directories(self) -> tuple[Path, ...]:
        return tuple(one for one in (self.directory, self.beside) if one.is_dir())

    def compiled_files(self) -> list[str]:
        """C extensions in it, or beside it."""
        found = (path for one in self.directories for path in one.rglob("*") if path.suffix in COMPILED)
        return sorted(path.name for path in found)

    def discard(self) -> None:
        for one in (self.directory, self.beside):
            shutil.rmtree(one, ignore_errors=True)


class Packages:
    """Where a base's packages come from. Raises BadKey if a trusted key cannot be read."""

    def __init__(
        self, settings: ArchiveSettings, is_on_loopback: bool = True, reserved: frozenset[str] = frozenset()
    ) -> None:
        """`reserved`: web paths that no module may have."""
        self._settings, self._reserved = settings, reserved
        self._scratch = Scratch()
        self._downloads = Downloads(settings, self._scratch, Sources(settings, is_on_loopback))
        self._keys = tuple(read_public_key(Path(path)) for path in settings.trusted_keys)

    async def fetch(self, url: str, md5: str = "") -> ModulePackage:
        """Download, verify and unpack. Raises PackageError; nothing is left on disk then."""
        async with self._downloads.archive(url, md5) as archive:
            if self._keys:
                text = await self._downloads.beside(url, SUFFIX)
                await asyncio.to_thread(check_signature, archive, text, self._keys)
            directory = await asyncio.to_thread(self._scratch.directory, "module")
            try:
                await asyncio.to_thread(unpack, archive, directory, self._settings)
                read = _read(directory, url, self._reserved)
                return replace(read, is_signed=bool(self._keys), fetch=self._downloads.archive)
            except BaseException:
                shutil.rmtree(directory, ignore_errors=True)
                raise

    def close(self) -> None:
        """Nothing of them stays on disk."""
        self._scratch.close()


def _read(directory: Path, url: str, reserved: frozenset[str]) -> ModulePackage:
    found = list(directory.glob("*.dist-info"))
    if len(found) != 1 or not (found[0] / "METADATA").is_file():
        raise PackageError(
            f"{without_secrets(url)} is no wheel: it has {len(found)} .dist-info folders with METADATA, not one"
        )
    metadata = HeaderParser().parsestr(_text(found[0] / "METADATA"))
    missing = [header for header in ("Name", "Version") if not metadata[header]]
    if missing:
        raise PackageError(f"{without_secrets(url)} is no wheel: its METADATA has no {missing[0]}")
    wrong = wrong_name(metadata["Name"]) or wrong_version(metadata["Version"])
    if wrong:
        raise PackageError(f"{without_secrets(url)} cannot be loaded: {wrong}")
    group, web_path, application = _entry_point(found[0] / "entry_points.txt", url, reserved)
    return ModulePackage(
        name=metadata["Name"],
        version=metadata["Version"],
        web_path=web_path,
        application=application,
        directory=directory,
        isolation=GROUPS[group],
        requirements=_requirements(metadata),
        lock=read_lock(_text(found[0] / LOCK_FILE)) if (found[0] / LOCK_FILE).is_file() else None,
        notes=(FORMER,) if group == FORMER_GROUP else (),
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PackageError(f"the archive's file {path.name} cannot be read: {error}") from error


def _requirements(metadata: Message) -> tuple[Requirement, ...]:
    """Those that apply to this interpreter, without those of extras."""
    try:
        declared = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    except InvalidRequirement as error:
        raise PackageError(f"the archive's requirement cannot be read: {error}") from error
    return tuple(one for one in declared if one.marker is None or one.marker.evaluate({"extra": ""}))


def _entry_point(path: Path, url: str, reserved: frozenset[str]) -> tuple[str, str, str]:
    """Group, web path and application."""
    points = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    points.optionxform = str  # type: ignore[method-assign, assignment]
    try:
        points.read_string(_text(path) if path.is_file() else "")
    except configparser.Error as error:
        raise PackageError(f"the archive's file {path.name} cannot be read: {error}") from error
    found = [(group, *point) for group in GROUPS if points.has_section(group) for point in points[group].items()]
    if len(found) != 1:
        raise PackageError(
            f"{without_secrets(url)} declares {len(found)} entry points in group {ENTRY_POINT_GROUP!r}, not one; "
            f'write [project.entry-points."{ENTRY_POINT_GROUP}"] web-path = "package.module:application"'
        )
    group, name, application = found[0]
    web_path = name.strip("/")
    if wrong := wrong_web_path(web_path, reserved):
        raise PackageError(f"{without_secrets(url)} asks for web path {wrong}")
    return group, web_path, application


def is_same_identity(asked: tuple[str, str], found: tuple[str, str]) -> bool:
    """Whether (name, version) name one archive: wheels normalise both, so `My_Mod 1.0-beta1` is `my-mod 1.0b1`."""
    if canonicalize_name(asked[0]) != canonicalize_name(found[0]):
        return False
    try:
        return Version(asked[1]) == Version(found[1])
    except InvalidVersion:
        return asked[1] == found[1]
