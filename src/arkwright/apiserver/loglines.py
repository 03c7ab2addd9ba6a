"""What can be told of a pod's log: where each of its processes begins in it, and when a line was written. Pure.

In: bytes of a log, and of the index beside it, which whoever runs the pod writes. Out: Starts, times. A line is as old as it says
itself; one that says nothing is as old as the line before it.
"""

import re
from datetime import datetime
from pathlib import Path

import msgspec

INDEX = ".starts"
_MOMENT = rb"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(?: ?(Z|[+-]\d\d:?\d\d))?"
_AT_BEGINNING = re.compile(rb"[\[(]?" + _MOMENT)
_IN_JSON = re.compile(rb'\{.{0,200}?"(?:time|timestamp|ts|asctime|@timestamp)": ?"' + _MOMENT)


class Start(msgspec.Struct, frozen=True):
    """A process of the pod `uid` began to write at this byte."""

    offset: int
    uid: str
    at: datetime


def index_of(log: Path) -> Path:
    """The file beside a log that has its Starts, a line each."""
    return log.with_suffix(INDEX)


def start_line(start: Start) -> bytes:
    return msgspec.json.encode(start) + b"\n"


def starts_in(text: bytes) -> list[Start]:
    """In their order; a line that is none, as after a crash, is passed over."""
    found = []
    for line in text.splitlines():
        try:
            found.append(msgspec.json.decode(line, type=Start))
        except msgspec.DecodeError:
            continue
    return found


def time_of(line: bytes) -> datetime | None:
    """What a line says of itself, at its beginning or in the fields that loggers write as JSON; local where it names no zone.

    >>> time_of(b"2026-11-27T09:20:42.762Z INFO shop: ready").isoformat()
    '2026-11-27T09:20:42.762000+00:00'
    >>> time_of(b'{"time": "2026-11-27T09:20:42+08:00", "message": "ready"}').isoformat()
    '2026-11-27T09:20:42+08:00'
    >>> time_of(b"2026-11-27 09:20:42,762 WARNING shop: late").microsecond, time_of(b"Traceback"), time_of(b"2026-99-99 00:00:00")
    (762000, None, None)
    """
    found = _AT_BEGINNING.match(line) or _IN_JSON.match(line)
    if found is None:
        return None
    day, clock, fraction, zone = (part.decode() if part else "" for part in found.groups())
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}.{fraction[:6]:0<6}{zone.strip()}")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.astimezone()
