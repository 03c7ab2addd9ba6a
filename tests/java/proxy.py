"""Stands where a pod's agent is expected and passes everything on to a Java base, byte for byte. Out: every exchange, in order."""

import asyncio
import contextlib
import json
from types import SimpleNamespace


class RecordingProxy:
    """`exchanges`: (command, body, answer), as they ended. Use as an async context manager."""

    def __init__(self, address, agent_port, port=1238):
        self.address, self.exchanges, self.base = address, [], SimpleNamespace(modules="see the base")
        self._agent_port, self._port = agent_port, port

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._pass_on, self.address, self._port)
        return self

    async def __aexit__(self, *_):
        self._server.close()

    async def _pass_on(self, reader, writer):
        """An agent that is not there looks from outside as it would without us: the connection breaks."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            lengths = [line.split(b":")[1] for line in head.splitlines() if line.lower().startswith(b"content-length")]
            body = await reader.readexactly(int(lengths[0]) if lengths else 0)
            answer = await self._asked(head + body)
            command = head.split()[1].decode().lstrip("/")
            self.exchanges.append((command, json.loads(body or b"{}"), answer.partition(b"\r\n\r\n")[2].decode()))
            writer.write(answer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            writer.transport.abort()
        finally:
            writer.close()

    async def _asked(self, request):
        reader, writer = await asyncio.open_connection("127.0.0.1", self._agent_port)
        with contextlib.closing(writer):
            writer.write(request)
            return await reader.read()
