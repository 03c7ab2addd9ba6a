"""What others have said is shown as it is: nothing in it is taken for markup."""

import json

import pytest
import typer

from arkwright.cli.output import Format, fail, heading, note, show

SAID = "Child name [/provider] is not unique [bold]"


def test_a_table_shows_what_an_agent_has_said_to_the_letter(capsys):
    show([{"name": "a", "message": SAID}], Format.TABLE, ["name", "message"])
    assert SAID in capsys.readouterr().out


def test_so_does_an_error(capsys):
    with pytest.raises(typer.Exit):
        fail(SAID, "try [this]")
    assert f"error: {SAID}\n  try [this]" in capsys.readouterr().err


def test_and_a_note(capsys):
    note(SAID, "[here]: ", "yellow")
    assert f"[here]: {SAID}" in capsys.readouterr().err


def test_wide_shows_every_column_that_any_row_has_and_json_what_each_has(capsys):
    rows = [{"name": "a"}, {"name": "b", "inFlight": 1}]
    show(rows, Format.WIDE, ["name"])
    assert capsys.readouterr().out.split() == ["NAME", "IN", "FLIGHT", "a", "b", "1"]
    show(rows, Format.TABLE, ["name"])
    assert capsys.readouterr().out.split() == ["NAME", "a", "b"]
    show(rows, Format.JSON, ["name"])
    assert json.loads(capsys.readouterr().out) == rows
    show([*rows, {"pod": "c", "ip": "::1"}], Format.NAME, ["pod"])
    assert capsys.readouterr().out.split() == ["a", "b", "c"]
    assert heading("p99Ms") == "P99 MS"


WICKED = "\x1b[2J\x1b[31mred\x9b2J\u202eback\r\nforged"


@pytest.mark.parametrize("format", Format)
def test_nothing_that_others_have_written_acts_on_a_terminal(capsys, format):
    show([{"name": "a", "message": WICKED}], format, ["name", "message"])
    note(WICKED)
    with pytest.raises(typer.Exit):
        fail("one\nand its way out", WICKED)
    said = "".join(capsys.readouterr())
    assert not set(said) & set("\x1b\x9b\u202e\r") and "red" in said
    if format is Format.JSON:
        assert json.loads(said.partition("]\n")[0] + "]")[0]["message"] == WICKED
