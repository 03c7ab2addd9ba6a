"""What a pod has said, and what cannot be asked of one here: pods are processes of this machine, without containers around them.

In: a pod's name, a query, the directory that its node writes to. Out: text, or a refusal that names what works instead.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from starlette.responses import Response, StreamingResponse

from arkwright.apiserver.errors import BadRequest, MethodNotAllowed

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
NO_TIMES = "lines here have no times: all of the log is shown, whatever since and timestamps say"


@dataclass(frozen=True)
class Wish:
    """What is asked of a log. `tail`: None for all lines; `most`: bytes, None for all."""

    is_followed: bool = False
    tail: int | None = None
    most: int | None = None


def refused(part: str, pod: Document) -> BadRequest:
    """In words that name what works here."""
    address = (pod.get("status") or {}).get("podIP") or "the pod's address"
    return BadRequest(INSTEAD[part].format(name=pod["metadata"]["name"], address=address))


def log_answer(
    directory: Path | None, pod: Document, query: Mapping[str, str], is_over: Callable[[], bool]
) -> Response:
    """`is_over`: nothing more will come. Raises BadRequest."""
    wish = _wish(query)
    name, containers = pod["metadata"]["name"], [one.get("name") for one in pod["spec"].get("containers") or ()]
    wanted = query.get("container") or (containers[0] if containers else "")
    if wanted not in containers:
        raise BadRequest(f"container {wanted} is not valid for pod {name}")
    if query.get("previous") in ("true", "1"):
        raise BadRequest(
            f"what earlier processes of {name} said stands further up in the same log: ask without previous"
        )
    try:
        file = (directory / f"{name}.log").open("rb") if directory else None
    except FileNotFoundError:
        file = None
    if file is None:
        raise BadRequest(f'container "{wanted}" in pod "{name}" is waiting to start: {_why(pod)}')
    is_dated = any(query.get(one) for one in ("sinceSeconds", "sinceTime")) or query.get("timestamps") == "true"
    headers = {"warning": f'299 - "{NO_TIMES}"'} if is_dated else {}
    return StreamingResponse(_said(file, wish, is_over), media_type="text/plain", headers=headers)


def _why(pod: Document) -> str:
    status = pod.get("status") or {}
    words = [str(one["message"]) for one in status.get("conditions") or () if one.get("message")]
    return str(status.get("message") or next(iter(words), "") or status.get("phase") or "Pending")


def _wish(query: Mapping[str, str]) -> Wish:
    def number(name: str) -> int | None:
        text = query.get(name)
        if text is None:
            return None
        if not text.isdigit():
            raise BadRequest(f"{name}: {text!r} is no number")
        return int(text)

    return Wish(query.get("follow") in ("true", "1"), number("tailLines"), number("limitBytes"))


async def _said(file: IO[bytes], wish: Wish, is_over: Callable[[], bool]) -> AsyncIterator[bytes]:
    left = wish.most
    with file:
        if wish.tail is not None:
            file.seek(start_of_tail(file, wish.tail))
        while left is None or left > 0:
            is_last = not wish.is_followed or is_over()
            chunk = file.read(CHUNK if left is None else min(CHUNK, left))
            if chunk:
                left = None if left is None else left - len(chunk)
                yield chunk
            elif is_last:
                return
            else:
                await asyncio.sleep(ASK_SECONDS)


def start_of_tail(file: IO[bytes], lines: int) -> int:
    """Where the last `lines` lines begin; read from the end, for a log may be large."""
    end = file.seek(0, 2)
    if lines == 0:
        return end
    position, found = end, 0
    while position > 0:
        size = min(CHUNK, position)
        position -= size
        file.seek(position)
        chunk = file.read(size)
        for place in range(size - 1, -1, -1):
            if chunk[place : place + 1] == b"\n" and position + place != end - 1:
                found += 1
                if found == lines:
                    return position + place + 1
    return 0


def method_refused() -> MethodNotAllowed:
    return MethodNotAllowed("the server does not allow this method on the requested resource", {})
