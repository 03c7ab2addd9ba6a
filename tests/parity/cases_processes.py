"""Processes, signals and exits: what an interpreter has once."""

from parity.table import Case, get

SAYING = """
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
import inspect
def note(text):
    with open("notes.txt", "a") as file: file.write(text + "\\n")
async def hello(request):
    said = SAYS()
    return JSONResponse(await said if inspect.isawaitable(said) else said)
app = Starlette(routes=[Route("/", hello)])
"""


def _case(name, code, *asks, **more):
    return Case(name, SAYING + code, asks or (get(), get()), needs=("starlette",), **more)


PROCESSES = (
    _case(
        "processes: a pool of them computes",
        """
import asyncio
from concurrent.futures import ProcessPoolExecutor
def square(x): return x * x
async def SAYS():
    with ProcessPoolExecutor(2) as pool:
        return await asyncio.gather(*(asyncio.get_running_loop().run_in_executor(pool, square, x) for x in range(4)))
""",
        get(),
        lines=("must not",),
    ),
    _case(
        "processes: multiprocessing with a queue, spawned",
        """
import multiprocessing
def work(queue): queue.put(__name__)
def SAYS():
    context = multiprocessing.get_context("spawn")
    queue = context.Queue(); child = context.Process(target=work, args=(queue,)); child.start()
    said = queue.get(timeout=8); child.join()
    return [said, child.exitcode]
""",
        get(),
    ),
    _case(
        "processes: a child by fork",
        """
import os
def SAYS():
    child = os.fork()
    if child == 0: os._exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
""",
        get(),
    ),
    _case(
        "processes: subprocesses, awaited and not",
        """
import asyncio, subprocess, sys
left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
import atexit; atexit.register(left.kill)
async def SAYS():
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(6 * 7)", stdout=subprocess.PIPE)
    return [(await child.communicate())[0].decode(), child.returncode, subprocess.run(["true"]).returncode]
""",
        get(),
    ),
    _case(
        "processes: modules that are run by their name",
        """
import subprocess, sys
def SAYS(): return subprocess.run([sys.executable, "-m", "served.tool", "a"], capture_output=True, text=True).stdout
""",
        get(),
        files={"served/tool.py": "import sys\nprint('tool', sys.argv[1:])\n"},
    ),
)

SIGNALS = (
    _case(
        "signals: a handler of its own is called",
        """
import os, signal
HEARD = []
signal.signal(signal.SIGUSR1, lambda number, frame: HEARD.append(number))
def SAYS():
    os.kill(os.getpid(), signal.SIGUSR1)
    return HEARD == [signal.SIGUSR1] * len(HEARD) and bool(HEARD)
""",
    ),
    _case(
        "signals: an alarm interrupts",
        """
import signal, time
class Late(Exception): pass
def ring(number, frame): raise Late
def SAYS():
    before = signal.signal(signal.SIGALRM, ring); signal.setitimer(signal.ITIMER_REAL, 0.05)
    try: time.sleep(2)
    except Late: return "late"
    finally: signal.setitimer(signal.ITIMER_REAL, 0); signal.signal(signal.SIGALRM, before)
""",
        get(),
    ),
)

EXITS = (
    _case(
        "exits: sys.exit in a thread ends the thread",
        """
import sys, threading
def SAYS():
    one = threading.Thread(target=sys.exit, args=(3,)); one.start(); one.join()
    return one.is_alive()
""",
    ),
    _case(
        "exits: sys.exit in a request",
        """
import sys
ASKED = []
def SAYS():
    ASKED.append(1)
    if len(ASKED) == 2: sys.exit(3)
    return len(ASKED)
""",
        get(),
        get(),
    ),
    _case(
        "exits: what atexit has is called at the end, last first",
        """
import atexit
atexit.register(note, "first"); atexit.register(note, "second"); atexit.register(note, "third"); atexit.unregister(print)
def SAYS(): return 1
""",
        get(),
    ),
    _case(
        "exits: finalizers of what is left run",
        """
import tempfile, weakref
class Held: pass
HELD = Held()
weakref.finalize(HELD, note, "finalized")
DIRECTORY = tempfile.TemporaryDirectory(dir=".")
def SAYS(): return 1
""",
        get(),
    ),
)

CASES = (
    *PROCESSES,
    *SIGNALS,
    *EXITS,
)
