"""After its end nothing of a module runs, or it is told that it does."""

import asyncio
import sys
import threading
from types import SimpleNamespace

import pytest

from arklet.sharing import Served

LIFESPAN = """
import asyncio, concurrent.futures, sys, threading, time
from contextlib import asynccontextmanager
from starlette.applications import Starlette
TICKS = sys.of_this_test.ticks
def tick(): TICKS.append(1)
{code}
@asynccontextmanager
async def lifespan(app):
    {startup}
    yield
app = Starlette(lifespan=lifespan)
"""
AGAIN_LATER = "def again():\n    tick()\n    asyncio.get_running_loop().call_later(.02, again)"
AGAIN_SOON = "def again():\n    tick()\n    asyncio.get_running_loop().call_soon(again)"
AGAIN_AT = "def again(*_):\n    tick()\n    loop = asyncio.get_running_loop()\n    loop.call_at(loop.time() + .02, again, 1, 2)"
TIMER = "def again():\n    tick()\n    threading.Timer(.02, again).start()"
POOL = "pool = concurrent.futures.ThreadPoolExecutor(2)\ndef again():\n    while True:\n        tick(); time.sleep(.02)"
SCHEDULE = (
    "from apscheduler.schedulers.{0} import {1}\nscheduler = {1}()\nscheduler.add_job(tick, 'interval', seconds=.05)"
)
METHOD = (
    "class Clock:\n    def again(self):\n        tick()\n        asyncio.get_running_loop().call_later(.02, self.again)"
)
# what a module has running -> its code, what its startup does
RUNNING = {
    "call_later": (AGAIN_LATER, "again()"),
    "call_soon": (AGAIN_SOON, "again()"),
    "call_at": (AGAIN_AT, "again()"),
    "call_later of a method": (METHOD, "Clock().again()"),
    "a reader": (
        "",
        "import socket; app.pair = socket.socketpair(); asyncio.get_running_loop().add_reader(app.pair[0], tick); app.pair[1].send(b'x')",
    ),
    "threading.Timer": (TIMER, "again()"),
    "a pool of threads": (POOL, "pool.submit(again)"),
    "AsyncIOScheduler": (SCHEDULE.format("asyncio", "AsyncIOScheduler"), "scheduler.start()"),
    "AsyncIOScheduler of the lifespan": (
        "",
        SCHEDULE.format("asyncio", "AsyncIOScheduler").replace("\n", "; ") + "; scheduler.start()",
    ),
    "BackgroundScheduler": (SCHEDULE.format("background", "BackgroundScheduler"), "scheduler.start()"),
    "a job in the base's scheduler": ("", "sys.of_this_test.scheduler.add_job(tick, 'interval', seconds=.05)"),
    "a task": (
        "async def again():\n    while True:\n        tick(); await asyncio.sleep(.02)",
        "asyncio.create_task(again())",
    ),
}


@pytest.fixture
def served(base, tmp_path):
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    sys.of_this_test = SimpleNamespace(ticks=[], scheduler=AsyncIOScheduler(), served=Served(base, tmp_path))
    yield sys.of_this_test
    del sys.of_this_test


async def install(served, code, startup, version="1.0"):
    await served.served.install(LIFESPAN.format(code=code, startup=startup), version)
    async with asyncio.timeout(5):
        while len(served.ticks) < 2:
            await asyncio.sleep(0.01)


async def ticks_in_a_while(served):
    """In ten times as long as any of these waits."""
    before = len(served.ticks)
    await asyncio.sleep(0.5)
    return len(served.ticks) - before


@pytest.mark.parametrize("what", RUNNING)
async def test_what_runs_again_and_again_ends_with_its_module(served, what):
    served.scheduler.start()
    await install(served, *RUNNING[what])
    assert await served.served.uninstall() == [] and await ticks_in_a_while(served) == 0
    assert served.scheduler.running
    served.scheduler.shutdown(wait=False)


async def test_a_thread_of_a_library_that_goes_on_with_its_code_is_named(served):
    library = SimpleNamespace(jobs=[])
    ended = threading.Event()

    def serve():
        while not ended.wait(0.02):
            for job in library.jobs:
                job.function()

    def start(function):
        library.jobs.append(SimpleNamespace(function=function))
        threading.Thread(target=serve, args=(), kwargs={}, name="a library's").start()

    served.start = start
    await install(served, "", "sys.of_this_test.start(tick)")
    left = await served.served.uninstall()
    ended.set()
    assert any("served.web.tick is held by" in one for one in left)
    library.jobs.clear()


async def test_a_timer_of_a_library_that_goes_on_with_its_code_is_named(served):
    class Library:
        def start(self, function):
            self.function = function
            self.run()

        def run(self):
            self.function()
            self.timer = asyncio.get_running_loop().call_later(0.02, self.run)

    served.library = library = Library()
    await install(served, "", "sys.of_this_test.library.start(tick)")
    left = await served.served.uninstall()
    library.timer.cancel()
    assert any("a timer of" in one and one.endswith("Library.run RUNS its code") for one in left)
    library.function = None


async def test_two_versions_run_side_by_side_and_each_ends_with_its_own(served):
    code = AGAIN_LATER.replace("tick()", "sys.of_this_test.ticks.append('{}')")
    await install(served, code.format("1.0"), "again()", "1.0")
    await install(served, code.format("2.0"), "again()", "2.0")
    assert await served.served.uninstall("1.0") == []
    served.ticks.clear()
    await ticks_in_a_while(served)
    assert set(served.ticks) == {"2.0"}


async def test_the_bases_own_timers_go_on(served):
    beats = []

    def beat():
        beats.append(1)
        served.timer = asyncio.get_running_loop().call_later(0.02, beat)

    beat()
    await install(served, AGAIN_LATER, "again()")
    await served.served.uninstall()
    before = len(beats)
    await ticks_in_a_while(served)
    assert len(beats) > before
    served.timer.cancel()
