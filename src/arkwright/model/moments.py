"""How long ago, and how long yet, where clocks differ and may be set back. In: moments that somebody wrote down. Out: seconds.

A moment further ahead than clocks differ was written before a clock was set back. How long ago that is nobody can tell; it counts
as long past, so that such a clock holds nothing up for longer than LONGEST_DOUBT_SECONDS.
"""

import math
from datetime import datetime

LONGEST_DOUBT_SECONDS = 60.0


def seconds_since(moment: datetime, now: datetime) -> float:
    """Never negative; math.inf for a moment that cannot be.

    >>> at = datetime.fromisoformat
    >>> [seconds_since(at(f"2026-01-01T12:{one}"), at("2026-01-01T12:00:00")) for one in ("00:00", "00:59", "30:00")]
    [0.0, 0.0, inf]
    """
    age = (now - moment).total_seconds()
    return max(0.0, age) if age >= -LONGEST_DOUBT_SECONDS else math.inf


def seconds_left(seconds: float, since: datetime, now: datetime) -> float:
    """Of a time that began then; 0 if it is over."""
    return max(0.0, seconds - seconds_since(since, now))


def seconds_until(moment: datetime, longest: float, now: datetime) -> float:
    """0 if it has come, and if it lies further ahead than anybody here would have set it: `longest` seconds.

    >>> at = datetime.fromisoformat
    >>> [seconds_until(at(f"2026-01-01T12:{one}:00"), 600, at("2026-01-01T12:00:00")) for one in ("00", "10", "12")]
    [0.0, 600.0, 0.0]
    """
    left = (moment - now).total_seconds()
    return max(0.0, left) if left <= longest + LONGEST_DOUBT_SECONDS else 0.0
