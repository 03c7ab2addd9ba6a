"""Builds the agent. In: a base's ASGI application. Out: the same application, with modules in front and the agent beside it.

from arkwright.arklet.app import Arklet
app = Arklet(app)                    # the agent listens on port 1238 while the application runs
"""

import asyncio
import contextlib
import gc
import os
import signal
import ssl
import traceback
from collections.abc import Awaitable
from typing import Any

import uvicorn

from arkwright.arklet.asgi.applications import as_asgi
from arkwright.arklet.asgi.lifespan import Lifespan
from arkwright.arklet.asgi.words import Receive, Scope, Send, StartFailure, coroutine_function
from arkwright.arklet.door import ModuleRouter, reserved_by
from arkwright.arklet.settings import AgentSettings, Settings, SettingsError, settings_of, with_mounted_keys
from arkwright.arklet.shared import watch
from arkwright.arklet.wire import Baseline, Guard, Operations, Routes
from arkwright.listening import BoundedServer, Bounds, bounded, share_of_descriptors
from arkwright.model.hosts import is_loopback

CONNECTIONS = 128  # to the agent


class Arklet:
    """ASGI: the base's application with its modules; runs the agent's interface during the base's lifespan."""

    def __init__(self, base: Any, settings: Settings | None = None) -> None:
        """`base`: an ASGI or WSGI application. `settings`: if left out, those of the environment, as `arkwright base` has them. Raises
        SettingsError, BadKey, ValueError or OSError where they, or a file that they name, cannot be used."""
        watch()
        settings = settings or settings_of(os.environ)
        self._base = as_asgi(base, "the base")
        self._router = ModuleRouter(self._base)
        reserved = reserved_by(base) | reserved_by(self._base) | frozenset(settings.agent.reserved_paths)
        self.operations = Operations(self._router, settings, reserved)
        agent = with_mounted_keys(settings.agent)
        _require_proof(agent)
        self._baseline = Baseline(settings.baseline, agent, server_is_ending) if settings.baseline.url else None
        config = self._config = uvicorn.Config(
            Guard(Routes(self.operations, agent.host).app(), agent),
            host=agent.host,
            port=agent.port,
            log_config=None,  # how the base logs is the base's
            log_level="warning",
            lifespan="off",
            http=bounded(Bounds(share_of_descriptors(1 / 8, CONNECTIONS), CONNECTIONS // 2, body_seconds=30.0)),
            ws="none",
            proxy_headers=False,  # who calls is who is connected
            timeout_graceful_shutdown=5,
            ssl_certfile=agent.certificate or None,
            ssl_keyfile=agent.key or None,
            ssl_ca_certs=agent.client_ca or None,
            ssl_cert_reqs=ssl.CERT_REQUIRED if agent.client_ca else ssl.CERT_NONE,
        )
        config.load()  # now, for a certificate that cannot be read must not be found out when the base is up
        self._server: _Server | None = None
        self._is_ending, self._has_served, self._has_ended = False, False, asyncio.Event()

    @coroutine_function
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Hands on what the chosen application makes: a coroutine of its own would cost every request of the base."""
        if scope["type"] == "lifespan":
            return self._live(scope, receive, send)
        return self._router.find(scope)(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The base's own lifespan, with the agent running inside it."""
        base = Lifespan(self._base)
        base.state = scope.get("state", {})
        await receive()
        try:
            await base.startup()
        except StartFailure as error:
            said = "".join(traceback.format_exception(error.__cause__)) if error.__cause__ else str(error)
            await send({"type": "lifespan.startup.failed", "message": said})
            return
        async with self._agent():
            is_whole = self._baseline is None or await self._baseline.fill(self.operations)
            if is_whole:
                await send({"type": "lifespan.startup.complete"})
                await receive()
        failed = await base.shutdown()
        said = "startup.failed" if not is_whole else "shutdown.failed" if failed else "shutdown.complete"
        await send({"type": f"lifespan.{said}", "message": failed or "told to end before its modules were in"})

    @contextlib.asynccontextmanager
    async def _agent(self):  # type: ignore[no-untyped-def]
        serving = asyncio.create_task(self.operations.loops.keep("agent", self._serve, is_needed=True), name="arklet")
        starting = asyncio.create_task(self.operations.start(), name="arklet warm process")
        gc.collect()
        gc.freeze()  # what the base has built so far stays; collecting after an uninstall need not look at it again
        try:
            yield
        finally:
            self._is_ending = True
            if self._server:
                self._server.should_exit = True
                await self._has_ended.wait()
            serving.cancel()
            await asyncio.gather(serving, starting, return_exceptions=True)
            await self.operations.stop()

    async def _serve(self) -> None:
        """Until it is told to end; a server of its own each time, for one that has ended serves no more."""
        self._has_ended.clear()
        self._server = server = _Server(self._config)
        try:
            await server.serve()
        except SystemExit as error:  # of uvicorn, which cannot listen
            if not self._has_served:
                raise
            raise OSError(f"port {self._config.port} cannot be listened on") from error
        finally:
            self._has_served |= server.started
            server.leave()
            self._server = None
            self._has_ended.set()
        if self._is_ending:
            await asyncio.get_running_loop().create_future()  # who ends it cancels this


def _require_proof(agent: AgentSettings) -> None:
    """Beyond loopback an agent knows its callers, or was told to take everyone. Raises SettingsError."""
    has_proof = agent.controller_keys or agent.token_file or agent.client_ca or agent.insecure
    if not (has_proof or is_loopback(agent.host)):
        raise SettingsError(
            f"agent: it would take calls from everybody who reaches {agent.host}. Say whose calls it takes: mount the ConfigMap"
            " arkwright-controller-keys and set controller-keys (ARKWRIGHT_CONTROLLER_KEYS), or set token-file, or client-ca;"
            " insecure = true takes them from everybody"
        )


def server_is_ending() -> bool:
    """Whether the base's own server has been told to end while it waits for the start to be over."""
    handler = signal.getsignal(signal.SIGTERM)
    return bool(getattr(getattr(handler, "__self__", None), "should_exit", False))


class _Server(BoundedServer):
    """The base's own server has the signals; this one ends with the base."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield

    def leave(self) -> None:
        """However it has ended, its port is free for the next one."""
        for one in getattr(self, "servers", ()):
            one.close()
