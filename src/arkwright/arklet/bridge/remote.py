"""Objects in other processes. In: attributes and arguments. Out: values, calls that go there, and what went wrong there as exceptions.

Whether an attribute is a value, a function or a coroutine function is asked once; a value is fetched each time.
"""

import asyncio
import builtins
import concurrent.futures
import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from arkwright.arklet.bridge.calls import ASYNC, CALL_SECONDS, VALUE, Answered, Failure
from arkwright.arklet.bridge.values import CannotCross, packed, unpacked

patience: ContextVar[float] = ContextVar("arkwright_call_seconds", default=CALL_SECONDS)  # of a call to another process
Ask = Callable[[str, bytes | None], "concurrent.futures.Future[Answered]"]


class ServiceError(LookupError):
    """Root of what can be wrong with a service."""


class NoSuchService(ServiceError):
    """Nobody offers it now; the message says what there is instead."""


class BadService(ServiceError):
    """A name, version or specifier that cannot be; or one that this provider offers already."""


class CallTimedOut(ServiceError, TimeoutError):
    """The provider, in another process, has not answered in time; it may do so still, to nobody."""


class ServiceFailed(Exception):
    """What a provider in another process has raised. `type`: the name of its exception; `trace`: where, in its process."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure, self.type, self.trace = failure, failure.type, failure.trace
        if failure.trace:
            self.add_note(f"in its provider's process:\n{failure.trace.rstrip()}")


OURS = {one.__name__: one for one in (NoSuchService, BadService, CallTimedOut, ServiceError, CannotCross)}


def failed(failure: Failure) -> Exception:
    """An exception to raise: of our own kinds, or ServiceFailed that is the builtin of that name, too, so that callers catch what they would
    catch in one process."""
    if failure.type in OURS:
        return OURS[failure.type](failure.message)
    known = getattr(builtins, failure.type, None)
    if isinstance(known, type) and issubclass(known, Exception):
        try:
            kind: Callable[[Failure], Exception] = type(failure.type, (ServiceFailed, known), {})
            return kind(failure)
        except TypeError:  # some are made of more than a message
            pass
    return ServiceFailed(failure)


class Remote:
    """One object. `ask` sends a question about an attribute of it: with arguments a call, without them what it is. `kinds`: what
    is known of its attributes."""

    def __init__(self, name: str, ask: Ask, kinds: dict[str, str]) -> None:
        self._name, self._ask, self._kinds = name, ask, kinds

    def attribute(self, attribute: str) -> Any:
        """A value, or what calls it, sync or async as it is there. Raises what the other process says, or that it does not."""
        kind = self._kinds.get(attribute)
        if kind in (None, VALUE):
            answered = received(self._ask(attribute, None))
            kind = self._kinds[attribute] = answered.kind
            if kind == VALUE:
                return unpacked(answered.value)
        if kind == ASYNC:
            return functools.partial(self._call_async, attribute, patience.get())
        return functools.partial(self._call, attribute)

    def _call(self, attribute: str, /, *args: Any, **more: Any) -> Any:
        return unpacked(received(self._ask(attribute, self._packed(attribute, args, more))).value)

    async def _call_async(self, attribute: str, seconds: float, /, *args: Any, **more: Any) -> Any:
        """`seconds`: the patience of who has looked it up; who awaits it may have another."""
        return unpacked((await awaited(self._ask(attribute, self._packed(attribute, args, more)), seconds)).value)

    def _packed(self, attribute: str, args: Any, more: Any) -> bytes:
        return packed((args, more), f"a call of {self._name}.{attribute}")


def received(future: "concurrent.futures.Future[Answered]") -> Answered:
    """An answer, waited for in this thread. Raises CallTimedOut, LineLost, and what the provider has raised."""
    seconds = patience.get()
    try:
        answered = future.result(seconds)
    except concurrent.futures.TimeoutError:
        future.cancel()
        raise _late(seconds) from None
    return _without_failure(answered)


async def awaited(future: "concurrent.futures.Future[Answered]", seconds: float) -> Answered:
    """The same on an event loop, which goes on meanwhile."""
    try:
        answered = await asyncio.wait_for(asyncio.wrap_future(future), seconds)
    except TimeoutError:
        raise _late(seconds) from None
    return _without_failure(answered)


def _late(seconds: float) -> CallTimedOut:
    return CallTimedOut(f"no answer after {seconds:g} s")


def _without_failure(answered: Answered) -> Answered:
    if answered.failure:
        raise failed(answered.failure)
    return answered
