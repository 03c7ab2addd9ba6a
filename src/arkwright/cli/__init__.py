"""The hand on the switch: one file per family of commands. Errors say what to do and end with status 1."""

import sys
from importlib import import_module

import typer

from arkwright import __version__

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
    "confirm": "release",
    "abort": "release",
    "retry": "release",
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
                app.command(name)(getattr(found, name))
    app.command("version")(version)
    return app


def arkwright() -> None:
    """Hot-loads modules of business code into running bases, in batches."""


def version() -> None:
    """Say which arkwright this is."""
    typer.echo(f"arkwright {__version__}")


def main() -> None:
    """The console script."""
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    application(asked if asked in (*FAMILIES, "version") else "")()
