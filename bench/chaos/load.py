"""Requests to modules all along, and which of them the rules promise to keep. In: where modules serve. Out: counts, and each one that was lost.

A request to a module on a base is promised an answer as long as neither that base nor that module's process is killed, whatever becomes of the
controller, the API, the disk, the clock or the network between them, and however many releases there are (semantics 5). One through the module's
Service is promised one, too, where the API can be reached: whoever is to hear that a pod is left must be able to.
"""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

import aiohttp

PAUSE_SECONDS, LONG_SHARE = 0.05, 20
TIMEOUT_SECONDS = 30


@dataclass
class Target:
    """`is_excused`: something was done to it for which the rules promise nothing; until it is whole again."""

    name: str
    url: str
    is_excused: bool = False
    whole_since: float = 0.0
    outcomes: Counter = field(default_factory=Counter)

    def excuse(self):
        self.is_excused = True

    def make_whole(self):
        if self.is_excused:
            self.is_excused, self.whole_since = False, time.monotonic()

    def promises(self, began):
        return not self.is_excused and began > self.whole_since


class Load:
    """`targets` by name: "POD/MODULE", or the module alone where it is asked through its Service."""

    def __init__(self, tell):
        self.targets, self._tell = {}, tell
        self.lost, self.seconds = [], []
        self._tasks = {}

    def aim(self, urls):
        """At these alone from now on; what was known of a target that stays is kept."""
        for name in set(self._tasks) - set(urls):
            self._tasks.pop(name).cancel()
        for name, url in urls.items():
            target = self.targets.setdefault(name, Target(name, url))
            target.url = url
            if name not in self._tasks:
                target.whole_since = time.monotonic()
                self._tasks[name] = asyncio.create_task(self._go_on(target))

    def aimed(self):
        return [self.targets[name] for name in self._tasks]

    async def end(self):
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _go_on(self, target):
        """A connection for each request where there is a Service: it chooses for each anew."""
        connector = aiohttp.TCPConnector(force_close="/" not in target.name)
        timeout, count = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS), 0
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            while True:
                count += 1
                await self._ask(session, target, "?sleep=1" if count % LONG_SHARE == 0 else "")
                await asyncio.sleep(PAUSE_SECONDS)

    async def _ask(self, session, target, query):
        began = time.monotonic()
        try:
            async with session.get(target.url + query) as response:
                text = await response.text()
                outcome = "200" if response.status == 200 else f"{response.status} {text[:150]}"
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            outcome = repr(error)[:200]
        self.seconds.append(time.monotonic() - began)
        is_lost = outcome != "200" and target.promises(began)
        target.outcomes["kept" if outcome == "200" else "lost" if is_lost else "excused"] += 1
        if is_lost:
            self.lost.append(f"{target.name}: {outcome}")
            self._tell(f"LOST a request to {target.name} after {time.monotonic() - began:.2f} s: {outcome}")
