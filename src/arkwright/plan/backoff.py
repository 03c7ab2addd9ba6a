"""How long to wait between tries (semantics 2). In: whose, and which try it was. Out: seconds."""

from datetime import datetime

from arkwright.model.kinds import Module
from arkwright.model.names import jitter

MAX_BACKOFF_SECONDS = 60.0
SLACK_SECONDS = 1.0  # of clocks that differ


def backoff_seconds(uid: str, attempt: int) -> float:
    """Seconds until the next try: 1 doubling to 60, spread by a fifth either way (semantics 2)."""
    return min(MAX_BACKOFF_SECONDS, 2.0 ** min(attempt - 1, 10)) * jitter(f"{uid}/{attempt}")


def seconds_until_try(module: Module, now: datetime) -> float:
    """Until its next try; 0 if it is due, or lies further ahead than that try's own pause: a clock was set back since, and to try a bit
    early does no harm."""
    status = module.status
    if status.next_attempt_time is None:
        return 0.0
    left = (status.next_attempt_time - now).total_seconds()
    pause = backoff_seconds(module.metadata.uid, status.attempts)
    return max(0.0, left) if left <= pause + SLACK_SECONDS else 0.0
