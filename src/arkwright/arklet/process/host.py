"""Runs a module in a process of its own: isolation `process`. In: a ModulePackage. Out: a running module.

Requests go to it as ASGI messages over a socket (`bridge`). If it dies, the requests that were under way in it fail, and it is started again,
alone: the base goes on, and further requests wait for it a moment. What it says is in the base's log, under its identity (`output`).
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

import psutil

from arkwright.arklet.archives import (
    ModulePackage,
    install_beside,
    install_locked,
    packages_of,
    refuse_unlocked,
    unmet,
)
from arkwright.arklet.asgi.words import Receive, RemoteFailure, Scope, Send, StartFailure, refuse
from arkwright.arklet.bridge.frames import Started
from arkwright.arklet.bridge.orders import Order
from arkwright.arklet.leftovers import Leftover, note
from arkwright.arklet.owners import Owner
from arkwright.arklet.process.bridge import Bridge
from arkwright.arklet.process.offers import Offers
from arkwright.arklet.process.output import Output
from arkwright.arklet.process.warm import Child, WarmProcess
from arkwright.arklet.settings import MEGABYTE, ModuleSettings
from arkwright.supervision import Supervisor

log = logging.getLogger(__name__)
START_SECONDS = 120.0
WAIT_SECONDS = 10.0  # a request's patience with a process that is being started again
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 30.0
STEADY_SECONDS = 10.0  # one that has run for so long does not keep dying
EXIT_SECONDS = 5.0  # from the end of its shutdown to the end of its process
TERM_SECONDS = 2.0  # from SIGTERM to SIGKILL
LAST_WORDS_SECONDS = 1.0


@dataclass(frozen=True)
class Around:
    """What processes of modules have in common in one base: where they come from, and who keeps their keepers."""

    warm: WarmProcess
    loops: Supervisor


class OwnProcess:
    """One version of a module in a child process."""

    def __init__(self, package: ModulePackage, settings: ModuleSettings, warm: WarmProcess) -> None:
        self._package, self._settings, self._warm = package, settings, warm
        self.owner = Owner(package.identity)
        self._bridge: Bridge | None = None
        self._child: Child | None = None
        self._up, self._silent = asyncio.Event(), asyncio.Event()
        self._restarts, self._last_end, self._next_start = 0, "", 0.0
        self._keeping: asyncio.Task[None] | None = None
        self._is_fresh = False

    @classmethod
    async def start(cls, package: ModulePackage, settings: ModuleSettings, around: Around) -> "OwnProcess":
        """Raises StartFailure, chained to what the process said, or PackageError."""
        await _bring(package)
        module = cls(package, settings, around.warm)
        try:
            module._is_fresh = await around.warm.has_loaded(names_of(package))
            started = await module._spawn()
        except BaseException:
            await module.stop()
            raise
        keeping = around.loops.keep(f"keeping {package.identity}", module._keep_running)
        module._keeping = asyncio.create_task(keeping, name=f"keeping {package.identity}")
        await module._teach(started.imported)
        return module

    async def _teach(self, imported: list[str]) -> None:
        if imported and self._package.requirements and not self._is_fresh:
            allowed = await asyncio.to_thread(packages_of, self._package.requirements)
            await self._warm.learn(imported, allowed)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if self._up.is_set() and self._bridge:
            return self._bridge(scope, receive, send)
        return self._once_up(scope, receive, send)

    async def _once_up(self, scope: Scope, receive: Receive, send: Send) -> None:
        if await self._is_up_again() and self._bridge:
            await self._bridge(scope, receive, send)
        else:
            said = f"the process of this module is being started again: {self._last_end}"
            await refuse(scope, receive, send, 503, said)

    async def _is_up_again(self) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._up.wait(), WAIT_SECONDS)
        return self._up.is_set()

    def told(self) -> dict[str, Any]:
        """CPU time in seconds and memory in megabytes of the process that runs now."""
        told: dict[str, Any] = {"restarts": self._restarts}
        if self._last_end:
            told["lastEnd"] = self._last_end
        if not self._up.is_set() and self._next_start:
            told["process"] = f"down, started again in {max(0.0, self._next_start - time.monotonic()):.1f} s"
        if self._child and not self._child.ended.done():
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(self._child.pid)
                times, memory = process.cpu_times(), process.memory_info()
                told |= {"cpuSeconds": round(times.user + times.system, 2), "memoryMb": round(memory.rss / MEGABYTE, 1)}
                told["pid"] = self._child.pid
        return told

    async def stop(self) -> list[Leftover]:
        """Its application's shutdown, then its process's end, made if need be. What was cut is told."""
        if self._keeping:
            self._keeping.cancel()
        left = await self._shut_down()
        left += await self._end(is_patient=self._keeping is not None)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._silent.wait(), LAST_WORDS_SECONDS if self._child else 0)
        return left

    async def _shut_down(self) -> list[Leftover]:
        bridge, seconds = self._bridge, self._settings.shutdown_seconds
        if bridge is None or not bridge.is_open or not self._up.is_set():
            return []
        bridge.shut_down()
        try:
            failed = await asyncio.wait_for(asyncio.shield(bridge.ended), seconds + 1)
        except TimeoutError:
            return [note(f"its shutdown was cut off after {seconds:g} s")]
        return [note(f"its shutdown failed: {failed}")] if failed else []

    async def _end(self, is_patient: bool) -> list[Leftover]:
        """`is_patient`: it is let end by itself first, and told if it does not; else it is made to at once."""
        child = self._child
        if child is None:
            return []
        left = []
        for seconds, number in ((EXIT_SECONDS, signal.SIGTERM), (TERM_SECONDS, signal.SIGKILL)):
            if await _has_ended(child, seconds if is_patient else 0):
                break
            if is_patient:
                left.append(note(f"its process had not ended {seconds:g} s later and was sent {number.name}"))
            await child.signal(number)
        await asyncio.shield(child.ended)
        return left

    async def _spawn(self) -> Started:
        """Raises StartFailure or OSError; no process is left then that does not end by itself."""
        self._silent.clear()
        ours, theirs = socket.socketpair()
        our_line, their_line = socket.socketpair()
        reading, writing = os.pipe()
        loop = asyncio.get_running_loop()
        bridge = self._bridge = Bridge(self._lost)
        output = Output(self.owner, bridge.scope_of, self._silent.set)
        await loop.connect_read_pipe(lambda: output, os.fdopen(reading, "rb"))
        ours.setblocking(False)
        await loop.create_unix_connection(lambda: bridge, sock=ours)
        self._offers = Offers(self.owner, our_line)
        try:
            with theirs, their_line:
                descriptors = (theirs.fileno(), their_line.fileno(), writing)
                self._child = await self._warm.run(self._order(), descriptors, self._is_fresh)
        finally:
            os.close(writing)
        started = await self._started(bridge)
        if started.error:
            raise StartFailure(started.error) from RemoteFailure(started.trace, started.cause or started.error)
        self._up.set()
        return started

    async def _started(self, bridge: Bridge) -> Started:
        try:
            return await asyncio.wait_for(asyncio.shield(bridge.started), START_SECONDS)
        except TimeoutError:
            return Started(f"it has not started after {START_SECONDS:g} s")

    def _lost(self) -> None:
        self._up.clear()
        if self._child:
            self._child.lose_bridge()

    def _order(self) -> Order:
        package, settings = self._package, self._settings
        return Order(
            identity=package.identity,
            application=package.application,
            directories=[str(one) for one in package.directories],
            path=sys.path,
            memory_bytes=settings.memory_mb * MEGABYTE,
            cpus=settings.cpus,
            log_level=logging.getLogger().level,
            threads=settings.threads,
            shutdown_seconds=settings.shutdown_seconds,
        )

    async def _keep_running(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            began = time.monotonic()
            if self._child:
                self._last_end = await asyncio.shield(self._child.ended)
            self._up.clear()
            if time.monotonic() - began > STEADY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            log.warning("%s: %s; started again in %g s", self._package.identity, self._last_end, pause)
            self._next_start = time.monotonic() + pause
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            self._restarts += 1
            await self._spawn_again()

    async def _spawn_again(self) -> None:
        """What fails as it may fails for now. Anything else is a mistake of ours, and raised; nothing runs then."""
        try:
            await self._spawn()
        except BaseException as error:
            self._last_end = str(error) or type(error).__name__
            if not isinstance(error, asyncio.CancelledError):  # who cancels ends it himself
                await self._end(is_patient=False)
                self._child = None
            if not isinstance(error, StartFailure | OSError):
                raise


def names_of(package: ModulePackage) -> set[str]:
    """Top-level names that it brings along: they win over those that the base has."""
    return {one.name.removesuffix(".py") for directory in package.directories for one in directory.iterdir()}


async def _has_ended(child: Child, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(child.ended), seconds)
    return child.ended.done()


async def _bring(package: ModulePackage) -> None:
    """What it needs and the base has not, beside it. Raises PackageError."""
    missing = await asyncio.to_thread(unmet, package.requirements)
    if not missing:
        return
    if package.lock is not None:
        await install_locked(package.lock, package.beside)
    elif package.is_signed:
        refuse_unlocked(one.requirement for one in missing)
    else:
        await install_beside(package.requirements, package.beside, package.fetch)
