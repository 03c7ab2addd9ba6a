"""Services as a module in a process of its own sees them. In: its objects, and its questions. Out: the base knows the ones, and answers the others.

The line to the base is opened when it is first wanted: a module that neither offers nor asks has no thread for it.
"""

import asyncio
import itertools
import socket
from functools import cached_property, partial
from typing import Any

from packaging.specifiers import SpecifierSet

from arkwright.arklet.bridge.answers import Answers
from arkwright.arklet.bridge.calls import Line, OfProvider, OfService, Publish, Question
from arkwright.arklet.bridge.remote import Remote, received


class ServicesOfTheBase:
    """The registry in a module's process."""

    def __init__(self, connection: socket.socket, version: str) -> None:
        self._connection, self._version = connection, version
        self._numbers = itertools.count(1)
        self._offered: dict[int, tuple[str, object]] = {}
        self._kinds: dict[str, dict[str, str]] = {}
        self.answers = Answers()

    def publish(self, name: str, provider: object, version: str) -> None:
        """Raises BadService."""
        number = next(self._numbers)
        self._offered[number] = (name, provider)
        received(self._line.ask(Publish(name, version or self._version, number)))

    def attribute(self, name: str, versions: SpecifierSet, attribute: str) -> Any:
        """A value, or what calls it: sync or async, as its provider has it. Raises NoSuchService."""
        return Remote(name, partial(self._ask, name, str(versions)), self._kinds.setdefault(name, {})).attribute(
            attribute
        )

    def _ask(self, name: str, versions: str, attribute: str, arguments: bytes | None) -> Any:
        return self._line.ask(OfService(name, versions, attribute, arguments))

    @cached_property
    def _line(self) -> Line:
        return Line.open(self._connection, self._answer, lambda: None)

    async def _answer(self, question: Question) -> tuple[str, bytes]:
        assert isinstance(question, OfProvider)
        name, provider = self._offered[question.provider]
        what = f"{name}.{question.attribute}"
        attribute = await self.answers.attribute(provider, question.attribute)
        if question.arguments is None:
            return await self.answers.about(attribute, what)
        return await self.answers.call(attribute, question.arguments, what)

    def serve_from(self, loop: asyncio.AbstractEventLoop) -> None:
        """Where its coroutines run."""
        self.answers.loop = loop
