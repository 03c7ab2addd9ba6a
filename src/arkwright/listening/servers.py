"""The server itself: uvicorn's, with an entrance of its own for TLS, and a look at its connections now and then. In: uvicorn's settings. Out: a server."""

import asyncio
import gc
import resource
import socket
import sys
from functools import partial
from typing import Any

import uvicorn

from arkwright.listening.connections import BoundedProtocol, counted_peer
from arkwright.listening.entrance import Entrance, Room

STARTUP_FAILURE = 3  # uvicorn's
SWEEP_TICKS = 10  # of uvicorn's loop, a tenth of a second each


def share_of_descriptors(share: float, most: int = 1 << 16) -> int:
    """So many connections as this process may have descriptors for, or as its limit is by then."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(8, min(most, int(soft * share))) if soft != resource.RLIM_INFINITY else most


def raise_descriptors() -> None:
    """As many as the system lets this process have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def spare_the_collector() -> None:
    """What is there stays: Python need not look through all objects for garbage again and again, a fifth of what a write or a module costs."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


class BoundedServer(uvicorn.Server):
    """Whoever speaks TLS comes in through an entrance; whoever has had its time goes."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._entrances: list[Entrance] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does it, which leaves a TLS handshake a minute, and counts none."""
        if not self.config.is_ssl:
            await super().startup(sockets)
            return
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        self._entrances = [self._entrance(one) for one in sockets or [self.config.bind_socket()]]
        self.servers: list[Any] = list(self._entrances)
        self.started = True

    def _entrance(self, listening: socket.socket) -> Entrance:
        config, kind = self.config, self.config.http_protocol_class
        assert config.ssl and isinstance(kind, type) and issubclass(kind, BoundedProtocol)
        config.ssl.num_tickets = 0  # no client of ours comes back to a session; each costs time and memory
        make = partial(kind, config=config, server_state=self.server_state, app_state=self.lifespan.state)
        most = kind.bounds.connections
        room = Room(most, max(8, most // 4), kind.bounds.per_peer) if most else Room()
        found = Entrance(listening, make, config.ssl, room, counted_peer)
        found.begin(config.backlog)
        return found

    async def on_tick(self, counter: int) -> bool:
        if counter % SWEEP_TICKS == 0:
            await self._sweep(asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    async def _sweep(self, now: float) -> None:
        """To end one costs time: others are answered in between."""
        for entrance in self._entrances:
            entrance.check(now)
        for one in list(self.server_state.connections):
            if isinstance(one, BoundedProtocol) and one.check(now):
                await asyncio.sleep(0)
