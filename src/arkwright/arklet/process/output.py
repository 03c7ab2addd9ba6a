"""What a module's process prints and logs. In: bytes from its standard output. Out: records in the base's log, under its identity.

Its log records keep their level and logger; a traceback that it prints is one record; what has no end of line is kept, too. Lines come as
soon as they are said.
"""

import asyncio
import logging
import re
import sys
from collections.abc import Callable

import msgspec

from arkwright.arklet.bridge.records import RECORD, Said
from arkwright.arklet.owners import Owner, Scope, enter, leave, works_for

PIECE_BYTES = 1 << 20  # a longer line comes in pieces
TRACEBACK_SECONDS = 0.05  # in which the next line of a traceback comes
PRINTED = "stdout"  # the logger's name of what was printed
BEGINS = re.compile(r"\s*\+? ?(Exception Group )?Traceback \(most recent call last\):|Fatal Python error: ")
GOES_ON = re.compile(
    r"\s|$|Traceback |During handling of |The above exception |(Current t|T)hread 0x|Extension modules: "
)


class Output(asyncio.Protocol):
    """Of one process. `scope_of` a request's number; `on_end` is called when nobody can say anything there any more."""

    def __init__(self, owner: Owner, scope_of: Callable[[int], Scope | None], on_end: Callable[[], object]) -> None:
        self._owner, self._scope_of, self._on_end = owner, scope_of, on_end
        self._left = b""
        self._traceback = Traceback()
        self._timer: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        *lines, self._left = (self._left + data).split(b"\n")
        with works_for(self._owner):
            for line in lines:
                self._take(line.decode(errors="replace").rstrip("\r"))
            if len(self._left) > PIECE_BYTES:
                self._end_line()
        if self._timer:
            self._timer.cancel()
        if self._traceback.lines:
            self._timer = asyncio.get_running_loop().call_later(TRACEBACK_SECONDS, self._end_traceback)

    def connection_lost(self, error: Exception | None) -> None:
        if self._timer:
            self._timer.cancel()
        with works_for(self._owner):
            self._end_line()
        self._end_traceback()
        self._on_end()

    def _end_line(self) -> None:
        line, self._left = self._left, b""
        if line:
            self._take(line.decode(errors="replace"))

    def _take(self, line: str) -> None:
        if self._traceback.takes(line):
            return
        self._end_traceback()
        if line.startswith(RECORD):
            said = decoded(line[len(RECORD) :])
            token = enter((self._owner, self._scope_of(said.request)))
            log(said)
            leave(token)
        else:
            log(Said(logging.INFO, PRINTED, line))

    def _end_traceback(self) -> None:
        lines, self._traceback = self._traceback.lines, Traceback()
        if lines:
            with works_for(self._owner):
                log(Said(logging.ERROR, PRINTED, "\n".join(lines).rstrip()))


class Traceback:
    """Lines of one that is being printed: its head, lines that are indented, the exception's own, and maybe another that it is chained to."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._has_told = False

    def takes(self, line: str) -> bool:
        """Whether the line is part of it, or begins one."""
        if BEGINS.match(line):
            self._has_told = line.startswith("Fatal ")
        elif not self.lines or (self._has_told and not GOES_ON.match(line)):
            return False
        elif not GOES_ON.match(line):
            self._has_told = True  # the exception itself
        self.lines.append(line)
        return True


def decoded(record: str) -> Said:
    try:
        return msgspec.json.decode(record, type=Said)
    except msgspec.DecodeError:  # somebody else's bytes came between
        return Said(logging.INFO, PRINTED, record)


def log(said: Said) -> None:
    """Through the base's root logger, for a name that a module chooses must not fill the base's table of loggers. A base whose root logger
    has no handler gets it on standard error, where its own prints would be, too."""
    record = logging.getLogRecordFactory()(said.logger, said.level, "", 0, "%s", (said.text,), None)
    if logging.root.handlers:
        logging.root.handle(record)
    else:
        print(f"{getattr(record, 'arkwright_module', '')}/{said.logger}: {said.text}", file=sys.stderr, flush=True)
