"""What libraries and the base keep of a module's functions, classes and instances. In: its Maker, when it goes. Out: it is let go of.

Caches are emptied; out of what modules and classes hold (dictionaries, lists, sets, weak ones too, registries of `singledispatch`) the
entries are taken that are the module's. What lies deeper is the holder's, and named when the module has gone (`residue`).
"""

import contextlib
import gc
import types
import typing
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import _lru_cache_wrapper
from typing import Any
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary

from arkwright.arklet.shared.ownership import Maker
from arkwright.arklet.shared.reach import all_of, holders, reaches

MAPPINGS = (dict, WeakKeyDictionary, WeakValueDictionary)
SETS = (set, WeakSet)
CONTAINERS = (*MAPPINGS, *SETS, list, deque)
THEIR_OWN = {"arkwright", "threading"}  # threads that run are in tables there
NEAR, FAR = 4, 12  # steps from a cache to what is the module's
TABLES = {"__builtins__", "modules"}  # sys.modules: `namespace` does that


@dataclass(frozen=True)
class Holding:
    """`where` is empty for a cache."""

    where: str
    container: Any


def holding(owner: Maker) -> list[Holding]:
    """What has entries of the module's. Takes tens of milliseconds in a large base."""
    return [Holding("", one) for one in _caches(owner, NEAR)] + [
        one for one in _containers() if _entries(one.container, owner)
    ]


def let_go(owner: Maker, held: list[Holding]) -> list[str]:
    """Where something was taken out, in words; caches are not worth any. In the thread of the loop, whose code may go through these."""
    for clear in typing._cleanups:  # type: ignore[attr-defined]  # of Optional[X] and the like: every X
        clear()
    for one in held:
        if not one.where:
            one.container.cache_clear()
    return [one.where for one in held if one.where and _take_out(one.container, owner)]


def empty_deep(owner: Maker) -> None:
    """Caches whose entries lead to something of the module's through objects of libraries. Takes longer than to look near them."""
    for one in _caches(owner, FAR):
        one.cache_clear()


def empty_scopes(kind: type, owner: Maker) -> None:
    """A server keeps the scope of the last request of each connection, in which frameworks leave what answered it. `kind`: of the state
    that is in scopes of the module's requests."""
    states = [one for one in gc.get_objects() if type(one) is kind]
    for scope in [one for one in gc.get_referrers(*states) if type(one) is dict and type(one.get("state")) is kind]:
        for key in [key for key, value in scope.items() if _is_its(value, owner) or reaches(value, owner)]:
            del scope[key]


def _caches(owner: Maker, depth: int) -> list[Any]:
    found = [one for one in all_of(_lru_cache_wrapper) if not owner.has_made(one)]
    return [one for one in found if any(reaches(entry, owner, depth) for entry in _contents(one))]


def _contents(cache: Any) -> list[Any]:
    """The dictionary of an `lru_cache`, and the ring of its entries; not the function that it is for."""
    if not cache.cache_info().currsize:
        return []
    return [one for one in gc.get_referents(cache) if one is not cache.__wrapped__ and one is not cache.__dict__]


def _containers() -> Iterator[Holding]:
    """What the base's modules and classes hold."""
    for holder in holders():
        if str(getattr(holder, "__module__", None) or holder.__name__).partition(".")[0] in THEIR_OWN:
            continue
        for name, value in list(vars(holder).items()):
            if issubclass(type(value), CONTAINERS) and name not in TABLES or _is_dispatch(value):
                yield from _nested(f"{_name(holder)}.{name}", value)


def _nested(where: str, container: Any) -> Iterator[Holding]:
    """It, and those that it holds by name, as registries of listeners do."""
    yield Holding(where, container)
    if type(container) in (dict, defaultdict):
        for key, value in list(container.items()):
            if issubclass(type(value), CONTAINERS):
                yield Holding(f"{where}[{key!r}]", value)


def _is_dispatch(value: Any) -> bool:
    return type(value) is types.FunctionType and "_clear_cache" in vars(value) and "registry" in vars(value)


def _name(holder: Any) -> str:
    return holder.__name__ if isinstance(holder, types.ModuleType) else f"{holder.__module__}.{holder.__qualname__}"


def _entries(container: Any, owner: Maker) -> list[Any]:
    """Those of the module: keys of a mapping, values of anything else. A container that does not let itself be read has none."""
    with contextlib.suppress(Exception):
        if _is_dispatch(container):
            return _entries(_registry(container), owner)
        if isinstance(container, MAPPINGS):
            return [key for key, value in list(container.items()) if _is_its(key, owner) or _is_its(value, owner)]
        return [one for one in list(container) if _is_its(one, owner)]
    return []


def _is_its(value: Any, owner: Maker) -> bool:
    if type(value) is tuple:
        return any(map(owner.has_part_in, value))
    if type(value) is types.FunctionType and value.__closure__:  # a library's, around one of the module's
        return any(map(owner.has_part_in, [value, *map(_content, value.__closure__)]))
    return owner.has_part_in(value)


def _content(cell: types.CellType) -> Any:
    with contextlib.suppress(ValueError):  # it is empty
        return cell.cell_contents


def _take_out(container: Any, owner: Maker) -> bool:
    """Whether that went; a container that does not let itself be changed keeps it."""
    if _is_dispatch(container):
        return _take_out(_registry(container), owner) and container._clear_cache() is None
    found = _entries(container, owner)
    with contextlib.suppress(Exception):
        if isinstance(container, MAPPINGS):
            for key in found:
                del container[key]
        elif isinstance(container, SETS):
            container.difference_update(found)
        else:
            kept = [one for one in container if not any(one is its for its in found)]
            container.clear()
            container.extend(kept)
        return bool(found)
    return False


def _registry(dispatch: Any) -> dict[Any, Any]:
    """The dictionary behind the view that a function of `singledispatch` shows."""
    (found,) = (one for one in gc.get_referents(dispatch.registry) if type(one) is dict)
    return found
