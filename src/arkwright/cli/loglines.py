"""How processes that stay say what they do. A traceback shows code, never values: among these are tokens."""

import sys
from typing import TextIO

import structlog

from arkwright.model.text import plain_values


def renderer(*, colors: bool = False) -> structlog.dev.ConsoleRenderer:
    """One line for each event."""
    return structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)


def log_lines(file: TextIO = sys.stderr) -> None:
    """From now on, on `file`."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            plain_values,
            structlog.dev.set_exc_info,
            structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False),
            renderer(colors=file.isatty()),
        ],
        logger_factory=structlog.PrintLoggerFactory(file),
    )
