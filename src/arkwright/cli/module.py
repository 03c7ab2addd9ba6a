"""`arkwright module`: build archives, and talk straight to one agent."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import build
import tomlkit
import typer
from packaging.utils import parse_wheel_filename

from arkwright.cli.output import Format, fail, notes, show
from arkwright.clients.arklet import ArkletClient
from arkwright.model.kinds import ModuleArchive
from arkwright.model.outcomes import Outcome, Verdict

app = typer.Typer(no_args_is_help=True, help="Build module archives; install, switch and remove them on one base.")
Agent = Annotated[str, typer.Option(help="The base's agent, as address:port.", envvar="ARKWRIGHT_AGENT")]
DEFAULT_AGENT = "127.0.0.1:1238"


@app.command("build")
def build_module(
    source: Annotated[Path, typer.Argument(help="The module's source directory, with a pyproject.toml.")] = Path("."),
    out: Annotated[Path, typer.Option(help="Where the archive goes.")] = Path("dist"),
    version: Annotated[str, typer.Option(help="Build as this version instead of the project's own.")] = "",
) -> None:
    """Build a module archive (a wheel); prints its path."""
    if not (source / "pyproject.toml").is_file():
        fail(f"{source} has no pyproject.toml", "name the directory that holds the module's source")
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch) / "source"
        shutil.copytree(source, tree, ignore=shutil.ignore_patterns("dist", "__pycache__", ".venv", ".git"))
        if version:
            _set_version(tree / "pyproject.toml", version)
        try:
            typer.echo(build.ProjectBuilder(tree).build("wheel", out.resolve()))
        except (build.BuildBackendException, build.BuildException) as error:
            fail(f"{source} cannot be built: {error}", "install the build backend that its pyproject.toml names")


def _set_version(path: Path, version: str) -> None:
    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    document["project"]["version"] = version
    path.write_text(tomlkit.dumps(document), encoding="utf-8")


@app.command("list")
def list_modules(
    agent: Agent = DEFAULT_AGENT, output: Annotated[Format, typer.Option("--output", "-o")] = Format.TABLE
) -> None:
    """What is installed in a base."""
    outcome = _ask(agent, lambda client: client.query(agent))
    rows = [
        {
            "module": one.biz_name,
            "version": one.biz_version,
            "state": one.state.value,
            "path": f"/{one.web_context_path}",
        }
        for one in outcome.modules
    ]
    show(rows, output, ["module", "version", "state", "path"])


@app.command()
def install(
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
    outcome = _ask(agent, lambda client: client.install(agent, archive))
    for one in outcome.modules:
        notes.print(f"{one.identity} is {one.state} on {agent}, path /{one.web_context_path}", highlight=False)


def _identity(url: str) -> tuple[str, str]:
    name, version, _, _ = parse_wheel_filename(url.partition("#")[0].rpartition("/")[2])
    return name, str(version)


@app.command()
def uninstall(module: Annotated[str, typer.Argument(help="name:version")], agent: Agent = DEFAULT_AGENT) -> None:
    """Remove a module from a base; requests under way are finished first."""
    name, version = _named(module)
    outcome = _ask(agent, lambda client: client.uninstall(agent, name, version))
    notes.print(outcome.message, highlight=False)


@app.command()
def switch(module: Annotated[str, typer.Argument(help="name:version")], agent: Agent = DEFAULT_AGENT) -> None:
    """Let an installed version of a module answer from now on."""
    name, version = _named(module)
    outcome = _ask(agent, lambda client: client.switch(agent, name, version))
    notes.print(outcome.message, highlight=False)


def _named(module: str) -> tuple[str, str]:
    name, _, version = module.partition(":")
    if not name or not version:
        fail(f"{module!r} names no installed module", "write name:version, as `arkwright module list` shows them")
    return name, version


def _ask(agent: str, call: Callable[[ArkletClient], Awaitable[Outcome]]) -> Outcome:
    async def run() -> Outcome:
        async with ArkletClient() as client:
            return await call(client)

    outcome = asyncio.run(run())
    if outcome.verdict is Verdict.UNREACHED:
        fail(outcome.message, "is the base running? --agent address:port names another one")
    if outcome.verdict is not Verdict.DONE:
        fail(f"{outcome.verdict}: {outcome.message}", f"`arkwright module list --agent {agent}` shows what is there")
    return outcome
