"""`arkwright base`: run an ASGI application as a base, with the agent beside it."""

import logging
import os
import sys
from typing import Annotated

import typer

from arkwright.arklet.app import serve_base
from arkwright.cli.output import fail, notes
from arkwright.model.arklet import DEFAULT_PORT


def base(
    app: Annotated[
        str, typer.Option(help="The base's ASGI application, as package.module:attribute; a bare one if left out.")
    ] = "arkwright.standalone.bare:app",
    host: Annotated[str, typer.Option(help="Address to listen on.", envvar="POD_IP")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the application.", envvar="ARKWRIGHT_PORT")] = 8080,
    agent_port: Annotated[int, typer.Option(help="Port of the agent.", envvar="ARKWRIGHT_AGENT_PORT")] = DEFAULT_PORT,
) -> None:
    """Serve an ASGI application and, beside it, the agent that installs modules into it."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    logging.getLogger("arkwright").setLevel(logging.INFO)
    sys.path.insert(0, os.getcwd())
    notes.print(f"base on http://{host}:{port}, agent on http://{host}:{agent_port}", highlight=False)
    try:
        serve_base(app, host, port, agent_port)
    except (ImportError, AttributeError) as error:
        fail(
            f"--app {app!r} cannot be loaded: {error}", "write package.module:attribute, importable from this directory"
        )
    except OSError as error:
        fail(f"cannot listen on {error.strerror}", "choose other ports with --port and --agent-port")
