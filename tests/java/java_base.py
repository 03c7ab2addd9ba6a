"""A Java base as a process. In: ports. Out: the base once its agent answers; all output goes to a file."""

import asyncio
import contextlib
import subprocess
import time
from pathlib import Path

import aiohttp

START_SECONDS = 90


class JavaBase:
    """`port`: of its web server; `agent_port`: of its agent; both on every address, as Java bases do it.

    `start_seconds`: what the last start took until the agent answered. Use as an async context manager.
    """

    def __init__(self, jar, log, port, agent_port):
        self.port, self.agent_port, self.start_seconds = port, agent_port, 0.0
        self._log = log
        self._command = ["java", "-Xmx512m", f"-Dkoupleless.arklet.http.port={agent_port}", "-jar", str(jar)]
        self._command += [f"--server.port={port}"]

    async def __aenter__(self):
        await self.start()
        return self

    async def __aexit__(self, *_):
        await self.end()

    async def start(self):
        began = time.monotonic()
        self._process = self._spawned()
        while not await self._answers():
            if self._process.poll() is not None or time.monotonic() - began > START_SECONDS:
                await self.end()
                raise AssertionError(f"the Java base does not come up:\n{self._log.read_text()[-3000:]}")
            await asyncio.sleep(0.1)
        self.start_seconds = time.monotonic() - began

    def _spawned(self):
        with self._log.open("ab") as log:
            return subprocess.Popen(self._command, stdout=log, stderr=log, cwd=self._log.parent)

    async def end(self):
        self._process.terminate()
        await asyncio.to_thread(self._process.wait, 20)

    async def kill(self):
        self._process.kill()
        await asyncio.to_thread(self._process.wait, 20)

    def resident_megabytes(self):
        pages = Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]
        return int(pages) * 4096 / 1e6

    async def get(self, path):
        """(status, text) of the base's web server."""
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{self.port}{path}") as response:
            return response.status, await response.text()

    async def _answers(self):
        with contextlib.suppress(aiohttp.ClientError, OSError):
            async with aiohttp.ClientSession() as session:
                await (await session.post(f"http://127.0.0.1:{self.agent_port}/queryAllBiz", data=b"{}")).read()
                return (await self.get("/"))[0] == 200
        return False
