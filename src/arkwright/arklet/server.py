"""The server of a base that `arkwright base` starts. In: a base's application, by name. Out: both ports served until the process is told to end."""

import asyncio
import contextlib
import logging
import socket
from typing import Any

import uvicorn

from arkwright.arklet.app import Arklet
from arkwright.arklet.asgi.applications import application_named
from arkwright.arklet.settings import Settings
from arkwright.listening import BoundedProtocol, BoundedServer, Bounds, bounded, share_of_descriptors

log = logging.getLogger(__name__)
FAREWELL_SECONDS = 1.0
CONNECTIONS_SHARE = 0.6  # of what this process may have open; the agent has an eighth
IDLE_SECONDS = 60.0  # an upload may stand still for as long
HELD_BYTES = 16 << 10  # what is larger is worth a write of its own


class CannotListen(Exception):
    """A port is taken; the message names it."""


class _JoiningTransport:
    """Holds a small write back until the next one, or until the event loop is done with what it is about.

    uvicorn writes the head of a response before it has seen any of the body; a system call costs more than all that a base does.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._call_soon = asyncio.get_running_loop().call_soon
        self._held = b""
        self.is_closing = transport.is_closing  # asked for each request

    def write(self, data: bytes) -> None:
        if self._held:
            held, self._held = self._held, b""
            self._transport.writelines((held, data))
        elif len(data) > HELD_BYTES:
            self._transport.write(data)
        else:
            self._held = data
            self._call_soon(self.bare)

    def bare(self) -> asyncio.Transport:
        """The transport itself, with nothing held back."""
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held)
        return self._transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bare(), name)


class _Protocol(BoundedProtocol):
    """HTTP as uvicorn speaks it, a write for an answer."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._joining = _JoiningTransport(transport)
        super().connection_made(self._joining)  # type: ignore[arg-type]

    def handle_websocket_upgrade(self, *event: Any) -> None:
        self.transport = self._joining.bare()
        super().handle_websocket_upgrade(*event)


class _BaseServer(BoundedServer):
    """Says so as soon as it listens."""

    def __init__(self, config: uvicorn.Config, agent_port: int) -> None:
        super().__init__(config)
        self._agent_port = agent_port

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        log.info("base on http://%s:%d, agent on port %d", self.config.host, self.config.port, self._agent_port)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Every connection gets one more answer, which says that it is the last: closing one would lose a request on its way."""
        state = self.server_state
        state.default_headers = [*state.default_headers, (b"connection", b"close")]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                while state.connections and not self.force_exit:  # noqa: ASYNC110 (uvicorn has no Event for them)
                    await asyncio.sleep(0.02)
        await super().shutdown(sockets)


def serve_base(target: str, host: str, port: int, settings: Settings, proxies: str = "") -> None:
    """Run a base in this process until it is told to end. `proxies`: whose X-Forwarded headers count, as addresses. Raises SystemExit(3)
    where its startup fails, CannotListen where a port is taken, StartFailure where `target` cannot be loaded, and what Arklet does."""
    arklet = Arklet(application_named(target), settings)  # what cannot be used is named whether or not its port is free
    for taken in (port, settings.agent.port):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, taken))
            except OSError as error:
                raise CannotListen(f"cannot listen on {host}:{taken}: {error.strerror}") from error
    config = uvicorn.Config(
        arklet,
        host=host,
        port=port,
        http=bounded(Bounds(share_of_descriptors(CONNECTIONS_SHARE), idle_seconds=IDLE_SECONDS), _Protocol),
        lifespan="on",
        log_config=None,  # as the rest of the base logs
        log_level="warning",
        access_log=False,  # at this level nobody would see it, and every request would pay for its line
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies or None,
        timeout_graceful_shutdown=30,
    )
    with contextlib.suppress(KeyboardInterrupt):
        _BaseServer(config, settings.agent.port).run()
