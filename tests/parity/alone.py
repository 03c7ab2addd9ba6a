"""Serves a case as its author would without any base: uvicorn, or gunicorn where it is WSGI. Out: what was seen."""

import asyncio
import contextlib
import signal
import sys
import time
import zipfile

from parity import servers
from parity.asking import Place, done
from parity.seen import Seen, files_in

ROOT = "/served"
START_SECONDS = 20.0


async def served_alone(case, wheels, where, environment):
    """`where`: (host, port). `wheels`: its own and those beside it, as pip would have installed them."""
    directory = wheels[0].parent
    installed, work = directory / "installed", directory / "work"
    for one in wheels:
        zipfile.ZipFile(one).extractall(installed)
    work.mkdir()
    log = directory / "log"
    path = f"{installed}:{environment.get('PYTHONPATH', '')}"
    process = servers.start(_command(case, *where), work, environment | {"PYTHONPATH": path}, log)
    try:
        answers = await _answers(case, process, where)
    finally:
        # as with Ctrl-C: told to terminate, uvicorn ends by the signal, without what is to be done at exit
        await asyncio.to_thread(servers.end, process, signal.SIGTERM if case.wsgi else signal.SIGINT)
    said = log.read_text(errors="replace")
    return Seen(answers, {line: said.count(line) for line in case.lines}, files_in(work), said)


def _command(case, host, port):
    python = [sys.executable, "-m"]
    if case.wsgi:
        target = case.target + ("()" if case.is_factory and not case.target.endswith("()") else "")
        workers = ["gunicorn", "-k", "gthread", "--threads", "40", "--graceful-timeout", "2"]
        return [*python, *workers, "-b", f"{host}:{port}", "-e", f"SCRIPT_NAME={ROOT}", target]
    target = case.target.removesuffix("()")
    # whose X-Forwarded headers count is said of a base, not of its modules
    server = ["uvicorn", "--no-proxy-headers", "--host", host, "--port", str(port), "--root-path", ROOT]
    return [*python, *server, *(["--factory"] if case.is_factory else []), target]


async def _answers(case, process, where):
    """None if it does not start."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            return None
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(*where)
            writer.close()
            break
        await asyncio.sleep(0.03)
    place = Place(*where, ROOT if case.wsgi else "")
    return [await done(place, step) for step in case.asks]
