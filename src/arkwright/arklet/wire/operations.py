"""What the agent's commands do. In: decoded requests. Out: Answers in the wire's words. One Arklet a base process.

A command on one name:version excludes any other on it; commands on different ones run side by side.
Not done here: HTTP, JSON.
"""

import asyncio
import contextlib
import logging
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from arkwright.arklet.archives import (
    OF_THE_BASE,
    ModulePackage,
    PackageError,
    Packages,
    is_same_identity,
    wrong_name,
    wrong_version,
)
from arkwright.arklet.asgi.words import RemoteFailure
from arkwright.arklet.door import ModuleRouter
from arkwright.arklet.leftovers import Leftover
from arkwright.arklet.modules import LoadedModule
from arkwright.arklet.owners import Owner, works_for
from arkwright.arklet.process import Around, WarmProcess
from arkwright.arklet.settings import Settings
from arkwright.arklet.wire.lifecycle import IllegalStep, Step, next_state
from arkwright.model.arklet import Answer, BizInfo, BizRequest, BizState, Code, InstallRequest
from arkwright.model.hosts import is_loopback
from arkwright.model.urls import without_secrets
from arkwright.supervision import Supervisor, in_log

log = logging.getLogger(__name__)
MAX_RECORDS = 20
BASE_NAME = OF_THE_BASE


@dataclass
class Installed:
    """A module this base knows, from the moment its install begins until its uninstall has ended."""

    name: str
    version: str
    state: BizState = BizState.UNRESOLVED
    web_path: str = ""
    module: LoadedModule | None = None
    records: list[dict[str, Any]] = field(default_factory=list)

    def step(self, step: Step, reason: str, message: str = "") -> None:
        """Raises IllegalStep, and changes nothing, where the life of a module has no such step."""
        self.state = next_state(self.state, step)
        record = {"changeTime": int(time.time() * 1000), "message": message, "reason": reason, "state": self.state}
        self.records.append(record)
        del self.records[:-MAX_RECORDS]

    @property
    def identity(self) -> str:
        return f"{self.name}:{self.version}"

    def info(self) -> BizInfo:
        return BizInfo(
            biz_name=self.name, biz_version=self.version, biz_state=self.state, web_context_path=self.web_path
        )


