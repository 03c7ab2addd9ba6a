"""What a process has but once: working directory, environment, locale, filters, hooks. In: it before and after. Out: Changes to undo.

What is set by assignment is compared around a module's start; calls that change something are watched where the module's code makes
them (`watching`), while it starts through libraries too. A change is told, and put back when the module goes, unless somebody has changed
it again: where that is another module, its value stays, and what was there before both is there when the last of them goes. Not done
here: finding functions and classes that are replaced (`patches`).
"""

import asyncio
import copy
import decimal
import gc
import itertools
import locale
import logging
import mimetypes
import os
import socket
import ssl
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from arkwright.arklet.shared.ownership import Maker, all_makers

ABSENT: Any = object()
_set_or_get_locale = locale.setlocale  # itself, not what is watched
Calls = tuple[tuple[Any, str], ...]
_numbers = itertools.count()


@dataclass(frozen=True)
class State:
    """`calls`: what changes it, so that they can be watched. `reopen`: lets it be set again, where a library has it set but once."""

    where: str
    read: Callable[[], Any]
    write: Callable[[Any], object]
    calls: Calls = ()
    reopen: Callable[[], object] | None = None


@dataclass(frozen=True)
class Change:
    """`after` is `ABSENT` where it was not looked at: a call that has just begun. `number`: a later change has a higher one."""

    state: State
    before: Any
    after: Any = ABSENT
    number: int = field(default_factory=partial(next, _numbers))

    @property
    def where(self) -> str:
        return self.state.where

    def is_there(self) -> bool:
        """Whether it is still as the module has set it."""
        now = self.state.read()
        return not _is_same(now, self.before) and (self.after is ABSENT or _is_same(now, self.after))


def put_back(owner: Maker, change: Change) -> None:
    """What was there before, or as soon as what another module has set since goes. Raises what a library's way to set it raises."""
    if above := _next_above(owner, change):
        other, later = above
        if change.after is ABSENT or _is_same(later.before, change.after):
            lowered = replace(later, before=change.before)
            other.changes = [lowered if one is later else one for one in other.changes]
    elif change.is_there():
        change.state.write(change.before)


def _next_above(owner: Maker, change: Change) -> tuple[Maker, Change] | None:
    """Whose change of the same came next."""
    later = [pair for pair in _by_others(owner, change.where) if pair[1].number > change.number]
    return min(later, key=lambda pair: pair[1].number, default=None)


def _by_others(owner: Maker, where: str) -> list[tuple[Maker, Change]]:
    others = [one for one in all_makers() if one is not owner]
    return [(other, change) for other in others for change in other.changes if change.where == where]


def _is_same(one: Any, other: Any) -> bool:
    """Of two types nothing is the same: comparing them may be a library's matter."""
    return one is other or (type(one) is type(other) and bool(one == other))


def snapshot() -> dict[State, Any]:
    """What can be changed without a call, as it is now."""
    known = [one for one in logging.root.manager.loggerDict.values() if isinstance(one, logging.Logger)]
    states = [*(state for state in STATES if not state.calls), *map(logger, [logging.root, *known])]
    return {state: state.read() for state in states}


def settle(owner: Maker, before: dict[State, Any], patches: list[Change]) -> None:
    """Once the module has started: what it has changed, and to what. `patches`: what has been found otherwise."""
    held = {one.where: one for one in owner.changes}
    held |= {state.where: Change(state, value) for state, value in before.items() if not _is_same(state.read(), value)}
    settled = {where: replace(one, after=one.state.read()) for where, one in held.items()}
    owner.changes = list((settled | {one.where: one for one in patches}).values())


def remember(owner: Maker, state: State) -> None:
    """Before a call of the module's code changes it, for the first time or again."""
    if state.reopen and _by_others(owner, state.where):
        state.reopen()
    if all(one.where != state.where for one in owner.changes):
        owner.changes.append(Change(state, state.read()))
    else:
        owner.changes = [replace(one, after=ABSENT) if one.where == state.where else one for one in owner.changes]


def variable(key: str | bytes) -> State:
    """One of the environment."""
    name = os.fsdecode(key)

    def write(value: Any) -> None:
        if value is ABSENT:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value

    return State(f"os.environ[{name!r}]", lambda: os.environ.get(name, ABSENT), write)


def logger(one: logging.Logger) -> State:
    """One of the base's or of a library."""

    def read() -> Any:
        return one.level, one.disabled, one.propagate, list(one.handlers), list(one.filters)

    def write(value: Any) -> None:
        level, one.disabled, one.propagate, one.handlers[:], one.filters[:] = value
        one.setLevel(level)

    return State(f"logger {one.name}", read, write)


