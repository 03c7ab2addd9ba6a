"""By what names a module's things are known: to itself, to libraries, in metadata."""

from parity.table import Case, get, post_json

STARLETTE = ("starlette",)
TAIL = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
async def hello(request): return PlainTextResponse(str(SAID))
app = Starlette(routes=[Route("/", hello)])
"""

METADATA = (
    Case(
        "metadata: its own version, files and entry points",
        """
from importlib.metadata import distribution, entry_points, files, version
GROUPS = ("arkwright.module.process", "arkwright.module.shared")
EPS = [one.value for group in GROUPS for one in entry_points(group=group) if one.name == "served"]
SAID = (version("served") in ("1.0", "2.0"), distribution("served").metadata["Name"], EPS, files("served") is not None)
"""
        + TAIL,
        (get(),),
        needs=STARLETTE,
    ),
    Case(
        "metadata: of a package beside it, and its plugins",
        "import plugdep\nSAID = (plugdep.VERSION, plugdep.PLUGINS)" + TAIL,
        (get(),),
        needs=("plugdep",),
        beside={
            "plugdep": {
                "files": {
                    "plugdep/__init__.py": """
from importlib.metadata import version, entry_points
VERSION = version("plugdep")
PLUGINS = sorted(one.name for one in entry_points(group="plugdep.plugins"))
"""
                },
                "entry_points": "[plugdep.plugins]\na = plugdep:VERSION\n",
            }
        },
    ),
)

NAMES = (
    Case(
        "names: two models of one name in an OpenAPI",
        files={
            "served/a.py": "from pydantic import BaseModel\nclass Item(BaseModel):\n    a: int\n",
            "served/b.py": "from pydantic import BaseModel\nclass Item(BaseModel):\n    b: int\n",
            "served/web.py": """
from fastapi import FastAPI
from served import a, b
app = FastAPI()
@app.post("/a")
def pa(item: a.Item) -> a.Item: return item
@app.post("/b")
def pb(item: b.Item) -> b.Item: return item
""",
        },
        asks=(get("/openapi.json"), post_json("/a", '{"a": 1}')),
        needs=("fastapi",),
    ),
    Case(
        "names: Celery tasks by name",
        """
from celery import Celery
queue = Celery("served", broker="memory://", backend="cache+memory://")
queue.conf.task_always_eager = True
@queue.task
def add(a, b): return a + b
SAID = (add.name, add.delay(1, 2).get(), sorted(name for name in queue.tasks if name.startswith("served")))
"""
        + TAIL,
        (get(),),
        needs=("celery",),
    ),
    Case(
        "names: of modules, classes, loggers and files, and what finds them",
        files={
            "served/web.py": """
import importlib, importlib.resources, importlib.util, inspect, pkgutil, sys, typing
from dataclasses import dataclass
import served
from served.parts import Part
@dataclass
class Order:
    part: "Part"
def look():
    module = importlib.import_module("served.parts")
    return [
        __name__, Order.__module__, Order.__qualname__, repr(Order), Part.__module__, module is sys.modules.get("served.parts"),
        module.Part is Part, __import__("served.parts").parts.Part is Part,
        importlib.util.find_spec("served.parts").name, importlib.util.find_spec("served.none"),
        importlib.resources.files("served").joinpath("data.txt").read_text(),
        pkgutil.get_data("served", "data.txt").decode(), sorted(one.name for one in pkgutil.iter_modules(served.__path__)),
        [one.name for one in pkgutil.walk_packages(served.__path__, "served.")], typing.get_type_hints(Order)["part"] is Part,
        pkgutil.resolve_name("served.parts:Part") is Part, inspect.getmodule(Part).__name__, __file__.rpartition("served/")[2], __package__,
        __spec__.name, sys.modules[__name__] is sys.modules[Order.__module__],
    ]
SAID = look()
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
async def hello(request): return JSONResponse([SAID, look()])
app = Starlette(routes=[Route("/", hello)])
""",
            "served/parts.py": "class Part: pass\n",
            "served/data.txt": "data",
        },
        asks=(get(),),
        needs=STARLETTE,
    ),
    Case(
        "names: pickles of its own classes, in it and beyond",
        """
import pickle
class Order:
    def __init__(self): self.a = 1
SAID = (b"served.web" in pickle.dumps(Order()), pickle.loads(b"cserved.web\\nOrder\\n.") is Order, pickle.loads(pickle.dumps(Order())).a)
"""
        + TAIL,
        (get(),),
        needs=STARLETTE,
    ),
)

CASES = (
    *METADATA,
    *NAMES,
)
