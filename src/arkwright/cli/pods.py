"""`arkwright pods`: run base pods as processes on this machine, on whatever Kubernetes API the environment names."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from arkwright.cli.loglines import log_lines
from arkwright.cli.output import fail
from arkwright.cli.siteoptions import Addresses, require_network
from arkwright.clients.errors import BadCredentials
from arkwright.standalone.app import run_node
from arkwright.standalone.bases import Place
from arkwright.standalone.ranges import RangeTaken


def pods(
    node: Annotated[str, typer.Option(help="Run pods whose spec.nodeName is this.")] = "arkwright",
    addresses: Addresses = None,
    log_directory: Annotated[
        Path | None, typer.Option(help="A file per pod for its output; without it, it goes here.")
    ] = None,
) -> None:
    """Play the node for base pods: one process a pod, each on a loopback address of its own."""
    require_network(addresses)
    log_lines(to_output=True)
    try:
        asyncio.run(run_node(Place(node, addresses, log_directory)))
    except BadCredentials as error:
        fail(str(error), "set KUBECONFIG to the file of a cluster")
    except RangeTaken as error:
        fail(str(error), "--addresses chooses other ones; without it, a range that is free is taken")
