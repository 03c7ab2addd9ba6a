"""The module's end of the bridge. In: frames of the base. Out: calls of the application, and frames with what it says.

Every request is a task of its own, as in a server. The base is
trusted here; the module is not trusted there.
"""

import asyncio
import traceback
from collections.abc import Callable
from typing import Any

from arkwright.arklet.asgi.words import Application
from arkwright.arklet.bridge.frames import MESSAGE_BYTES, Ended, Frames, FromBase, Open, Shutdown
from arkwright.arklet.bridge.outlet import Outlet
from arkwright.arklet.bridge.records import request_number
from arkwright.arklet.runner.requests import Request, scope_of


class Bridge(Outlet):
    """All requests of one application. `on_shutdown` is called when the base wants it to end, or has gone."""

    def __init__(self, application: Application, state: dict[str, Any], on_shutdown: Callable[[], object]) -> None:
        super().__init__()
        self._application, self._state, self._on_shutdown = application, state, on_shutdown
        self._frames = Frames(FromBase, MESSAGE_BYTES * 2)
        self._requests: dict[int, Request] = {}
        self._held: list[Request] = []

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        for one in list(self._requests.values()):
            one.disconnect()
        self._on_shutdown()

    def data_received(self, data: bytes) -> None:
        for payload in self._frames.feed(data):
            self._take(self._frames.decoded(payload))

    def _take(self, frame: FromBase) -> None:
        if type(frame) is Open:
            self._open(frame)
        elif type(frame) is Shutdown:
            self._on_shutdown()
        elif one := self._requests.get(frame.id):  # type: ignore[union-attr]
            one.take(frame)  # type: ignore[arg-type]

    def _open(self, frame: Open) -> None:
        one = Request(self, frame, self._hold)
        self._requests[frame.id] = one
        one.task = self._loop.create_task(self._answer(one, scope_of(frame, self._state)))

    async def _answer(self, one: "Request", scope: dict[str, Any]) -> None:
        """As a server does: whatever the application raises ends its request alone, and is told to who serves."""
        error = trace = ""
        request_number.set(one.id)
        try:
            result = await self._application(scope, one.receive, one.send)  # type: ignore[func-returns-value]
            if result is not None:
                error = f"TypeError: an ASGI application returns None, not {result!r:.100}"
        except BaseException as raised:
            error, trace = f"{type(raised).__name__}: {raised}", traceback.format_exc()
        finally:
            del self._requests[one.id]
            one.finish(error, trace)

    def _hold(self, one: Request) -> None:
        """Its response's beginning may yet be joined by more of it, until this round of the loop is over."""
        if not self._held:
            self._loop.call_soon(self._release)
        self._held.append(one)

    def _release(self) -> None:
        held, self._held = self._held, []
        for one in held:
            one.release()

    async def end(self, seconds: float) -> int:
        """Wait for the requests under way; cancel those that are not over after `seconds`. Returns how many."""
        if under_way := self._tasks():
            await asyncio.wait(under_way, timeout=seconds)
        cut = self._tasks()
        for task in cut:
            task.cancel("the module is uninstalled")
        if cut:
            await asyncio.wait(cut, timeout=1)
        return len(cut)

    def _tasks(self) -> "list[asyncio.Task[None]]":
        return [one.task for one in self._requests.values() if one.task]

    def say_ended(self, error: str) -> None:
        self.write(Ended(error))
        self.flush()
