"""How long to wait between tries (semantics 2). In: whose, and which try it was. Out: seconds."""

from arkwright.model.names import jitter

MAX_BACKOFF_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 1.2 * MAX_BACKOFF_SECONDS


def backoff_seconds(uid: str, attempt: int) -> float:
    """Seconds until the next try: 1 doubling to 60, spread by a fifth either way (semantics 2)."""
    return min(MAX_BACKOFF_SECONDS, 2.0 ** min(attempt - 1, 10)) * jitter(f"{uid}/{attempt}")
