"""How commands speak: results to standard output, everything else to standard error, colours only on a terminal."""

import re
from enum import StrEnum
from typing import Any, NoReturn

import msgspec
import typer
import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

from arkwright.model.text import escaped, is_plain, plain, plain_lines

# As wide as what is shown: a reason that is cut off at the edge of a terminal, or in a pipe, explains nothing.
results = Console(soft_wrap=True, width=4096)
notes = Console(stderr=True, soft_wrap=True, highlight=False)


class Format(StrEnum):
    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"
    NAME = "name"


def note(message: str, label: str = "", style: str = "") -> None:
    """To standard error, behind a coloured `label`; as it is, for what an agent has said may look like markup."""
    notes.print(Text.assemble((label, style), plain_lines(message)))


def fail(message: str, way_out: str = "") -> NoReturn:
    """Say what is wrong and what to do about it, then end with status 1."""
    complain(message, way_out)
    raise typer.Exit(1)


def complain(message: str, way_out: str = "") -> None:
    """The same, and go on."""
    note(message + (f"\n  {way_out}" if way_out else ""), "error: ", "bold red")


def show(rows: list[dict[str, Any]], format: Format, columns: list[str]) -> None:
    """A table of `columns` (wide: all keys that any row has), the rows as they are in JSON or YAML, or what each is called."""
    if format is Format.JSON:
        typer.echo(escaped(msgspec.json.format(msgspec.json.encode(rows), indent=2).decode()))
    elif format is Format.YAML:
        text = msgspec.yaml.encode(rows).decode()
        typer.echo(text if is_plain(text) else yaml.safe_dump(rows, sort_keys=False), nl=False)
    elif format is Format.NAME:
        for row in rows:
            typer.echo(plain(str(row.get("name", next(iter(row.values()))))))
    else:
        results.print(table_of(rows, format, columns))


def table_of(rows: list[dict[str, Any]], format: Format, columns: list[str]) -> Table:
    """Of `columns`; wide: of all keys that any row has."""
    known = list(dict.fromkeys(name for row in rows for name in row))
    shown = known if format is Format.WIDE and rows else columns
    table = Table(*map(heading, shown), box=None, pad_edge=False, show_edge=False)
    for row in rows:
        table.add_row(*(Text(plain(str(row.get(column, "")))) for column in shown))
    return table


def heading(column: str) -> str:
    """
    >>> heading("inFlight")
    'IN FLIGHT'
    """
    return re.sub(r"(?=[A-Z])", " ", column).upper()
