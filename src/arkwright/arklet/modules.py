"""Loads modules in the isolation that is asked for. In: a ModulePackage. Out: a LoadedModule, until it is stopped."""

import asyncio
from collections.abc import Awaitable
from typing import Any, Protocol

from arkwright.arklet.archives import ModulePackage
from arkwright.arklet.asgi.words import Receive, Scope, Send
from arkwright.arklet.door import Traffic
from arkwright.arklet.leftovers import Leftover, note
from arkwright.arklet.owners import Owner
from arkwright.arklet.process import Around, OwnProcess
from arkwright.arklet.services import withdraw
from arkwright.arklet.settings import Isolation, ModuleSettings
from arkwright.arklet.shared import InProcess


class Host(Protocol):
    """Where a module's code runs: an ASGI application with an end. It is called for its owner, and may change the scope."""

    @property
    def owner(self) -> Owner: ...

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]: ...

    async def stop(self) -> list[Leftover]:
        """Ends the module and returns what would not go."""
        ...

    def told(self) -> dict[str, Any]:
        """What only this kind of host knows of its module."""
        ...


class LoadedModule:
    """One version of a module in this base: its package, its host, and the door in front of it."""

    def __init__(self, package: ModulePackage, isolation: Isolation, host: Host, settings: ModuleSettings) -> None:
        self.package, self.isolation = package, isolation
        self._host, self._settings = host, settings
        answers = host.__call__  # the method itself: to find it would be a call more for each request
        self.traffic = Traffic(answers, host.owner, settings)

    @classmethod
    async def start(cls, package: ModulePackage, settings: ModuleSettings, around: Around) -> "LoadedModule":
        """The base's settings win over what the archive asks for. Raises StartFailure or PackageError; the package is gone then."""
        isolation = settings.isolation or package.isolation or Isolation.PROCESS
        try:
            host: Host
            if isolation is Isolation.PROCESS:
                host = await OwnProcess.start(package, settings, around)
            else:
                host = await InProcess.start(package, settings)
        except BaseException:
            package.discard()
            raise
        return cls(package, isolation, host, settings)

    def activate(self, is_active: bool) -> None:
        """Whether its services are the module's from now on, as its web path is."""
        self._host.owner.is_active = is_active

    def told(self) -> dict[str, Any]:
        """As `queryAllBiz` and `health` show it."""
        return {
            "isolation": self.isolation,
            "mainClass": self.package.application,
            "requests": self.traffic.figures.told(),
            "requestsInFlight": self.traffic.in_flight,
            **self._host.told(),
        }

    async def stop(self) -> list[Leftover]:
        """Finish the requests in flight, run the shutdown, forget the code. Returns what would not go, in words."""
        seconds = self._settings.drain_seconds
        cut_off, called = await asyncio.gather(self.traffic.drain(seconds), withdraw(self._host.owner, seconds))
        left = await self._host.stop()
        self.package.discard()
        said = [
            f"{count} {what} were cut off after {seconds:g} s"
            for count, what in ((cut_off, "requests"), (called, "calls of its services"))
            if count
        ]
        return [*map(note, said), *left]
