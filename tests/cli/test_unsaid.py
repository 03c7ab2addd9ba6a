"""Every process that stays outlives a disk that takes no more of what it says."""

import os
import subprocess
import sys

import pytest

STARTS = {
    "base": "from arkwright.cli.baselog import Format, log_base; log_base(Format.TEXT)",
    "base, as JSON": "from arkwright.cli.baselog import Format, log_base; log_base(Format.JSON)",
    "site and API": "from arkwright.cli.loglines import log_lines; log_lines()",
    "pods": "from arkwright.cli.loglines import log_lines; log_lines(to_output=True)",
    "controller": "from arkwright.cli.controller import _configure_log; _configure_log('info', 'text')",
    "controller, as JSON": "from arkwright.cli.controller import _configure_log; _configure_log('info', 'json')",
}
SPEAKS = """
import logging, sys, structlog
ours = structlog.is_configured()
for _ in range(5):
    print("x" * 9000, flush=True)
    sys.stderr.write("x" * 9000)
    logging.getLogger("a").warning("x" * 9000)
    ours and structlog.get_logger().warning("x" * 9000)
open(sys.argv[1], "w").close()
"""


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["", "unbuffered"])
@pytest.mark.parametrize("start", STARTS)
def test_a_process_that_finds_no_room_for_its_log_goes_on(tmp_path, start, unbuffered):
    code, environment = "\n".join((STARTS[start], SPEAKS)), os.environ | {"PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "ab") as full:
        done = subprocess.run(
            [sys.executable, "-c", code, tmp_path / "done"], stdout=full, stderr=full, env=environment
        )
    assert (tmp_path / "done").exists() and done.returncode == 0


def test_what_finds_room_is_said_in_order(tmp_path):
    code = "\n".join((STARTS["base"], SPEAKS))
    with open(tmp_path / "log", "ab") as log:
        subprocess.run([sys.executable, "-c", code, tmp_path / "done"], stdout=log, stderr=log, check=True)
    assert (tmp_path / "log").stat().st_size > 5 * 3 * 9000
