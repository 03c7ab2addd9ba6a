"""Services that the base and its modules offer each other. In: objects, by name and version. Out: stand-ins that call them.

    publish("stock", Stock(pool), version="1.2")        # in the base, or in a module
    stock = find("stock", ">=1,<2")                     # in a module, or in the base
    stock.take("umbrella", 1)

A stand-in finds its provider at each call: what is published later, switched or upgraded is called from then on, and nobody holds on to
the code of a module that is going. Of several the newest version answers; a module's counts while that module is active. A call runs as
its provider's: what it makes and logs is the provider's. A module's services go with it, once the calls under way have ended.

Who offers and who asks may be in different processes: then arguments and results cross by value (`CannotCross` tells what cannot), and
what the provider raises arrives as `ServiceFailed`, which is also the exception's own type where Python has it built in.
"""

import asyncio
import functools
import inspect
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from arkwright.arklet.bridge.calls import CALL_SECONDS
from arkwright.arklet.bridge.remote import (
    BadService,
    CallTimedOut,
    NoSuchService,
    ServiceError,
    ServiceFailed,
    patience,
)
from arkwright.arklet.bridge.values import CannotCross
from arkwright.arklet.owners import Owner, running, works_for

__all__ = [
    "BadService",
    "CallTimedOut",
    "CannotCross",
    "NoSuchService",
    "ServiceError",
    "ServiceFailed",
    "find",
    "publish",
]
LOOK_SECONDS = 0.01


@dataclass(eq=False)
class Service:
    """One object that somebody offers. `owner` None: the base. `calls`: under way."""

    name: str
    version: Version
    provider: Any
    owner: Owner | None
    calls: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_active(self) -> bool:
        return self.owner is None or self.owner.is_active

    def __str__(self) -> str:
        by = "the base" if self.owner is None else self.owner.identity
        return f"{self.name} {self.version} by {by}{'' if self.is_active else ' (not active)'}"

    def called(self, method: Callable[..., Any], /, *args: Any, **more: Any) -> Any:
        """As the provider's own, and counted until it has ended, which for an awaitable is when it has been awaited."""
        self._count(1)
        is_over = True
        try:
            with works_for(self.owner):
                result = method(*args, **more)
            if inspect.isawaitable(result):
                is_over = False
                return self._awaited(result)
            return result
        finally:
            if is_over:
                self._count(-1)

    async def _awaited(self, result: Awaitable[Any]) -> Any:
        try:
            with works_for(self.owner):
                return await result
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        with self.lock:
            self.calls += change


class Registry(Protocol):
    """Where services are known: here, in the base's process; in a module's own, over there."""

    def publish(self, name: str, provider: object, version: str) -> None: ...

    def attribute(self, name: str, versions: SpecifierSet, attribute: str) -> Any:
        """A value, or what calls it."""
        ...


class Services:
    """The base's registry: of the base's own services and of all its modules'."""

    def __init__(self) -> None:
        self.all: list[Service] = []

    def publish(self, name: str, provider: object, version: str) -> None:
        """For whom the present code works. Raises BadService."""
        owner = running()
        chosen = version or (owner.version if owner else "1")
        try:
            service = Service(name, Version(chosen), provider, owner)
        except InvalidVersion as error:
            raise BadService(f"service {name!r}: {error}") from None
        if any(one.owner is owner and (one.name, one.version) == (name, service.version) for one in self.all):
            raise BadService(f"{service} is published already")
        self.all.append(service)

    def attribute(self, name: str, versions: SpecifierSet, attribute: str) -> Any:
        value = getattr(self.find(name, versions).provider, attribute)
        return functools.partial(self._call, name, versions, attribute) if callable(value) else value

    def _call(self, name: str, versions: SpecifierSet, attribute: str, /, *args: Any, **more: Any) -> Any:
        """Of the provider that is there now: what was looked up may be kept, and called long after."""
        service = self.find(name, versions)
        return service.called(getattr(service.provider, attribute), *args, **more)

    def find(self, name: str, versions: SpecifierSet) -> Service:
        """Raises NoSuchService."""
        named = [one for one in self.all if one.name == name]
        fitting = [one for one in named if one.is_active and versions.contains(one.version, prereleases=True)]
        if not fitting:
            there = ", ".join(map(str, named)) or "nobody offers it"
            raise NoSuchService(f"no service {f'{name} {versions}'.strip()}: {there}")
        return max(fitting, key=lambda one: one.version)

    def drop(self, owner: Owner) -> list[Service]:
        """Those of a module go; what is returned may still be called, by calls under way."""
        gone = [one for one in self.all if one.owner is owner]
        self.all[:] = [one for one in self.all if one.owner is not owner]
        return gone


services = Services()
_registry: Registry = services


def connect(registry: Registry) -> None:
    """From now on, services are published and found there."""
    global _registry
    _registry = registry


def publish(name: str, provider: object, version: str = "") -> None:
    """Offer an object to the base and all its modules, for whom the present code works. `version`: the module's own if it is left out,
    "1" in the base. Raises BadService."""
    _registry.publish(name, provider, version)


def find(name: str, versions: str = "", seconds: float = CALL_SECONDS) -> Any:
    """A stand-in for the service of that name, in one of `versions` (as in requirements: ">=1,<2"). It need not be there yet: a call
    of one that is not raises NoSuchService. `seconds`: until a call to another process raises CallTimedOut. Raises BadService."""
    try:
        return StandIn(name, SpecifierSet(versions), seconds)
    except InvalidSpecifier as error:
        raise BadService(f"service {name!r}: {error}") from None


def published() -> list[Service]:
    """What is offered now."""
    return list(services.all)


async def withdraw(owner: Owner, seconds: float) -> int:
    """Take a module's services away and wait for the calls under way. Returns how many go on after `seconds`."""
    gone, end = services.drop(owner), time.monotonic() + seconds
    while (left := sum(one.calls for one in gone)) and time.monotonic() < end:  # noqa: ASYNC110 (threads call, too)
        await asyncio.sleep(LOOK_SECONDS)
    return left


class StandIn:
    """Behaves as the service that is there when it is asked."""

    def __init__(self, name: str, versions: SpecifierSet, seconds: float) -> None:
        self.__name, self.__versions, self.__seconds = name, versions, seconds

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return self.__attribute(attribute)

    def __call__(self, *args: Any, **more: Any) -> Any:
        return self.__attribute("__call__")(*args, **more)

    def __attribute(self, attribute: str) -> Any:
        with _patient(self.__seconds):
            value = _registry.attribute(self.__name, self.__versions, attribute)
        return functools.partial(self.__patiently, value) if callable(value) else value

    def __patiently(self, call: Callable[..., Any], /, *args: Any, **more: Any) -> Any:
        with _patient(self.__seconds):
            return call(*args, **more)

    def __repr__(self) -> str:
        return f"<service {self.__name} {self.__versions}>".replace(" >", ">")


class _patient:
    """As a call's patience, while it is made."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._token = patience.set(self._seconds)

    def __exit__(self, *error: object) -> None:
        patience.reset(self._token)
