"""The warm process: forks the processes of modules. In: orders of the base. Out: children, and reports of their births and ends.

Small and single-threaded, so that a fork of it is quick and safe. What it imports, every child has from its start. Children lead process
groups of their own, and what is left of a group goes with its leader: nothing of a module stays. When the base has gone, all ends.
"""

import contextlib
import ctypes
import gc
import os
import select
import signal
import socket
import subprocess
import sys
import time
from typing import Any

import msgspec

from arkwright.arklet.bridge.orders import (
    Born,
    Fork,
    FromBase,
    FromWarm,
    Gone,
    Order,
    Preloaded,
    receive,
    send,
)
from arkwright.arklet.bridge.orders import Signal as SignalOrder
from arkwright.arklet.runner.module import run
from arkwright.arklet.runner.preloading import Probe, import_all, top
from arkwright.arklet.runner.warming import use_first, warm_up

PR_SET_CHILD_SUBREAPER = 36
GRACE_SECONDS = 10.0  # for children whose base has gone, besides what their shutdowns may take


class Warm:
    """`serve` returns twice: in each child with the Order that it is to run, and in the end, here, with None."""

    def __init__(self, orders: socket.socket, reports: socket.socket) -> None:
        self._orders, self._reports = orders, reports
        self._children: dict[int, Order] = {}
        self._wanted: list[str] = []
        self._probe: Probe | None = None
        self._woken, self._waking = os.pipe()
        for one in (self._woken, self._waking):
            os.set_blocking(one, False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(self._waking, warn_on_full_buffer=False)

    def serve(self) -> Order | None:
        self._report(Preloaded(sorted(set(map(top, sys.modules)) - sys.stdlib_module_names), []))
        while True:
            ready = self._wait()
            self._reap()
            if self._probe in ready:
                self._preload()
            if self._orders in ready:
                told = receive(self._orders, FromBase)
                if told is None:
                    self._end()
                    return None
                if order := self._obey(*told):
                    return order

    def _wait(self) -> list[Any]:
        sources: list[Any] = [self._woken, self._orders, *([self._probe] if self._probe else [])]
        return select.select(sources, [], [])[0]

    def _obey(self, told: FromBase, descriptors: list[int]) -> Order | None:
        if isinstance(told, Fork):
            return self._fork(told, descriptors)
        if isinstance(told, SignalOrder):
            self._signal(told.pid, told.signal)
        else:
            self._wanted += told.names
            self._look_whether_safe()
        return None

    def _fork(self, fork: Fork, descriptors: list[int]) -> Order | None:
        """The order, in the child."""
        bridge, services, output = descriptors
        if pid := os.fork():
            self._children[pid] = fork.order
            for one in descriptors:
                os.close(one)
            self._report(Born(fork.number, pid))
            return None
        self._become_child(output)
        order = msgspec.structs.replace(fork.order, bridge=bridge, services=services)
        if fork.is_fresh or not FORKS:
            for one in (bridge, services):
                os.set_inheritable(one, True)
            os.execv(sys.executable, fresh(order))
        return order

    def _become_child(self, output: int) -> None:
        """Nothing of this process stays but what it has imported."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        for one in (self._woken, self._waking, self._orders.detach(), self._reports.detach()):
            os.close(one)
        if self._probe:
            self._probe.forget()
        for number in (1, 2):
            os.dup2(output, number)
        os.close(output)
        gc.enable()

    def _signal(self, pid: int, number: int) -> None:
        """One that has ended and is not reaped yet is no error."""
        if pid in self._children:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, number)

    def _reap(self) -> None:
        """Also what children have left behind, for it is ours then."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._woken, 4096)
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                self._see_off(*ended)

    def _see_off(self, pid: int, status: int) -> None:
        if self._children.pop(pid, None):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)  # what is left of its group
            self._report(Gone(pid, os.waitstatus_to_exitcode(status)))

    def _report(self, report: FromWarm) -> None:
        with contextlib.suppress(OSError):  # the base has gone: its orders end, and that is the word for it
            send(self._reports, report)

    def _look_whether_safe(self) -> None:
        """In a process of its own: others may be started meanwhile."""
        if self._wanted and not self._probe:
            self._probe, self._wanted = Probe(self._wanted), []

    def _preload(self) -> None:
        assert self._probe
        names, unsafe = self._probe.found()
        self._probe = None
        import_all(names)
        use_first({top(one) for one in names})
        gc.collect()
        gc.freeze()
        self._report(Preloaded(names, unsafe))
        self._look_whether_safe()

    def _end(self) -> None:
        """Children see for themselves that the base has gone; those that do not end then are made to."""
        longest = max((one.shutdown_seconds for one in self._children.values()), default=0.0)
        end = time.monotonic() + longest + GRACE_SECONDS
        while self._children and time.monotonic() < end:
            select.select([self._woken], [], [], end - time.monotonic())
            self._reap()
        for pid in self._children:
            self._signal(pid, signal.SIGKILL)


FORKS = sys.platform == "linux"  # elsewhere system libraries do not bear it (macOS)


def fresh(order: Order) -> list[str]:
    """The command of a module's process that shares nothing with this one."""
    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    return [sys.executable, *flags, "-m", "arkwright.arklet.runner.fresh", msgspec.json.encode(order).decode()]


def become_reaper() -> None:
    """What children of children leave behind comes to this process, which may be the only one to see to it in a container."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def main() -> None:
    orders, reports = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    sys.path[:] = sys.argv[3:]
    become_reaper()
    warm_up()
    gc.disable()
    gc.freeze()
    if order := Warm(orders, reports).serve():
        run(order)


if __name__ == "__main__":
    main()
