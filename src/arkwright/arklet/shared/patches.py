"""Finds what a module puts into the base's own code. In: the base's modules and classes before and after. Out: Patches.

Only functions and classes of the module are looked for: a value that anyone may have set is not held against it.
"""

import types
from dataclasses import dataclass
from typing import Any

from arkwright.arklet.shared.ownership import Maker
from arkwright.arklet.shared.reach import Holder, holders


@dataclass(frozen=True)
class Patch:
    """An attribute of the base that has become the module's. `original` is `ABSENT` where there was none."""

    holder: Any
    name: str
    original: Any

    @property
    def where(self) -> str:
        prefix = "" if isinstance(self.holder, types.ModuleType) else f"{self.holder.__module__}."
        return f"{prefix}{getattr(self.holder, '__qualname__', self.holder.__name__)}.{self.name}"

    def undo(self, owner: Maker) -> None:
        """Unless somebody else has replaced it since. Raises AttributeError or TypeError where the holder does not let
        itself be changed back."""
        if not owner.has_made(vars(self.holder).get(self.name)):
            return
        if self.original is ABSENT:
            delattr(self.holder, self.name)
        else:
            setattr(self.holder, self.name, self.original)


ABSENT: Any = object()
Snapshot = dict[Holder, dict[str, Any]]


def snapshot() -> Snapshot:
    """What the base's modules and classes hold now; tens of milliseconds in a large base."""
    return {holder: dict(vars(holder)) for holder in holders()}


def patches(owner: Maker, before: Snapshot) -> list[Patch]:
    """What `owner` has set since."""
    return [
        Patch(holder, name, held.get(name, ABSENT))
        for holder, held in before.items()
        for name, value in list(vars(holder).items())
        if held.get(name) is not value and owner.has_made(value)
    ]


def leftovers(owner: Maker) -> list[str]:
    """Where the base still holds functions or classes of `owner`; their originals are not known."""
    return [
        Patch(holder, name, ABSENT).where
        for holder in holders()
        for name, value in list(vars(holder).items())
        if owner.has_made(value)
    ]
