"""What nobody should send, for a few seconds; `--fuzz-seconds 600` for longer. Fuzzing is guided by what code an input reaches."""

import asyncio
import json
import os
import random
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arklet.interface import Interface
from arkwright.arklet.archives.downloads import Downloads, PackageError
from arkwright.arklet.archives.scratch import Scratch
from arkwright.arklet.archives.sources import Sources
from arkwright.arklet.settings import ArchiveSettings
from arkwright.arklet.wire.routes import COMMANDS
from arkwright.model.arklet import Code, InstallRequest

FUZZING = Path(__file__).with_name("fuzzing.py")


@pytest.mark.timeout(4000)
@pytest.mark.parametrize("target", ["archives", "commands", "frames", "output", "calls"])
def test_nothing_but_answers_and_refusals_come_of_it(target, tmp_path, pytestconfig):
    pytest.importorskip("atheris", reason="no wheel of atheris for this Python or system")
    seconds = pytestconfig.getoption("--fuzz-seconds")
    command = [sys.executable, str(FUZZING), target, f"-max_total_time={seconds}", f"-artifact_prefix={tmp_path}/"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    print(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr[-3000:]
    assert "DONE" in done.stderr


async def test_the_agent_outlives_bytes_that_are_no_http(base):
    chance = random.Random(7)
    beginnings = (
        b"",
        b"POST /installBiz HTTP/1.1\r\n",
        b"POST /health HTTP/1.1\r\nContent-Length: 5\r\n\r\n",
        b"\x16\x03\x01",
    )
    host, port = base.agent.removeprefix("http://").split(":")
    for _ in range(200):
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(chance.choice(beginnings) + chance.randbytes(chance.randrange(0, 300)))
    assert (await base.command("queryAllBiz"))["code"] == "SUCCESS"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=10), some, max_size=3),
    max_leaves=6,
)
KNOWN = sorted({*InstallRequest.__struct_encode_fields__, "bizList", "type"})


@settings(deadline=None, max_examples=200)
@given(name=st.sampled_from(sorted(COMMANDS)), body=st.dictionaries(st.sampled_from(KNOWN), ANYTHING, max_size=4))
def test_whatever_the_fields_hold_the_answer_is_in_the_wires_words(name, body):
    answer = asyncio.run(Interface().ask(name, json.dumps(body).encode()))
    assert answer["code"] in {*Code} and (answer["code"] == "SUCCESS" or answer.get("message") or answer.get("data"))


@settings(deadline=None, max_examples=200)
@given(
    url=st.text(max_size=40)
    | st.text(max_size=40).map("file://{}".format)
    | st.text(max_size=40).map("http://[{}".format)
)
def test_whatever_the_url_is_it_is_fetched_or_refused(url):
    async def fetch():
        settings = ArchiveSettings(timeout_seconds=0.2)
        async with Downloads(settings, Scratch(), Sources(settings, True)).archive(url):
            pass

    with pytest.raises(PackageError):
        asyncio.run(fetch())
