"""Services that the base and its modules offer each other. In: objects, by name and version. Out: stand-ins that call them.

    publish("stock", Stock(pool), version="1.2")        # in the base, or in a module
    stock = find("stock", ">=1,<2")                     # in a module, or in the base
    stock.take("umbrella", 1)

A stand-in finds its provider at each call: what is published later, switched or upgraded is called from then on, and nobody holds on to
the code of a module that is going. Of several the newest version answers; a module's counts while that module is active. A call runs as
its provider's: what it makes and logs is the provider's. A module's services go with it, once the calls under way have ended.
"""

import asyncio
import functools
import inspect
import os
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from arkwright.arklet.owners import Owner, running, works_for
from arkwright.arklet.settings import ISOLATION, Isolation

LOOK_SECONDS = 0.01


class ServiceError(LookupError):
    """Root of what can be wrong with a service."""


class NoSuchService(ServiceError):
    """Nobody offers it now; the message says what there is instead."""


class BadService(ServiceError):
    """A name, version or specifier that cannot be; or one that this provider offers already."""


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


_services: list[Service] = []


def publish(name: str, provider: object, version: str = "") -> None:
    """Offer an object to the base and all its modules, for whom the present code works. `version`: the module's own if it is left out,
    "1" in the base. Raises BadService."""
    owner = running()
    chosen = version or (owner.identity.partition(":")[2] if owner else "1")
    try:
        service = Service(name, Version(chosen), provider, owner)
    except InvalidVersion as error:
        raise BadService(f"service {name!r}: {error}") from None
    if any(one.owner is owner and (one.name, one.version) == (name, service.version) for one in _services):
        raise BadService(f"{service} is published already")
    _services.append(service)


def find(name: str, versions: str = "") -> Any:
    """A stand-in for the service of that name, in one of `versions` (as in requirements: ">=1,<2"). It need not be there yet: a call
    of one that is not raises NoSuchService. Raises BadService."""
    try:
        return StandIn(name, SpecifierSet(versions))
    except InvalidSpecifier as error:
        raise BadService(f"service {name!r}: {error}") from None


def published() -> list[Service]:
    """What is offered now."""
    return list(_services)


async def withdraw(owner: Owner, seconds: float) -> int:
    """Take a module's services away and wait for the calls under way. Returns how many go on after `seconds`."""
    gone = [one for one in _services if one.owner is owner]
    _services[:] = [one for one in _services if one.owner is not owner]
    end = time.monotonic() + seconds
    while (left := sum(one.calls for one in gone)) and time.monotonic() < end:  # noqa: ASYNC110 (threads call, too)
        await asyncio.sleep(LOOK_SECONDS)
    return left


class StandIn:
    """Behaves as the service that is there when it is asked."""

    def __init__(self, name: str, versions: SpecifierSet) -> None:
        self.__name, self.__versions = name, versions

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        value = getattr(self.__service().provider, attribute)
        if not callable(value):
            return value
        return functools.partial(self.__call_method, attribute)

    def __call__(self, *args: Any, **more: Any) -> Any:
        return self.__call_method("__call__", *args, **more)

    def __repr__(self) -> str:
        return f"<service {self.__name} {self.__versions}>".replace(" >", ">")

    def __call_method(self, attribute: str, *args: Any, **more: Any) -> Any:
        service = self.__service()
        return _called(service, getattr(service.provider, attribute), *args, **more)

    def __service(self) -> Service:
        named = [one for one in _services if one.name == self.__name]
        fitting = [one for one in named if one.is_active and self.__versions.contains(one.version, prereleases=True)]
        if not fitting:
            there = ", ".join(map(str, named)) or "nobody offers it"
            if os.environ.get(ISOLATION) == Isolation.PROCESS:
                there = "a module in a process of its own shares no services with its base; ask over HTTP"
            raise NoSuchService(f"no service {f'{self.__name} {self.__versions}'.strip()}: {there}")
        return max(fitting, key=lambda one: one.version)


def _called(service: Service, method: Callable[..., Any], *args: Any, **more: Any) -> Any:
    """As the provider's own, and counted until it has ended, which for an awaitable is when it has been awaited."""
    _count(service, 1)
    is_over = True
    try:
        with works_for(service.owner):
            result = method(*args, **more)
        if inspect.isawaitable(result):
            is_over = False
            return _awaited(service, result)
        return result
    finally:
        if is_over:
            _count(service, -1)


async def _awaited(service: Service, result: Awaitable[Any]) -> Any:
    try:
        with works_for(service.owner):
            return await result
    finally:
        _count(service, -1)


def _count(service: Service, change: int) -> None:
    with service.lock:
        service.calls += change
