"""What a process does with a question about an object of its own. In: the object's attribute, arguments. Out: a kind, a value.

Coroutine functions run on the process's own event loop, others in threads: neither holds up the other questions.
"""

import asyncio
import contextvars
import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from arkwright.arklet.bridge.calls import ASYNC, SYNC, VALUE, Failure, failure_of
from arkwright.arklet.bridge.values import packed, unpacked

THREADS = 16
Called = Callable[..., Any]


def is_async(attribute: Any) -> bool:
    """Whether a call of it makes a coroutine: a function, or an object that is called like one."""
    method = getattr(type(attribute), "__call__", None)  # noqa: B004 (not whether it can be called, but how)
    return inspect.iscoroutinefunction(attribute) or inspect.iscoroutinefunction(method)


class Failed(Exception):
    """Something has failed in a thread; `failure` tells what."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def _tried(work: Callable[[], Any]) -> tuple[Any, Failure | None]:
    try:
        return work(), None
    except Exception as error:
        return None, failure_of(error)


class Answers:
    """Of one process. `loop`: where its coroutines run; None until it has one."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.loop = loop
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="service")

    async def attribute(self, holder: object, name: str) -> Any:
        """In a thread: it may be a property, or lie in a third process. Raises AttributeError, and what it does."""
        return await self._in_a_thread(lambda: getattr(holder, name))

    async def about(self, attribute: Any, what: str) -> tuple[str, bytes]:
        """Its kind, and its value if it is one. Raises CannotCross."""
        if is_async(attribute):
            return ASYNC, b""
        return (SYNC, b"") if callable(attribute) else (VALUE, packed(attribute, what))

    async def call(self, method: Called, arguments: bytes, what: str) -> tuple[str, bytes]:
        """What it returns, awaited if it is to be. `method` is called in a thread, or on the loop if it is a coroutine function. Raises
        what it does, or CannotCross."""
        args, more = unpacked(arguments)
        if is_async(method):
            result = await self._awaited(lambda: method(*args, **more))
        else:
            result = await self._in_a_thread(lambda: method(*args, **more))
            if inspect.isawaitable(result):
                result = await self._awaited(lambda: result)
        return VALUE, packed(result, f"what {what} returns")

    async def _in_a_thread(self, work: Callable[[], Any]) -> Any:
        """What it raises is taken down there: on the way here some exceptions would lose their trace."""
        run = contextvars.copy_context().run
        loop = asyncio.get_running_loop()
        result, failure = await loop.run_in_executor(self._threads, run, _tried, work)
        if failure:
            raise Failed(failure)
        return result

    async def _awaited(self, make: Callable[[], Any]) -> Any:
        if self.loop is None:
            raise RuntimeError("its event loop does not run yet")

        async def run() -> Any:
            return await make()

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(run(), self.loop))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
