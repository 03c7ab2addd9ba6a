"""Pages that follow the cluster. In: questions, sights. Out: pages as they are now, and for each viewer what differs from what they have.

A page is made once for all who ask the same with the same sight, and only when something has changed: by all viewers together the API server is watched once.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime

from arkwright.web.bases import bases_page
from arkwright.web.fleet import Fleet
from arkwright.web.pieces import Difference, Page, difference
from arkwright.web.question import Question
from arkwright.web.release import release_page
from arkwright.web.releases import Releases
from arkwright.web.sight import Sight

TICK_SECONDS = 0.12
REMEMBERED_PAGES = 128
LOOK_AGAIN_SECONDS = 5.0  # what depends on the time: a controller that falls silent
Key = tuple[Question, Sight]


class Live:
    """`clock` tells the time of day."""

    def __init__(self, fleet: Fleet, clock: Callable[[], datetime]) -> None:
        self._fleet, self._clock = fleet, clock
        self._releases = Releases(fleet)
        self._pages: OrderedDict[Key, tuple[int, float, Page | None]] = OrderedDict()
        self._version, self._ticked = 0, asyncio.Event()

    async def run(self) -> None:
        """For ever: tells all who follow that something is different, and not more often than eyes can see."""
        while True:
            await self._fleet.change_after(self._version)
            self._version = self._fleet.version
            self._ticked.set()
            self._ticked = asyncio.Event()
            await asyncio.sleep(TICK_SECONDS)
            self._releases.forget()

    def page(self, question: Question, sight: Sight) -> Page | None:
        """As it is now. None: there is no such thing, or the viewer does not learn of it."""
        key, version, now = (question, sight), self._fleet.version, asyncio.get_running_loop().time()
        known = self._pages.get(key)
        if known and known[0] == version and now - known[1] < LOOK_AGAIN_SECONDS:
            return known[2]
        made = self._made(question, sight)
        self._pages[key] = (version, now, made)
        self._pages.move_to_end(key)
        while len(self._pages) > REMEMBERED_PAGES:
            self._pages.popitem(last=False)
        return made

    async def differences(
        self, question: Question, sight: Callable[[], Awaitable[Sight | None]], has: str
    ) -> AsyncIterator[Difference | None]:
        """Until the page is there no more, or the viewer is signed out. `has`: the stamp of the page that the viewer has. None: nothing has changed."""
        shown: Page | None = None
        while (seen := await sight()) is not None:
            page = self.page(question, seen)
            if page is None:
                return
            if shown is None:
                yield None if stamp_of(page) == has else difference(Page("", "", ()), page)
            elif page is not shown:
                found = difference(shown, page)
                yield found if found.orders or found.changed else None
            else:
                yield None
            shown = page
            await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                await self._ticked.wait()
        except TimeoutError:
            return

    def _made(self, question: Question, sight: Sight) -> Page | None:
        now = self._clock()
        if question.path == "/":
            return self._releases.page(sight, question, now)
        if question.path.startswith("/releases/"):
            return release_page(self._fleet, sight, question, now)
        return bases_page(self._fleet, sight, question, now)


def stamp_of(page: Page) -> str:
    """Another where anything in it is different; of this process only."""
    return f"{hash(page):x}"
