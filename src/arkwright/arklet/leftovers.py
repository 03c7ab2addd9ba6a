"""What a module has left behind, in words that are told in answers, in the log and in health."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Leftover:
    """Something that would not go, in words; `is_there` says whether it still has not."""

    what: str
    is_there: Callable[[], bool]


def note(what: str) -> Leftover:
    """Something that went wrong on the way out and is over."""
    return Leftover(what, bool)
