"""Where a base unpacks its modules, and what becomes of it."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from arklet.wheels import entry, write_wheel
from arkwright.arklet.archives.packages import Packages
from arkwright.arklet.archives.scratch import Scratch, sweep
from arkwright.arklet.settings import ArchiveSettings

BASE = """
import os, sys
from arkwright.arklet.archives.scratch import Scratch
scratch = Scratch()
(scratch.directory("module") / "file").write_text("x")
print(flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """A directory for temporary files of the test's own."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    monkeypatch.setenv("TMPDIR", str(directory))
    return directory


@pytest.fixture
def other_base():
    with subprocess.Popen([sys.executable, "-c", BASE], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        yield process
        process.kill()


def test_what_a_killed_base_has_left_goes_with_the_next_one(temporary, other_base):
    (left,) = temporary.iterdir()
    other_base.kill()
    other_base.wait()
    scratch = Scratch()
    made = scratch.directory("module")
    assert not left.exists() and made.is_dir()


def test_what_a_base_still_uses_stays(temporary, other_base):
    (there,) = temporary.iterdir()
    sweep(temporary)
    assert list(there.glob("module-*/file"))


def test_what_is_not_the_agents_or_just_begins_stays(temporary):
    (temporary / "arkwright-base-begun").mkdir()
    (temporary / "arkwright-other").mkdir()
    (temporary / "arkwright-other" / "lock").touch()
    target = temporary / "elsewhere"
    target.mkdir()
    (target / "lock").touch()
    (temporary / "arkwright-base-link").symlink_to(target)
    sweep(temporary)
    assert len(list(temporary.iterdir())) == 4 and (target / "lock").exists()


async def test_a_base_that_ends_leaves_nothing(temporary, tmp_path):
    packages = Packages(ArchiveSettings())
    url = write_wheel(tmp_path, "good", "1.0", {"good.py": "app = None"}, entry("good", "good:app")).as_uri()
    package = await packages.fetch(url)
    assert package.directory.is_relative_to(temporary)
    packages.close()
    packages.close()
    assert not list(temporary.iterdir())
    assert (await packages.fetch(url)).directory.is_dir(), "and may begin again"


def test_a_directory_of_its_own_for_each_purpose():
    scratch = Scratch()
    made = [scratch.directory("module") for _ in range(3)]
    assert len(set(made)) == 3 and all(oct(one.parent.stat().st_mode)[-3:] == "700" for one in made)
    shutil.rmtree(made[0])
    scratch.close()
    assert not any(map(Path.exists, made)) and os.path.isdir(tempfile.gettempdir())
