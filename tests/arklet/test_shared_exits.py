"""What a module wants called at the end of the process is called at its own; loops and threads of its own end with it."""

import sys
import tempfile
import threading
import weakref
from types import SimpleNamespace

import pytest

from arklet.sharing import TAIL, Served

IMPORTS = "import asyncio, atexit, sys, tempfile, threading, weakref\nsaid = sys.of_this_test.said\nclass Held: pass\nHELD = Held()\n"


@pytest.fixture
def served(base, tmp_path):
    sys.of_this_test = SimpleNamespace(said=[], directory=str(tmp_path))
    yield Served(base, tmp_path)
    del sys.of_this_test


# what it does -> what has been said in the end
ENDS = {
    "weakref.finalize(HELD, said.append, 'finalized')": ["finalized"],
    "weakref.finalize(HELD, lambda: said.append('its own'))": ["its own"],
    "weakref.finalize(HELD, said.append, 'never').atexit = False": [],
    "[weakref.finalize(HELD, said.append, number) for number in range(3)]": [2, 1, 0],
    "weakref.finalize(HELD, said.append, 'second'); atexit.register(said.append, 'first')": ["first", "second"],
    "threading._register_atexit(said.append, 'exited')": ["exited"],
    "def end(): said.append('exited')\nthreading._register_atexit(end)": ["exited"],
}


@pytest.mark.parametrize("deed", ENDS)
async def test_what_is_to_be_called_at_the_end_is_called_at_its_uninstall(served, deed):
    await served.install(IMPORTS + deed + "\nSAYS = int" + TAIL)
    assert sys.of_this_test.said == []
    assert await served.uninstall() == [] and sys.of_this_test.said == ENDS[deed]


async def test_a_temporary_directory_goes_with_it(served, tmp_path):
    code = "DIRECTORY = tempfile.TemporaryDirectory(prefix='its-', dir=sys.of_this_test.directory)\nSAYS = int"
    await served.install(IMPORTS + code + TAIL)
    assert list(tmp_path.glob("its-*"))
    assert await served.uninstall() == [] and not list(tmp_path.glob("its-*"))


async def test_a_finalizer_that_fails_is_told(served):
    await served.install(IMPORTS + "weakref.finalize(HELD, int, 'x')\nSAYS = int" + TAIL)
    (said,) = await served.uninstall()
    assert "exit callback" in said and "ValueError" in said


async def test_finalizers_of_the_base_stay(served, tmp_path):
    directory = tempfile.TemporaryDirectory(dir=tmp_path)
    ends = weakref.finalize(directory, int)
    await served.install("SAYS = int" + TAIL)
    assert await served.uninstall() == [] and ends.alive and directory._finalizer.alive
    directory.cleanup()


async def test_a_loop_of_its_own_in_a_thread_ends_with_it(served, caplog):
    code = """
LOOP = asyncio.SelectorEventLoop()
threading.Thread(target=LOOP.run_forever, name="of its loop").start()
async def add(a, b): return a + b
def SAYS(): return asyncio.run_coroutine_threadsafe(add(1, 2), LOOP).result(5)
"""
    await served.install(IMPORTS + code + TAIL)
    assert await served.says() == "3"
    assert await served.uninstall() == [] and "of its loop" not in [one.name for one in threading.enumerate()]
    assert "Error" not in caplog.text


async def test_a_thread_that_does_not_end_is_told_once(served):
    sys.of_this_test.lock = lock = threading.Lock()
    lock.acquire()
    code = "def wait():\n    sys.of_this_test.lock.acquire()\nthreading.Thread(target=wait, name='worker').start()\nSAYS = int"
    await served.install(IMPORTS + code + TAIL)
    left = await served.uninstall()
    lock.release()
    assert [one for one in left if "thread" in one] == ["thread worker goes on"]