def _attribute(holder: Any, name: str, *calls: tuple[Any, str]) -> State:
    where = f"{getattr(holder, '__name__', 'decimal.DefaultContext')}.{name.strip('_')}"
    return State(where, lambda: getattr(holder, name, None), lambda value: setattr(holder, name, value), calls)


def _pair(where: str, read: Callable[[], Any], write: Callable[[Any], object], *calls: tuple[Any, str]) -> State:
    return State(where, read, write, calls)


def _set_filters(value: Any) -> None:
    warnings.filters[:] = value  # type: ignore[index]
    warnings._filters_mutated()  # type: ignore[attr-defined]


def _mime_types() -> Any:
    known: Any = mimetypes._db  # type: ignore[attr-defined]
    return copy.deepcopy((known.types_map, known.types_map_inv)) if known else None


def _set_mime_types(value: Any) -> None:
    if value is None:
        mimetypes.init()
        return
    known: Any = mimetypes._db  # type: ignore[attr-defined]
    for table, before in zip((known.types_map, known.types_map_inv), value, strict=True):
        for entries, held in zip(table, before, strict=True):
            entries.clear()
            entries.update(held)


def _directory() -> Any:
    try:
        return os.getcwd()
    except FileNotFoundError:  # somebody has removed it
        return None


def _set_locale(value: str) -> None:
    _set_or_get_locale(locale.LC_ALL, value)


FILTERING = ("filterwarnings", "simplefilter", "resetwarnings")
# What modules change, as far as the interpreter lets it be read.
STATES = (
    _pair("the working directory", _directory, os.chdir, (os, "chdir"), (os, "fchdir")),
    _pair("the locale", lambda: _set_or_get_locale(locale.LC_ALL), _set_locale, (locale, "setlocale")),
    _pair(
        "the time-out of sockets",
        socket.getdefaulttimeout,
        socket.setdefaulttimeout,
        (socket, "setdefaulttimeout"),
    ),
    _pair("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit, (sys, "setrecursionlimit")),
    _pair(
        "the collector's thresholds", gc.get_threshold, lambda value: gc.set_threshold(*value), (gc, "set_threshold")
    ),
    _pair(
        "the collector", gc.isenabled, lambda on: gc.enable() if on else gc.disable(), (gc, "enable"), (gc, "disable")
    ),
    _pair("the switch interval", sys.getswitchinterval, sys.setswitchinterval, (sys, "setswitchinterval")),
    _pair("warnings.filters", lambda: list(warnings.filters), _set_filters, *((warnings, one) for one in FILTERING)),
    _pair("the types of mimetypes", _mime_types, _set_mime_types, (mimetypes, "add_type"), (mimetypes, "init")),
    _attribute(asyncio.events, "_event_loop_policy", (asyncio, "set_event_loop_policy")),
    *(_attribute(sys, name) for name in ("stdin", "stdout", "stderr", "excepthook", "unraisablehook", "displayhook")),
    *(_attribute(decimal.DefaultContext, name) for name in ("prec", "rounding", "Emin", "Emax", "capitals", "clamp")),
    _attribute(ssl, "_create_default_https_context"),
)


def of_structlog(structlog: Any) -> State:
    """Its one configuration."""

    def read() -> Any:
        return structlog.is_configured(), structlog.get_config()

    def write(value: Any) -> None:
        structlog.configure(**value[1]) if value[0] else structlog.reset_defaults()

    return State(
        "the configuration of structlog", read, write, ((structlog, "configure"), (structlog, "configure_once"))
    )


def exceptions_of(loop: Any) -> State:
    """How the base's event loop tells of exceptions that nobody has caught."""
    return State("the event loop's handler of exceptions", loop.get_exception_handler, loop.set_exception_handler)


def _of_opentelemetry(what: str) -> Callable[[Any], State]:
    """A provider that its interface takes but once."""
    name, once = f"_{what.upper()}_PROVIDER", f"_{what.upper()}_PROVIDER_SET_ONCE"

    def made(module: Any) -> State:
        def write(value: Any) -> None:
            setattr(module, name, value)
            getattr(module, once)._done = value is not None

        def reopen() -> None:
            getattr(module, once)._done = False

        calls = ((module, f"set_{what}_provider"),)
        return State(f"the {what} provider of OpenTelemetry", lambda: getattr(module, name), write, calls, reopen)

    return made


OF_LIBRARIES = {
    "structlog": of_structlog,
    "opentelemetry.trace": _of_opentelemetry("tracer"),
    "opentelemetry.metrics._internal": _of_opentelemetry("meter"),
    "opentelemetry._logs._internal": _of_opentelemetry("logger"),
}
