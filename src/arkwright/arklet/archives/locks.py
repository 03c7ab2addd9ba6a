"""What a module needs, by hash: a lock that lies in its archive, and that the archive's signature covers. In: text. Out: packages with hashes.

It is a file of pip's: `name==version --hash=sha256:<hex>`, a package a line. `arkwright module build --lock` writes it.
"""

import importlib.metadata
import re
from collections.abc import Iterable
from dataclasses import dataclass

from packaging.requirements import Requirement

from arkwright.arklet.archives.errors import PackageError

LOCK_FILE = "arkwright-lock.txt"
LINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9.!+_-]+)((?: --hash=sha256:[0-9a-f]{64})+)")
WAY_OUT = "build the archive with `arkwright module build --lock`, and sign that"


@dataclass(frozen=True)
class Locked:
    """One package; `hashes`: of the files that it may be, as pip writes them."""

    name: str
    version: str
    hashes: tuple[str, ...]

    def line(self) -> str:
        return f"{self.name}=={self.version} " + " ".join(f"--hash={one}" for one in self.hashes)

    def is_here(self) -> bool:
        """Whether the interpreter we run in has that very version."""
        try:
            return importlib.metadata.version(self.name) == self.version
        except importlib.metadata.PackageNotFoundError:
            return False


def read_lock(text: str) -> tuple[Locked, ...]:
    """Raises PackageError for anything else than packages with hashes: pip would take options, urls and paths from such a file, too.

    >>> [one.name for one in read_lock("# comment\\nidna==3.10 --hash=sha256:" + "0" * 64)]
    ['idna']
    """
    found = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        parts = LINE.fullmatch(line.strip())
        if parts is None:
            raise PackageError(
                f"the archive's {LOCK_FILE} has a line that names no package with its hash: {line[:80]!r}"
            )
        hashes = tuple(one.removeprefix("--hash=") for one in parts[3].split())
        found.append(Locked(parts[1], parts[2], hashes))
    return tuple(found)


def refuse_unlocked(requirements: Iterable[Requirement]) -> None:
    """A base that trusts signed archives runs nothing that nobody has signed. Raises PackageError."""
    said = ", ".join(map(str, requirements))
    raise PackageError(
        f"it needs {said}, which the base has not, and this base runs signed code only: nothing in the archive says by hash what is to be installed;"
        f" {WAY_OUT}, or install it into the base"
    )


def refuse_sources(requirements: Iterable[Requirement]) -> None:
    """To build what a url leads to would run its code, in the base's name. Raises PackageError."""
    for one in requirements:
        if one.url and one.url.partition(":")[0] not in ("file", "http", "https"):
            raise PackageError(f"it needs {one.name} by a url that is none of http, https and file")
        if one.url and not one.url.partition("#")[0].partition("?")[0].endswith(".whl"):
            raise PackageError(f"it needs {one.name} by a url that leads to no wheel, and nothing is built in a base")
