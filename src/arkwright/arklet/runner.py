"""Runs modules inside a base. In: ModulePackages and the base's HTTP traffic. Out: answers, and a clean end.

`LoadedModule` is one version of one module: its code, its ASGI application and lifespan, its requests in flight.
`ModuleRouter` is the ASGI application in front of the base's own: it sends `/<web path>/...` to the active version.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from arkwright.arklet.isolation import ImportNamespace
from arkwright.arklet.packages import ModulePackage

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

LIFESPAN_SECONDS = 60.0


class StartFailure(Exception):
    """The module's own code failed while it was imported or started; chained to the cause."""


class Lifespan:
    """Speaks the ASGI lifespan protocol to one application, in a task of its own."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._to: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._from: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self.state: MutableMapping[str, Any] = {}

    async def startup(self) -> None:
        """Raises StartFailure. An application that does not know lifespan is simply started."""
        self._task = asyncio.create_task(self._run(), name="module lifespan")
        answer = await self._say("lifespan.startup")
        if answer["type"] == "lifespan.startup.failed":
            raise StartFailure(answer.get("message") or "the module's lifespan startup failed")

    async def shutdown(self) -> None:
        if self._task is not None and not self._task.done():
            await self._say("lifespan.shutdown")
            self._task.cancel()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        scope: Scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self._application(scope, self._to.get, self._from.put)
        except Exception as error:  # the protocol: an exception here means "lifespan is not supported"
            await self._from.put({"type": "lifespan.unsupported", "error": error})

    async def _say(self, word: str) -> MutableMapping[str, Any]:
        await self._to.put({"type": word})
        try:
            return await asyncio.wait_for(self._from.get(), LIFESPAN_SECONDS)
        except TimeoutError:
            return {"type": f"{word}.failed", "message": f"no answer to {word} after {LIFESPAN_SECONDS:g} s"}


class LoadedModule:
    """One version of a module in this process."""

    def __init__(self, package: ModulePackage, namespace: ImportNamespace, application: Application) -> None:
        self.package = package
        self._namespace = namespace
        self._application: Application | None = application
        self._lifespan = Lifespan(application)
        self._in_flight: set[asyncio.Task[Any]] = set()

    @classmethod
    async def start(cls, package: ModulePackage) -> "LoadedModule":
        """Import the code (in a thread: the base goes on answering) and run its startup. Raises StartFailure."""
        namespace = ImportNamespace(package.name, package.directory)
        try:
            module = cls(package, namespace, await asyncio.to_thread(_import_application, namespace, package))
            await module._lifespan.startup()
            return module
        except BaseException:
            namespace.close()
            package.discard()
            raise

    @property
    def requests_in_flight(self) -> int:
        return len(self._in_flight)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        assert task is not None and self._application is not None
        self._in_flight.add(task)
        try:
            await self._application({**scope, "state": dict(self._lifespan.state)}, receive, send)
        finally:
            self._in_flight.discard(task)

    async def stop(self, drain_seconds: float) -> int:
        """Finish the requests in flight, run the shutdown, forget the code. Returns how many requests were cut off."""
        if self._in_flight:
            await asyncio.wait(set(self._in_flight), timeout=drain_seconds)
        cut_off = list(self._in_flight)
        for task in cut_off:
            task.cancel()
        await asyncio.gather(*cut_off, return_exceptions=True)
        await self._lifespan.shutdown()
        self._application = None
        del self._lifespan
        self._namespace.close()
        self.package.discard()
        return len(cut_off)


def _import_application(namespace: ImportNamespace, package: ModulePackage) -> Application:
    module_name, _, attribute = package.application.partition(":")
    try:
        found: Any = namespace.load(module_name)
        for part in (attribute or "app").split("."):
            found = getattr(found, part)
    except Exception as error:
        raise StartFailure(f"{type(error).__name__}: {error}") from error
    if not callable(found):
        raise StartFailure(f"{package.application} is a {type(found).__name__}, not an ASGI application")
    application: Application = found
    return application


class ModuleRouter:
    """ASGI: the active module of a web path answers for it, the base for everything else."""

    def __init__(self, base: Application) -> None:
        self._base = base
        self._active: dict[str, LoadedModule] = {}

    def route(self, web_path: str, module: LoadedModule) -> None:
        """From the next request on, `module` answers below `/<web_path>`; requests under way stay where they are."""
        self._active[web_path] = module

    def unroute(self, module: LoadedModule) -> None:
        self._active = {path: active for path, active in self._active.items() if active is not module}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and self._active:
            web_path = scope["path"].lstrip("/").partition("/")[0]
            if module := self._active.get(web_path):
                prefix = scope.get("root_path", "") + "/" + web_path
                await module({**scope, "root_path": prefix}, receive, send)
                return
        await self._base(scope, receive, send)
