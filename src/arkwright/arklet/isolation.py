"""An import namespace of its own for each loaded module, so that two versions share nothing by accident.

In: the directory an archive was unpacked to. Out: a root package with a unique, synthetic name (`module_provider_7`) below
which the archive's packages live. Their own absolute imports (`import provider.sub`) are redirected to that root by an
`__import__` which only they see; every other name goes to the base as usual. Not done here: fetching, serving.
Look-ups by string (`importlib.import_module("provider.x")`) are not redirected; relative ones are fine.
"""

import builtins
import gc
import importlib
import importlib.machinery
import itertools
import re
import sys
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_serial = itertools.count(1)


class _Loader(importlib.machinery.SourceFileLoader):
    """Gives a module the builtins of its namespace before its code runs."""

    namespace: "ImportNamespace"

    def exec_module(self, module: types.ModuleType) -> None:
        module.__dict__["__builtins__"] = self.namespace.builtins
        super().exec_module(module)


class ImportNamespace:
    """One loaded archive's corner of `sys.modules`. `close` takes every trace of it away."""

    def __init__(self, name: str, directory: Path) -> None:
        self.root = f"module_{re.sub(r'[^A-Za-z0-9]', '_', name)}_{next(_serial)}"
        self.top_level = top_level_names(directory)
        self.builtins = {**builtins.__dict__, "__import__": self._import}
        package = types.ModuleType(self.root, f"Import namespace of module {name}.")
        package.__path__ = [str(directory)]
        sys.modules[self.root] = package
        sys.meta_path.insert(0, self)

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
        if level or top not in self.top_level:
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        found = builtins.__import__(f"{self.root}.{name}", globals, locals, fromlist or (), 0)
        return found if fromlist else sys.modules[f"{self.root}.{top}"]

    def close(self) -> list[str]:
        """Forget the namespace; names what is still in `sys.modules` afterwards (nothing, unless a thread imports)."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        for name in self._loaded():
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        gc.collect()
        return self._loaded()

    def _loaded(self) -> list[str]:
        return [name for name in list(sys.modules) if name == self.root or name.startswith(self.root + ".")]


def top_level_names(directory: Path) -> frozenset[str]:
    """The names that an archive brings: its packages and modules, without its metadata."""
    entries = (entry for entry in directory.iterdir() if not entry.name.endswith((".dist-info", ".data")))
    return frozenset(entry.name if entry.is_dir() else entry.stem for entry in entries)
