"""The base's side of the warm process. In: orders to run modules. Out: Children, and word of their ends.

It is a subprocess, never a fork of the base, which may have threads; it is started when it is first wanted, or before, and again if it
dies: its children live on, and are told by their bridges.
"""

import asyncio
import contextlib
import itertools
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable

from arkwright.arklet.bridge.frames import Frames
from arkwright.arklet.bridge.orders import (
    Born,
    Fork,
    FromWarm,
    Gone,
    Order,
    Preload,
    Preloaded,
    Signal,
    send,
)

log = logging.getLogger(__name__)
END_SECONDS = 5.0
UNKNOWN = "it ended, and nobody was there to see how"


class CannotStart(OSError):
    """The warm process is not there; the message says why."""


class Child:
    """The process of one module. `pid` is 0 until it is born; `ended` says how it ended, in words."""

    def __init__(self, warm: "WarmProcess") -> None:
        loop = asyncio.get_running_loop()
        self._warm = warm
        self.pid = 0
        self.born: asyncio.Future[int] = loop.create_future()
        self.ended: asyncio.Future[str] = loop.create_future()
        self._handle = -1  # of the process, for a time when its parent is not there
        self._is_orphan = False

    def be_born(self, pid: int) -> None:
        self.pid = pid
        with contextlib.suppress(OSError, AttributeError):
            self._handle = os.pidfd_open(pid)
        if not self.born.done():
            self.born.set_result(pid)

    def end(self, said: str) -> None:
        if self._handle >= 0:
            asyncio.get_running_loop().remove_reader(self._handle)
            os.close(self._handle)
            self._handle = -1
        for future in (self.born, self.ended):
            if not future.done():
                future.set_result(said if future is self.ended else 0)  # type: ignore[arg-type]

    def be_orphaned(self) -> None:
        """The process that it was forked from has ended: its own end is seen from here now, where the system lets us."""
        self._is_orphan = True
        if self._handle >= 0:
            asyncio.get_running_loop().add_reader(self._handle, self.end, UNKNOWN)

    def lose_bridge(self) -> None:
        """Where nobody tells of its end, this is it."""
        if self._is_orphan and self._handle < 0:
            self.end(UNKNOWN)

    async def signal(self, number: int) -> None:
        """To it and all that it has started. Nothing happens if it has ended."""
        if self.ended.done():
            return
        with contextlib.suppress(OSError):
            if self._is_orphan:
                os.killpg(self.pid, number)
            else:
                await self._warm.say(Signal(self.pid, number))


