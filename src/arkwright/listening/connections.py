"""One HTTP connection within bounds. In: bytes of a client. Out: requests, or an answer that says why not, and the connection ends.

uvicorn with httptools reads headers without end, waits for them without end, and takes as many connections as come. Here each of that has a
bound: before a request is whole it costs its client more than us.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

OURS = ("127.", "::1", "::ffff:127.")
PIPELINED = 64  # requests that wait behind one another on a connection
PIECE_BYTES = 16 << 10  # of a head: more at once would be read before anybody could say that it is too much
LEAST_BODY_SHARE = 16  # of a chunked body: so many bytes of framing for one of its own


@dataclass(frozen=True)
class Bounds:
    """Of one server. `connections`: at once; where there are more, one goes that has not asked anything yet. `per_peer`: of these, from one address that is not this machine's; 0: no bound. `idle_seconds`: without
    a byte of a body that we would read; `body_seconds`: for a whole body."""

    connections: int = 0
    per_peer: int = 0
    head_bytes: int = 64 << 10
    head_lines: int = 200
    head_seconds: float = 10.0
    idle_seconds: float = 30.0
    body_seconds: float = 0.0


def counted_peer(address: tuple[str, int] | None) -> str:
    """Under which name connections of one address are counted; "" for this machine's own."""
    return address[0] if address and not address[0].startswith(OURS) else ""


class BoundedProtocol(HttpToolsProtocol):
    """One connection. Subclasses made by `bounded` have bounds of their own, and count their peers."""

    bounds = Bounds()
    peers: Counter[str] = Counter()
    waiting: "dict[BoundedProtocol, None]" = {}  # those that have not asked anything yet, the oldest first

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._heard_at = self.loop.time()
        self._head_since: float | None = self._heard_at
        self._head_bytes = self._body_bytes = self._framing_bytes = 0
        self._piece_bytes = 0  # of a body, in what is being taken in
        self._body_since: float | None = None
        self._has_asked = False
        self._unread = (0, self._heard_at)  # bytes that were on their way to it, and since when it has been so many
        self._peer = counted_peer(self.client)
        self.peers[self._peer] += 1
        bounds = self.bounds
        is_one_too_many = bool(self._peer and bounds.per_peer and self.peers[self._peer] > bounds.per_peer)
        self.waiting[self] = None
        if is_one_too_many or (bounds.connections and len(self.connections) > bounds.connections):
            self._make_room(is_one_too_many)

    def _make_room(self, is_peers: bool) -> None:
        """Who asks at once comes before who waits; the peer's own, where it is the peer that has too many."""
        others = (one for one in self.waiting if one is not self and (not is_peers or one._peer == self._peer))
        oldest = next(others, None)
        if oldest is not None and oldest._has_asked:
            self.waiting.pop(oldest)
            oldest.transport.close()  # between two requests: a word more would be taken for the answer to the next
        else:
            (oldest or self)._refuse(503, "too many connections")

    def connection_lost(self, exc: Exception | None) -> None:
        self.waiting.pop(self, None)
        self.peers[self._peer] -= 1
        if not self.peers[self._peer]:
            del self.peers[self._peer]
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._heard_at = self.loop.time()
        if self._body_since is not None or len(data) <= PIECE_BYTES:
            self._take(data)
            return
        for at in range(0, len(data), PIECE_BYTES):
            if self.parser is None or self.transport.is_closing():
                return
            self._take(data[at : at + PIECE_BYTES])

    def _take(self, data: bytes) -> None:
        self._piece_bytes = 0
        super().data_received(data)
        if self._head_since is not None:
            self._head_bytes += len(data)
            if self._head_bytes > self.bounds.head_bytes or len(self.headers or ()) > self.bounds.head_lines:
                self._refuse(431, "the head of this request is too large")
        elif self._body_since is not None:
            self._framing_bytes += len(data) - self._piece_bytes
            if self._framing_bytes > self.bounds.head_bytes + LEAST_BODY_SHARE * self._body_bytes:
                self._refuse(431, "there is more around the body of this request than in it")

    # ── what the parser tells ──

    def on_message_begin(self) -> None:
        if self._head_since is None:
            self._head_since = self._heard_at
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        if self.waiting:
            self.waiting.pop(self, None)
        self._has_asked = True
        self._head_since, self._body_since = None, self._heard_at
        self._head_bytes = self._body_bytes = self._framing_bytes = 0
        super().on_headers_complete()
        if len(self.pipeline) > PIPELINED:
            self._refuse(431, "too many requests at once")

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self.waiting[self] = None  # idle: it makes room for who asks something

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        self._piece_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._body_since = None
        super().on_message_complete()

    # ── time ──

    def check(self, now: float) -> bool:
        """End it if it has had its time; whether that was so."""
        bounds = self.bounds
        if self.flow.write_paused:
            return self._check_reader(now)
        if self._head_since is not None and now - self._head_since > bounds.head_seconds:
            return self._refuse(408, "the head of this request has not come in time")
        if self._body_since is not None and not self.flow.read_paused:
            is_slow = bounds.body_seconds and now - self._body_since > bounds.body_seconds
            if is_slow or now - self._heard_at > bounds.idle_seconds:
                return self._refuse(408, "the body of this request has not come in time")
        return False

    def _check_reader(self, now: float) -> bool:
        """It reads nothing of what is sent to it: nobody waits for its buffers to empty for ever."""
        left = self.transport.get_write_buffer_size()
        if left != self._unread[0]:
            self._unread = (left, now)
        elif now - self._unread[1] > self.bounds.idle_seconds:
            self.transport.abort()
            return True
        return False

    def _refuse(self, status: int, words: str) -> bool:
        """Whether there was still somebody to refuse."""
        self.waiting.pop(self, None)
        if self.transport.is_closing():
            return False
        head = b"content-type: text/plain\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % (len(words) + 1)
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(STATUS_LINE[status] + head + words.encode() + b"\n")
        self.transport.close()
        return True


def bounded(bounds: Bounds, kind: type[BoundedProtocol] = BoundedProtocol) -> type[BoundedProtocol]:
    """`kind` with these bounds, for one server."""
    return type(kind.__name__, (kind,), {"bounds": bounds, "peers": Counter(), "waiting": {}})
