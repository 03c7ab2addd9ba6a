"""What a pod has said, and what cannot be asked of one here: pods are processes of this machine, without containers around them.

In: a pod's name, a query, the directory that its node writes to. Out: text, or a refusal that names what works instead.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from starlette.responses import Response, StreamingResponse

from arkwright.apiserver.errors import BadRequest, MethodNotAllowed
from arkwright.apiserver.loglines import Start, index_of, starts_in, time_of

Document = dict[str, Any]
ASK_SECONDS = 0.2
CHUNK = 65536
PROCESS = "a pod here is a process of this machine, and there is no container around it"
INSTEAD = {
    "exec": f"{PROCESS}: run the command here as it is; the process id ends status.containerStatuses[0].containerID,"
    " and kubectl logs {name} shows what it says",
    "attach": f"{PROCESS}: kubectl logs -f {{name}} follows what it says",
    "ephemeralcontainers": f"{PROCESS}, nor one to be added: look into the process here (py-spy, gdb, strace); its id ends"
    " status.containerStatuses[0].containerID",
    "portforward": f"{PROCESS}: its ports are open at {{address}} as they are; a Service of type NodePort gives one that stays",
}
NO_TOKENS = (
    "users of this API are admin and reader, and service accounts are only stored: give a program kubeconfig, or"
    " reader.kubeconfig, which may only read; both lie in the site's directory"
)
LONGEST_SECONDS = 100 * 365 * 24 * 3600


@dataclass(frozen=True)
class Wish:
    """What is asked of a log. `tail`: None for all lines; `most`: bytes, None for all; `since`: None for all times."""

    is_followed: bool = False
    is_previous: bool = False
    is_dated: bool = False
    tail: int | None = None
    most: int | None = None
    since: datetime | None = None


@dataclass(frozen=True)
class Part:
    """What one process has said: from byte `first` to `end`; None: to whatever the end is. `at`: when it began."""

    first: int = 0
    end: int | None = None
    at: datetime | None = None


WHOLE = Part()


def refused(part: str, pod: Document) -> BadRequest:
    """In words that name what works here."""
    address = (pod.get("status") or {}).get("podIP") or "the pod's address"
    return BadRequest(INSTEAD[part].format(name=pod["metadata"]["name"], address=address))


def log_answer(
    directory: Path | None, pod: Document, query: Mapping[str, str], is_over: Callable[[], bool], now: datetime
) -> Response:
    """`is_over`: nothing more will come. Raises BadRequest."""
    wish = _wish(query, now)
    name, containers = pod["metadata"]["name"], [one.get("name") for one in pod["spec"].get("containers") or ()]
    wanted = query.get("container") or (containers[0] if containers else "")
    if wanted not in containers:
        raise BadRequest(f"container {wanted} is not valid for pod {name}")
    log = directory / f"{name}.log" if directory else None
    if log is None or not log.exists():
        raise BadRequest(f'container "{wanted}" in pod "{name}" is waiting to start: {_why(pod)}')
    index = index_of(log)
    found = part_of(starts_in(index.read_bytes()) if index.exists() else [], pod["metadata"]["uid"], wish)
    if found is None:
        raise BadRequest(f'previous terminated container "{wanted}" in pod "{name}" not found')
    return StreamingResponse(_said(log.open("rb"), wish, found, is_over), media_type="text/plain")


def part_of(starts: list[Start], uid: str, wish: Wish) -> Part | None:
    """Of the present process, or of the one before it; None where there was none. A log without an index is one process'."""
    own = [number for number, one in enumerate(starts) if one.uid == uid]
    if not own:
        return None if wish.is_previous else Part()
    if not wish.is_previous:
        return Part(starts[own[-1]].offset, None, starts[own[-1]].at)
    if len(own) == 1:
        return None
    before = starts[own[-2]]
    return Part(before.offset, starts[own[-2] + 1].offset, before.at)


