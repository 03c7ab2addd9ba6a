"""What stands in `sys.modules` under the names that modules' authors wrote. In: a look-up by name. Out: the module of whoever looks.

Two versions of a module have the same names, and libraries find `sys.modules[cls.__module__]` by them (pickle, dataclasses,
typing, pydantic, whatever resolves dotted names). There stands a facade, which is at each access the module of that name of the
version at work. Look-ups that fall through to the import system, to `find_spec` and to the metadata of distributions are answered
likewise. The base's own names are not touched. Not done here: loading (`namespace`).
"""

import functools
import importlib
import importlib.machinery
import sys
import types
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import DistributionFinder, MetadataPathFinder
from typing import Any

from arkwright.arklet.shared.ownership import Maker, all_makers, answering, someone, whose

_awaited: dict[str, Callable[[Any], None]] = {}  # what is to be done once a library is there, by its name


class Facade(types.ModuleType):
    """In everything the module of its name that it stands for just now."""

    def __getattribute__(self, attribute: str) -> Any:
        return getattr(_actual(self), attribute)

    def __setattr__(self, attribute: str, value: Any) -> None:
        setattr(_actual(self), attribute, value)

    def __delattr__(self, attribute: str) -> None:
        delattr(_actual(self), attribute)

    def __dir__(self) -> Iterable[str]:
        return dir(_actual(self))

    def __repr__(self) -> str:
        return repr(_actual(self))


def _actual(facade: Facade) -> types.ModuleType:
    name: str = types.ModuleType.__getattribute__(facade, "__name__")
    if (owner := answering(name)) is None:
        raise AttributeError(f"module {name} has been uninstalled")
    try:
        found = sys.modules.get(f"{owner.root}.{name}")  # as it is: one that is being imported is not waited for
        return owner.load(name) if found is None else found
    except ModuleNotFoundError as error:
        raise AttributeError(f"{owner.identity} has no module {name}") from error


def is_facade(value: object) -> bool:
    return type(value) is Facade


def put(name: str, owner: Maker) -> None:
    """A facade for a name that the base does not have. What the module itself has put there is its own from now on."""
    found = sys.modules.get(name)
    if is_facade(found):
        return
    if found is not None:
        sys.modules[f"{owner.root}.{name}"] = found
    sys.modules[name] = Facade(name)


def take_away(names: Iterable[str]) -> None:
    """Those facades that stand for nothing any more."""
    for name in names:
        if is_facade(sys.modules.get(name)) and not any(f"{one.root}.{name}" in sys.modules for one in all_makers()):
            del sys.modules[name]


def when_imported(name: str, then: Callable[[Any], None]) -> None:
    """Called with the library, at once if it is there."""
    if name in sys.modules:
        then(sys.modules[name])
    else:
        _awaited[name] = then


class Lookups:
    """The finder protocol of `sys.meta_path`: what a module's own code and libraries at work for it look for without importing."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        owner = whose(fullname) if path is None else None
        return importlib.machinery.PathFinder.find_spec(fullname, owner.directories) if owner else None

    def find_distributions(self, context: DistributionFinder.Context | None = None) -> Iterable[Any]:
        context = context or DistributionFinder.Context()
        owner = None if "path" in vars(context) else someone()
        if owner is None:
            return ()
        inside = DistributionFinder.Context(name=context.name, path=list(owner.directories))
        return MetadataPathFinder.find_distributions(inside)

    def invalidate_caches(self) -> None:
        """Has none."""


@functools.cache
def redirect_lookups() -> None:
    """Once a process. Whatever is imported and is not in `sys.modules` comes through one function of importlib."""
    bootstrap: Any = importlib._bootstrap
    original = bootstrap._find_and_load

    @functools.wraps(original)
    def finding(name: str, import_: Any) -> Any:
        if (owner := whose(name)) and (_top_of(name) not in owner.hidden or _is_by_string()):
            return owner.load(name)
        found = original(name, import_)
        if name in _awaited:
            _awaited.pop(name)(found)
        return found

    bootstrap._find_and_load = finding
    sys.meta_path.insert(0, Lookups())


def _is_by_string() -> bool:
    """Whether `importlib.import_module` asks, and not an import statement of the base, which means the base's."""
    return bool(sys._getframe(2).f_globals.get("__name__") == "importlib._bootstrap")


def _top_of(name: str) -> str:
    return name.partition(".")[0]
