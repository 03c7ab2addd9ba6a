"""How processes that stay say what they do. A traceback shows code, never values: among these are tokens."""

import sys

import structlog

from arkwright.cli.unsaid import lose_what_finds_no_room
from arkwright.model.text import plain_values


def renderer(*, colors: bool = False) -> structlog.dev.ConsoleRenderer:
    """One line for each event."""
    return structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)


def log_lines(*, to_output: bool = False) -> None:
    """From now on, on standard error, or standard output. A line that finds no room is lost."""
    lose_what_finds_no_room()
    file = sys.stdout if to_output else sys.stderr
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
