"""What processes that stay write down when something unexpected happens."""

import io
import sys

import structlog

from arkwright.cli.loglines import log_lines


def test_a_traceback_shows_where_and_never_what_was_there(monkeypatch):
    file = io.StringIO()
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # what is set here is put back
    monkeypatch.setattr(sys, "stderr", file)
    structlog.reset_defaults()  # the suite itself hears nothing
    log_lines()
    token = "geheim-" + "0815"
    try:
        raise RuntimeError(f"with a token of {len(token)} letters")
    except RuntimeError:
        structlog.get_logger().exception("bug", path="/api")
    said = file.getvalue()
    assert "bug" in said and "path=/api" in said and "RuntimeError: with a token of 11 letters" in said
    assert "test_loglines.py" in said and "geheim-0815" not in said
