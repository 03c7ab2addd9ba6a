"""What a process says when the disk that its log lies on takes no more: it is lost, and nothing else is.

In: the process' standard output and error. Out: the same; a line that finds no room raises nothing. Not done here: other
files, which are no log, and readers that have gone.
"""

import errno
import io
import sys
from typing import TextIO

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class _Leaky(io.FileIO):
    """Takes whatever it is given."""

    def write(self, content) -> int | None:  # type: ignore[no-untyped-def, override]  # whatever has a buffer
        try:
            return super().write(content)
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            return memoryview(content).nbytes


def lose_what_finds_no_room() -> None:
    """From now on. A request whose line cannot be logged is answered all the same, and a loop goes on."""
    sys.stdout, sys.stderr = _leaky(sys.stdout), _leaky(sys.stderr)


def _leaky(stream: TextIO) -> TextIO:
    """Whatever is no file of the system's stays as it is: a test's, or none."""
    if not isinstance(stream, io.TextIOWrapper) or not isinstance(stream.buffer, io.BufferedWriter | io.FileIO):
        return stream
    stream.flush()
    leaky = _Leaky(stream.fileno(), "w", closefd=False)
    is_buffered = isinstance(stream.buffer, io.BufferedWriter)  # not under PYTHONUNBUFFERED
    return io.TextIOWrapper(
        io.BufferedWriter(leaky) if is_buffered else leaky,
        stream.encoding,
        stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