class Operations:
    """The modules of one base and the commands on them."""

    def __init__(self, router: ModuleRouter, settings: Settings, reserved: frozenset[str] = frozenset()) -> None:
        """`reserved`: web paths that the base answers itself."""
        self._router, self._settings = router, settings
        self._packages = Packages(settings.archives, is_loopback(settings.agent.host), reserved)
        self._warm, self.loops = WarmProcess(settings.process.preload), Supervisor(tell=in_log(log))
        self._around = Around(self._warm, self.loops)
        self._busy: dict[str, str] = {}
        self._left: dict[str, list[Leftover]] = {}
        self.installed: dict[str, Installed] = {}

    def _log(self, level: int, identity: str, message: str, *args: object) -> None:
        """As of that module, which a line in JSON says besides."""
        with works_for(Owner(identity)):
            log.log(level, message, *args)

    async def install(self, request: InstallRequest) -> Answer:
        """installBiz. Raises PackageError, StartFailure or ValueError; nothing of the module is left then."""
        if not request.biz_url:
            raise ValueError("bizUrl should not be blank")
        if bool(request.biz_name) != bool(request.biz_version):
            raise ValueError("bizName and bizVersion should be both blank or both not blank.")
        if request.biz_name and (wrong := wrong_name(request.biz_name) or wrong_version(request.biz_version)):
            raise ValueError(f"bizName, bizVersion: {wrong}")
        if request.install_strategy.replace("_", "").lower() == "uninstalltheninstall":
            await self._uninstall_all(request.biz_name)
        identity = request.identity if request.biz_name else without_secrets(request.biz_url)
        return await self._exclusively("installBiz", identity, lambda: self._install(request))

    async def uninstall(self, request: BizRequest) -> Answer:
        """uninstallBiz: off the route, requests finished, code gone."""
        if request.biz_name == BASE_NAME:
            return _refused("uninstall", Code.FAILED, "Master biz must not be uninstalled.")
        return await self._exclusively("uninstallBiz", request.identity, lambda: self._uninstall(request))

    async def switch(self, request: BizRequest) -> Answer:
        """switchBiz: this version answers from the next request on, the others of its name no longer."""
        found = self._find(request.biz_name, request.biz_version)
        if found is None:
            return _refused("switch", Code.NOT_FOUND_BIZ, f"Switch biz: {request.identity} not found.")
        try:
            next_state(found.state, Step.ACTIVATE)
        except IllegalStep as error:
            return _refused("switch", Code.ILLEGAL_STATE_BIZ, f"Switch Biz: {request.identity}: {error}.")
        self._activate(found, "Switched")
        self._log(logging.INFO, found.identity, "switched to %s", found.identity)
        return _succeeded(f"Switch biz: {found.identity} is activated.")

    def query(self) -> list[dict[str, Any]]:
        """queryAllBiz: what is here, with the states it went through."""
        return [
            {
                "bizName": one.name,
                "bizState": one.state,
                "bizStateRecords": one.records,
                "bizVersion": one.version,
                "webContextPath": one.web_path,
                **(one.module.told() if one.module else {"mainClass": ""}),
            }
            for one in self.installed.values()
        ]

    def residue(self) -> dict[str, list[str]]:
        """What modules that were uninstalled have left here and is here still, by identity."""
        self._left = {
            identity: there
            for identity, left in self._left.items()
            if (there := [one for one in left if one.is_there()])
        }
        return {identity: [one.what for one in left] for identity, left in self._left.items()}

    async def start(self) -> None:
        """The base has begun: make ready for modules. What cannot be is told by the install that needs it."""
        with contextlib.suppress(OSError):
            await self._warm.start()

    async def stop(self) -> None:
        """Uninstall everything: the base ends."""
        await asyncio.gather(*(self._take_away(one) for one in list(self.installed.values()) if one.module))
        await self._warm.close()
        await asyncio.to_thread(self._packages.close)

    async def _exclusively(self, command: str, identity: str, run: Callable[[], Awaitable[Answer]]) -> Answer:
        if other := self._busy.get(identity):
            conflict = f"FAILED:{identity} {command} conflict, exist unfinished command({other}) for this biz"
            return Answer(code=Code.FAILED, message=conflict)
        self._busy[identity] = command
        try:
            return await run()
        finally:
            del self._busy[identity]

    async def _install(self, request: InstallRequest) -> Answer:
        if found := self._find(request.biz_name, request.biz_version):
            return _repeated(found.identity)
        started = time.monotonic()
        entry = Installed(request.biz_name, request.biz_version)
        entry.step(Step.REGISTER, "Created")
        if request.biz_name:
            self.installed[entry.identity] = entry
        try:
            package = await self._packages.fetch(request.biz_url, request.md5)
            if refused := self._rename(entry, package, request):
                package.discard()
                return refused
            self._claim_web_path(entry, package)
            entry.module = await LoadedModule.start(package, self._settings.of(package.name), self._around)
        except BaseException as error:
            self.installed.pop(entry.identity, None)
            said = (entry.identity, type(error).__name__, error)
            self._log(logging.WARNING, entry.identity, "not installed %r: %s: %s", *said)
            raise
        self._begin_serving(entry)
        cost = int((time.monotonic() - started) * 1000)
        self._log(logging.INFO, entry.identity, "installed %s in %d ms, %s", entry.identity, cost, entry.state)
        for note in package.notes:
            self._log(logging.WARNING, entry.identity, "%s: %s", entry.identity, note)
        return _installed(entry, ". ".join((f"Install Biz: {entry.identity} success, cost: {cost} ms", *package.notes)))

    def _rename(self, entry: Installed, package: ModulePackage, request: InstallRequest) -> Answer | None:
        """A module goes by the archive's own identity, in the caller's spelling where both mean the same."""
        if request.biz_name and is_same_identity((entry.name, entry.version), (package.name, package.version)):
            return None
        self.installed.pop(entry.identity, None)
        if found := self._find(package.name, package.version):
            return _repeated(found.identity)
        entry.name, entry.version = package.name, package.version
        self.installed[entry.identity] = entry
        return None

    def _claim_web_path(self, entry: Installed, package: ModulePackage) -> None:
        """A web path is one module's, as in a Java base: two would take it from each other. Raises ValueError; the package is gone then."""
        others = (one for one in self.installed.values() if one.name != entry.name and one.web_path == package.web_path)
        if other := next(others, None):
            package.discard()
            raise ValueError(
                f"web path /{package.web_path} is {other.identity}'s, another module's: give {entry.name} one of its own, or "
                "uninstall the other"
            )
        entry.web_path = package.web_path

    def _begin_serving(self, entry: Installed) -> None:
        if self._active_sibling(entry):
            entry.step(Step.DEACTIVATE, "Started", "another version is active; switchBiz activates this one")
        else:
            self._activate(entry, "Started")

    def _activate(self, entry: Installed, reason: str) -> None:
        assert entry.module is not None
        if sibling := self._active_sibling(entry):
            sibling.step(Step.DEACTIVATE, "Switched")
            assert sibling.module is not None
            sibling.module.activate(False)
            if sibling.web_path != entry.web_path:
                self._router.unroute(sibling.module.traffic)
        entry.step(Step.ACTIVATE, reason)
        entry.module.activate(True)
        self._router.route(entry.web_path, entry.module.traffic)

    def _active_sibling(self, entry: Installed) -> Installed | None:
        versions = (one for one in self.installed.values() if one is not entry and one.name == entry.name)
        return next((one for one in versions if one.state is BizState.ACTIVATED), None)

    async def _uninstall(self, request: BizRequest) -> Answer:
        found = self._find(request.biz_name, request.biz_version)
        if found is None:
            return _refused("uninstall", Code.NOT_FOUND_BIZ, f"Uninstall biz: {request.identity} not found.")
        left = [one.what for one in await self._take_away(found)]
        said = " ".join((f"Uninstall biz: {found.identity} success.", *(f"{one}." for one in left)))
        data: dict[str, Any] = {"code": Code.SUCCESS, "message": said}
        return Answer(code=Code.SUCCESS, data=data | {"residue": left} if left else data)

    async def _take_away(self, entry: Installed) -> list[Leftover]:
        entry.step(Step.STOP, "Killing")
        module, entry.module = entry.module, None
        left: list[Leftover] = []
        try:
            if module is not None:
                self._router.unroute(module.traffic)
                left = await module.stop()
        finally:  # an end that fails is told, and is the end all the same: another install would have no way in
            self.installed.pop(entry.identity, None)
        self._log(logging.INFO, entry.identity, "uninstalled %s", entry.identity)
        for one in left:
            self._log(logging.WARNING, entry.identity, "left by %s: %s", entry.identity, one.what)
        if left:
            self._left.setdefault(entry.identity, []).extend(left)
        return left

    async def _uninstall_all(self, name: str) -> None:
        for one in [one for one in self.installed.values() if one.name == name]:
            await self.uninstall(BizRequest(biz_name=one.name, biz_version=one.version))

    def _find(self, name: str, version: str) -> Installed | None:
        return self.installed.get(f"{name}:{version}") if name else None


