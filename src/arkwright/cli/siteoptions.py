"""Options that the commands of a site have in common."""

from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[Path | None, typer.Option(help="Where the site's files are; a directory per user if left out.")]
Host = Annotated[str, typer.Option(help="Address of the API server.")]
Port = Annotated[int, typer.Option(help="Port of the API server; 0: any free one.")]
Addresses = Annotated[
    str, typer.Option(help="Each pod gets an address of this network; if it is one, ports of its own.")
]
USUAL_ADDRESSES = "127.8.0.0/16"
