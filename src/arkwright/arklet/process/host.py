"""Runs a module in a process of its own: isolation `process`. In: a ModulePackage. Out: a running module.

Requests go to it over a unix socket (`relay`). If it dies it is started again, alone: the base goes on, and requests wait for
it a moment. Its output goes to the base's log, line by line, under its identity.
"""

import asyncio
import contextlib
import logging
import os
import sys
import time
from typing import Any

import msgspec
import psutil

from arkwright.arklet.archives import ModulePackage, install_beside, unmet
from arkwright.arklet.asgi.words import Receive, Scope, Send, StartFailure, refuse
from arkwright.arklet.leftovers import Leftover
from arkwright.arklet.owners import Owner, works_for
from arkwright.arklet.process.child import PATIENCE_SECONDS, Order, Started
from arkwright.arklet.process.relay import Relay, Unreached
from arkwright.arklet.settings import ISOLATION, MEGABYTE, Isolation, ModuleSettings

log = logging.getLogger(__name__)
START_SECONDS = 120.0
WAIT_SECONDS = 10.0  # a request's patience with a process that is being started again
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 30.0
LINE_BYTES = 1 << 16
LAST_WORDS_SECONDS = 1.0


class ModuleFailed(Exception):
    """The module's process could not be started; its own trace is the message's rest, as a Java agent has it."""


class OwnProcess:
    """One version of a module in a child process."""

    def __init__(self, package: ModulePackage, settings: ModuleSettings) -> None:
        self._package, self._settings = package, settings
        self.owner = Owner(package.identity)
        self._socket = package.directory.with_suffix(".sock")
        self._relay = Relay(self._socket)
        self._process: asyncio.subprocess.Process | None = None
        self._up = asyncio.Event()
        self._restarts, self._last_end = 0, ""
        self._keeping: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, package: ModulePackage, settings: ModuleSettings) -> "OwnProcess":
        """Raises StartFailure, chained to what the process said, or PackageError."""
        found = await asyncio.to_thread(unmet, package.requirements)
        await install_beside(found, package.beside)
        module = cls(package, settings)
        try:
            await module._spawn()
        except BaseException:
            await module.stop()
            raise
        module._keeping = asyncio.create_task(module._keep_running(), name=f"keeping {package.identity}")
        return module

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        end = time.monotonic() + WAIT_SECONDS
        while (left := end - time.monotonic()) > 0:
            try:
                await asyncio.wait_for(self._up.wait(), left)
            except TimeoutError:
                break
            try:
                await self._relay(scope, receive, send)
                return
            except Unreached:  # it may have died this very moment
                await asyncio.sleep(FIRST_PAUSE_SECONDS)
        said = f"the process of this module is being started again: {self._last_end}"
        await refuse(scope, receive, send, 503, said)

    def told(self) -> dict[str, Any]:
        """CPU time in seconds and memory in megabytes of the process that runs now."""
        told: dict[str, Any] = {"restarts": self._restarts}
        if self._last_end:
            told["lastEnd"] = self._last_end
        if self._process and self._process.returncode is None:
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(self._process.pid)
                times, memory = process.cpu_times(), process.memory_info()
                told |= {"cpuSeconds": round(times.user + times.system, 2), "memoryMb": round(memory.rss / MEGABYTE, 1)}
                told["pid"] = process.pid
        return told

    async def stop(self) -> list[Leftover]:
        """SIGTERM, then SIGKILL: nothing can be left of it. What it says at its end is in the log."""
        if self._keeping:
            self._keeping.cancel()
        await self._relay.close()
        await self._end()
        if self._reading:
            await asyncio.wait((self._reading,), timeout=LAST_WORDS_SECONDS)  # its own children may hold the pipe
            self._reading.cancel()
        self._socket.unlink(missing_ok=True)
        return []

    async def _end(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _spawn(self) -> None:
        self._socket.unlink(missing_ok=True)
        reading, writing = os.pipe()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "arkwright.arklet.process.child"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                pass_fds=(writing,),
                env=os.environ | {ISOLATION: Isolation.PROCESS},
                limit=LINE_BYTES,
            )
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        assert self._process.stdin and self._process.stdout
        self._reading = asyncio.create_task(self._log_lines(self._process.stdout))
        self._process.stdin.write(msgspec.json.encode(self._order(writing)) + b"\n")
        started = await _started(reading)
        if started.error:
            await self._end()
            raise StartFailure(started.error) from (ModuleFailed(started.trace.strip()) if started.trace else None)
        self._up.set()

    def _order(self, status: int) -> Order:
        package, settings = self._package, self._settings
        return Order(
            socket=str(self._socket),
            status=status,
            application=package.application,
            directories=[str(one) for one in package.directories],
            memory_bytes=settings.memory_mb * MEGABYTE,
            cpus=settings.cpus,
        )

    async def _keep_running(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            began = time.monotonic()
            if self._process:
                self._last_end = f"it ended with code {await self._process.wait()}"
            self._up.clear()
            if time.monotonic() - began > LONGEST_PAUSE_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            log.warning("%s: %s; started again in %g s", self._package.identity, self._last_end, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            self._restarts += 1
            try:
                await self._spawn()
            except (StartFailure, OSError) as error:
                self._last_end, self._process = str(error), None

    async def _log_lines(self, output: asyncio.StreamReader) -> None:
        with works_for(self.owner):
            while True:
                try:
                    line = await output.readline()
                except ValueError:  # longer than the limit: what is there is dropped
                    continue
                if not line:
                    return
                log.info("%s | %s", self._package.identity, line.decode(errors="replace").rstrip())


async def _started(reading: int) -> Started:
    """What the child says of its start, from the pipe, which is closed then."""
    stream = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(reading, "rb"))
    try:
        said = await asyncio.wait_for(stream.readline(), START_SECONDS)
        return msgspec.json.decode(said, type=Started)
    except TimeoutError:
        return Started(f"it has not started after {START_SECONDS:g} s")
    except msgspec.DecodeError:
        return Started("its process ended before it had started; the base's log has what it said")
    finally:
        transport.close()
