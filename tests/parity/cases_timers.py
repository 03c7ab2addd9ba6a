"""What works by itself or is limited: timers, schedulers, loops; time limits."""

from parity.table import Case, Until, get, post_json

SAYING = """
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
import inspect
async def hello(request):
    said = SAYS()
    return JSONResponse(await said if inspect.isawaitable(said) else said)
app = Starlette(routes=[Route("/", hello)])
"""


def _library(name, needs, code, *asks, **more):
    return Case(name, code + SAYING, asks or (get(), get()), needs=("starlette", *needs), **more)


TICK = 'def tick():\n    with open("ticks.log", "a") as file: file.write("tick\\n")\n'
GOING = TICK + 'def SAYS():\n    import pathlib\n    return pathlib.Path("ticks.log").exists()\n'


def _timer(name, code, needs=()):
    return _library(f"timers: {name}", needs, GOING + code, Until("/", "true"), rests=True)


TIMERS = (
    Case(
        "timers: call_later that begins anew",
        TICK
        + """
import asyncio, pathlib
from contextlib import asynccontextmanager
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
def again(): tick(); asyncio.get_running_loop().call_later(0.1, again)
@asynccontextmanager
async def lifespan(app): again(); yield
async def hello(request): return JSONResponse(pathlib.Path("ticks.log").exists())
app = Starlette(routes=[Route("/", hello)], lifespan=lifespan)
""",
        (Until("/", "true"),),
        needs=("starlette",),
        rests=True,
    ),
    Case(
        "timers: APScheduler's of the event loop, never shut down",
        TICK
        + """
import pathlib
from contextlib import asynccontextmanager
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
@asynccontextmanager
async def lifespan(app):
    scheduler = AsyncIOScheduler(); scheduler.add_job(tick, "interval", seconds=0.2); scheduler.start()
    yield
async def hello(request): return JSONResponse(pathlib.Path("ticks.log").exists())
app = Starlette(routes=[Route("/", hello)], lifespan=lifespan)
""",
        (Until("/", "true"),),
        needs=("starlette", "apscheduler"),
        rests=True,
    ),
    _timer(
        "APScheduler's in a thread, never shut down",
        "from apscheduler.schedulers.background import BackgroundScheduler\n"
        'scheduler = BackgroundScheduler(); scheduler.add_job(tick, "interval", seconds=0.2); scheduler.start()\n',
        ("apscheduler",),
    ),
    _timer(
        "threading.Timer that starts the next one",
        "import threading\ndef again():\n    tick(); timer = threading.Timer(0.1, again); timer.daemon = True; timer.start()\nagain()\n",
    ),
    _timer(
        "a loop in a pool's thread",
        "import time\nfrom concurrent.futures import ThreadPoolExecutor\nEND = False\n"
        "def loop():\n    while not END: tick(); time.sleep(0.1)\n"
        "pool = ThreadPoolExecutor(); pool.submit(loop)\n"
        "import threading\ndef stop():\n    global END\n    END = True\nthreading._register_atexit(stop)\n",
    ),
)

LIMITS = (
    Case(
        "limits: timeout-seconds is for the answer, not for what runs in the background after it",
        """
import asyncio
from fastapi import BackgroundTasks, FastAPI
app = FastAPI()
async def work():
    try:
        await asyncio.sleep(1.2); text = "done"
    except BaseException as error: text = repr(error)
    with open("notes.txt", "a") as file: file.write(text + "\\n")
@app.get("/")
async def index(tasks: BackgroundTasks): tasks.add_task(work); return "accepted"
""",
        (get(),),
        needs=("fastapi",),
        settings={"timeout-seconds": 0.5},
    ),
    Case(
        "limits: none is met, and nothing is otherwise",
        "from fastapi import FastAPI\napp = FastAPI()\n@app.post('/')\nasync def index(items: list[int]): return sum(items)\n",
        (post_json("/", "[1, 2]"), post_json("/", "[1, 'a']")),
        needs=("fastapi",),
        settings={"timeout-seconds": 5, "concurrency": 10},
    ),
)

CASES = (
    *TIMERS,
    *LIMITS,
)
