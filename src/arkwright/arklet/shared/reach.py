"""What there is in the process, and whether it holds what a module has made, through containers and libraries' objects.

Goes down, as the garbage collector does, and stops at modules, classes and functions: what these reach, everything reaches.
"""

import asyncio
import logging
import sys
import types
from collections import deque
from collections.abc import Iterable, Iterator
from contextvars import Context
from functools import _lru_cache_wrapper
from gc import get_objects, get_referents
from typing import Any
from weakref import ReferenceType

from arkwright.arklet.owners import Owner
from arkwright.arklet.shared.facades import is_facade
from arkwright.arklet.shared.ownership import Maker, all_makers

Holder = types.ModuleType | type

SEEN = 20_000  # objects looked at; more is no cache of one module's
STOPS: tuple[type, ...] = (types.ModuleType, types.FrameType, types.CodeType, type, str, bytes, int, float)
STOPS += (types.CoroutineType, types.GeneratorType, Context, logging.Logger)
STOPS += (asyncio.Task, asyncio.AbstractEventLoop, asyncio.BaseTransport, asyncio.BaseProtocol, Owner)


def reaches(start: Any, owner: Maker, depth: int = 12, seen_at_most: int = SEEN) -> bool:
    """Whether something that the module has made is within `depth` steps."""
    seen: set[int] = {id(start)}
    left = deque((one, depth) for one in _next(start))
    while left and len(seen) < seen_at_most:
        one, steps = left.popleft()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if owner.has_part_in(one):
            return True
        if steps > 1 and not _is_a_stop(one):
            left.extend((further, steps - 1) for further in _next(one))
    return False


def _next(one: Any) -> Iterable[Any]:
    return get_referents(one)


def _is_a_stop(one: Any) -> bool:
    return issubclass(type(one), STOPS) or type(one) in (types.FunctionType, _lru_cache_wrapper, ReferenceType)


def all_of(kind: type) -> list[Any]:
    """Its instances, among what the garbage collector knows and what the base's modules and classes hold: `gc.freeze` hides that."""
    found = {id(one): one for one in get_objects() if issubclass(type(one), kind)}
    for holder in holders():
        found |= {id(one): one for one in list(vars(holder).values()) if issubclass(type(one), kind)}
    return list(found.values())


def holders() -> Iterator[Holder]:
    """The base's modules and the classes in them, each once; type() and not isinstance(): lazy objects must stay so."""
    seen: set[int] = set()
    makers = all_makers()
    roots = {one.root for one in makers}
    for name, module in list(sys.modules.items()):
        if not issubclass(type(module), types.ModuleType) or name.partition(".")[0] in roots or is_facade(module):
            continue
        yield module
        for value in list(vars(module).values()):
            if issubclass(type(value), type) and id(value) not in seen and not any(m.has_made(value) for m in makers):
                seen.add(id(value))
                yield value
