"""Clients that write small objects all along, and know what the API has acknowledged. In: a site. Out: what was acknowledged, and is not there.

A write that nobody answered may be done at any time, for what was sent may arrive when the network is there again: until another one is
acknowledged. So each write says which version it changes, and no name is created twice. Each object is one client's alone.
"""

import asyncio
import random
from dataclasses import dataclass, field

from place import UNANSWERED, Refused

MAPS = "/api/v1/namespaces/default/configmaps"
CLIENTS, EACH = 4, 5
PAUSE_SECONDS = 0.2
DELETED_SHARE = 0.15
GONE = None


@dataclass
class Known:
    """One object as its client knows it. `may`: the values that it may have instead, or get."""

    name: str
    value: str | None
    version: str
    may: set[str | None] = field(default_factory=set)


class Writer:
    """`lost`: what did not hold, in words."""

    def __init__(self, site, number):
        self._site, self._random, self._number = site, random.Random(number), number
        self._known, self._count, self._newest = [], 0, 0
        self._turn = asyncio.Lock()
        self.acknowledged, self.lost = 0, []

    async def go_on(self):
        """Until cancelled."""
        while True:
            async with self._turn:
                try:
                    await self._write()
                except (Refused, *UNANSWERED):
                    pass  # in doubt, or not done
            await asyncio.sleep(PAUSE_SECONDS)

    async def _write(self):
        self._count += 1
        if len(self._known) < EACH:
            await self._create()
            return
        one = self._random.choice(self._known)
        if one.may:
            self._compare(one, await self._stored(one.name))
        elif self._random.random() < DELETED_SHARE:
            await self._delete(one)
        else:
            await self._change(one)

    async def _create(self):
        name, value = f"chaos-{self._number}-{self._count}", str(self._count)
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"n": value}}
        answer = await self._site.ask("POST", MAPS, body)
        self._known.append(Known(name, value, self._heard(name, answer)))

    async def _change(self, one):
        value = str(self._count)
        one.may.add(value)
        body = {"metadata": {"resourceVersion": one.version}, "data": {"n": value}}
        answer = await self._asked(one, "PATCH", body)
        one.value, one.version, one.may = value, self._heard(one.name, answer), set()

    async def _delete(self, one):
        one.may.add(GONE)
        await self._asked(one, "DELETE", {"preconditions": {"resourceVersion": one.version}})
        self.acknowledged += 1
        self._known.remove(one)

    async def _asked(self, one, method, body):
        """Nobody else writes it: where it is not as it is known, something was lost."""
        try:
            return await self._site.ask(method, f"{MAPS}/{one.name}", body)
        except Refused as error:
            if error.status in (404, 409):
                self.lost.append(f"{one.name}, acknowledged to be {one.value} at version {one.version}: {error}")
                self._known.remove(one)
            raise

    def _heard(self, name, answer):
        """A version that goes back means that something written before was forgotten."""
        self.acknowledged += 1
        version = answer["metadata"]["resourceVersion"]
        if int(version) <= self._newest:
            self.lost.append(f"{name}: version {version} was given after {self._newest}")
        self._newest = int(version)
        return version

    async def check(self):
        """Each object is as it was acknowledged. Raises what `Site.ask` raises."""
        async with self._turn:
            for one in list(self._known):
                self._compare(one, await self._stored(one.name))

    async def _stored(self, name):
        """(value, version)"""
        try:
            found = await self._site.ask("GET", f"{MAPS}/{name}")
        except Refused as error:
            if error.status != 404:
                raise
            return GONE, ""
        return found["data"]["n"], found["metadata"]["resourceVersion"]

    def _compare(self, one, found):
        value, version = found
        if value != one.value and value not in one.may:
            self.lost.append(f"{one.name} was acknowledged to be {one.value}, and is {value}")
        if value is GONE:
            self._known.remove(one)
        elif version != one.version:
            one.value, one.version, one.may = (
                value,
                version,
                set(),
            )  # the write in doubt was done: it cannot be so twice
        else:
            self._rewrite(one)

    def _rewrite(self, one):
        """It may still come: another name is taken instead of waiting for it."""
        if one.may:
            self._known.remove(one)
