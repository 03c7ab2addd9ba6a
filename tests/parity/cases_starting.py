"""How an application is found and starts: factories, what its import may do, what keeps it from starting."""

from parity.table import Case, get

FASTAPI_FACTORY = """
from fastapi import FastAPI
def create_app(HEAD):
    app = FastAPI()
    @app.get("/")
    def index(): return "made"
    return app
"""
FLASK_FACTORY = """
from flask import Flask
def create_app(HEAD):
    app = Flask(__name__)
    @app.get("/")
    def index(): return "made"
    return app
"""
SAYING = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
async def hello(request): return PlainTextResponse(str(SAYS()))
app = Starlette(routes=[Route("/", hello)])
"""
RAISING = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        BODY
"""


def _factory(name, code, parameters, target="served.web:create_app", wsgi=False):
    return Case(
        f"factory: {name}",
        code.replace("HEAD", parameters),
        (get(),),
        target=target,
        is_factory=True,
        needs=("flask",) if wsgi else ("fastapi",),
        wsgi=wsgi,
    )


FACTORIES = (
    _factory("FastAPI, without parameters", FASTAPI_FACTORY, ""),
    _factory("FastAPI, with an optional one", FASTAPI_FACTORY, "config=None"),
    _factory("FastAPI, with any, by its name", FASTAPI_FACTORY, "*args, **more"),
    _factory("Flask, without parameters", FLASK_FACTORY, "", wsgi=True),
    _factory("Flask, called in its name", FLASK_FACTORY, "config=None", "served.web:create_app()", wsgi=True),
)


def _imported(name, code):
    return Case(f"import: {name}", code + SAYING, (get(),), needs=("starlette",))


IMPORTS = (
    _imported(
        "an SQLite connection is used where it was made",
        'import sqlite3\ndb = sqlite3.connect(":memory:"); db.execute("create table t (a)")\n'
        'def SAYS(): return db.execute("select count(*) from t").fetchone()\n',
    ),
    _imported(
        "the decimal context stays",
        "import decimal\ndecimal.getcontext().prec = 5\ndef SAYS(): return decimal.Decimal(1) / 3\n",
    ),
    _imported(
        "a context variable stays",
        'from contextvars import ContextVar\nWHO = ContextVar("who", default="none"); WHO.set("acme")\ndef SAYS(): return WHO.get()\n',
    ),
    _imported(
        "a thread's own value stays",
        'import threading\nLOCAL = threading.local(); LOCAL.x = 1\ndef SAYS(): return getattr(LOCAL, "x", "unset")\n',
    ),
    _imported(
        "it is the main thread", "import threading\nNAME = threading.current_thread().name\ndef SAYS(): return NAME\n"
    ),
    _imported(
        "an event loop can be asked for",
        "import asyncio\nLOOP = asyncio.get_event_loop_policy().get_event_loop()\ndef SAYS(): return LOOP is not None\n",
    ),
    _imported(
        "a client session without a loop does not start",
        "import aiohttp\nSESSION = aiohttp.ClientSession()\ndef SAYS(): return 1\n",
    ),
    _imported("an exit does not start", "import sys\nsys.exit('no configuration')\n"),
    _imported("an exception does not start", "raise LookupError('no configuration')\n"),
    _imported("a syntax error does not start", "def SAYS(:\n"),
    _imported(
        "a circle of imports",
        "import sys, types\nsys.modules['served.made'] = types.ModuleType('served.made')\nimport served.made\nfrom served import web\n"
        "def SAYS(): return served.made.__name__\n",
    ),
)

LIFESPANS = (
    Case(
        "lifespan: a startup that fails in the protocol's words",
        RAISING.replace("BODY", 'await send({"type": "lifespan.startup.failed", "message": "no database"})'),
        (get(),),
        lines=("no database",),
    ),
    Case("lifespan: a startup that exits", RAISING.replace("BODY", "raise SystemExit(3)"), (get(),)),
    Case(
        "lifespan: an application that does not know it",
        """
async def app(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(sorted(scope)).encode()})
""",
        (get(),),
    ),
    Case(
        "lifespan: tasks that it starts work, and end with it",
        """
import asyncio
from contextlib import asynccontextmanager
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
SEEN = []
async def work():
    try:
        while True: SEEN.append(1); await asyncio.sleep(0.01)
    finally:
        with open("ended.txt", "a") as file: file.write("ended\\n")
@asynccontextmanager
async def lifespan(app):
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work())
        yield
        task.cancel()
async def hello(request): return PlainTextResponse("seen")
app = Starlette(routes=[Route("/", hello)], lifespan=lifespan)
""",
        (get(),),
        needs=("starlette",),
        rests=True,
    ),
)

CASES = (*FACTORIES, *IMPORTS, *LIFESPANS)
