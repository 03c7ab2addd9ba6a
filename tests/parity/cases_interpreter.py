"""Threads, tasks, and the state that all code in an interpreter shares."""

from parity.table import PROCESS, Ask, Case, Until, get

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


THREADS = (
    _case(
        "threads: one that works beside the requests, a daemon",
        """
import queue, threading
JOBS, DONE = queue.Queue(), []
def work():
    while True: DONE.append(JOBS.get() * 2)
threading.Thread(target=work, name="worker", daemon=True).start()
def SAYS(): JOBS.put(len(DONE)); return len(DONE) >= 0
""",
    ),
    _case(
        "threads: an exception in one is told, and reaches its hook",
        """
import threading
SEEN = []
def fail(): raise LookupError("in a thread")
def SAYS():
    one = threading.Thread(target=fail); one.start(); one.join()
    return 1
""",
        get(),
        lines=("LookupError: in a thread",),
    ),
    _case(
        "threads: to_thread keeps context variables, executors do not",
        """
import asyncio, contextvars
WHO = contextvars.ContextVar("who", default="none")
async def SAYS():
    WHO.set("acme")
    loop = asyncio.get_running_loop()
    return [await asyncio.to_thread(WHO.get), await loop.run_in_executor(None, WHO.get), WHO.get()]
""",
    ),
    _case(
        "threads: an event loop of its own in one",
        """
import asyncio, threading
LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, daemon=True).start()
async def add(a, b): await asyncio.sleep(0.01); return a + b
def SAYS(): return asyncio.run_coroutine_threadsafe(add(1, 2), LOOP).result(5)
""",
    ),
    _case(
        "threads: a subinterpreter computes",
        """
import os, _xxsubinterpreters as interpreters
def SAYS():
    one = interpreters.create(); reading, writing = os.pipe()
    interpreters.run_string(one, f"import os; os.write({writing}, str(6 * 7).encode())")
    interpreters.destroy(one)
    return os.read(reading, 10).decode()
""",
        get(),
    ),
)

TASKS = (
    _case(
        "tasks: those that a request leaves go on to their end",
        """
import asyncio
KEPT = set()
DONE = []
async def work(): await asyncio.sleep(0.05); DONE.append(1)
async def SAYS(): task = asyncio.create_task(work()); KEPT.add(task); return len(DONE) > 0
""",
        get(),
        Until("/", "true"),
    ),
    _case(
        "tasks: an exception that nobody awaits is told",
        """
import asyncio, gc
async def fail(): raise LookupError("in a task")
async def SAYS():
    asyncio.create_task(fail()); await asyncio.sleep(0.01); gc.collect()
    return 1
""",
        get(),
        lines=("Task exception was never retrieved", "LookupError: in a task"),
    ),
    _case(
        "tasks: a handler of the event loop's exceptions is its own",
        """
import asyncio
SEEN = []
async def SAYS():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: SEEN.append(context["message"]))
    loop.call_exception_handler({"message": "a flaw"})
    return SEEN[-1]
""",
    ),
)

SHARED_STATE = (
    _case(
        "state: locale, decimal context and warnings filters",
        """
import decimal, locale, warnings
locale.setlocale(locale.LC_ALL, "C.UTF-8")
decimal.getcontext().prec = 7
warnings.simplefilter("error")
def SAYS():
    try: warnings.warn("an old spelling"); warned = "shown"
    except UserWarning: warned = "raised"
    return [locale.setlocale(locale.LC_ALL), str(decimal.Decimal(1) / 3), warned]
""",
    ),
    _case(
        "state: the environment's variables",
        """
import os
os.environ["SERVED_NAME"] = "shop"; os.environ.pop("TZ", None)
def SAYS(): return [os.environ.get("SERVED_NAME"), os.getenv("TZ"), len(os.environ) > 3]
""",
    ),
    _case(
        "state: the working directory",
        "import os\nos.makedirs('below', exist_ok=True)\nos.chdir('below')\ndef SAYS(): return os.path.basename(os.getcwd())\n",
        get(),
    ),
    _case(
        "state: the import path",
        """
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "vendored"))
import vendored_thing
def SAYS(): return [vendored_thing.VALUE, sys.path[0].rpartition("/")[2]]
""",
        files={"served/vendored/vendored_thing.py": "VALUE = 3\n"},
    ),
    _case(
        "state: a function of the standard library, replaced",
        """
import functools, json, json.encoder
before = json.dumps
@functools.wraps(before)
def sorted_dumps(*args, **more): return before(*args, **{**more, "sort_keys": True})
json.dumps = sorted_dumps
def SAYS(): return json.dumps({"b": 1, "a": 2})
""",
    ),
    _case(
        "state: limits, hooks and output of the interpreter",
        """
import io, sys
sys.setrecursionlimit(5000)
sys.setswitchinterval(0.01)
sys.excepthook = lambda *error: None
def SAYS(): return [sys.getrecursionlimit(), round(sys.getswitchinterval(), 3), sys.excepthook.__name__]
""",
    ),
    _case(
        "state: what is random after a seed",
        "import random\nrandom.seed(1)\nSAID = [random.random() for _ in range(3)]\ndef SAYS(): return SAID\n",
    ),
    _case(
        "state: a module of its own under a library's name",
        "import served.json\nfrom served import logging\ndef SAYS(): return [served.json.A, logging.A]\n",
        files={"served/json.py": "A = 1\n", "served/logging.py": "A = 2\n"},
    ),
    _case(
        "state: compiled expressions, caches and generators of its own code",
        """
import functools, re, copy, dataclasses, enum, abc
@functools.lru_cache(None)
def square(x): return x * x
@functools.singledispatch
def kind(x): return "any"
@kind.register
def _(x: int): return "int"
class Colour(enum.Enum): RED = 1
class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): ...
class Square(Shape):
    def area(self): return square(3)
@dataclasses.dataclass(frozen=True)
class Point: x: int; y: int = 0
def SAYS(): return [square(3), kind(1), kind(""), repr(Colour.RED), Colour["RED"].value, isinstance(Square(), Shape), str(copy.deepcopy(Point(1))),
                    dataclasses.asdict(Point(2)), re.sub("a+", "b", "caat"), Square.__mro__[1].__module__]
""",
    ),
)

LOOKING = (
    Case(
        "asking: how many requests it has answered is told by none but itself",
        SAYING + "COUNT = []\ndef SAYS(): COUNT.append(1); return len(COUNT)\n",
        (get(), get(), Ask("GET", "/", times=5), get()),
        needs=("starlette",),
        isolations=(PROCESS, "shared"),
    ),
)

CASES = (
    *THREADS,
    *TASKS,
    *SHARED_STATE,
    *LOOKING,
)
