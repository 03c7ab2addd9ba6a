"""Pages that follow the cluster. In: questions, sights. Out: pages as they are now, and for each viewer what differs from what they have.

A page is made once for all who ask the same with the same sight, and only when something has changed: by all viewers together the API server is watched once.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime

from arkwright.web.agents import Agents
from arkwright.web.bases import bases_page, shown_pods
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
Version = tuple[int, int]


class Live:
    """`clock` tells the time of day. `agents`: what they tell of the pods that pages show."""

    def __init__(self, fleet: Fleet, clock: Callable[[], datetime]) -> None:
        self._fleet, self._clock = fleet, clock
        self._releases, self.agents = Releases(fleet), Agents(fleet, clock, self._tick)
        self._pages: OrderedDict[Key, tuple[Version, float, Page | None]] = OrderedDict()
        self._version, self._ticked = 0, asyncio.Event()

    async def run(self) -> None:
        """For ever: tells all who follow that something is different, and not more often than eyes can see."""
        while True:
            await self._fleet.change_after(self._version)
            self._version = self._fleet.version
            self._tick()
            await asyncio.sleep(TICK_SECONDS)
            self._releases.forget()

    def _tick(self) -> None:
        self._ticked.set()
        self._ticked = asyncio.Event()

    def page(self, question: Question, sight: Sight) -> Page | None:
        """As it is now. None: there is no such thing, or the viewer does not learn of it."""
        key, version, now = (question, sight), self._version_of(question), asyncio.get_running_loop().time()
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
        self.agents.look_at(question.path, shown_pods(self._fleet, sight, question))
        return bases_page(self._fleet, sight, question, now, self.agents.facts)

    def _version_of(self, question: Question) -> Version:
        """What agents tell is on the page of their base, and on no other."""
        return self._fleet.version, self.agents.version(question.path)


def stamp_of(page: Page) -> str:
    """Another where anything in it is different; of this process only."""
    return f"{hash(page):x}"
