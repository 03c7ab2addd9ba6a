"""Loops that a process is made of: each is kept running, and what goes wrong with one is told and holds up no other.

In: what to run, under a name. Out: a log line and a count for each failure, a new beginning after a pause that grows, and lines about whatever
does not run at this moment. Not done here: what a loop does about a single thing that fails in it; which things those are, it may say.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
SOUND_SECONDS = 60.0  # who has run so long has got over it
SETTLED_SECONDS = 1.0  # who has run so long is begun anew; before that it may fail as it did
MOST_NAMED = 5  # of things that fail, in one line
Run = Callable[[], Awaitable[None]]


@dataclass
class Loop:
    """`is_needed`: without it the process does not do what others count on. `error`: why it does not run now; "" while it does."""

    name: str
    run: Run
    is_needed: bool = False
    failures: int = 0
    error: str = ""
    task: "asyncio.Future[None] | None" = None

    def line(self) -> str:
        """As Kubernetes tells its checks."""
        return f"[-] {self.name}: {self.error}; begun anew, {self.failures} times so far"


Tell = Callable[[Loop, float, BaseException | None], None]


def in_our_log(loop: Loop, in_seconds: float, error: BaseException | None) -> None:
    """As our own processes say it. A base says it as the base does: it need not even load this."""
    import structlog

    log = structlog.get_logger()
    log.error("ended, begun anew", part=loop.name, failures=loop.failures, in_seconds=in_seconds, exc_info=error)


def in_log(log: logging.Logger) -> Tell:
    """As a base says it, in lines of its own."""

    def tell(loop: Loop, in_seconds: float, error: BaseException | None) -> None:
        said = ("%s has ended and is begun anew in %g s, for the %d. time", loop.name, in_seconds, loop.failures)
        log.error(*said, exc_info=error)

    return tell


class Supervisor:
    """`count`: hears the name of a loop each time that it fails; `tell`: says so in a log, before the pause."""

    def __init__(self, count: Callable[[str], None] | None = None, tell: Tell = in_our_log) -> None:
        self._count, self._say = count, tell
        self.loops: dict[str, Loop] = {}
        self._set_aside: dict[str, Callable[[], Iterable[object]]] = {}

    async def keep(self, name: str, run: Run, *, is_needed: bool = False) -> None:
        """Until cancelled; then it is none of ours any more. However it ends, it is begun anew."""
        loop = self.loops[name] = Loop(name, run, is_needed)
        try:
            await self._keep(loop)
        finally:
            if self.loops.get(name) is loop:
                del self.loops[name]
                self._set_aside.pop(name, None)

    async def _keep(self, loop: Loop) -> None:
        clock, pause = asyncio.get_running_loop().time, FIRST_PAUSE_SECONDS
        while True:
            begun = clock()
            error = await self._ended(loop)
            pause = FIRST_PAUSE_SECONDS if clock() - begun > SOUND_SECONDS else pause
            self._tell(loop, error, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _ended(self, loop: Loop) -> BaseException | None:
        """Run it; what has ended it. A cancellation that is not ours has ended it, too."""
        task = loop.task = asyncio.ensure_future(loop.run())
        try:
            await asyncio.wait([task], timeout=SETTLED_SECONDS)
            if not task.done():
                loop.error = ""
                await asyncio.wait([task])
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait([task])
            raise
        return asyncio.CancelledError() if task.cancelled() else task.exception()

    def _tell(self, loop: Loop, error: BaseException | None, pause: float) -> None:
        loop.failures += 1
        loop.error = f"{type(error).__name__}: {error}" if error else "it has ended"
        self._say(loop, pause, error)
        if self._count:
            self._count(loop.name)

    def name_failing(self, name: str, failing: Callable[[], Iterable[object]]) -> None:
        """`failing`: what that loop has set aside, because it has failed again and again."""
        self._set_aside[name] = failing

    @property
    def is_serving(self) -> bool:
        """Whether all runs that others count on."""
        return not any(one.error and one.is_needed for one in self.loops.values())

    def troubles(self) -> list[str]:
        """A line for each loop that does not run, and for each that has set something aside."""
        found = [one.line() for one in self.loops.values() if one.error]
        for name, failing in self._set_aside.items():
            if things := [str(one) for one in failing()]:
                more = f" and {len(things) - MOST_NAMED} more" if len(things) > MOST_NAMED else ""
                found.append(
                    f"[-] {name}: set aside, for it fails again and again: {', '.join(things[:MOST_NAMED])}{more}"
                )
        return found
