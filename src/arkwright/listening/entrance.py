"""The way in to a server that speaks TLS. In: a listening socket. Out: connections whose TLS is made, each with a protocol of its own.

Who has said nothing yet costs a descriptor and no more: TLS has buffers, and its keys cost time. Those that are being made are counted, the oldest
gives way, and few are begun at once, so that requests of others come in between. Not done here: HTTP.
"""

import asyncio
import contextlib
import socket
import ssl
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

HANDSHAKE_SECONDS = 10.0
GREETERS = 2  # TLS that is made at once: a round of the event loop has no more of it to do
PATIENCE_SECONDS = 0.005  # of a greeter with one client: who is slower is waited for besides
ACCEPTED_AT_ONCE = 16  # as many as do not make a request of others wait for a millisecond
HELLO = b"\x16"  # what a TLS client says first
REST_SECONDS = 0.5  # where no descriptor is left


@dataclass(frozen=True)
class Room:
    """`silent`: connections that have said nothing yet; `greeted`: whose TLS is being made. `per_peer`: of the silent, from one address; 0: no bound."""

    silent: int = 1024
    greeted: int = 256
    per_peer: int = 0


class Entrance:
    """For one listening socket; closes as asyncio's own servers do. `peer_of`: an address as it is counted, "" for one that is not."""

    def __init__(
        self,
        listening: socket.socket,
        make: Callable[[], asyncio.BaseProtocol],
        context: ssl.SSLContext,
        room: Room,
        peer_of: Callable[[tuple[str, int]], str],
    ) -> None:
        self._listening, self._make, self._context, self._room, self._peer_of = listening, make, context, room, peer_of
        self._loop = asyncio.get_running_loop()
        self._silent: dict[socket.socket, tuple[float, str]] = {}  # since when, and whose; the oldest first
        self._peers: Counter[str] = Counter()
        self._spoken: deque[socket.socket] = deque()
        self._greeted: dict[asyncio.Task[None], None] = {}  # the oldest first
        self._tasks: set[asyncio.Task[None]] = set()
        self._greeters, self._is_closed = 0, False

    def begin(self, backlog: int) -> None:
        self._listening.listen(backlog)
        self._listening.setblocking(False)
        self._loop.add_reader(self._listening, self._accept)

    @property
    def waiting(self) -> int:
        """How many have come in and are not through."""
        return len(self._silent) + len(self._spoken) + len(self._greeted)

    def close(self) -> None:
        """Nobody comes in any more, and the address is free."""
        if self._is_closed:
            return
        self._is_closed = True
        self._loop.remove_reader(self._listening)
        self._listening.close()
        for one in list(self._silent):
            self._let_go(one)
        while self._spoken:
            self._spoken.popleft().close()
        for task in self._tasks:
            task.cancel()

    async def wait_closed(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def check(self, now: float) -> None:
        """Whoever has not begun in time goes."""
        for one, (since, _) in list(self._silent.items()):
            if now - since <= HANDSHAKE_SECONDS:
                return
            self._let_go(one)

    # ── who has said nothing ──

    def _accept(self) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                one, address = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:  # no descriptor is left: those that are there go on
                self._rest()
                return
            one.setblocking(False)
            self._wait_for_word(one, self._peer_of(address))

    def _rest(self) -> None:
        self._loop.remove_reader(self._listening)

        def go_on() -> None:
            if not self._is_closed:
                self._loop.add_reader(self._listening, self._accept)

        self._loop.call_later(REST_SECONDS, go_on)

    def _wait_for_word(self, one: socket.socket, peer: str) -> None:
        self._silent[one] = (self._loop.time(), peer)
        self._peers[peer] += 1
        self._loop.add_reader(one, self._hear, one)
        if peer and self._room.per_peer and self._peers[peer] > self._room.per_peer:
            self._let_go(next(each for each, (_, whose) in self._silent.items() if whose == peer))
        elif len(self._silent) > self._room.silent:
            self._let_go(next(iter(self._silent)))

    def _hear(self, one: socket.socket) -> None:
        try:
            word = one.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            word = b""
        if word != HELLO:
            self._let_go(one)
            return
        self._forget(one)
        self._spoken.append(one)
        if self._greeters < GREETERS:
            self._greeters += 1
            self._begin_task(self._greet())

    def _forget(self, one: socket.socket) -> None:
        self._loop.remove_reader(one)
        _, peer = self._silent.pop(one)
        self._peers[peer] -= 1
        if not self._peers[peer]:
            del self._peers[peer]

    def _let_go(self, one: socket.socket) -> None:
        self._forget(one)
        one.close()

    # ── whose TLS is made ──

    async def _greet(self) -> None:
        """One after the other, as long as somebody waits."""
        try:
            while self._spoken:
                task = self._begin_task(self._make_tls(self._spoken.popleft()))
                self._greeted[task] = None
                task.add_done_callback(self._forget_greeted)
                if len(self._greeted) > self._room.greeted:
                    oldest = next(iter(self._greeted))
                    self._forget_greeted(oldest)  # at once: another greeter gives way to the next
                    oldest.cancel()
                await asyncio.wait((task,), timeout=PATIENCE_SECONDS)
        finally:
            self._greeters -= 1

    def _begin_task(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _forget_greeted(self, task: asyncio.Task[None]) -> None:
        self._greeted.pop(task, None)

    async def _make_tls(self, one: socket.socket) -> None:
        """What goes wrong with it is its client's affair: the loop has closed it."""
        with contextlib.suppress(OSError, TimeoutError):  # ssl.SSLError is an OSError
            await self._loop.connect_accepted_socket(
                self._make, one, ssl=self._context, ssl_handshake_timeout=HANDSHAKE_SECONDS
            )
