"""What the agent's commands do. In: decoded requests. Out: Answers in the wire's words. One Arklet a base process.

A command on one name:version excludes any other on it; commands on different ones run side by side.
Not done here: HTTP, JSON.
"""

import asyncio
import logging
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from arkwright.arklet.lifecycle import IllegalStep, Step, next_state
from arkwright.arklet.packages import Limits, ModulePackage, PackageError, fetch, is_same_identity
from arkwright.arklet.runner import LoadedModule, ModuleRouter
from arkwright.model.arklet import Answer, BizInfo, BizRequest, BizState, Code, InstallRequest

log = logging.getLogger(__name__)
DRAIN_SECONDS = 30.0
MAX_RECORDS = 20
BASE_NAME = "base"  # what health calls the base itself


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

    def __init__(
        self, router: ModuleRouter, limits: Limits | None = None, drain_seconds: float = DRAIN_SECONDS
    ) -> None:
        self._router = router
        self._limits = limits or Limits()
        self._drain_seconds = drain_seconds
        self._busy: dict[str, str] = {}
        self.installed: dict[str, Installed] = {}

    async def install(self, request: InstallRequest) -> Answer:
        """installBiz. Raises PackageError, StartFailure or ValueError; nothing of the module is left then."""
        if not request.biz_url:
            raise ValueError("bizUrl should not be blank")
        if bool(request.biz_name) != bool(request.biz_version):
            raise ValueError("bizName and bizVersion should be both blank or both not blank.")
        if request.install_strategy.replace("_", "").lower() == "uninstalltheninstall":
            await self._uninstall_all(request.biz_name)
        identity = request.identity if request.biz_name else request.biz_url
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
        log.info("switched to %s", found.identity)
        return _succeeded(f"Switch biz: {found.identity} is activated.")

    def query(self) -> list[dict[str, Any]]:
        """queryAllBiz: what is here, with the states it went through."""
        return [
            {
                "bizName": one.name,
                "bizState": one.state,
                "bizStateRecords": one.records,
                "bizVersion": one.version,
                "mainClass": one.module.package.application if one.module else "",
                "requestsInFlight": one.module.requests_in_flight if one.module else 0,
                "webContextPath": one.web_path,
            }
            for one in self.installed.values()
        ]

    async def stop(self) -> None:
        """Uninstall everything: the base ends."""
        await asyncio.gather(*(self._take_away(one) for one in list(self.installed.values()) if one.module))

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
            package = await fetch(request.biz_url, request.md5, self._limits)
            if refused := self._rename(entry, package, request):
                package.discard()
                return refused
            entry.module = await LoadedModule.start(package)
        except BaseException as error:
            self.installed.pop(entry.identity, None)
            log.warning("not installed %s: %s: %s", entry.identity, type(error).__name__, error)
            raise
        self._begin_serving(entry, package)
        cost = int((time.monotonic() - started) * 1000)
        log.info("installed %s in %d ms, %s", entry.identity, cost, entry.state)
        return _installed(entry, f"Install Biz: {entry.identity} success, cost: {cost} ms")

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

    def _begin_serving(self, entry: Installed, package: ModulePackage) -> None:
        entry.web_path = package.web_path
        if self._active_sibling(entry):
            entry.step(Step.DEACTIVATE, "Started", "another version is active; switchBiz activates this one")
        else:
            self._activate(entry, "Started")

    def _activate(self, entry: Installed, reason: str) -> None:
        assert entry.module is not None
        if sibling := self._active_sibling(entry):
            sibling.step(Step.DEACTIVATE, "Switched")
            if sibling.module and sibling.web_path != entry.web_path:
                self._router.unroute(sibling.module)
        entry.step(Step.ACTIVATE, reason)
        self._router.route(entry.web_path, entry.module)

    def _active_sibling(self, entry: Installed) -> Installed | None:
        others = (one for one in self.installed.values() if one is not entry and one.state is BizState.ACTIVATED)
        return next((one for one in others if one.name == entry.name or one.web_path == entry.web_path), None)

    async def _uninstall(self, request: BizRequest) -> Answer:
        found = self._find(request.biz_name, request.biz_version)
        if found is None:
            return _refused("uninstall", Code.NOT_FOUND_BIZ, f"Uninstall biz: {request.identity} not found.")
        cut_off = await self._take_away(found)
        note = f" {cut_off} requests were cut off after {self._drain_seconds:g} s." if cut_off else ""
        return _succeeded(f"Uninstall biz: {found.identity} success.{note}")

    async def _take_away(self, entry: Installed) -> int:
        entry.step(Step.STOP, "Killing")
        module, entry.module = entry.module, None
        cut_off = 0
        if module is not None:
            self._router.unroute(module)
            cut_off = await module.stop(self._drain_seconds)
        self.installed.pop(entry.identity, None)
        log.info("uninstalled %s, %d requests cut off", entry.identity, cut_off)
        return cut_off

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
    message = str(error) if isinstance(error, ValueError | PackageError) else f"{type(error).__name__}: {error}"
    return Answer(
        code=Code.INTERNAL_ERROR, message=f"Internal Error: {message}", error_stack_trace=f"{trace}Caused by: {cause}\n"
    )


def _succeeded(message: str) -> Answer:
    return Answer(code=Code.SUCCESS, data={"code": Code.SUCCESS, "message": message})


def _refused(command: str, code: Code, message: str) -> Answer:
    return Answer(code=Code.FAILED, message=f"{command} biz not success!", data={"code": code, "message": message})


def _repeated(identity: str) -> Answer:
    return _refused("install", Code.REPEAT_BIZ, f"Biz: {identity} has been installed or registered.")


def _installed(entry: Installed, message: str) -> Answer:
    return Answer(code=Code.SUCCESS, data={"bizInfos": [entry.info()], "code": Code.SUCCESS, "message": message})
