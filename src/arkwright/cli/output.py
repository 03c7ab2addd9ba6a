"""How commands speak: results to standard output, everything else to standard error, colours only on a terminal."""

from enum import StrEnum
from typing import Any, NoReturn

import msgspec
import typer
from rich.console import Console
from rich.table import Table

# As wide as what is shown: a reason that is cut off at the edge of a terminal, or in a pipe, explains nothing.
results = Console(soft_wrap=True, width=4096)
notes = Console(stderr=True, soft_wrap=True)


class Format(StrEnum):
    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"


def fail(message: str, way_out: str = "") -> NoReturn:
    """Say what is wrong and what to do about it, then end with status 1."""
    notes.print(f"[bold red]error:[/] {message}" + (f"\n  {way_out}" if way_out else ""), highlight=False)
    raise typer.Exit(1)


def show(rows: list[dict[str, Any]], format: Format, columns: list[str]) -> None:
    """A table of `columns` (wide: all keys), or the rows as they are in JSON or YAML."""
    if format is Format.JSON:
        typer.echo(msgspec.json.format(msgspec.json.encode(rows), indent=2).decode())
    elif format is Format.YAML:
        typer.echo(msgspec.yaml.encode(rows).decode(), nl=False)
    else:
        shown = columns if format is Format.TABLE else list(rows[0]) if rows else columns
        table = Table(*(column.upper() for column in shown), box=None, pad_edge=False, show_edge=False)
        for row in rows:
            table.add_row(*(str(row.get(column, "")) for column in shown))
        results.print(table)
