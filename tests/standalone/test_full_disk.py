"""A site that is to come up on a disk that takes nothing more says just that."""

import errno
import os

import pytest
import structlog
from typer.testing import CliRunner

from arkwright.apiserver import identity
from arkwright.cli import application
from arkwright.standalone import agentkeys
from arkwright.standalone import app as site_app


@pytest.fixture(autouse=True)
def as_it_was():
    """Commands that stay set up the process that they are."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)
    structlog.reset_defaults()


def refuses(path, content):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def said_by(*words):
    return CliRunner().invoke(application(), words).output.replace("\n", " ")


def test_the_api_names_the_directory_that_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(identity, "write_private", refuses)
    assert "cannot be written: No space left on device" in said_by("api", "--data-dir", str(tmp_path), "--port", "0")


def test_so_does_up(tmp_path, monkeypatch):
    async def first_line(part):
        return "https://127.0.0.1:1"

    monkeypatch.setattr(agentkeys, "write_private", refuses)
    monkeypatch.setattr(site_app.Part, "first_line", first_line)
    said = said_by("up", "--foreground", "--data-dir", str(tmp_path), "--port", "0")
    assert f"{tmp_path}" in said and "cannot be written: No space left on device" in said
