"""The time of day, for commands: they have no app that owns a clock. In: nothing. Out: the moment at which one looks, decides or signs."""

from datetime import UTC, datetime


def this_moment() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 (here alone: a command is told the time as it begins to look)
