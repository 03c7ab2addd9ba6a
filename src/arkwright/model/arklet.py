"""The words of the agent's wire: commands, codes, states, requests and answers.

In and out: JSON with sorted, camelCase keys, null fields left out. Both sides use it: the controller's client and the
Python agent. "Biz" is the wire's word for a module and is used nowhere else.
"""

from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from arkwright.model.text import PLAIN_PATTERN

POD_HEADER = "Arklet-Pod"  # of a call: the uid of the base pod that it is for
SIGNATURE_HEADER = "Arklet-Signature"  # of a call: a token that says whose it is
DEFAULT_PORT = 1238


class Code(StrEnum):
    """`code` of an envelope and, for the last three, of its data."""

    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    CMD_NOT_FOUND = "CMD_NOT_FOUND"
    INTERNAL_ERROR = "CMD_PROCESS_INTERNAL_ERROR"
    REPEAT_BIZ = "REPEAT_BIZ"
    NOT_FOUND_BIZ = "NOT_FOUND_BIZ"
    ILLEGAL_STATE_BIZ = "ILLEGAL_STATE_BIZ"


class BizState(StrEnum):
    """States of a module in a base. Java agents write them in either case; compare through `biz_state`."""

    UNRESOLVED = "unresolved"
    RESOLVED = "resolved"
    ACTIVATED = "activated"
    DEACTIVATED = "deactivated"
    BROKEN = "broken"
    STOPPED = "stopped"


def biz_state(word: str) -> BizState:
    """The state a word means, whatever its case; a word nobody knows reads as broken."""
    try:
        return BizState(word.lower())
    except ValueError:
        return BizState.BROKEN


class Wire(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """A frozen part of a request or an answer."""


class BizInfo(Wire, frozen=True, kw_only=True):
    """Of a module that an agent has. What is longer, or cannot be seen, is no agent's word."""

    biz_name: Annotated[str, Meta(max_length=256, pattern=PLAIN_PATTERN)]
    biz_version: Annotated[str, Meta(max_length=256, pattern=PLAIN_PATTERN)]
    biz_state: Annotated[str, Meta(max_length=64, pattern=PLAIN_PATTERN)] = ""
    web_context_path: Annotated[str, Meta(max_length=1024, pattern=PLAIN_PATTERN)] = ""

    @property
    def identity(self) -> str:
        return f"{self.biz_name}:{self.biz_version}"

    @property
    def state(self) -> BizState:
        return biz_state(self.biz_state)


Count = Annotated[int, Meta(ge=0, le=2**53)]
Milliseconds = Annotated[float, Meta(ge=0, le=1e9)]


class Latencies(Wire, frozen=True, kw_only=True):
    """In milliseconds; None before the first request."""

    p50: Milliseconds | None = None
    p99: Milliseconds | None = None


class RequestFigures(Wire, frozen=True, kw_only=True):
    """Of one loaded version since it was loaded."""

    requests: Count = 0
    failed: Count = 0
    refused: Count = 0
    timed_out: Count = 0
    latency_ms: Latencies = Latencies()


class ModuleHealth(BizInfo, frozen=True, kw_only=True):
    """A module as `health` tells of it. `requests`: None where the agent tells no figures, as Java agents."""

    requests: RequestFigures | None = None
    requests_in_flight: Count = 0
    restarts: Count = 0
    last_end: str | None = None


class BaseHealth(Wire, frozen=True, kw_only=True):
    """`healthData`, as far as it is read. `biz_list_info`: None where it is not told; early Java agents list the base, too."""

    biz_list_info: tuple[ModuleHealth, ...] | None = None
    master_biz_info: dict[str, Any] = {}
    residue: dict[str, tuple[str, ...]] = {}
    troubles: tuple[str, ...] = ()

    @property
    def modules(self) -> tuple[ModuleHealth, ...] | None:
        base = self.master_biz_info.get("bizName")
        told = self.biz_list_info
        return None if told is None else tuple(one for one in told if one.biz_name != base)


class InstallRequest(Wire, frozen=True, kw_only=True):
    """`installBiz`; name and version are both given or both left out."""

    biz_url: str = ""
    biz_name: str = ""
    biz_version: str = ""
    md5: str = ""
    install_strategy: str = ""
    request_id: str = ""
    asynchronous: bool = msgspec.field(name="async", default=False)

    @property
    def identity(self) -> str:
        return f"{self.biz_name}:{self.biz_version}"


class BizRequest(Wire, frozen=True, kw_only=True):
    """`uninstallBiz` and `switchBiz`."""

    biz_name: str = ""
    biz_version: str = ""
    request_id: str = ""
    asynchronous: bool = msgspec.field(name="async", default=False)

    @property
    def identity(self) -> str:
        return f"{self.biz_name}:{self.biz_version}"


class BatchInstallRequest(Wire, frozen=True, kw_only=True):
    biz_list: tuple[InstallRequest, ...] = ()


class HealthRequest(Wire, frozen=True, kw_only=True):
    """`health`; the first era of Java agents wrote moduleName and moduleVersion."""

    type: str = ""
    biz_name: str = ""
    biz_version: str = ""
    module_name: str = ""
    module_version: str = ""


class NoRequest(Wire, frozen=True, kw_only=True):
    """Commands that need to be told nothing."""


class OpsRequest(Wire, frozen=True, kw_only=True):
    request_id: str = ""


class BaseAddress(Wire, frozen=True, kw_only=True):
    """Where a base's agent is, as the base itself says it; Java agents say more besides."""

    local_ip: str = msgspec.field(name="localIP", default="")
    port: int = DEFAULT_PORT


class Answer(Wire, frozen=True, kw_only=True):
    """The envelope of every answer; `data` is the command's own."""

    code: str
    message: str = ""
    data: Any = None
    error_stack_trace: str = ""
    base_identity: str = ""

    @property
    def data_code(self) -> str:
        return str(self.data.get("code", "")) if isinstance(self.data, dict) else ""

    @property
    def data_message(self) -> str:
        return str(self.data.get("message", "")) if isinstance(self.data, dict) else ""


def root_cause(answer: Answer) -> str:
    """What really went wrong: the last "Caused by:" of the stack trace, else the innermost message.

    Java agents put only the outermost exception into `message`, which says nothing.
    """
    causes = [line.strip() for line in answer.error_stack_trace.splitlines() if line.startswith("Caused by:")]
    if causes:
        return causes[-1].removeprefix("Caused by:").strip()
    return answer.data_message or answer.message.removeprefix("Internal Error: ") or answer.code
