"""What a module's process says, so that the base can tell what it is. In: log records. Out: lines on standard output.

A line that begins with RECORD is a log record in JSON: level, logger and text, a traceback included, are kept. Any other line is one that the
module printed. A module that sets up logging of its own is left to it: here is only what the interpreter does without (`lastResort`).
"""

import logging
import os
from contextvars import ContextVar

import msgspec

RECORD = "\x1e"  # the record separator, as in RFC 7464
STANDARD_OUTPUT = 1
request_number: ContextVar[int] = ContextVar("arkwright_request", default=0)


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """A log record. `request`: the number of the request that it comes of, as the bridge has it; 0 is none."""

    level: int
    logger: str
    text: str
    request: int = 0


class RecordLines(logging.Handler):
    """Writes at once: what is said right before a crash is not lost."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            said = Said(record.levelno, record.name, self.format(record), request_number.get())
            line = RECORD.encode() + msgspec.json.encode(said) + b"\n"
            while line:
                line = line[os.write(STANDARD_OUTPUT, line) :]
        except Exception:
            self.handleError(record)


def say_records(level: int) -> None:
    """Loggers that nobody has given a handler say it as a record, from `level` on, which is the base's own."""
    logging.getLogger().setLevel(level)
    logging.lastResort = RecordLines()
