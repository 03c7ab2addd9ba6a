"""Clients that write small objects all along, and know what the API has acknowledged. In: a site. Out: what was acknowledged, and is not there.

A write that nobody answered may have been done or not, until the object has been read again. Each object is one client's alone.
"""

import asyncio
import random

from place import UNANSWERED, Refused

MAPS = "/api/v1/namespaces/default/configmaps"
CLIENTS, EACH = 4, 5
PAUSE_SECONDS = 0.2
GONE = None


class Writer:
    """`_is`: the value that each object has; `_may`: the values that it may have instead."""

    def __init__(self, site, number):
        self._site, self._random = site, random.Random(number)
        self._is = {f"chaos-{number}-{one}": GONE for one in range(EACH)}
        self._may = {name: set() for name in self._is}
        self._count, self._version = 0, 0
        self._turn = asyncio.Lock()
        self.acknowledged, self.lost = 0, []

    async def go_on(self):
        """Until cancelled."""
        while True:
            async with self._turn:
                await self._write(self._random.choice(list(self._is)))
            await asyncio.sleep(PAUSE_SECONDS)

    async def _write(self, name):
        self._count += 1
        value = GONE if self._random.random() < 0.2 else str(self._count)
        self._may[name].add(value)
        try:
            answer = await self._send(name, value)
        except Refused as error:
            if error.status in (
                404,
                409,
            ):  # the object is not as this client knows it: it is in doubt, or something was lost
                await self._read_again(name)
            return
        except UNANSWERED:
            return
        self.acknowledged += 1
        self._is[name], self._may[name] = value, set()
        self._hear(name, answer)

    async def _send(self, name, value):
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"n": value}}
        if value is GONE:
            if self._is[name] is GONE and self._may[name] == {GONE}:
                return {}
            return await self._site.ask("DELETE", f"{MAPS}/{name}")
        if self._is[name] is GONE:
            return await self._site.ask("POST", MAPS, body)
        return await self._site.ask("PATCH", f"{MAPS}/{name}", {"data": {"n": value}})

    def _hear(self, name, answer):
        """A version that goes back means that something written before was forgotten."""
        version = int(answer.get("metadata", {}).get("resourceVersion") or 0)
        if version and version < self._version:
            self.lost.append(f"{name}: version {version} was given after {self._version}")
        self._version = max(version, self._version)

    async def check(self):
        """Each object is as it was acknowledged. Raises what `Site.ask` raises."""
        async with self._turn:
            for name in self._is:
                self._compare(name, await self._stored(name))

    async def _read_again(self, name):
        try:
            self._compare(name, await self._stored(name))
        except (Refused, *UNANSWERED):
            return

    async def _stored(self, name):
        try:
            return (await self._site.ask("GET", f"{MAPS}/{name}"))["data"]["n"]
        except Refused as error:
            if error.status != 404:
                raise
            return GONE

    def _compare(self, name, found):
        if found != self._is[name] and found not in self._may[name]:
            self.lost.append(f"{name} was acknowledged to be {self._is[name]}, and is {found}")
        self._is[name], self._may[name] = found, set()
