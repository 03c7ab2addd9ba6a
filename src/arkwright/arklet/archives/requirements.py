"""What a module needs besides itself. In: its requirements. Out: those its base does not meet; or packages beside it.

A requirement that the base meets is shared in every mode. Installing is pip's work, with the index and options that the
environment gives it (PIP_INDEX_URL and the like).
"""

import importlib.metadata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from arkwright.arklet.archives.errors import PackageError


@dataclass(frozen=True)
class Unmet:
    """A requirement and what the base has of it; `found` None: nothing."""

    requirement: Requirement
    found: str | None

    def __str__(self) -> str:
        has = f"has {self.requirement.name} {self.found}" if self.found else f"has no {self.requirement.name}"
        return f"it needs {self.requirement}, the base {has}"


class RequirementConflict(PackageError):
    """The base cannot give the module what it needs; the message names both versions and the ways out."""


def unmet(requirements: Iterable[Requirement]) -> list[Unmet]:
    """Those the interpreter we run in does not meet, and those of their extras that it does not."""
    found: list[Unmet] = []
    for one in requirements:
        has = _version(one.name)
        if has is None or not one.specifier.contains(has, prereleases=True):
            found.append(Unmet(one, has))
        else:
            found += unmet(_of_extras(one))
    return found


def _of_extras(requirement: Requirement) -> Iterator[Requirement]:
    """What the extras that are asked for need besides: a package may well be there without them."""
    for line in importlib.metadata.requires(requirement.name) or ():
        one = Requirement(line)
        if one.marker and any(one.marker.evaluate({"extra": extra}) for extra in requirement.extras):
            one.marker = None  # it has been met, and pip would not know by what
            yield one


def packages_of(requirements: Iterable[Requirement]) -> frozenset[str]:
    """Top-level import names of the installed distributions that are required, and of all that these require in turn."""
    wanted, seen = [one.name for one in requirements], set[str]()
    while wanted:
        name = canonicalize_name(wanted.pop())
        if name not in seen:
            seen.add(name)
            wanted += _required_by(name)
    by_name = importlib.metadata.packages_distributions()
    return frozenset(top for top, names in by_name.items() if not seen.isdisjoint(map(canonicalize_name, names)))


def _required_by(name: str) -> list[str]:
    try:
        declared = [Requirement(line) for line in importlib.metadata.requires(name) or ()]
    except importlib.metadata.PackageNotFoundError:
        return []
    return [one.name for one in declared if one.marker is None or one.marker.evaluate({"extra": ""})]


def refuse_unmet(identity: str, found: list[Unmet]) -> None:
    """Raises RequirementConflict if there is any."""
    if found:
        said = "; ".join(map(str, found))
        raise RequirementConflict(
            f"{identity} cannot share the base's packages: {said}. Install what is missing into the base, or let the module have "
            "its own: isolation process"
        )


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
