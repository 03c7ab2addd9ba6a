"""What came of a call to an agent, and what an agent last said of itself. Observations, not decisions."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from arkwright.model.arklet import BizInfo
from arkwright.model.meta import Value


class Command(StrEnum):
    """The commands that we send: the controller all but the last, which is for people."""

    INSTALL = "installBiz"
    UNINSTALL = "uninstallBiz"
    SWITCH = "switchBiz"
    QUERY = "queryAllBiz"
    HEALTH = "health"


class Verdict(StrEnum):
    """What a call came to. LOST: the agent may or may not have done it; ask before trying again."""

    DONE = "done"
    REPEATED = "already there"
    ABSENT = "not there"
    BUSY = "busy"
    REFUSED = "refused"
    UNREACHED = "not reached"
    LOST = "answer lost"


class Reason(StrEnum):
    """Why a Module is not Available (semantics 11)."""

    INSTALL_FAILED = "InstallFailed"
    INSTALL_TIMED_OUT = "InstallTimedOut"
    IDENTITY_MISMATCH = "IdentityMismatch"
    PULL_FAILED = "PullFailed"
    WEB_PATH_CONFLICT = "WebPathConflict"
    AGENT_UNREACHABLE = "AgentUnreachable"
    AGENT_UNAUTHENTICATED = "AgentUnauthenticated"
    UNINSTALL_FAILED = "UninstallFailed"
    BASE_RESTARTED = "BaseRestarted"
    BASE_TERMINATING = "BaseTerminating"
    DETACHED = "Detached"


class EventReason(StrEnum):
    """What Events are told (semantics 11)."""

    MODULE_INSTALLED = "ModuleInstalled"
    MODULE_INSTALL_FAILED = "ModuleInstallFailed"
    MODULE_UNINSTALLED = "ModuleUninstalled"
    MODULE_UNINSTALL_FAILED = "ModuleUninstallFailed"
    MODULE_DRIFTED = "ModuleDrifted"
    PUT_RIGHT = "PutRight"
    MODULE_DETACHED = "ModuleDetached"
    MODULE_ATTACHED = "ModuleAttached"
    BATCH_STARTED = "BatchStarted"
    BATCH_COMPLETED = "BatchCompleted"
    BATCH_AWAITING_CONFIRMATION = "BatchAwaitingConfirmation"
    CONFIRMATION_IGNORED = "ConfirmationIgnored"
    RELEASE_STARTED = "ReleaseStarted"
    RELEASE_COMPLETED = "ReleaseCompleted"
    RELEASE_SUPERSEDED = "ReleaseSuperseded"
    RELEASE_ROLLED_BACK = "ReleaseRolledBack"
    INSUFFICIENT_BASES = "InsufficientBases"
    MAX_UNAVAILABLE_EXCEEDED = "MaxUnavailableExceeded"
    WRITE_REFUSED = "WriteRefused"
    BASE_NOT_FOUND = "BaseNotFound"
    SERVICE_TAKEN = "ServiceTaken"
    INVALID_MAX_MODULE_COUNT = "InvalidMaxModuleCount"
    BASE_POD_RECYCLED = "BasePodRecycled"
    CANNOT_ACT = "CannotAct"
    NOT_UNDERSTOOD = "NotUnderstood"
    ASKED_FOR = "AskedFor"


class Outcome(Value, frozen=True, kw_only=True):
    """The end of one call. `modules`: what the answer lists (installBiz: the one installed; queryAllBiz: all);
    `health`: what the agent says of its base, in its own words; `is_nonsense`: what answers is no agent, or does not behave as one."""

    command: Command
    verdict: Verdict
    modules: tuple[BizInfo, ...] = ()
    reason: Reason | None = None
    message: str = ""
    health: dict[str, Any] = {}
    is_nonsense: bool = False


class BaseReport(Value, frozen=True, kw_only=True):
    """What is in a base, as its agent said and as calls since then have changed it.

    `is_certain` is False once something happened that the agent must be asked about: its container restarted, or the
    answer to a call was lost. `at`: when it was last asked; `news`: what it listed then for the first time.
    """

    modules: tuple[BizInfo, ...] = ()
    at: datetime
    is_certain: bool = True
    news: tuple[BizInfo, ...] = ()

    def find(self, name: str, version: str) -> BizInfo | None:
        return next((one for one in self.modules if (one.biz_name, one.biz_version) == (name, version)), None)


class CallUnderWay(Value, frozen=True, kw_only=True):
    """`version`: of the module that it is about; all versions of a module wait for it."""

    command: Command
    version: str = ""
    since: datetime


class LastCall(Value, frozen=True, kw_only=True):
    """The last call for one Module; `attempt` and `generation` say which try of which spec it was."""

    outcome: Outcome
    at: datetime
    attempt: int
    generation: int
