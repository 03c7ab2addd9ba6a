"""Options that the commands of a site have in common."""

import ipaddress
import socket
from pathlib import Path
from typing import Annotated

import typer

from arkwright.cli.output import fail

DataDir = Annotated[Path | None, typer.Option(help="Where the site's files are; a directory per user if left out.")]
Host = Annotated[str, typer.Option(help="Address of the API server.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port of the API server; 0: any free one.")]
Addresses = Annotated[
    str | None,
    typer.Option(
        help="Each pod gets an address of this network; if it is one, ports of its own. Without it, a range that no other site has."
    ),
]


def require_network(addresses: str | None) -> None:
    """Ends the command for what is no network."""
    try:
        ipaddress.ip_network(addresses or "127.0.0.1")
    except ValueError as error:
        fail(f"--addresses: {error}", "write a network such as 127.8.0.0/16")


def require_host(host: str) -> None:
    """Ends the command for what this machine cannot listen on."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as one:
            one.bind((host, 0))
    except OSError as error:
        fail(f"--host {host}: {error.strerror}", "write an address of this machine, such as 127.0.0.1")
