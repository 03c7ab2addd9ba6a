"""An import namespace of its own for each loaded module, so that two versions share nothing by accident.

In: the directories an archive, and what it brings along, were unpacked to. Out: a root package with a unique, synthetic name
(`module_provider_7`) below which the archive's packages live. Their own absolute imports (`import provider.sub`) are
redirected to that root by an `__import__` which only they see; every other name goes to the base as usual. So are names that
are looked up by string while the module is at work (`watching`). Not done here: fetching, serving, taking back.
"""

import builtins
import gc
import importlib
import importlib.machinery
import itertools
import os
import re
import sys
import types
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from arkwright.arklet.shared import ownership
from arkwright.arklet.shared.ownership import Maker
from arkwright.arklet.shared.watching import watch

_serial = itertools.count(1)


class _Loader(importlib.machinery.SourceFileLoader):
    """Gives a module the builtins of its namespace before its code runs."""

    namespace: "ImportNamespace"

    def exec_module(self, module: types.ModuleType) -> None:
        module.__dict__["__builtins__"] = self.namespace.builtins
        super().exec_module(module)


class ImportNamespace:
    """One loaded archive's corner of `sys.modules`. `close` takes every trace of it away."""

    def __init__(self, identity: str, directories: Sequence[Path]) -> None:
        name = identity.partition(":")[0]
        self.root = f"module_{re.sub(r'[^A-Za-z0-9]', '_', name)}_{next(_serial)}"
        self.owner = Maker(identity, self.root, top_level_names(directories))
        self._directories = tuple(f"{one}{os.sep}" for one in directories)
        self.builtins = {**builtins.__dict__, "__import__": self._import}
        package = types.ModuleType(self.root, f"Import namespace of module {identity}.")
        package.__path__ = [str(one) for one in directories]
        sys.modules[self.root] = package
        sys.meta_path.insert(0, self)
        watch()
        ownership.add(self.owner)

    def load(self, dotted: str) -> types.ModuleType:
        """Import the archive's module `dotted`. Raises whatever its code raises."""
        return importlib.import_module(f"{self.root}.{dotted}")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The finder protocol of `sys.meta_path`; answers for names below the root only."""
        if not fullname.startswith(self.root + "."):
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _Loader(fullname, spec.loader.path)
            spec.loader.namespace = self
        return spec

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> types.ModuleType:
        top = name.partition(".")[0]
        if level or top not in self.owner.top_level:
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        found = builtins.__import__(f"{self.root}.{name}", globals, locals, fromlist or (), 0)
        return found if fromlist else sys.modules[f"{self.root}.{top}"]

    def own_objects(self) -> list["weakref.ref[Any]"]:
        """The functions and classes that the code has defined, without holding them."""
        values = (value for name in self._loaded() for value in vars(sys.modules[name]).values())
        return [weakref.ref(value) for value in values if self.owner.has_made(value)]

    def has_widened_the_path(self) -> bool:
        """Whether the code has put a directory of its own on `sys.path`: what it imports from there is everybody's."""
        return any(map(self._is_inside, sys.path))

    def close(self) -> None:
        """Forget the namespace: its names, its finder, what importlib and `sys.path` remember of its directories."""
        ownership.remove(self.owner)
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        for name in [*self._loaded(), *self._strays()]:
            sys.modules.pop(name, None)
        sys.path[:] = [one for one in sys.path if not self._is_inside(one)]
        for path in filter(self._is_inside, list(sys.path_importer_cache)):
            sys.path_importer_cache.pop(path, None)
        gc.collect()

    def _loaded(self) -> list[str]:
        return [name for name in list(sys.modules) if name == self.root or name.startswith(self.root + ".")]

    def _strays(self) -> list[str]:
        """What was imported past the namespace; type() and vars(): lazy modules must stay so."""
        modules = [one for one in sys.modules.items() if issubclass(type(one[1]), types.ModuleType)]
        return [name for name, module in modules if self._is_inside(vars(module).get("__file__"))]

    def _is_inside(self, path: Any) -> bool:
        return isinstance(path, str) and f"{path}{os.sep}".startswith(self._directories)


def top_level_names(directories: Sequence[Path]) -> frozenset[str]:
    """The names that an archive brings: its packages and modules, without its metadata."""
    entries = [entry for one in directories for entry in one.iterdir()]
    named = (entry for entry in entries if not entry.name.endswith((".dist-info", ".data")))
    return frozenset(entry.name if entry.is_dir() else entry.stem for entry in named)
