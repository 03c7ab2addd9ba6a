"""Builds the agent. In: a base's ASGI application. Out: the same application, with modules in front and the agent beside it.

from arkwright.arklet.app import Arklet
app = Arklet(app)                    # the agent listens on port 1238 while the application runs
"""

import asyncio
import contextlib
import importlib
import socket

import uvicorn

from arkwright.arklet.operations import DRAIN_SECONDS, Operations
from arkwright.arklet.packages import Limits
from arkwright.arklet.routes import Routes
from arkwright.arklet.runner import Application, Lifespan, ModuleRouter, Receive, Scope, Send, StartFailure
from arkwright.model.arklet import DEFAULT_PORT


class Arklet:
    """ASGI: the base's application with its modules; runs the agent's interface during the base's lifespan."""

    def __init__(
        self,
        base: Application,
        host: str = "127.0.0.1",
        port: int = DEFAULT_PORT,
        limits: Limits | None = None,
        drain_seconds: float = DRAIN_SECONDS,
    ) -> None:
        self._base = base
        self._router = ModuleRouter(base)
        self.operations = Operations(self._router, limits, drain_seconds)
        app = Routes(self.operations, host).app()
        config = uvicorn.Config(
            app, host=host, port=port, log_level="warning", lifespan="off", timeout_graceful_shutdown=5
        )
        self._server = _Server(config)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        else:
            await self._router(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The base's own lifespan, with the agent running inside it."""
        base = Lifespan(self._base)
        base.state = scope.get("state", {})
        await receive()
        try:
            await base.startup()
        except StartFailure as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        async with self._agent():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await base.shutdown()
        await send({"type": "lifespan.shutdown.complete"})

    @contextlib.asynccontextmanager
    async def _agent(self):  # type: ignore[no-untyped-def]
        serving = asyncio.create_task(self._server.serve(), name="arklet")
        try:
            yield
        finally:
            self._server.should_exit = True
            await asyncio.gather(serving, return_exceptions=True)
            await self.operations.stop()


class _Server(uvicorn.Server):
    """The base's own server has the signals; this one ends with the base."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


def find_application(target: str) -> Application:
    """The ASGI application that `package.module:attribute` names. Raises ImportError or AttributeError."""
    module_name, _, attribute = target.partition(":")
    found: Application = getattr(importlib.import_module(module_name), attribute or "app")
    return found


def serve_base(target: str, host: str, port: int, agent_port: int) -> None:
    """Run a base in this process until it is told to end. Raises OSError where a port is taken."""
    for taken in (port, agent_port):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, taken))
            except OSError as error:
                raise OSError(error.errno, f"{host}:{taken}: {error.strerror}") from error
    arklet = Arklet(find_application(target), host=host, port=agent_port)
    uvicorn.run(arklet, host=host, port=port, lifespan="on", log_level="warning", timeout_graceful_shutdown=30)
