"""What a Java agent and ours are asked while they are still at something else: commands that cross each other, and requests under way.

In: the addresses of a base, and the urls of archives. Out: answers in comparable words.
"""

import asyncio
from dataclasses import dataclass, replace

import aiohttp

from java.wire import QUERY, Step, asked, comparable, install, on

MOMENT = 0.3  # seconds: long enough for the first to be at work, short beside what it works


@dataclass(frozen=True)
class Fetched:
    """A request to the base's web server."""

    path: str


@dataclass(frozen=True)
class Scene:
    """`before` is done in turn, `together` is begun a moment apart, `after` in turn again; what is before is not compared.
    Each scene leaves the base empty."""

    name: str
    before: tuple[Step, ...]
    together: tuple[Step | Fetched, ...]
    after: tuple[Step | Fetched, ...]


FIRST, OTHER = install("first", "{provider-1.0.2}"), install("other", "{provider-3.0.0}")
BROKEN = install("one that fails", "{broken-0.9.0}")
END, OTHER_END = (on("the end", "uninstallBiz", "provider", version) for version in ("1.0.2", "3.0.0"))
SWITCH, LIST = on("a switch", "switchBiz", "provider", "3.0.0"), Step("what is there", *QUERY)
LIST_ONCE_BEGUN = replace(LIST, again_while='"data":[]')
SLOW = Fetched("/provider/?sleep=1")
SCENES = [
    Scene("installed twice at once", (), (FIRST, FIRST), (LIST, END)),
    Scene("installed, and asked for meanwhile", (), (FIRST, LIST_ONCE_BEGUN), (LIST, END)),
    Scene("taken away while it starts", (), (FIRST, END), (LIST, END)),
    Scene("two at once, one of which fails", (FIRST,), (BROKEN, OTHER), (LIST, END, OTHER_END)),
    Scene("taken away with a request under way", (FIRST,), (SLOW, END), (LIST, Fetched("/provider/"))),
    Scene(
        "switched with a request under way", (FIRST, OTHER), (SLOW, SWITCH), (Fetched("/provider3/"), END, OTHER_END)
    ),
]


async def played(scene, host, port, agent_port, urls):
    """ "together 1" (the first of those), "after 2" and so on -> the answer."""

    async def done(step, after=0.0):
        await asyncio.sleep(after)
        if isinstance(step, Fetched):
            return await _fetched(f"http://{host}:{port}{step.path}")
        return comparable(await asked(host, agent_port, step, urls))

    for step in scene.before:
        await done(step)
    together = await asyncio.gather(*(done(step, MOMENT * number) for number, step in enumerate(scene.together)))
    after = [await done(step) for step in scene.after]
    answers = {"together": together, "after": after}
    return {f"{when} {number}": one for when, found in answers.items() for number, one in enumerate(found, 1)}


async def _fetched(url):
    """What a base that has no such path says besides its status is the base's own."""
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return f"{answer.status} {await answer.text()}" if answer.status == 200 else str(answer.status)
