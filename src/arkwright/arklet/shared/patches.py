"""Finds what a module puts into the base's own code. In: the base's modules and classes before and after. Out: changes to put back.

Only functions and classes of the module are looked for: a value that anyone may have set is not held against it.
"""

import gc
import types
from functools import partial
from typing import Any

from arkwright.arklet.shared.ownership import Maker
from arkwright.arklet.shared.reach import Holder, holders
from arkwright.arklet.shared.state import Change, State

ABSENT: Any = object()  # there was no such attribute
Snapshot = dict[Holder, dict[str, Any]]


def snapshot() -> Snapshot:
    """What the base's modules and classes hold now; tens of milliseconds in a large base."""
    return {holder: dict(vars(holder)) for holder in holders()}


def patches(owner: Maker, before: Snapshot) -> list[Change]:
    """What `owner` has set since."""
    return [
        Change(_attribute(holder, name), held.get(name, ABSENT), value)
        for holder, held in before.items()
        for name, value in list(vars(holder).items())
        if held.get(name) is not value and owner.has_made(value)
    ]


def leftovers(owner: Maker) -> list[str]:
    """Where the base still holds functions or classes of `owner`; their originals are not known."""
    return [
        _where(holder, name)
        for holder in holders()
        for name, value in list(vars(holder).items())
        if owner.has_made(value)
    ]


def give_originals(owner: Maker, changes: list[Change]) -> None:
    """Who has kept what the module had put in the place of the base's, as who wraps that again does, gets the base's own."""
    originals = {id(one.after): one.before for one in changes if one.before is not ABSENT and owner.has_made(one.after)}
    if not originals:
        return
    for held in gc.get_referrers(*(one.after for one in changes if id(one.after) in originals)):
        if type(held) is types.CellType:
            held.cell_contents = originals[id(held.cell_contents)]
        elif type(held) is dict and _is_others(held, owner):
            held.update({key: originals[id(value)] for key, value in held.items() if id(value) in originals})


def _is_others(held: dict[str, Any], owner: Maker) -> bool:
    """Whether it is a module's globals, not the owner's, or what a function knows of the one that it wraps."""
    return "__wrapped__" in held or held.get("__builtins__") not in (None, owner.builtins)


def _attribute(holder: Holder, name: str) -> State:
    return State(_where(holder, name), lambda: vars(holder).get(name, ABSENT), partial(_set, holder, name))


def _set(holder: Holder, name: str, value: Any) -> None:
    """Raises AttributeError or TypeError where the holder does not let itself be changed back."""
    if value is ABSENT:
        delattr(holder, name)
    else:
        setattr(holder, name, value)


def _where(holder: Holder, name: str) -> str:
    prefix = "" if isinstance(holder, types.ModuleType) else f"{holder.__module__}."
    return f"{prefix}{getattr(holder, '__qualname__', holder.__name__)}.{name}"
