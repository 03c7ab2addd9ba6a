"""arkwright as a person runs it, on the site of a scenario. In: words. Out: exit status, standard output, standard error."""

import asyncio
import contextlib
import os
import subprocess
import sys
from pathlib import Path

ARKWRIGHT = str(Path(sys.executable).with_name("arkwright"))


async def run(site, *words):
    """(exit status, standard output, standard error)"""
    command = [ARKWRIGHT, *words, "-n", site.namespace]
    environment = os.environ | {"COLUMNS": "200"}
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, env=environment)
    return done.returncode, done.stdout, done.stderr


class Lines:
    """What a command prints as it goes on."""

    def __init__(self, process):
        self._process = process

    def until(self, words):
        """Waits for a line with these words; the command's end is none."""
        assert any(words in line for line in iter(self._process.stdout.readline, "")), words


@contextlib.contextmanager
def following(site, *words):
    """A command that does not end by itself."""
    command = [ARKWRIGHT, *words, "-n", site.namespace]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Lines(process)
        finally:
            process.kill()
