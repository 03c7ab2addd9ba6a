"""From a source directory into a running base, without a gap. In: sources and an agent. Out: the module, serving.

The version that is there serves until the new one is in; if that does not start, it goes on serving.
"""

import asyncio
import contextlib
import ipaddress
import re
import secrets
import socket
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from packaging.utils import canonicalize_name, parse_wheel_filename
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

from arkwright.cli.building import build_wheel, project_version
from arkwright.clients.arklet import ArkletClient
from arkwright.model.arklet import BizInfo, BizState
from arkwright.model.kinds import ModuleArchive
from arkwright.model.outcomes import Outcome, Verdict

DONE = (Verdict.DONE, Verdict.ABSENT)


class DeployFailed(Exception):
    """The base does not take it; the outcome's message says why."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome


@dataclass(frozen=True)
class Deployed:
    """What serves now, and which versions went for it."""

    module: BizInfo
    gone: tuple[str, ...]


async def deploy(client: ArkletClient, agent: str, source: Path) -> Deployed:
    """Build, install, switch, uninstall what was there. Raises BuildFailed or DeployFailed."""
    there = _done(await client.query(agent)).modules
    with tempfile.TemporaryDirectory() as scratch:
        wheel = await asyncio.to_thread(_build_anew, source, Path(scratch), there)
        name, version, _, _ = parse_wheel_filename(wheel.name)
        async with _offered(wheel, agent) as url:
            archive = ModuleArchive(name=name, version=str(version), url=url)
            (new,) = _done(await client.install(agent, archive)).modules
    if new.state is not BizState.ACTIVATED:
        _done(await client.switch(agent, new.biz_name, new.biz_version))
    old = [one for one in there if canonicalize_name(one.biz_name) == name]
    for one in old:
        _done(await client.uninstall(agent, one.biz_name, one.biz_version))
    return Deployed(new, tuple(one.biz_version for one in old))


def _build_anew(source: Path, out: Path, there: tuple[BizInfo, ...]) -> Path:
    """Under the project's version; if that very version is in the base, under it and the next number: 1.0.2+deploy.1."""
    wheel = build_wheel(source, out)
    name, version, _, _ = parse_wheel_filename(wheel.name)
    versions = [one.biz_version for one in there if canonicalize_name(one.biz_name) == name]
    if str(version) not in versions and not any(one.startswith(f"{version}+deploy.") for one in versions):
        return wheel
    return build_wheel(source, out, next_version(project_version(source), versions))


def next_version(version: str, there: list[str]) -> str:
    """
    >>> next_version("1.0", ["0.9"]), next_version("1.0", ["1.0"]), next_version("1.0", ["1.0", "1.0+deploy.7"])
    ('1.0+deploy.1', '1.0+deploy.1', '1.0+deploy.8')
    """
    used = [int(found[1]) for one in there if (found := re.search(r"\+deploy\.(\d+)$", one))]
    return f"{version.partition('+')[0]}+deploy.{max(used, default=0) + 1}"


@contextlib.asynccontextmanager
async def _offered(wheel: Path, agent: str) -> AsyncIterator[str]:
    """A url under which the agent finds the file: of the file itself on this machine, else of a server for the moment."""
    host = agent.rpartition("//")[2].rpartition(":")[0].strip("[]")
    if _is_this_machine(host):
        yield wheel.as_uri()
        return
    path = f"/{secrets.token_urlsafe(16)}/{wheel.name}"
    app = Starlette(routes=[Route(path, lambda request: _file(request, wheel))])
    with socket.create_server((_address_towards(host), 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        serving = asyncio.create_task(server._serve(sockets=[listening]))
        try:
            yield "http://{}:{}".format(*listening.getsockname()[:2]) + path
        finally:
            server.should_exit = True
            await serving


async def _file(request: Request, wheel: Path) -> FileResponse:
    return FileResponse(wheel)


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _address_towards(host: str) -> str:
    """Which of our addresses that host would see; no packet is sent for it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((host, 9))
        return str(probe.getsockname()[0])


def _done(outcome: Outcome) -> Outcome:
    if outcome.verdict not in DONE:
        raise DeployFailed(outcome)
    return outcome
