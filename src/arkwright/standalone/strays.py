"""Processes that have outlived their site: of one that was killed, and that would not end with it. In: a site's directory. Out: they are gone."""

from pathlib import Path

import psutil
import structlog

log = structlog.get_logger()
MARK = "ARKWRIGHT_SITE"  # in the environment of every pod's process, and so of whatever that has started


def mark_of(directory: Path) -> dict[str, str]:
    """The variable that tells them apart."""
    return {MARK: str(directory)}


def end_strays(directory: Path) -> list[int]:
    """Of a site that nobody else keeps: whoever calls this holds its lock. They have been asked by the system when it died; their ids."""
    ended = []
    for one in psutil.process_iter():
        try:
            if one.environ().get(MARK) == str(directory):
                one.kill()
                ended.append(one.pid)
        except (psutil.Error, OSError):
            continue  # another user's, or gone meanwhile
    if ended:
        log.warning("processes of a site that was killed were still there, and were ended", pids=ended)
    return ended
