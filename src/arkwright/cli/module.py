"""`arkwright module`: build archives, and talk straight to one agent."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import typer
import watchfiles
from packaging.utils import parse_wheel_filename

from arkwright.arklet.archives import SUFFIX, BadKey, read_private_key, signature
from arkwright.cli.arranging import Arranging
from arkwright.cli.building import BuildFailed, build_wheel, lock_wheel
from arkwright.cli.deploying import DeployFailed, deploy
from arkwright.cli.output import Format, complain, fail, note, show
from arkwright.cli.progress import working
from arkwright.clients.agentaccess import AgentAccess, InClear
from arkwright.clients.arklet import ArkletClient
from arkwright.clients.errors import BadAccess
from arkwright.model.arklet import DEFAULT_PORT
from arkwright.model.kinds import ModuleArchive
from arkwright.model.outcomes import Outcome, Reason, Verdict


def with_port(address: str) -> str:
    """An agent's address; its own port where none is said.

    >>> with_port("10.1.2.3"), with_port("[::1]"), with_port("10.1.2.3:1300"), with_port("https://agent.example")
    ('10.1.2.3:1238', '[::1]:1238', '10.1.2.3:1300', 'https://agent.example')
    """
    has_port = address.rpartition(":")[2].isdigit()
    return address if has_port or "://" in address else f"{address}:{DEFAULT_PORT}"


app = typer.Typer(
    no_args_is_help=True, cls=Arranging, help="Build module archives; install, switch and remove them on one base."
)
Agent = Annotated[
    str,
    typer.Option(
        help=f"The base's agent, as address or address:port ({DEFAULT_PORT}).",
        envvar="ARKWRIGHT_AGENT",
        callback=with_port,
    ),
]
Source = Annotated[
    Path, typer.Argument(help="The module's source directory, with a pyproject.toml.", exists=True, file_okay=False)
]
DEFAULT_AGENT = f"127.0.0.1:{DEFAULT_PORT}"
WEB_PATH_TAKEN = (
    "this base holds one version of a module on a web path: `arkwright module uninstall name:version` first"
)


@app.callback()
def module(
    context: typer.Context,
    token_file: Annotated[
        str, typer.Option(help="File with the token that the agent asks for.", envvar="ARKWRIGHT_AGENT_TOKEN_FILE")
    ] = "",
    ca: Annotated[
        str,
        typer.Option(
            help="PEM file of who signs agents' certificates; calls go over TLS.", envvar="ARKWRIGHT_AGENT_CA"
        ),
    ] = "",
    certificate: Annotated[
        str, typer.Option(help="PEM file of your own certificate.", envvar="ARKWRIGHT_AGENT_CERTIFICATE")
    ] = "",
    key: Annotated[str, typer.Option(help="PEM file of its key.", envvar="ARKWRIGHT_AGENT_KEY")] = "",
    signing_key: Annotated[
        str, typer.Option(help="PEM file of the key that signs calls.", envvar="ARKWRIGHT_SIGNING_KEY")
    ] = "",
    insecure: Annotated[bool, typer.Option(help="Send the token in clear text, not only on loopback.")] = False,
) -> None:
    """Build module archives; install, switch and remove them on one base."""
    in_clear = InClear.ANYWHERE if insecure else InClear.ON_LOOPBACK
    context.obj = AgentAccess(token_file, ca, certificate, key, signing_key, in_clear)


@app.command("build")
def build_module(
    source: Source = Path("."),
    out: Annotated[Path, typer.Option(help="Where the archive goes.")] = Path("dist"),
    version: Annotated[str, typer.Option(help="Build as this version instead of the project's own.")] = "",
    lock: Annotated[bool, typer.Option(help="Write the hashes of all that it needs into the archive.")] = False,
) -> None:
    """Build a module archive (a wheel); prints its path."""
    try:
        with working(f"building {source}"):
            wheel = build_wheel(source, out, version)
        if lock:
            with working("asking for the hashes of what it needs"):
                needed = lock_wheel(wheel)
            note(f"locked: {', '.join(needed) or 'it needs nothing'}")
        typer.echo(wheel)
    except BuildFailed as error:
        fail(str(error), error.way_out)


@app.command()
def sign(
    archive: Annotated[Path, typer.Argument(help="A module archive.")],
    key: Annotated[Path, typer.Option(help="PEM file of an Ed25519 private key.")],
) -> None:
    """Sign an archive, for bases that load signed ones only; prints the signature's path. It belongs beside the archive."""
    try:
        text = signature(archive, read_private_key(key))
    except (BadKey, OSError) as error:
        fail(str(error), "`openssl genpkey -algorithm ed25519 -out key.pem` makes a key")
    path = archive.with_name(archive.name + SUFFIX)
    path.write_bytes(text)
    typer.echo(path)


@app.command("deploy")
def deploy_source(
    context: typer.Context,
    source: Source = Path("."),
    agent: Agent = DEFAULT_AGENT,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Again whenever a file is saved.")] = False,
) -> None:
    """Build a module from its source and install it into a base; the version that is there serves until the new one does."""
    try:
        asyncio.run(_deploy(context.obj, agent, source, watch))
    except KeyboardInterrupt:
        note("stopped; the module stays installed")


async def _deploy(access: AgentAccess, agent: str, source: Path, watch: bool) -> None:
    async with _client(access) as client:
        if watch:
            await _deploy_on_save(client, agent, source)
        elif not await _deploy_once(client, agent, source):
            raise typer.Exit(1)


async def _deploy_on_save(client: ArkletClient, agent: str, source: Path) -> None:
    saves = watchfiles.awatch(source, watch_filter=_Sources())
    note(f"watching {source}, until Ctrl-C")
    while True:
        saved = asyncio.ensure_future(anext(saves))  # from now on: what is saved during a build is not in it
        await _deploy_once(client, agent, source)
        await saved


