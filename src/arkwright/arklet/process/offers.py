"""Services between the base and a module in a process of its own. In: questions of that process. Out: answers; and its own services, offered.

What the process publishes stands in the base's registry as if it were the base's: a call of it goes there and comes back by value.
"""

import asyncio
import functools
import logging
import socket
from typing import Any

from packaging.specifiers import SpecifierSet

from arkwright.arklet.bridge.answers import Answers, is_async
from arkwright.arklet.bridge.calls import VALUE, Line, OfProvider, OfService, Publish, Question
from arkwright.arklet.bridge.remote import Remote
from arkwright.arklet.owners import Owner, works_for
from arkwright.arklet.services import services

log = logging.getLogger(__name__)


class Offers:
    """Of one process, until it ends. Made on the base's event loop, where the base's coroutines are to run."""

    def __init__(self, owner: Owner, connection: socket.socket) -> None:
        self._owner = owner
        self._answers = Answers(asyncio.get_running_loop())
        self._line = Line.open(connection, self._answer, self._lost)

    def close(self) -> None:
        self._line.close()

    def _lost(self) -> None:
        """Its services go with it; those of the next process of the module come with that."""
        services.drop(self._owner)
        self._answers.close()

    async def _answer(self, question: Question) -> tuple[str, bytes]:
        if isinstance(question, Publish):
            with works_for(self._owner):
                services.publish(
                    question.name, Provider(question.provider, question.name, self._line), question.version
                )
            return VALUE, b""
        assert isinstance(question, OfService)
        versions = SpecifierSet(question.versions)
        service = services.find(question.name, versions)
        what = f"{question.name}.{question.attribute}"
        attribute = await self._answers.attribute(service.provider, question.attribute)
        if question.arguments is None:
            return await self._answers.about(attribute, what)
        method = functools.partial(service.called, attribute)
        if is_async(attribute):
            method = _as_coroutine(method)
        return await self._answers.call(method, question.arguments, what)


def _as_coroutine(call: Any) -> Any:
    async def called(*args: Any, **more: Any) -> Any:
        return await call(*args, **more)

    return called


class Provider:
    """An object in a module's process, as the base and other modules call it."""

    def __init__(self, number: int, name: str, line: Line) -> None:
        self.__remote = Remote(name, lambda attribute, said: line.ask(OfProvider(number, attribute, said)), {})

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return self.__remote.attribute(attribute)

    def __call__(self, *args: Any, **more: Any) -> Any:
        return self.__remote.attribute("__call__")(*args, **more)
