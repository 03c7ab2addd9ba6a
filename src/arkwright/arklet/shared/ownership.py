"""Whose code runs in the base's process. In: a stack, a function, a name. Out: a Maker, or None for the base.

Code belongs to a module by the builtins it runs under, which no other code has; a function or class by these, or by its `__module__`:
the very string that the module's file has for its name. So names are as their author wrote them, and two versions that have the
same ones are told apart. Not done here: noting what a module makes (`watching`), taking it back (`residue`).
"""

import asyncio
import functools
import logging
import subprocess
import sys
import threading
import types
from collections.abc import Callable, Iterator
from socket import socket as Socket
from typing import Any
from weakref import WeakSet

from arkwright.arklet.owners import Owner, running

# Looked through when asked who makes a call: these only carry it out.
PLUMBING = sys.stdlib_module_names | {"anyio", "uvloop", "arkwright"}
IMPORTING = "importlib._bootstrap"
Exit = tuple[Callable[..., object], tuple[Any, ...], dict[str, Any]]
FUNCTIONS = (types.FunctionType, functools._lru_cache_wrapper)


class ModuleUnloaded(SystemExit):
    """Raised inside a module's threads when the module goes."""


class Maker(Owner):
    """A module inside this process: how its code is told, its own top-level names, and what it made."""

    def __init__(self, identity: str, root: str, top_level: frozenset[str]) -> None:
        super().__init__(identity)
        self.root, self.top_level = root, top_level
        self.hidden: frozenset[str] = frozenset()  # those of its names that the base has too
        self.directories: tuple[str, ...] = ()
        self.load: Callable[[str], types.ModuleType]
        self.loop: asyncio.AbstractEventLoop | None = None  # the base's
        self.builtins: dict[str, Any] = {}
        self.names: dict[int, str] = {}  # the strings that its files have for their names, by identity
        self.is_starting = True
        self.threads: WeakSet[threading.Thread] = WeakSet()
        self.led: WeakSet[threading.Thread] = WeakSet()  # what libraries started while it was at work
        self.tasks: WeakSet[asyncio.Task[Any]] = WeakSet()
        self.sockets: WeakSet[Socket] = WeakSet()
        self.transports: list[Any] = []  # and servers
        self.protocols: WeakSet[Any] = WeakSet()  # of connections that its servers have taken
        self.children: WeakSet[subprocess.Popen[Any]] = WeakSet()
        self.handlers: list[logging.Handler] = []
        self.exits: list[Exit] = []
        self.changes: list[Any] = []  # of what the process has but once (`state`)
        # what takes its entries out of registries, or puts those of another version back that it has displaced
        self.undoing: list[tuple[Callable[[], object], Maker | None]] = []
        self.pools: WeakSet[Any] = WeakSet()  # of threads
        self.is_going = False

    def has_made(self, value: object) -> bool:
        """Whether a function or class is the module's own. Asks nothing of other objects: they may be lazy."""
        while type(value) in (functools.partial, types.MethodType):
            value = value.func if type(value) is functools.partial else value.__func__  # type: ignore[attr-defined]
        if type(value) is types.FunctionType and value.__builtins__ is self.builtins:
            return True
        if type(value) in FUNCTIONS or issubclass(type(value), type):
            return id(getattr(value, "__module__", None)) in self.names
        return False

    def has_part_in(self, value: object) -> bool:
        """Whether it is the module's own, or an instance or a method of its own."""
        if self.has_made(value) or self.has_made(type(value)):
            return True
        return type(value) is types.MethodType and self.has_made(type(value.__self__))

    def runs_in(self, frame: Any) -> bool:
        """Whether the stack that ends in `frame` has code of the module."""
        return any(one.f_builtins is self.builtins for one in stack(frame))


_makers: dict[int, Maker] = {}  # by the identity of their builtins
_by_name: dict[str, list[Maker]] = {}  # by their top-level names, the latest last


def add(maker: Maker) -> None:
    _makers[id(maker.builtins)] = maker
    for name in maker.top_level:
        _by_name.setdefault(name, []).append(maker)


def remove(maker: Maker) -> None:
    if _makers.pop(id(maker.builtins), None):
        for name in maker.top_level:
            _by_name[name].remove(maker)
            if not _by_name[name]:
                del _by_name[name]


def all_makers() -> list[Maker]:
    return list(_makers.values())


def at_work() -> Maker | None:
    """The module in this process for which the present task or thread works."""
    owner = running()
    return owner if isinstance(owner, Maker) else None


def maker(through: str = "") -> Maker | None:
    """The module whose code makes the call under way, itself or through the standard library, or the library of that name. What
    these do while they are imported is their own."""
    if not _makers:
        return None
    for frame in stack(sys._getframe(2)):
        if owner := _makers.get(id(frame.f_builtins)):
            return owner
        name = str(frame.f_globals.get("__name__", ""))
        if name == IMPORTING or (top := name.partition(".")[0]) not in PLUMBING and top != through:
            return None
    return None


def starter() -> Maker | None:
    """The module that starts just now, if its code makes the call under way, through libraries too; what these do when they are
    imported is their own."""
    owner = at_work()
    if owner is None or not owner.is_starting:
        return None
    for frame in stack(sys._getframe(2)):
        if frame.f_builtins is owner.builtins:
            return owner
        if frame.f_globals.get("__name__") == IMPORTING:
            return None
    return None


def owner_of(value: object) -> Maker | None:
    """The module that has made a function or class."""
    return next((one for one in _makers.values() if one.has_made(value)), None)


def rival(owner: Maker, other: Maker | None) -> Maker | None:
    """`other`, if it is the same module in another version, or loaded once more."""
    return other if other is not None and other is not owner and other.name == owner.name else None


def someone() -> Maker | None:
    """The module for which the call under way is made, however many libraries are in between."""
    if not _makers:
        return None
    return at_work() or _in_the_stack(_makers.values())


def whose(name: str) -> Maker | None:
    """The module whose own name this is, if the call under way is made for it."""
    makers = _by_name.get(name.partition(".")[0])
    if not makers:
        return None
    owner = at_work()
    return owner if owner in makers else _in_the_stack(makers)


def answering(name: str) -> Maker | None:
    """`whose`; where the call is made for nobody, the version that answers requests, or the latest."""
    if owner := whose(name):
        return owner
    makers = _by_name.get(name.partition(".")[0], [])
    return next((one for one in reversed(makers) if one.is_active), makers[-1] if makers else None)


def _in_the_stack(makers: Any) -> Maker | None:
    for frame in stack(sys._getframe(2)):
        if (owner := _makers.get(id(frame.f_builtins))) and owner in makers:
            return owner
    return None


def stack(frame: Any) -> Iterator[Any]:
    """The frame, and those that have called it."""
    while frame is not None:
        yield frame
        frame = frame.f_back
