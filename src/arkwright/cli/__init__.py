"""The hand on the switch: one file per family of commands. Errors say what to do and end with status 1."""

import os
import shlex
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from arkwright import __version__
from arkwright.cli.arranging import Arranging
from arkwright.cli.guesses import guessed
from arkwright.clients.credentials import CONTEXT

# The family of each command. Only that of the command that is asked for is imported: all of them take a second.
FAMILIES = {
    "up": "site",
    "dashboard": "dashboard",
    "open": "opening",
    "down": "site",
    "logs": "site",
    "backup": "site",
    "restore": "site",
    "api": "api",
    "base": "base",
    "controller": "controller",
    "pods": "pods",
    "get": "release",
    "status": "release",
    "describe": "describe",
    "plan": "planning",
    "release": "releasing",
    "history": "history",
    "events": "events",
    "confirm": "deciding",
    "pause": "deciding",
    "resume": "deciding",
    "abort": "deciding",
    "retry": "deciding",
    "undo": "deciding",
    "restart": "deciding",
    "scale": "deciding",
    "set": "deciding",
    "migrate": "migrate",
    "module": "module",
}


def application(asked: str = "") -> typer.Typer:
    """The commands; with `asked`, the name of one, that one and `version` alone."""
    app = typer.Typer(no_args_is_help=True, cls=Arranging)
    app.callback()(arkwright)
    for name, family in FAMILIES.items():
        if asked in ("", name):
            found = import_module(f"arkwright.cli.{family}")
            if name == family == "module":
                app.add_typer(found.app, name=name)
            else:
                app.command(name)(getattr(found, name, None) or getattr(found, f"{name}_"))
    app.command("version")(version)
    return app


def arkwright(
    kubeconfig: Annotated[
        Path | None, typer.Option(help="The file that names the cluster; else that of KUBECONFIG.", dir_okay=False)
    ] = None,
    context: Annotated[
        str, typer.Option(help="Which context of that file; else its current one.", envvar=CONTEXT)
    ] = "",
) -> None:
    """Hot-loads modules of business code into running bases, in batches."""
    if kubeconfig:
        os.environ["KUBECONFIG"] = str(kubeconfig)
    if context:
        os.environ[CONTEXT] = context


def version() -> None:
    """Say which arkwright this is."""
    typer.echo(f"arkwright {__version__}")


def _called() -> str:
    """As it is typed; kubectl finds a plugin by a hyphen and its users write a space. `python -m arkwright` is the file of that name."""
    return Path(sys.argv[0]).name.replace("kubectl-", "kubectl ").replace("__main__.py", "arkwright")


def main() -> None:
    """The console script."""
    words = sys.argv[1:]
    if words == ["--version"]:  # no option of the group's: what commands have by that name is another thing
        version()
        return
    asked = words[0] if words else ""
    if (asked not in FAMILIES or asked in ("get", "set", "plan")) and (way_out := guessed(words)):
        import_module("arkwright.cli.output").complain(f"there is no {shlex.join(words)}", way_out)
        sys.exit(1)
    if asked.startswith("-"):  # options may stand before the command
        asked = next((one for one in words if one in FAMILIES), "")
    application(asked if asked in (*FAMILIES, "version") else "")(prog_name=_called())
