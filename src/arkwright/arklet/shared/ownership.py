"""Whose code makes a call in the base's process. In: the stack of the call. Out: a Maker, or None for the base.

Code belongs to a module by the name it runs under, which begins with the maker's root. Not done here: noting what it makes
(`watching`), taking it back (`residue`).
"""

import asyncio
import functools
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from arkwright.arklet.owners import Owner, running

# Looked through when asked who makes a call: these only carry it out.
PLUMBING = sys.stdlib_module_names | {"anyio", "uvloop", "arkwright"}
Exit = tuple[Callable[..., object], tuple[Any, ...], dict[str, Any]]


class ModuleUnloaded(SystemExit):
    """Raised inside a module's threads when the module goes."""


class Maker(Owner):
    """A module inside this process: the root of its code's names, its own top-level names, and what it made."""

    def __init__(self, identity: str, root: str, top_level: frozenset[str]) -> None:
        super().__init__(identity)
        self.root, self.top_level = root, top_level
        self.threads: WeakSet[threading.Thread] = WeakSet()
        self.tasks: WeakSet[asyncio.Task[Any]] = WeakSet()
        self.sockets: WeakSet[socket.socket] = WeakSet()
        self.transports: list[Any] = []  # and servers
        self.protocols: WeakSet[Any] = WeakSet()  # of connections that its servers have taken
        self.children: WeakSet[subprocess.Popen[Any]] = WeakSet()
        self.handlers: list[tuple[logging.Logger, logging.Handler]] = []
        self.exits: list[Exit] = []

    def has_made(self, value: object) -> bool:
        """Whether a function or class is the module's own. Asks nothing of other objects: they may be lazy."""
        while isinstance(value, functools.partial):
            value = value.func
        if type(value) is type(Maker.has_made) or issubclass(type(value), type):
            return str(getattr(value, "__module__", "")).startswith(self.root + ".")
        return False

    def runs_in(self, frame: Any) -> bool:
        """Whether the stack that ends in `frame` has code of the module."""
        while frame is not None:
            if _top(frame) == self.root:
                return True
            frame = frame.f_back
        return False


_makers: dict[str, Maker] = {}


def at_work() -> Maker | None:
    """The module in this process for which the present task or thread works."""
    owner = running()
    return owner if isinstance(owner, Maker) else None


def add(maker: Maker) -> None:
    _makers[maker.root] = maker


def remove(maker: Maker) -> None:
    _makers.pop(maker.root, None)


def owner_of(name: str) -> Maker | None:
    """Whose the code is that runs under this name."""
    return _makers.get(name.partition(".")[0])


def is_a_modules(name: str) -> bool:
    """Whether code that runs under this name is a module's, not the base's."""
    return owner_of(name) is not None


def maker() -> Maker | None:
    """The module whose code makes the call under way, itself or through the standard library."""
    if not _makers:
        return None
    frame = sys._getframe(2)
    while frame is not None:
        if (top := _top(frame)) not in PLUMBING:
            return _makers.get(top)
        frame = frame.f_back  # type: ignore[assignment]
    return None


def _top(frame: Any) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]
