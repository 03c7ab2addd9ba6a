"""The ASGI lifespan of one application. In: the application. Out: its startup and shutdown as two calls."""

import asyncio
from typing import Any

from arkwright.arklet.asgi.words import Application, Message, Scope, StartFailure

LIFESPAN_SECONDS = 60.0
# No words of the protocol: it raised, or returned, instead of answering.
FAILED, ENDED = "lifespan.failed", "lifespan.ended"


class Lifespan:
    """Speaks the protocol to one application, in a task of its own. `state` is what the application put there."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._to: asyncio.Queue[Message] = asyncio.Queue()
        self._from: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._has_heard = False
        self.state: dict[str, Any] = {}

    async def startup(self) -> None:
        """Raises StartFailure. An application that does not know lifespan is simply started."""
        self._task = asyncio.create_task(self._run(), name="module lifespan")
        answer = await self._say("lifespan.startup", LIFESPAN_SECONDS)
        if answer["type"] in ("lifespan.startup.failed", FAILED):
            await self._end()
            raise StartFailure(answer.get("message") or "the module's lifespan startup failed") from answer.get("error")

    async def shutdown(self, seconds: float = LIFESPAN_SECONDS) -> str:
        """What went wrong, in words; "" if nothing did. The application's task has ended afterwards, cut off after `seconds`."""
        said: Message = {}
        if self._task is not None and not self._task.done():
            said = await self._say("lifespan.shutdown", seconds)
        await self._end()
        return str(said.get("message", "failed")) if said.get("type") in ("lifespan.shutdown.failed", FAILED) else ""

    async def _end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        scope: Scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self._application(scope, self._hear, self._from.put)
            await self._from.put({"type": ENDED})
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # the last two would end the event loop: the base
            # who raises before it has heard anything does not know lifespan, which the protocol allows
            word = "lifespan.unsupported" if isinstance(error, Exception) and not self._has_heard else FAILED
            await self._from.put({"type": word, "message": f"{type(error).__name__}: {error}", "error": error})

    async def _hear(self) -> Message:
        message = await self._to.get()
        self._has_heard = True
        return message

    async def _say(self, word: str, seconds: float) -> Message:
        await self._to.put({"type": word})
        try:
            return await asyncio.wait_for(self._from.get(), seconds)
        except TimeoutError:
            return {"type": f"{word}.failed", "message": f"no answer to {word} after {seconds:g} s"}
