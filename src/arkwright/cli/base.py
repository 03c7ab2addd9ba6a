"""`arkwright base`: run an ASGI application as a base, with the agent beside it."""

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from arkwright.arklet.archives import BadKey
from arkwright.arklet.asgi.words import StartFailure
from arkwright.arklet.server import CannotListen, serve_base
from arkwright.arklet.settings import AgentSettings, Settings, SettingsError, read_settings
from arkwright.cli.baselog import Format, log_base
from arkwright.cli.output import fail
from arkwright.model.arklet import DEFAULT_PORT

Proxies = Annotated[
    str, typer.Option(help="Addresses of proxies whose X-Forwarded headers count, with commas; * is all.")
]
BaselineUrl = Annotated[
    str, typer.Option(help="Asked at start which modules belong here.", envvar="ARKWRIGHT_BASELINE_URL")
]
PodUid = Annotated[str, typer.Option(help="The uid of this base pod: calls for another are refused.", envvar="POD_UID")]
ControllerKeys = Annotated[
    str,
    typer.Option(help="File with the public keys of whose calls are taken.", envvar="ARKWRIGHT_CONTROLLER_KEYS"),
]
Insecure = Annotated[bool, typer.Option(help="Take calls from everybody who reaches the agent.")]


def base(
    app: Annotated[
        str, typer.Option(help="The base's ASGI application, as package.module:attribute; a bare one if left out.")
    ] = "arkwright.standalone.bare:app",
    host: Annotated[str, typer.Option(help="Address to listen on.", envvar="POD_IP")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the application.", envvar="ARKWRIGHT_PORT")] = 8080,
    agent_port: Annotated[int, typer.Option(help="Port of the agent.", envvar="ARKWRIGHT_AGENT_PORT")] = DEFAULT_PORT,
    forwarded_allow_ips: Proxies = "",
    config: Annotated[
        Path | None, typer.Option(help="A TOML file with more settings; these options win.", envvar="ARKWRIGHT_CONFIG")
    ] = None,
    log_format: Annotated[Format, typer.Option(help="text, or json: one object a line.")] = Format.TEXT,
    baseline_url: BaselineUrl = "",
    pod_uid: PodUid = "",
    controller_keys: ControllerKeys = "",
    insecure: Insecure = False,
) -> None:
    """Serve an ASGI application and, beside it, the agent that installs modules into it."""
    log_base(log_format)
    sys.path.insert(0, os.getcwd())
    try:
        agent = AgentSettings(
            host=host, port=agent_port, pod=pod_uid, controller_keys=controller_keys, insecure=insecure
        )
        settings = (read_settings(config) if config else Settings()).at(agent, baseline_url)
        serve_base(app, host, port, settings, forwarded_allow_ips)
    except CannotListen as error:
        fail(str(error), "choose other ports with --port and --agent-port")
    except (SettingsError, BadKey, ValueError, OSError) as error:
        fail(str(error), "what a settings file may say: docs/reference.md")
    except StartFailure as error:
        if not isinstance(error.__cause__, ImportError | AttributeError | None):
            traceback.print_exception(error.__cause__)  # its own code failed
        fail(
            f"--app {app!r} cannot be loaded: {error}", "write package.module:attribute, importable from this directory"
        )