async def _deploy_once(client: ArkletClient, agent: str, source: Path) -> bool:
    began = time.monotonic()
    try:
        with working(f"building and installing {source}"):
            found = await deploy(client, agent, source)
    except BuildFailed as error:
        complain(str(error), error.way_out)
        return False
    except DeployFailed as error:
        complain(str(error))
        return False
    took, gone = time.monotonic() - began, f", {', '.join(found.gone)} is gone" if found.gone else ""
    path = f"/{found.module.web_context_path}/"
    note(f" serves on {path} after {took:.1f} s{gone}", found.module.identity, "green")
    return True


class _Sources(watchfiles.DefaultFilter):
    """Everything but what building leaves behind."""

    ignore_dirs = (*watchfiles.DefaultFilter.ignore_dirs, "dist", "build")


@app.command("list")
def list_modules(
    context: typer.Context,
    agent: Agent = DEFAULT_AGENT,
    output: Annotated[Format, typer.Option("--output", "-o")] = Format.TABLE,
) -> None:
    """What is installed in a base; `-o wide`: how it is doing."""
    outcome = _ask(context.obj, agent, lambda client: client.health(agent))
    base = outcome.health.get("masterBizInfo", {}).get("bizName")
    rows = [module_row(one) for one in outcome.health.get("bizListInfo", []) if one.get("bizName") != base]
    show(rows, output, ["module", "version", "state", "path"])
    for identity, left in outcome.health.get("residue", {}).items():
        note("; ".join(left), f"left by {identity}: ", "yellow")


def module_row(told: dict[str, Any]) -> dict[str, Any]:
    """One module as a base tells of it; what it does not know, as a Java base of requests, is left out."""
    requests = told.get("requests", {})
    row = {
        "module": told.get("bizName"),
        "version": told.get("bizVersion"),
        "state": str(told.get("bizState", "")).lower(),
        "path": f"/{told.get('webContextPath', '').strip('/')}",
        "isolation": told.get("isolation"),
        "requests": requests.get("requests"),
        "inFlight": told.get("requestsInFlight"),
        "failed": requests.get("failed"),
        "p99Ms": requests.get("latencyMs", {}).get("p99"),
        "cpuSeconds": told.get("cpuSeconds"),
        "memoryMb": told.get("memoryMb"),
        "restarts": told.get("restarts") or None,
        "lastEnd": told.get("lastEnd"),
        "process": told.get("process"),
        "patched": ", ".join(told.get("patched", ())) or None,
    }
    return {name: value for name, value in row.items() if value is not None}


@app.command()
def install(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="http(s) or file url, or the path, of a module archive.")],
    agent: Agent = DEFAULT_AGENT,
    name: Annotated[str, typer.Option(help="The module's name, if the file's name does not say it.")] = "",
    version: Annotated[str, typer.Option(help="The module's version, likewise.")] = "",
) -> None:
    """Install a module into a base."""
    url = Path(url).resolve().as_uri() if "://" not in url else url
    if not name:
        with contextlib.suppress(ValueError):
            name, version = _identity(url)
    archive = ModuleArchive(name=name, version=version, url=url)
    outcome = _ask(context.obj, agent, lambda client: client.install(agent, archive), f"installing into {agent}")
    for one in outcome.modules:
        note(f"{one.identity} is {one.state} on {agent}, path /{one.web_context_path}")
    if more := outcome.message.partition(" ms. ")[2]:
        note(more, "note: ", "yellow")


def _identity(url: str) -> tuple[str, str]:
    name, version, _, _ = parse_wheel_filename(url.partition("#")[0].rpartition("/")[2])
    return name, str(version)


@app.command()
def uninstall(
    context: typer.Context, module: Annotated[str, typer.Argument(help="name:version")], agent: Agent = DEFAULT_AGENT
) -> None:
    """Remove a module from a base; requests under way are finished first."""
    name, version = _named(module)
    outcome = _ask(context.obj, agent, lambda client: client.uninstall(agent, name, version), f"removing {module}")
    note(outcome.message)


@app.command()
def switch(
    context: typer.Context, module: Annotated[str, typer.Argument(help="name:version")], agent: Agent = DEFAULT_AGENT
) -> None:
    """Let an installed version of a module answer from now on."""
    name, version = _named(module)
    outcome = _ask(context.obj, agent, lambda client: client.switch(agent, name, version))
    note(outcome.message)


def _client(access: AgentAccess) -> ArkletClient:
    try:
        return ArkletClient(access=access)
    except BadAccess as error:
        fail(str(error), "--ca, --certificate and --key name PEM files")


def _named(module: str) -> tuple[str, str]:
    name, _, version = module.partition(":")
    if not name or not version:
        fail(f"{module!r} names no installed module", "write name:version, as `arkwright module list` shows them")
    return name, version


def _ask(
    access: AgentAccess, agent: str, call: Callable[[ArkletClient], Awaitable[Outcome]], what: str = ""
) -> Outcome:
    async def run() -> Outcome:
        async with _client(access) as client:
            return await call(client)

    with working(what or f"asking {agent}"):
        outcome = asyncio.run(run())
    if outcome.verdict is Verdict.UNREACHED:
        fail(outcome.message, "is the base running? --agent address:port names another one")
    if outcome.verdict is not Verdict.DONE:
        is_taken = outcome.reason is Reason.WEB_PATH_CONFLICT
        way_out = WEB_PATH_TAKEN if is_taken else f"`arkwright module list --agent {agent}` shows what is there"
        fail(f"{outcome.verdict}: {outcome.message}", way_out)
    return outcome
