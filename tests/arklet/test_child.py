"""The process of a module, without its base."""

import os
import subprocess
import sys

import msgspec
import pytest

from arkwright.arklet.process.child import PATIENCE_SECONDS, Order, Started

APPLICATION = """
import asyncio

async def app(scope, receive, send):
    await receive()
    await send({{"type": "lifespan.startup.complete"}})
    await receive()
    {shutdown}
    await send({{"type": "lifespan.shutdown.complete"}})
"""


@pytest.fixture
def started(tmp_path):
    def start(shutdown):
        (tmp_path / "served.py").write_text(APPLICATION.format(shutdown=shutdown))
        reading, writing = os.pipe()
        command = [sys.executable, "-P", "-m", "arkwright.arklet.process.child"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=(writing,))
        order = Order(str(tmp_path / "socket"), writing, "served:app", [str(tmp_path)])
        process.stdin.write(msgspec.json.encode(order) + b"\n")
        process.stdin.flush()
        os.close(writing)
        with os.fdopen(reading, "rb") as told:
            assert msgspec.json.decode(told.readline(), type=Started) == Started()
        return process

    return start


def test_it_ends_with_its_base(started, tmp_path):
    process = started(f"open({str(tmp_path / 'shut')!r}, 'x')")
    process.stdin.close()
    assert process.wait(PATIENCE_SECONDS) == 0
    assert (tmp_path / "shut").exists()


def test_it_ends_with_its_base_even_if_its_shutdown_hangs(started):
    process = started("await asyncio.sleep(600)")
    process.stdin.close()
    assert process.wait(PATIENCE_SECONDS + 20) == -9
