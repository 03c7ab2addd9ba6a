"""An import namespace of its own for each loaded module, so that two versions share nothing by accident.

In: the directories an archive was unpacked to. Out: its modules, under the names that their author wrote, kept in `sys.modules` below
a root of a synthetic name (`module_provider_7.provider`). Their own code runs with builtins of its own, whose `__import__` finds them; every
other name goes to the base as usual. Who looks for them by name meets a facade (`facades`). A package whose name the base has
too is named by the root instead, for there can be but one under its own. Not done here: fetching, serving, taking back.
"""

import builtins
import importlib
import importlib.util
import itertools
import os
import re
import sys
import types
import weakref
from collections.abc import Mapping, Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from arkwright.arklet.shared import facades, ownership
from arkwright.arklet.shared.ownership import Maker
from arkwright.arklet.shared.watching import watch

_serial = itertools.count(1)
_bootstrap: Any = importlib._bootstrap


class ImportNamespace:
    """One loaded archive's corner of `sys.modules`. `close` takes every trace of it away."""

    def __init__(self, identity: str, directories: Sequence[Path]) -> None:
        watch()
        name = identity.partition(":")[0]
        self.root = f"module_{re.sub(r'[^A-Za-z0-9]', '_', name)}_{next(_serial)}"
        self.owner = Maker(identity, self.root, top_level_names(directories))
        self.owner.directories = tuple(map(str, directories))
        self.owner.hidden = frozenset(filter(_is_taken, self.owner.top_level))
        self.owner.builtins = {**builtins.__dict__, "__import__": self._import}
        self.owner.load = self.load
        self._is_closed = False
        self._directories = tuple(f"{one}{os.sep}" for one in directories)
        sys.modules[self.root] = types.ModuleType(self.root, f"Import namespace of module {identity}.")
        ownership.add(self.owner)

    def load(self, dotted: str) -> types.ModuleType:
        """The archive's module `dotted`, imported if it has not been. Raises whatever its code raises."""
        key = f"{self.root}.{dotted}"
        if self._is_closed:
            raise ModuleNotFoundError(f"No module named {dotted!r}: it has been uninstalled", name=dotted)
        if (found := sys.modules.get(key)) is not None:
            if getattr(getattr(found, "__spec__", None), "_initializing", False):
                _bootstrap._lock_unlock_module(key)
            return found
        parent, _, child = dotted.rpartition(".")
        holder = self.load(parent) if parent else None
        with _bootstrap._ModuleLockManager(key):
            return self._put_by_hand(dotted) or sys.modules.get(key) or self._import_from_file(dotted, holder, child)

    def _put_by_hand(self, dotted: str) -> types.ModuleType | None:
        """What its code has put into `sys.modules` itself, under one of its names."""
        if not self._has_its_name(dotted) or dotted not in sys.modules:
            return None
        facades.put(dotted, self.owner)
        return sys.modules.get(f"{self.root}.{dotted}")

    def adopt(self) -> None:
        """All of that, once it has started: from now on there may be another version's of the same name."""
        for name in [one for one in list(sys.modules) if one.partition(".")[0] in self.owner.top_level]:
            self._put_by_hand(name)

    def _import_from_file(self, dotted: str, holder: types.ModuleType | None, child: str) -> types.ModuleType:
        module = self._made(dotted, holder)
        key, spec = f"{self.root}.{dotted}", module.__spec__
        sys.modules[key] = module
        if self._has_its_name(dotted):
            facades.put(dotted, self.owner)
        if holder is not None and not hasattr(holder, child):
            setattr(holder, child, module)  # before its code runs: whoever it imports may import it from there
        try:
            _execute(spec, module)
        except BaseException:
            sys.modules.pop(key, None)
            facades.take_away([dotted])
            raise
        return self._settled(dotted, holder)

    def _made(self, dotted: str, holder: types.ModuleType | None) -> types.ModuleType:
        """An empty module of that name. Raises ModuleNotFoundError."""
        name = "".join((*dotted,)) if self._has_its_name(dotted) else f"{self.root}.{dotted}"  # a string of its own
        path = getattr(holder, "__path__", ()) if holder else self.owner.directories
        spec = PathFinder.find_spec(name, list(path))
        if spec is None:
            why = f"; {holder.__name__!r} is not a package" if holder and not hasattr(holder, "__path__") else ""
            raise ModuleNotFoundError(f"No module named {dotted!r}{why}", name=dotted)
        module = importlib.util.module_from_spec(spec)
        if spec.submodule_search_locations is not None:
            module.__path__ = list(
                spec.submodule_search_locations
            )  # one that changes with sys.path would be the base's
        module.__dict__.update(__name__=name, __builtins__=self.owner.builtins)
        self.owner.names[id(name)] = name
        return module

    def _settled(self, dotted: str, holder: types.ModuleType | None) -> types.ModuleType:
        """What its code has left in its place: some put an object there instead of themselves."""
        if self._has_its_name(dotted):
            facades.put(dotted, self.owner)
        module = sys.modules[f"{self.root}.{dotted}"]
        if holder is not None:
            setattr(holder, dotted.rpartition(".")[2], module)
        return module

    def _has_its_name(self, dotted: str) -> bool:
        return dotted.partition(".")[0] not in self.owner.hidden

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> types.ModuleType:
        name = name.removeprefix(f"{self.root}.")
        full = _bootstrap._resolve_name(name, _bootstrap._calc___package__(globals or {}), level) if level else name
        full = full.removeprefix(f"{self.root}.")
        if full.partition(".")[0] not in self.owner.top_level:
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        module = self.load(full)
        if not fromlist:  # `import a.b` binds a
            return self.load(full[: len(full) - len(name) + len(name.partition(".")[0])])
        if hasattr(module, "__path__"):
            _bootstrap._handle_fromlist(module, fromlist, self._load_named)
        return module

    def _load_named(self, name: str) -> types.ModuleType:
        return self.load(name.removeprefix(f"{self.root}."))

    def own_objects(self) -> list["weakref.ref[Any]"]:
        """The functions and classes that the code has defined, without holding them."""
        values = (value for name in self._loaded() for value in vars(sys.modules[name]).values())
        return [weakref.ref(value) for value in values if self.owner.has_made(value)]

    def renamed(self) -> list[str]:
        """Those of its packages that do not run under their names."""
        return sorted(name for name in self.owner.hidden if f"{self.root}.{name}" in sys.modules)

    def has_widened_the_path(self) -> bool:
        """Whether the code has put a directory of its own on `sys.path`: what it imports from there is everybody's."""
        return any(map(self._is_inside, sys.path))

    def close(self) -> None:
        """Forget its names, and what importlib and `sys.path` remember of its directories."""
        self._is_closed = True
        loaded = self._loaded()
        for name in [*loaded, *self._strays()]:
            sys.modules.pop(name, None)
        facades.take_away([name.removeprefix(f"{self.root}.") for name in loaded])
        sys.path[:] = [one for one in sys.path if not self._is_inside(one)]
        for path in filter(self._is_inside, list(sys.path_importer_cache)):
            sys.path_importer_cache.pop(path, None)

    def _loaded(self) -> list[str]:
        return [name for name in list(sys.modules) if name == self.root or name.startswith(self.root + ".")]

    def _strays(self) -> list[str]:
        """What was imported past the namespace; type() and vars(): lazy modules must stay so."""
        modules = [one for one in sys.modules.items() if issubclass(type(one[1]), types.ModuleType)]
        return [
            name
            for name, module in modules
            if not facades.is_facade(module) and self._is_inside(vars(module).get("__file__"))
        ]

    def _is_inside(self, path: Any) -> bool:
        return isinstance(path, str) and f"{path}{os.sep}".startswith(self._directories)


def _execute(spec: Any, module: types.ModuleType) -> None:
    spec._initializing = True
    try:
        if spec.loader is not None:
            spec.loader.exec_module(module)
    finally:
        spec._initializing = False


def _is_taken(name: str) -> bool:
    """Whether the base has a package of that name, or there is but one string of it in the process."""
    found = sys.modules.get(name)
    if found is not None:
        return not facades.is_facade(found)
    spec = PathFinder.find_spec(name)
    return len(name) == 1 or (spec is not None and spec.origin is not None)  # without an origin: just a directory


def top_level_names(directories: Sequence[Path]) -> frozenset[str]:
    """The names that an archive brings: its packages and modules, without its metadata."""
    entries = [entry for one in directories for entry in one.iterdir()]
    named = (entry for entry in entries if not entry.name.endswith((".dist-info", ".data")))
    return frozenset(entry.name if entry.is_dir() else entry.stem for entry in named)
