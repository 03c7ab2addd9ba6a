"""PEP 3333's view of a request. In: an ASGI scope, and how to get the next piece of its body. Out: the environment of a WSGI call.

Not done here: the call (`wsgi`). Light: every process of a module has it loaded.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.util import FileWrapper

from arkwright.arklet.asgi.words import Scope

Environ = dict[str, Any]
Pull = Callable[[], tuple[bytes, bool]]  # a piece, and whether there are more


class Input:
    """`wsgi.input`: the body, pulled as far as it is asked for. Raises what `pull` does."""

    def __init__(self, pull: Pull) -> None:
        self._pull, self._has_more = pull, True
        self._buffer = bytearray()

    def read(self, size: int | None = -1) -> bytes:
        wanted = sys.maxsize if size is None or size < 0 else size
        while len(self._buffer) < wanted and self._has_more:
            self._fetch()
        return self._taken(wanted)

    def readline(self, limit: int | None = -1) -> bytes:
        wanted = sys.maxsize if limit is None or limit < 0 else limit
        looked = 0
        while (found := self._buffer.find(b"\n", looked, wanted)) < 0:
            looked = len(self._buffer)
            if looked >= wanted or not self._has_more:
                return self._taken(wanted)
            self._fetch()
        return self._taken(found + 1)

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        lines, size = [], 0
        for line in self:
            lines.append(line)
            size += len(line)
            if hint is not None and 0 < hint <= size:
                break
        return lines

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _fetch(self) -> None:
        piece, self._has_more = self._pull()
        self._buffer += piece

    def _taken(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken


def environ_of(scope: Scope, body: Input) -> Environ:
    """PEP 3333's view of a request; strings are bytes, each a character."""
    root, server, client = scope.get("root_path", ""), scope.get("server") or ("localhost", 80), scope.get("client")
    script = root.encode().decode("latin-1")
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": script,
        "PATH_INFO": _path(scope).removeprefix(script),
        "QUERY_STRING": scope.get("query_string", b"").decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 0),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
    }
    if client:
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = client[0], str(client[1])
    _add_headers(environ, scope["headers"])
    return environ


def _path(scope: Scope) -> str:
    """Decoded, but for what its bytes mean; `path` has lost those that are no UTF-8."""
    path: str = scope["path"]
    if path.isascii():
        return path
    raw = scope.get("raw_path")
    return (unquote_to_bytes(raw) if raw else path.encode()).decode("latin-1")


def _add_headers(environ: Environ, headers: Iterable[tuple[bytes, bytes]]) -> None:
    for name, value in headers:
        if b"_" in name:  # would read as the header with a hyphen, which a proxy may have checked
            continue
        key = name.decode("latin-1").upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        said = value.decode("latin-1")
        separator = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{separator}{said}" if key in environ else said
