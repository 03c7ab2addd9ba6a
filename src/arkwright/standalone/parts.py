"""The processes of a site: started, watched, started again. In: commands. Out: running processes, their output in files."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

import structlog

from arkwright.private import usual_umask

log = structlog.get_logger()
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 10.0
SOUND_SECONDS, MANY_ENDS = 60.0, 3
STOP_SECONDS = 15.0
PR_SET_PDEATHSIG = 1


class PartFailed(Exception):
    """It does not come up; the message has the end of its log."""


def die_with_parent() -> None:
    """To be called in a new process: nobody outlives whoever started it (on Linux), and files are made as others make them."""
    os.umask(usual_umask())
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Part:
    """One of arkwright's own processes. `words`: of its command; `log`: a file for what it says."""

    def __init__(self, words: list[str], log: Path, environment: dict[str, str]) -> None:
        self._words, self._log, self._environment = words, log, environment
        self._process: asyncio.subprocess.Process | None = None
        self.has_ended = asyncio.Event()  # at least once
        self.name, self._ends, self._begun = words[0], 0, 0.0

    @property
    def is_failing(self) -> bool:
        """It has ended again and again, each time soon after its start."""
        return self._ends >= MANY_ENDS and asyncio.get_running_loop().time() - self._begun <= SOUND_SECONDS

    async def first_line(self) -> str:
        """Start it; its first line on standard output. Raises PartFailed if it ends without one."""
        process = await self._start(asyncio.subprocess.PIPE)
        assert process.stdout
        line = (await process.stdout.readline()).decode().strip()
        if not line:
            await process.wait()
            raise PartFailed(self.last_words())
        return line

    async def keep_running(self) -> None:
        """Until cancelled; each time it ends, it is started again after a pause."""
        clock, pause = asyncio.get_running_loop().time, FIRST_PAUSE_SECONDS
        while True:
            process, self._begun = self._process or await self._start(), clock()
            code = await process.wait()
            self._process = None
            is_over = clock() - self._begun > SOUND_SECONDS
            self._ends, pause = (1, FIRST_PAUSE_SECONDS) if is_over else (self._ends + 1, pause)
            self.has_ended.set()
            log.warning("ended, started again", part=self._words[0], exit_code=code, in_seconds=pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL if that is not enough."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _start(self, output: int | None = None) -> asyncio.subprocess.Process:
        """`output`: where its standard output goes; None for its log."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as file:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "arkwright",
                *self._words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=file if output is None else output,
                stderr=file,
                env=os.environ | self._environment,
                preexec_fn=die_with_parent,
            )
        return self._process

    def last_words(self) -> str:
        """The end of its log."""
        text = self._log.read_text(errors="replace").strip()
        return text[-1000:] or f"`arkwright {self._words[0]}` ended without a word"