class WarmProcess(asyncio.Protocol):
    """One a base. `preload`: names to import at its start; None: what installed modules turn out to need."""

    def __init__(self, preload: tuple[str, ...] | None = None) -> None:
        self._preload_at_start = preload
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None
        self._children: dict[int, Child] = {}
        self._unborn: dict[int, Child] = {}
        self._numbers = itertools.count(1)
        self._reports = Frames(FromWarm)
        self._saying, self._starting = asyncio.Lock(), asyncio.Lock()
        self._preloaded: dict[str, None] = {}
        self._loaded: set[str] = set()
        self._is_ready = asyncio.Event()
        self.unsafe: set[str] = set()

    async def start(self) -> None:
        """Unless it runs. Raises OSError."""
        async with self._starting:
            if self._orders is None:
                await self._start()

    async def _start(self) -> None:
        ours, theirs = socket.socketpair()
        reports, reporting = socket.socketpair()
        with theirs, reporting:
            self._process = await asyncio.to_thread(_spawn, theirs, reporting)
        self._orders = ours
        self._is_ready.clear()
        reports.setblocking(False)
        await asyncio.get_running_loop().create_unix_connection(lambda: self, sock=reports)
        if names := self._preload_at_start or tuple(self._preloaded):
            await self.say(Preload(list(names)))

    async def run(self, order: Order, descriptors: tuple[int, int, int], is_fresh: bool = False) -> Child:
        """`descriptors`: of its bridge, its services' line, its output. Raises OSError."""
        await self.start()
        child, number = Child(self), next(self._numbers)
        self._unborn[number] = child
        try:
            await self.say(Fork(number, order, is_fresh), descriptors)
        except BaseException:
            self._unborn.pop(number, None)
            raise
        if not await child.born:
            raise CannotStart(child.ended.result())
        return child

    async def say(self, order: Fork | Preload | Signal, descriptors: tuple[int, ...] = ()) -> None:
        """In a thread: it may be importing just now. Raises OSError."""
        async with self._saying:
            if self._orders is None:
                raise CannotStart("the process that starts modules is not there")
            await asyncio.to_thread(send, self._orders, order, descriptors)

    async def learn(self, imported: Iterable[str], allowed: frozenset[str]) -> None:
        """What a module has imported of the packages that it requires, the next ones shall have from their start."""
        if self._preload_at_start is not None:
            return
        new = [one for one in imported if one not in self._preloaded and one.partition(".")[0] in allowed - self.unsafe]
        if new:
            self._preloaded.update(dict.fromkeys(new))
            with contextlib.suppress(OSError):
                await self.say(Preload(new))

    async def has_loaded(self, names: Iterable[str]) -> bool:
        """Whether any of these top-level names is in it, or on its way there. Raises OSError."""
        await self.start()
        await self._is_ready.wait()
        asked = {one.partition(".")[0] for one in (*self._preloaded, *(self._preload_at_start or ()))}
        return not (self._loaded | asked).isdisjoint(names)

    def data_received(self, data: bytes) -> None:
        for payload in self._reports.feed(data):
            self._hear(self._reports.decoded(payload))

    def _hear(self, report: FromWarm) -> None:
        if isinstance(report, Born):
            child = self._unborn.pop(report.number)
            self._children[report.pid] = child
            child.be_born(report.pid)
        elif isinstance(report, Gone):
            if ended := self._children.pop(report.pid, None):
                ended.end(how_it_ended(report.code))
        else:
            self._note_preloaded(report)

    def _note_preloaded(self, report: Preloaded) -> None:
        self._loaded.update(one.partition(".")[0] for one in report.names)
        self._is_ready.set()
        self.unsafe.update(report.unsafe)
        for one in [one for one in self._preloaded if one.partition(".")[0] in self.unsafe]:
            del self._preloaded[one]
        if report.unsafe:
            log.info("not preloaded, for they start threads when they are imported: %s", ", ".join(report.unsafe))

    def connection_lost(self, error: Exception | None) -> None:
        """Those that were to be born never are; the others live, and their bridges tell of their ends."""
        if self._orders:
            self._orders.close()
        self._orders, self._reports = None, Frames(FromWarm)
        self._loaded.clear()
        self._is_ready.set()  # nobody waits for one that has gone
        for child in self._unborn.values():
            child.end("the process that starts modules has ended; the base's log has what it said")
        for child in self._children.values():
            child.be_orphaned()
        self._unborn.clear()
        self._children.clear()

    async def close(self) -> None:
        """Once all children have ended; those that have not are killed by it."""
        orders, self._orders = self._orders, None
        if orders:
            orders.close()
        if self._process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self._process.wait, END_SECONDS)


def _spawn(orders: socket.socket, reports: socket.socket) -> "subprocess.Popen[bytes]":
    """In a session of its own: what ends a terminal's programs is for the base, which ends the others in turn."""
    numbers = (orders.fileno(), reports.fileno())
    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    command = [sys.executable, *flags, "-P", "-m", "arkwright.arklet.runner.warm", *map(str, numbers), *sys.path]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=numbers, start_new_session=True)


def how_it_ended(code: int) -> str:
    """
    >>> how_it_ended(3), how_it_ended(-9)
    ('it ended with code 3', 'it was ended by SIGKILL')
    """
    if code >= 0:
        return f"it ended with code {code}"
    try:
        return f"it was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"it was ended by signal {-code}"
