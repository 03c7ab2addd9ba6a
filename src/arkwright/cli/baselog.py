"""How a base says what it does. In: log records, of the base and of its modules. Out: lines of text, or one JSON object a line.

What a module causes is shown under its identity, whichever logger says it, and whichever process.
"""

import copy
import datetime
import logging
from enum import StrEnum
from typing import Any

import msgspec

from arkwright.arklet.asgi.words import RemoteFailure
from arkwright.arklet.owners import request_id, work_of
from arkwright.cli.unsaid import lose_what_finds_no_room


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"


class _Formatter(logging.Formatter):
    """An exception of a module's own process is shown as it was there: how it came here is no part of it."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 (the base class's name)
        cause = ei[1].__cause__ if ei[1] else None
        return cause.trace if isinstance(cause, RemoteFailure) else super().formatException(ei)


class Lines(_Formatter):
    """2026-11-25 14:20:07,123 WARNING provider:1.0.2/provider.web: out of stock"""

    def format(self, record: logging.LogRecord) -> str:
        identity = _identity(record)
        if identity and identity not in record.name and identity not in record.getMessage():
            record = copy.copy(record)
            record.name = f"{identity}/{record.name}"
        return super().format(record)


class JsonLines(_Formatter):
    """time, level, logger, message; module, version and request where it comes of them; exception, its trace."""

    def format(self, record: logging.LogRecord) -> str:
        module, _, version = _identity(record).partition(":")
        moment = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        said: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "module": module,
            "version": version,
            "request": request_id(work_of(_exception(record))[1]),
            "exception": self.formatException(record.exc_info) if record.exc_info else "",
        }
        return msgspec.json.encode({name: value for name, value in said.items() if value}).decode()


def _identity(record: logging.LogRecord) -> str:
    owner = work_of(_exception(record))[0]
    return getattr(record, "arkwright_module", "") or (owner.identity if owner else "")


def _exception(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


def log_base(format: Format) -> None:
    """To standard error: warnings of anybody, and what the agent does. A line that finds no room is lost."""
    lose_what_finds_no_room()
    lines = logging.StreamHandler()
    lines.setFormatter(
        JsonLines() if format is Format.JSON else Lines("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    logging.basicConfig(handlers=[lines], level=logging.WARNING)
    logging.getLogger("arkwright").setLevel(logging.INFO)
