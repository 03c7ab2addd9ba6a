"""arkwright as a person runs it, on the site of a scenario. In: words. Out: exit status, standard output, standard error."""

import asyncio
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
