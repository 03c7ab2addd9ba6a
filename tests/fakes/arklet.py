"""All agents of a simulated cluster, with the methods of ArkletClient. What they answer is read as the real client reads it."""

import asyncio
import json

from arkwright.clients.arklet import identified, read_answer
from arkwright.model.outcomes import Command, Outcome, Reason, Verdict


class FakeArklet:
    """`bases`: address -> FakeBase. `latency`: seconds of a call. `is_lost`: whether an answer gets lost on its way.

    `instead`: (address, command) -> the Outcome of such a call, which the base never hears of. `urls`: (address, url) of every install that was asked for. `on_call` is called with (address, command, identity) right after a base has acted.
    """

    def __init__(
        self, latency=lambda command: 0.0, is_lost=lambda: False, on_call=lambda address, command, identity: None
    ):
        self.bases, self.urls, self.instead = {}, [], {}
        self._latency, self._is_lost, self._on_call = latency, is_lost, on_call

    async def install(self, address, module, pod=""):
        self.urls.append((address, module.url))
        body = {"bizName": module.name, "bizVersion": module.version, "bizUrl": module.url}
        return identified(await self._call(address, Command.INSTALL, body), module)

    async def uninstall(self, address, name, version, pod=""):
        return await self._call(address, Command.UNINSTALL, {"bizName": name, "bizVersion": version})

    async def switch(self, address, name, version, pod=""):
        return await self._call(address, Command.SWITCH, {"bizName": name, "bizVersion": version})

    async def query(self, address, pod=""):
        return await self._call(address, Command.QUERY, {})

    async def _call(self, address, command, body):
        """The base acts half-way through the call, and goes on acting if the caller gives up."""
        if instead := self.instead.get((address.partition(":")[0], command)):
            return instead
        acting = asyncio.ensure_future(self._act(address, command, body))
        answer = await asyncio.shield(acting)
        await asyncio.sleep(self._latency(command) / 2)
        if answer is None or self._is_lost():
            verdict = Verdict.UNREACHED if answer is None else Verdict.LOST
            said = f"the agent at {address} broke off during {command}"
            return Outcome(command=command, verdict=verdict, reason=Reason.AGENT_UNREACHABLE, message=said)
        return read_answer(command, json.dumps(answer).encode())

    async def _act(self, address, command, body):
        base = self.bases.get(address.partition(":")[0])
        if base is None:
            await asyncio.sleep(self._latency(command) / 2)
            return None
        with base.working(command, body) as refusal:
            await asyncio.sleep(self._latency(command) / 2)
            if refusal:
                return refusal
            if self.bases.get(address.partition(":")[0]) is not base:
                return None
            answer = base.answer(command, body)
        self._on_call(address, command, f"{body.get('bizName', '')}:{body.get('bizVersion', '')}")
        return answer
