"""Timers and threads that would run a module's code later. In: its Maker, when it goes. Out: they are stopped, or named.

A loop's handles (call_later, call_at, call_soon, add_reader) are cancelled where what they call is the module's. So are its
`threading.Timer`s; pools of threads that its code has made take no more work. Not done here: threads that are running (`residue`).
"""

import asyncio
import contextvars
import gc
import sys
import threading
from functools import partial
from typing import Any

from arkwright.arklet.leftovers import Leftover
from arkwright.arklet.shared.ownership import Maker
from arkwright.arklet.shared.reach import reaches

STOPS = (asyncio.AbstractEventLoop, contextvars.Context)


def stop(owner: Maker) -> None:
    """To be called in the loop's thread: no handle runs meanwhile."""
    for handle in _handles():
        if any(map(owner.has_part_in, _called(handle))):
            handle.cancel()
    for thread in list(owner.threads):
        if isinstance(thread, threading.Timer):
            thread.cancel()
    for pool in list(owner.pools):
        pool.shutdown(wait=False, cancel_futures=True)
    for loop in own_loops(owner):
        if loop.is_running():
            loop.call_soon_threadsafe(loop.stop)


def own_loops(owner: Maker) -> list[Any]:
    """Event loops that it has made, told by the pair of sockets that each has."""
    if not owner.sockets:
        return []
    loops = [one for one in gc.get_objects() if issubclass(type(one), asyncio.selector_events.BaseSelectorEventLoop)]
    return [one for one in loops if getattr(one, "_ssock", None) in owner.sockets]


def still_to_run(owner: Maker) -> list[Leftover]:
    """Timers and threads of libraries that have something of the module's to run. Threads that are at it are not among these."""
    running = threads_of(owner)
    timers = [
        Leftover(f"a timer of {_described(one)} RUNS its code", partial(_is_waiting, one))
        for one in _handles()
        if reaches(_called(one), owner)
    ]
    threads = [
        Leftover(f"thread {one.name} of a library RUNS its code", one.is_alive)
        for one in list(owner.led)
        if one.is_alive() and one not in running and reaches(one, owner)
    ]
    return timers + threads


def threads_of(owner: Maker) -> list[threading.Thread]:
    """Threads that the module started, and any others that are running its code."""
    stacks = sys._current_frames()
    started = [one for one in list(owner.threads) if one.is_alive()]
    at_work = [
        one
        for one in threading.enumerate()
        if one not in owner.threads and one.ident in stacks and owner.runs_in(stacks[one.ident])
    ]
    return started + at_work


def _handles() -> list[Any]:
    kinds: set[Any] = {asyncio.Handle, asyncio.TimerHandle}
    if uvloop := sys.modules.get("uvloop.loop"):
        kinds |= {vars(uvloop)["Handle"], vars(uvloop)["TimerHandle"]}
    return [one for one in gc.get_objects() if type(one) in kinds and not one.cancelled()]


def _called(handle: Any) -> list[Any]:
    """The callback and its arguments."""
    found = []
    for one in gc.get_referents(handle):
        found += list(one) if type(one) is tuple else [one]
    return [one for one in found if not isinstance(one, STOPS)]


def _is_waiting(handle: Any) -> bool:
    return bool(_called(handle)) and not handle.cancelled()


def _described(handle: Any) -> str:
    names = (getattr(one, "__qualname__", None) for one in _called(handle))
    return str(next(filter(None, names), "a library"))
