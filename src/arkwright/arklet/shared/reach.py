"""Whether something holds what a module has made. In: any object. Out: the way to it, through containers and libraries' objects.

Goes down, as the garbage collector does, and stops at modules, classes and functions: what these reach, everything reaches.
"""

import asyncio
import logging
import types
from collections import deque
from collections.abc import Iterable
from contextvars import Context
from functools import _lru_cache_wrapper
from gc import get_referents
from typing import Any
from weakref import ReferenceType

from arkwright.arklet.owners import Owner
from arkwright.arklet.shared.ownership import Maker

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