def _why(pod: Document) -> str:
    status = pod.get("status") or {}
    words = [str(one["message"]) for one in status.get("conditions") or () if one.get("message")]
    return str(status.get("message") or next(iter(words), "") or status.get("phase") or "Pending")


def _wish(query: Mapping[str, str], now: datetime) -> Wish:
    flags = {name: query.get(name) in ("true", "1") for name in ("follow", "previous", "timestamps")}
    return Wish(
        flags["follow"] and not flags["previous"],
        flags["previous"],
        flags["timestamps"],
        _number(query, "tailLines"),
        _number(query, "limitBytes"),
        _since(query, now),
    )


def _number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not re.fullmatch("[0-9]{1,18}", text):
        raise BadRequest(f"{name}: {text!r} is no number")
    return int(text)


def _since(query: Mapping[str, str], now: datetime) -> datetime | None:
    seconds, moment = _number(query, "sinceSeconds"), query.get("sinceTime")
    if seconds is not None:
        return now - timedelta(seconds=min(seconds, LONGEST_SECONDS))
    try:
        found = datetime.fromisoformat(moment) if moment else None
    except ValueError as error:
        raise BadRequest(f"sinceTime: {moment!r} is no time") from error
    return found.replace(tzinfo=found.tzinfo or UTC) if found else None


async def _said(file: IO[bytes], wish: Wish, part: Part, is_over: Callable[[], bool]) -> AsyncIterator[bytes]:
    left, lines = wish.most, Lines(wish, part.at)
    with file:
        file.seek(part.first if wish.tail is None else start_of_tail(file, wish.tail, part))
        while left is None or left > 0:
            is_last = not wish.is_followed or is_over()
            room = CHUNK if part.end is None else max(0, min(CHUNK, part.end - file.tell()))
            chunk = file.read(room)
            shown = (lines.shown(chunk) if chunk else lines.rest() if is_last else b"")[:left]
            left = None if left is None else left - len(shown)
            if shown:
                yield shown
            if not chunk and is_last:
                return
            if not chunk and os.fstat(file.fileno()).st_size < file.tell():
                file.seek(0)  # it was cut meanwhile
            await asyncio.sleep(0 if chunk else ASK_SECONDS)


class Lines:
    """Lines that are young enough, with their times in front where that is asked for. `at`: of lines before any that has a time."""

    def __init__(self, wish: Wish, at: datetime | None) -> None:
        self._wish, self._at, self._half = wish, at, b""

    def shown(self, chunk: bytes) -> bytes:
        if self._wish.since is None and not self._wish.is_dated:
            return chunk
        *whole, self._half = (self._half + chunk).split(b"\n")
        return b"".join(self._line(one) + b"\n" for one in whole if self._is_young(one))

    def rest(self) -> bytes:
        """What ends without an end of line."""
        half, self._half = self._half, b""
        return self._line(half) if half and self._is_young(half) else b""

    def _is_young(self, line: bytes) -> bool:
        self._at = time_of(line) or self._at
        return self._wish.since is None or self._at is None or self._at >= self._wish.since

    def _line(self, line: bytes) -> bytes:
        if not self._wish.is_dated or self._at is None:
            return line
        return self._at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "000Z ").encode() + line


def start_of_tail(file: IO[bytes], lines: int, part: Part = WHOLE) -> int:
    """Where the last `lines` lines begin; read from the end, for a log may be large."""
    end = file.seek(0, 2) if part.end is None else part.end
    if lines == 0:
        return end
    position, found = end, 0
    while position > part.first:
        size = min(CHUNK, position - part.first)
        position -= size
        file.seek(position)
        chunk = file.read(size)
        for place in range(size - 1, -1, -1):
            if chunk[place : place + 1] == b"\n" and position + place != end - 1:
                found += 1
                if found == lines:
                    return position + place + 1
    return part.first


def method_refused() -> MethodNotAllowed:
    return MethodNotAllowed("the server does not allow this method on the requested resource", {})
