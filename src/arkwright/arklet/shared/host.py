"""Runs a module inside the base's process: isolation `shared`. In: a ModulePackage. Out: a running module.

Its code lies in an import namespace of its own, its requests and threads carry its owner, and what it made is taken back
when it stops. Not done here: counting and limiting requests (`traffic`).
"""

import asyncio
import gc
import logging
import weakref
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from arkwright.arklet.archives import ModulePackage, PackageError, refuse_unmet, unmet
from arkwright.arklet.asgi.applications import application_named, stop_threads
from arkwright.arklet.asgi.lifespan import Lifespan
from arkwright.arklet.asgi.words import Application, Receive, Scope, Send, StartFailure
from arkwright.arklet.leftovers import Leftover, note
from arkwright.arklet.owners import works_for
from arkwright.arklet.settings import ModuleSettings
from arkwright.arklet.shared import caches, ownership, patches, state, timers
from arkwright.arklet.shared.importing import Imported, imported
from arkwright.arklet.shared.namespace import ImportNamespace
from arkwright.arklet.shared.ownership import Maker
from arkwright.arklet.shared.residue import close_handlers, end_threads, renew_hooks, still_referenced, take_back

log = logging.getLogger(__name__)
IMPORT_SECONDS = 120.0


class InProcess:
    """One version of a module in this process."""

    def __init__(self, package: ModulePackage, settings: ModuleSettings) -> None:
        self._package, self._settings = package, settings
        self._namespace = ImportNamespace(package.identity, package.directories)
        self.owner = self._namespace.owner
        self._application: Application | None = None
        self._imported: Imported | None = None
        self._state_kind = type("dict", (dict,), {})  # by which scopes of its requests are found again
        self._lifespan: Lifespan | None = None
        self._widened: list[str] = []  # whether it has changed `sys.path`, in words

    @classmethod
    async def start(cls, package: ModulePackage, settings: ModuleSettings) -> "InProcess":
        """Import the code (in a thread: the base goes on answering) and run its startup. Raises StartFailure or PackageError;
        nothing of it is left then, except what a warning in the log names."""
        await _meet_requirements(package)
        module = cls(package, settings)
        try:
            await module._start()
            return module
        except BaseException:
            left, _ = await module._leave()  # its code itself is held by the failure's traceback, until that is told
            for one in left:
                log.warning("left by %s, which did not start: %s", package.identity, one.what)
            raise

    async def _start(self) -> None:
        before, state_before = await asyncio.to_thread(patches.snapshot), state.snapshot()
        try:
            with works_for(self.owner):
                await self._import_and_startup()
        finally:
            self.owner.is_starting = False
            state.settle(self.owner, state_before, await asyncio.to_thread(patches.patches, self.owner, before))
            self._namespace.adopt()
            self._widened = ["sys.path"] if self._namespace.has_widened_the_path() else []
            for where in self._changed():
                log.warning("%s has changed %s in the base", self._package.identity, where)
            for name in self._namespace.renamed():
                log.warning(
                    "%s brings %s, a name that the base has too or of one letter: here it runs as %s.%s",
                    self._package.identity,
                    name,
                    self._namespace.root,
                    name,
                )

    async def _import_and_startup(self) -> None:
        self.owner.loop = asyncio.get_running_loop()
        load, threads = self._namespace.load, self._settings.threads
        found = partial(application_named, self._package.application, load, threads)
        try:
            self._imported = await imported(self._namespace.root, found, IMPORT_SECONDS)
        except TimeoutError as error:
            raise StartFailure(f"its import has not ended after {IMPORT_SECONDS:g} s") from error
        if unseen := self._imported.unseen:
            log.warning(
                "%s has set %s in its import; its requests do not see that", self._package.identity, ", ".join(unseen)
            )
        self._application = self._imported.application
        self._lifespan = Lifespan(self._application)
        await self._in_its_context(self._lifespan.startup)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        assert self._application is not None and self._lifespan is not None and self._imported is not None
        scope["state"] = self._state_kind(self._lifespan.state)
        if self._imported.context:
            return self._in_its_context(self._application, scope, receive, send)
        return self._application(scope, receive, send)

    async def _in_its_context(self, call: Callable[..., Awaitable[None]], *args: Any) -> None:
        """With the context variables that its import has set, as in a server that has imported it."""
        assert self._imported is not None
        tokens = [(var, var.set(value)) for var, value in self._imported.context]
        try:
            await call(*args)
        finally:
            for var, token in tokens:
                var.reset(token)

    def told(self) -> dict[str, Any]:
        """What health shows of it besides requests."""
        changed = self._changed()
        return {"patched": changed} if changed else {}

    def _changed(self) -> list[str]:
        return [*self._widened, *(one.where for one in self.owner.changes if one.is_there())]

    async def stop(self) -> list[Leftover]:
        """Run the shutdown, take back what the module made, forget the code. Returns what would not go."""
        left, objects = await self._leave()
        if held := await asyncio.to_thread(_still_referenced, objects, self.owner):
            left += timers.still_to_run(self.owner)
        return left + held

    async def _leave(self) -> "tuple[list[Leftover], list[weakref.ref[Any]]]":
        """All of it but to look whether the code has gone: that is told by the functions and classes it had."""
        left = []
        if self._lifespan is not None:
            with works_for(self.owner):
                if said := await self._lifespan.shutdown(self._settings.shutdown_seconds):
                    left.append(note(f"its shutdown failed: {said}"))
        left += await take_back(self.owner)
        left += await self._put_back()
        close_handlers(self.owner)
        renew_hooks(self.owner)
        left += [
            note(f"{one} in the base is its code") for one in await asyncio.to_thread(patches.leftovers, self.owner)
        ]
        held = await asyncio.to_thread(caches.holding, self.owner)
        objects = self._forget(held)
        left += await end_threads(self.owner)
        ownership.remove(self.owner)
        return left, objects

    async def _put_back(self) -> list[Leftover]:
        """What it has changed in the base."""
        left = []
        for one in reversed(self.owner.changes):
            try:
                state.put_back(self.owner, one)
            except (AttributeError, TypeError, ValueError, OSError) as error:
                left.append(note(f"{one.where} cannot be put back: {error}"))
        await asyncio.to_thread(patches.give_originals, self.owner, self.owner.changes)
        self.owner.changes = []
        return left

    def _forget(self, held: list[caches.Holding]) -> "list[weakref.ref[Any]]":
        """Drop every reference to the module's code that the agent, libraries' registries and caches have."""
        if self._application is not None:
            stop_threads(self._application)
        objects = self._namespace.own_objects()
        self._application = self._lifespan = self._imported = None
        caches.empty_scopes(self._state_kind, self.owner)
        for where in caches.let_go(self.owner, held):
            log.info("%s: what it had put into %s is out again", self._package.identity, where)
        self._namespace.close()
        gc.collect()
        return objects


def _still_referenced(objects: "list[weakref.ref[Any]]", owner: Maker) -> list[Leftover]:
    """Collects once more where the first time was too early: a thread that has ended since may have held something."""
    for again in (gc.collect, partial(caches.empty_deep, owner), gc.collect):
        if any(one() is not None for one in objects):
            again()
    return still_referenced(objects)


async def _meet_requirements(package: ModulePackage) -> None:
    refuse_unmet(package.identity, await asyncio.to_thread(unmet, package.requirements))
    if compiled := package.compiled_files():
        raise PackageError(
            f"{package.identity} brings C extensions ({', '.join(compiled[:3])}), which a process can load only once; "
            "install them into the base, or let the module have isolation process"
        )
