"""Long work shows itself: moving on a terminal, in few lines elsewhere, and not at all where it is short."""

import io

import pytest
from rich.console import Console

from arkwright.cli import output, progress


@pytest.fixture
def said(monkeypatch):
    """Makes standard error a terminal or not; returns what came there."""

    def on(is_terminal):
        stream = io.StringIO()
        console = Console(file=stream, force_terminal=is_terminal, width=120, soft_wrap=True, highlight=False)
        monkeypatch.setattr(output, "notes", console)
        monkeypatch.setattr(progress, "notes", console)
        return stream

    return on


def test_what_is_short_says_nothing_where_nobody_looks(said):
    stream = said(is_terminal=False)
    with progress.working("building"):
        pass
    assert stream.getvalue() == ""


def test_what_lasts_says_one_line_where_nobody_looks(said, monkeypatch):
    monkeypatch.setattr(progress, "MOMENT_SECONDS", 0.0)
    stream = said(is_terminal=False)
    with progress.working("building"):
        while not stream.getvalue():
            pass
    assert stream.getvalue() == "building …\n"


def test_on_a_terminal_it_moves_and_is_gone_at_the_end(said):
    stream = said(is_terminal=True)
    with progress.working("building"):
        pass
    assert "building" in stream.getvalue() and stream.getvalue().endswith("\x1b[2K")


def test_steps_are_told_in_tenths(said):
    stream = said(is_terminal=False)
    with progress.counting("copying") as told:
        for done in range(0, 1001):
            told(done, 1000)
    assert stream.getvalue().splitlines() == [f"copying: {tenth}0 %" for tenth in range(1, 10)]


@pytest.mark.parametrize(("done", "total"), [(0, 0), (5, 5), (3, 3)])
def test_what_is_done_in_one_step_says_nothing(said, done, total):
    stream = said(is_terminal=False)
    with progress.counting("copying") as told:
        told(done, total)
    assert stream.getvalue() == ""
