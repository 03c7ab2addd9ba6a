"""The hand on the switch: one file per family of commands. Errors say what to do and end with status 1."""

import typer

from arkwright import __version__
from arkwright.cli import base, controller, module, pods, release, site

app = typer.Typer(no_args_is_help=True, help="Hot-loads modules of business code into running bases, in batches.")
app.command("up")(site.up)
app.command("down")(site.down)
app.command("logs")(site.logs)
app.command("api")(site.api)
app.command("base")(base.base)
app.command("controller")(controller.controller)
app.command("pods")(pods.pods)
app.command("get")(release.get)
app.command("status")(release.status)
app.command("confirm")(release.confirm)
app.command("abort")(release.abort)
app.command("retry")(release.retry)
app.add_typer(module.app, name="module")


@app.command()
def version() -> None:
    """Say which arkwright this is."""
    typer.echo(f"arkwright {__version__}")


def main() -> None:
    """The console script."""
    app()
