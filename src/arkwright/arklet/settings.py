"""What a base may be told about its agent and its modules. In: a TOML file or values in code. Out: frozen settings.

[agent]                         # where the agent listens, who may call it
[archives]                      # downloads: limits, cache, trusted keys
[baseline]                      # who says which modules belong here
[process]                       # how processes of modules are started
[defaults]                      # of every module
[modules.provider]              # of one module; wins over [defaults]
"""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from arkwright.model.arklet import DEFAULT_PORT

MEGABYTE = 1024 * 1024
LOOPBACK = "127.0.0.1"
MOUNTED_KEYS = Path("/etc/arkwright/controller-keys/keys.json")  # where a ConfigMap of the controller's is mounted


class SettingsError(Exception):
    """A settings file that cannot be used; the message names the field."""


class Isolation(StrEnum):
    """Where a module's code runs: `process`, one of its own for each version; `shared`, the base's, with the base's packages and objects."""

    PROCESS = "process"
    SHARED = "shared"


class Section(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """A table of the settings file; unknown names are errors."""


class AgentSettings(Section, frozen=True, kw_only=True):
    """Paths are relative to the working directory. A token file has one token a line, each valid. `controller_keys`: public keys of
    whose signed calls are taken, a JSON Web Key Set. `pod`: the uid of the base pod that this is; calls for another are refused.
    `insecure`: everybody's calls are taken, but a web page's. `reserved_paths`: web paths that no module gets, besides those that the base's
    application tells of itself."""

    host: str = LOOPBACK
    port: int = DEFAULT_PORT
    token_file: str = ""
    controller_keys: str = ""
    insecure: bool = False
    reserved_paths: tuple[str, ...] = ()
    certificate: str = ""
    key: str = ""
    client_ca: str = ""
    pod: str = ""


def with_mounted_keys(agent: AgentSettings) -> AgentSettings:
    """With the keys that are mounted into its container, if it is told of no others."""
    is_mounted = not agent.controller_keys and MOUNTED_KEYS.exists()
    return replace(agent, controller_keys=str(MOUNTED_KEYS)) if is_mounted else agent


class ArchiveSettings(Section, frozen=True, kw_only=True):
    """Sizes in megabytes; `timeout_seconds` bounds a whole download; `trusted_keys`: PEM files, one of which must have
    signed every archive. Without a `cache_directory` nothing is kept. `allow`: prefixes of the urls that are taken, if not all;
    `directories`: below which files are read."""

    archive_mb: int = 100
    unpacked_mb: int = 500
    files: int = 20_000
    timeout_seconds: float = 120.0
    cache_directory: str = ""
    cache_mb: int = 1024
    trusted_keys: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    directories: tuple[str, ...] = ()


class BaselineSettings(Section, frozen=True, kw_only=True):
    """`url`: asked at start which modules belong here; "" asks nobody. `address`: where others see this base, if not at
    the agent's host."""

    url: str = ""
    address: str = ""
    token_file: str = ""
    ca: str = ""


class ProcessSettings(Section, frozen=True, kw_only=True):
    """How processes of modules are started. `preload`: what each has imported from its start; None: what modules turn out to import of
    the packages that they require."""

    preload: tuple[str, ...] | None = None


class ModuleSettings(Section, frozen=True, kw_only=True):
    """Of one module. `isolation` None: what the archive says, else process. 0 is no limit. `memory_mb`, `cpus`: in mode
    process only. `timeout_seconds`: until a response is whole; `drain_seconds`, `shutdown_seconds`: for requests under way, then for the
    application's shutdown; `threads`: of a WSGI application."""

    isolation: Isolation | None = None
    concurrency: int = 0
    timeout_seconds: float = 0.0
    drain_seconds: float = 30.0
    shutdown_seconds: float = 30.0
    threads: int = 40
    memory_mb: int = 0
    cpus: int = 0


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything about one base's agent. `modules`: by module name, the fields that differ from `defaults`."""

    agent: AgentSettings = AgentSettings()
    archives: ArchiveSettings = ArchiveSettings()
    baseline: BaselineSettings = BaselineSettings()
    process: ProcessSettings = ProcessSettings()
    defaults: ModuleSettings = ModuleSettings()
    modules: dict[str, dict[str, Any]] = {}

    def __post_init__(self) -> None:
        for name in self.modules:
            self.of(name)

    def at(self, agent: AgentSettings, baseline_url: str = "") -> "Settings":
        """What `agent` says otherwise than the defaults wins, and so does a baseline's address."""
        said = {
            name: value
            for name, value in msgspec.structs.asdict(agent).items()
            if value != getattr(AgentSettings(), name)
        }
        baseline = replace(self.baseline, url=baseline_url) if baseline_url else self.baseline
        return replace(self, agent=replace(self.agent, **said), baseline=baseline)

    def of(self, name: str) -> ModuleSettings:
        """The settings of the module of that name. Raises msgspec.ValidationError if it has a wrong field."""
        merged = {**msgspec.to_builtins(self.defaults), **self.modules.get(name, {})}
        try:
            return msgspec.convert(merged, ModuleSettings)
        except msgspec.ValidationError as error:
            raise msgspec.ValidationError(f"modules.{name}: {error}") from error


def settings_of(environment: Mapping[str, str]) -> Settings:
    """What the variables say that `arkwright base` knows: ARKWRIGHT_CONFIG, POD_IP, POD_UID, ARKWRIGHT_AGENT_PORT,
    ARKWRIGHT_BASELINE_URL, ARKWRIGHT_CONTROLLER_KEYS. Raises SettingsError."""
    config, port = environment.get("ARKWRIGHT_CONFIG", ""), environment.get("ARKWRIGHT_AGENT_PORT", str(DEFAULT_PORT))
    if not port.isdecimal():
        raise SettingsError(f"ARKWRIGHT_AGENT_PORT: {port!r} is no port")
    agent = AgentSettings(
        host=environment.get("POD_IP", LOOPBACK),
        port=int(port),
        pod=environment.get("POD_UID", ""),
        controller_keys=environment.get("ARKWRIGHT_CONTROLLER_KEYS", ""),
    )
    settings = read_settings(Path(config)) if config else Settings()
    return settings.at(agent, environment.get("ARKWRIGHT_BASELINE_URL", ""))


def read_settings(path: Path) -> Settings:
    """Raises SettingsError naming the file and the field."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Settings)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"{path}: {error}") from error
