"""The way out of one end of the bridge. In: frames. Out: bytes on the socket, gathered."""

import asyncio
from time import perf_counter

from arkwright.arklet.bridge.frames import Frame, encoded

HELD_SECONDS = 500e-6  # a few requests' worth: who gathers for longer leaves the other side, which may have a processor of its own, idle


class Outlet(asyncio.Protocol):
    """What one round of the event loop says goes out at once, if the round is short: a write costs as much as a small request.

    `is_open`: whether anything said still goes out. `writable`: whether the other side takes what is said.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.new_future = self._loop.create_future
        self._transport: asyncio.Transport | None = None
        self._unsent: list[bytes] = []
        self._unsent_since = 0.0
        self.is_open = True
        self.writable = asyncio.Event()
        self.writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        self.writable.set()  # nobody need wait any more

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def write(self, frame: Frame) -> None:
        """Raises TypeError or OverflowError for what cannot be said."""
        self._unsent.append(encoded(frame))
        if len(self._unsent) == 1:
            self._unsent_since = perf_counter()
            self._loop.call_soon(self.flush)
        elif perf_counter() - self._unsent_since > HELD_SECONDS:
            self.flush()

    def flush(self) -> None:
        said = b"".join(self._unsent)
        self._unsent.clear()
        if said and self._transport and self.is_open:
            self._transport.write(said)