def internal_error(error: BaseException) -> Answer:
    """The wire's word for any exception; the root cause comes last in the trace, as Java agents have it."""
    if type(error) is ValueError:  # what is asked for is wrong: there is no more to it than the message
        said = f"Internal Error: {error}"
        return Answer(code=Code.INTERNAL_ERROR, message=said, error_stack_trace=f"{type(error).__name__}: {error}\n")
    trace = "".join(traceback.format_exception(error))
    root = error
    while root.__cause__ is not None and not isinstance(root, PackageError):
        root = root.__cause__
    cause = str(root) if isinstance(root, PackageError) else f"{type(root).__name__}: {root}"
    if isinstance(root, RemoteFailure):
        cause = root.cause
    message = str(error) if isinstance(error, ValueError | PackageError) else f"{type(error).__name__}: {error}"
    said = f"Internal Error: {message}"
    return Answer(code=Code.INTERNAL_ERROR, message=said, error_stack_trace=f"{trace}Caused by: {cause}\n")


def _succeeded(message: str) -> Answer:
    return Answer(code=Code.SUCCESS, data={"code": Code.SUCCESS, "message": message})


def _refused(command: str, code: Code, message: str) -> Answer:
    return Answer(code=Code.FAILED, message=f"{command} biz not success!", data={"code": code, "message": message})


def _repeated(identity: str) -> Answer:
    return _refused("install", Code.REPEAT_BIZ, f"Biz: {identity} has been installed or registered.")


def _installed(entry: Installed, message: str) -> Answer:
    return Answer(code=Code.SUCCESS, data={"bizInfos": [entry.info()], "code": Code.SUCCESS, "message": message})
