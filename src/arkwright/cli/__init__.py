"""The hand on the switch: one file per family of commands. Errors say what to do and end with status 1."""

import shlex
import sys
from importlib import import_module

import typer

from arkwright import __version__
from arkwright.cli.guesses import guessed

# The family of each command. Only that of the command that is asked for is imported: all of them take a second.
FAMILIES = {
    "up": "site",
    "dashboard": "dashboard",
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
    app = typer.Typer(no_args_is_help=True)
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


def arkwright() -> None:
    """Hot-loads modules of business code into running bases, in batches."""


def version() -> None:
    """Say which arkwright this is."""
    typer.echo(f"arkwright {__version__}")


def main() -> None:
    """The console script."""
    words = sys.argv[1:]
    asked = words[0] if words else ""
    if (asked not in FAMILIES or asked in ("get", "set")) and (way_out := guessed(words)):
        import_module("arkwright.cli.output").complain(f"there is no {shlex.join(words)}", way_out)
        sys.exit(1)
    application(asked if asked in (*FAMILIES, "version") else "")()
