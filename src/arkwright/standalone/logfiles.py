"""Keeps logs from filling the disk. In: directories whose logs processes go on writing, at their ends. Out: each log with some of what it had before, and no more.

A log that has grown too large is copied and emptied while its process writes; what is written in between is lost, as with
`copytruncate` elsewhere. Not done here: reading them.
"""

import asyncio
import contextlib
import os
from pathlib import Path

import msgspec
import structlog

from arkwright.apiserver.loglines import index_of, start_line, starts_in

log = structlog.get_logger()
LARGEST_BYTES, KEPT = 10 << 20, 4  # besides the one that is written: a kubelet's own figures
MOST_LOGS = 1000  # in one directory: those that nobody has written to for the longest time go
LOOK_SECONDS = 0.25


class LogFiles:
    """All logs in these directories."""

    name = "logs"

    def __init__(self, *directories: Path) -> None:
        self._directories = directories

    async def keep_running(self) -> None:
        """Until cancelled. A log that cannot be cut is told, and holds up no other."""
        while True:
            has_cut = [await self._look_at(directory) for directory in self._directories]
            await asyncio.sleep(LOOK_SECONDS / 10 if any(has_cut) else LOOK_SECONDS)

    async def _look_at(self, directory: Path) -> bool:
        """Whether one had grown too large: whoever writes so fast is looked at more often."""
        has_cut = False
        logs = _newest_first(directory)
        for one in logs[MOST_LOGS:]:
            _remove(one)
        for one in logs[:MOST_LOGS]:
            try:
                if one.stat().st_size > LARGEST_BYTES:
                    await cut(one)
                    has_cut = True
            except FileNotFoundError:
                continue
            except OSError as error:
                log.warning("a log cannot be cut", log=str(one), error=str(error))
        return has_cut


async def cut(file: Path) -> None:
    """Its end becomes `.1`, what that was `.2`, and so on; it goes on empty. Raises OSError."""
    half = file.with_name(f"{file.name}.new")
    await asyncio.to_thread(_copy_end, file, half)
    shift(file)
    half.replace(_older(file, 1))
    os.truncate(file, 0)  # at once with the index: whoever starts a process writes both, in this very thread
    if (index := index_of(file)).exists():
        starts = [msgspec.structs.replace(one, offset=0) for one in starts_in(index.read_bytes())]
        index.write_bytes(b"".join(map(start_line, starts[-2:])))


def shift(file: Path) -> None:
    """Makes room for another `.1`."""
    _older(file, KEPT).unlink(missing_ok=True)
    for number in range(KEPT - 1, 0, -1):
        with contextlib.suppress(FileNotFoundError):
            _older(file, number).replace(_older(file, number + 1))


def begin(file: Path) -> None:
    """An empty one; what it was is kept. Who writes to it opens it to append."""
    if file.exists() and file.stat().st_size:
        shift(file)
        file.replace(_older(file, 1))
    file.touch()


def _older(file: Path, number: int) -> Path:
    return file.with_name(f"{file.name}.{number}")


def _copy_end(file: Path, target: Path) -> None:
    """No more than one log may have: who read to the end would run after a fast writer."""
    with file.open("rb") as source, target.open("wb") as copied:
        source.seek(max(0, file.stat().st_size - LARGEST_BYTES))
        copied.write(source.read(LARGEST_BYTES))


def _newest_first(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.log"), key=_last_write, reverse=True)


def _last_write(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _remove(file: Path) -> None:
    for one in (file, index_of(file), *(_older(file, number) for number in range(1, KEPT + 1))):
        one.unlink(missing_ok=True)
