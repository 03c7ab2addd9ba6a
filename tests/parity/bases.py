"""Base processes, and a case as a module in one. In: a case and its wheels. Out: what was seen.

A base serves one case after the other as long as each leaves it as it was; what does not costs the next one the start of a new base.
"""

import asyncio
import contextlib
import json
import re
import shutil
import sys
import time

import aiohttp

from parity import servers
from parity.asking import Place, done
from parity.seen import SeenAsModule, files_in

PLAIN = """
import decimal, json, locale, logging, os, signal, sys, threading, warnings
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

logging.getLogger("shop")
POOLS = ("MainThread", "asyncio_", "AnyIO worker thread", "wsgi-", "uvloop_", "arkwright ")

def threads():
    return sorted(one.name for one in threading.enumerate() if not one.name.startswith(POOLS))

def children():
    import psutil
    return sorted(one.name() for one in psutil.Process().children(recursive=True))

async def state(request):
    root = logging.getLogger()
    return JSONResponse({
        "threads": threads(),
        "children": children(),
        "root logger": [root.level, len(root.handlers)],
        "disabled loggers": [name for name in ("shop", "arkwright", "uvicorn.error") if logging.getLogger(name).disabled],
        "warnings": [str(one) for one in warnings.filters],
        "locale": locale.setlocale(locale.LC_ALL),
        "precision": decimal.getcontext().prec,
        "sys.path": sys.path,
        "directory": os.getcwd(),
        "environment": dict(os.environ),
        "signals": {one.name: str(signal.getsignal(one)) for one in signal.valid_signals() if hasattr(one, "name")},
        "modules": [name for name in sys.modules if "served" in name],
        "output": [type(sys.stdout).__name__, type(sys.stderr).__name__, sys.excepthook.__name__],
        "json.dumps": json.dumps.__module__,
    })

async def name(request):
    return PlainTextResponse("base")

app = Starlette(routes=[Route("/", name), Route("/state", state)])
"""
START_SECONDS, LINES_SECONDS, REST_SECONDS, LEFT_SECONDS = 30.0, 2.0, 0.7, 2.0
ADDRESS = re.compile(r"0x[0-9a-f]+")


class Base:
    """One base process. `application` is the code of its hostapp, `settings` its settings of modules."""

    def __init__(self, directory, where, environment, application=PLAIN, settings=None):
        self.directory, self.work, self.log = directory, directory / "work", directory / "log"
        self.host, self.port, self.agent_port = *where, where[1] + 1
        self.is_usual = application is PLAIN and not settings
        self.work.mkdir(parents=True)
        (directory / "hostapp.py").write_text(application)
        told = "".join(f"{name} = {value}\n" for name, value in {"drain-seconds": 5, **(settings or {})}.items())
        (directory / "settings.toml").write_text(f"[defaults]\n{told}")
        self._environment = environment | {"PYTHONPATH": f"{directory}:{environment.get('PYTHONPATH', '')}"}
        self._process = None

    async def start(self):
        words = ["base", "--app", "hostapp:app", "--host", self.host, "--port", str(self.port)]
        words += ["--agent-port", str(self.agent_port), "--config", str(self.directory / "settings.toml")]
        self._process = servers.start(
            [sys.executable, "-m", "arkwright", *words], self.work, self._environment, self.log
        )
        end = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                await self.health()
                return
            assert self._process.poll() is None and time.monotonic() < end, self.log.read_text()
            await asyncio.sleep(0.03)

    def end(self):
        servers.end(self._process)

    async def command(self, name, **body):
        async with aiohttp.request("POST", f"http://{self.host}:{self.agent_port}/{name}", json=body) as response:
            return await response.json()

    async def health(self):
        return (await self.command("health"))["data"]["healthData"]

    async def state(self):
        """What a module must leave as it was; {} where the base's own application does not tell."""
        async with aiohttp.request("GET", f"http://{self.host}:{self.port}/state") as response:
            return json.loads(ADDRESS.sub("0x…", await response.text())) if response.status == 200 else {}

    async def install(self, wheel):
        """ "" or why not."""
        answer = await self.command("installBiz", bizUrl=wheel.as_uri())
        return "" if answer["code"] == "SUCCESS" else answer["message"]

    async def switch(self, version):
        answer = await self.command("switchBiz", bizName="served", bizVersion=version)
        assert answer["code"] == "SUCCESS", answer

    async def uninstall(self, version):
        answer = await self.command("uninstallBiz", bizName="served", bizVersion=version)
        return answer["data"]["message"] if answer["code"] == "SUCCESS" else answer["message"]


async def served_as_module(case, base, wheels, alone):
    """Both wheels, one after the other: installed, asked; the next version beside it, switched to, asked; taken away. `alone`: what
    is being seen of it alone meanwhile, for how many lines there are to come."""
    seen, before, begin = SeenAsModule(), await base.state(), base.log.stat().st_size
    place = Place(base.host, base.port, "/served")
    first, second, *failing = wheels
    for one in failing:
        assert await base.install(one), "what is to fail first has not failed"
    if not (refused := await base.install(first)):
        seen.answers = [await done(place, step) for step in case.asks]
        if refused := await base.install(second):
            refused = f"as an upgrade: {refused}"
        else:
            await base.switch("2.0")
            said = await base.uninstall("1.0")
            place.cookies.clear()
            seen.again = [await done(place, step) for step in case.asks]
            seen.uninstalls = (said, await base.uninstall("2.0"))
    if refused and seen.answers is not None:
        await base.uninstall("1.0")
    seen.refused = refused
    seen.left = await _left(base, before)
    await _look_whether_it_rests(case, base, seen)
    seen.files = files_in(base.work)
    await _read_log(case, base, begin, seen, {line: 2 * count for line, count in (await alone).lines.items()})
    _clear(base.work)
    return seen


async def _left(base, before):
    """What health names, and what of the base is otherwise than before; things that are about to end have a moment."""
    end = time.monotonic() + LEFT_SECONDS
    while True:
        after = await base.state()
        left = {name: (before[name], after[name]) for name in before if before[name] != after[name]}
        if not left or time.monotonic() > end:
            break
        await asyncio.sleep(0.05)
    residue = (await base.health()).get("residue") or {}
    return left | ({"residue": residue} if residue else {})


async def _look_whether_it_rests(case, base, seen):
    if case.rests:
        before = files_in(base.work)
        await asyncio.sleep(REST_SECONDS)
        if before != files_in(base.work):
            seen.left["goes on"] = True


async def _read_log(case, base, begin, seen, expected):
    """Lines have a moment to come."""
    end = time.monotonic() + LINES_SECONDS
    while True:
        seen.log = base.log.read_bytes()[begin:].decode(errors="replace")
        seen.lines = {line: seen.log.count(line) for line in case.lines}
        if seen.lines == expected or time.monotonic() > end:
            return
        await asyncio.sleep(0.05)


def _clear(directory):
    for path in directory.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
