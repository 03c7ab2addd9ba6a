"""A FakeBase behind real HTTP, as the Java agent speaks it: 200 for everything, no header at all, the body ends with the connection."""

import asyncio
import contextlib
import json

from fakes.base import FakeBase

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


class FakeAgent:
    """`delays`: seconds before a command is done. `gates`: command -> event before which it is not done. `hangs`: never answers. `loses`: how many answers are lost after the deed.

    `garbles`: how many answers are no JSON. Use as an async context manager.
    """

    def __init__(self, address, port=1238, base=None):
        self.address, self.port, self.base = address, port, base or FakeBase()
        self.delays, self.gates, self.hangs, self.loses, self.garbles = {}, {}, set(), {}, {}
        self._tasks = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._converse, self.address, self.port)
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def stop(self):
        """From now on connections are refused."""
        self._server.close()

    async def _converse(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            command, body = await _request(reader)
            await self._answer(command, body, writer)
        writer.close()

    async def _answer(self, command, body, writer):
        if command in self.hangs or "*" in self.hangs:
            await asyncio.Event().wait()
        with self.base.working(command, body) as refusal:
            await asyncio.sleep(self.delays.get(command, 0))
            if gate := self.gates.get(command):
                await gate.wait()
            answer = json.dumps(refusal or self.base.answer(command, body)).encode()
        if self.loses.get(command, 0) > 0:
            self.loses[command] -= 1
            writer.transport.abort()
            return
        if self.garbles.get(command, 0) > 0:
            self.garbles[command] -= 1
            answer = answer[:-9]
        writer.write(HEAD + answer)
        await writer.drain()


async def _request(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = next((line.split(":")[1] for line in head.splitlines() if line.lower().startswith("content-length")), "0")
    body = await reader.readexactly(int(length))
    return head.split()[1].lstrip("/"), json.loads(body or b"{}")
