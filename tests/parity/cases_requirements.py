"""Packages beside a module that the base meets in part, and libraries that remember what is registered."""

from parity.table import Case, get

TAIL = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
async def hello(request): return PlainTextResponse(str(SAID))
app = Starlette(routes=[Route("/", hello)])
"""
PACKAGES = """
from fastapi import FastAPI
import pydantic, fastapi, starlette
app = FastAPI()
@app.get("/")
def a(): return {"pydantic": pydantic.VERSION, "fastapi": fastapi.__version__, "starlette": starlette.__version__}
"""

REGISTRIES = (
    Case(
        "registries: a Prometheus counter of a second version, and of one that does not start",
        'from prometheus_client import Counter\nHITS = Counter("served_hits", "Requests", ["path"])\nSAID = HITS._name'
        + TAIL,
        (get(),),
        needs=("prometheus_client",),
        fails_first='from prometheus_client import Counter\nCounter("served_hits", "Requests", ["path"])\nraise RuntimeError("a typo")',
    ),
    Case(
        "registries: a table in the base's metadata",
        files={
            "served/models.py": """
from sqlalchemy.orm import Mapped, mapped_column
from hostapp import Model
class Order(Model):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
""",
            "served/web.py": "from served.models import Order\nSAID = Order.__table__.name" + TAIL,
            "hostapp.py": "from sqlalchemy.orm import DeclarativeBase\nclass Model(DeclarativeBase): pass\n",
        },
        asks=(get(),),
        needs=("sqlalchemy",),
        base="""
from sqlalchemy.orm import DeclarativeBase
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
class Model(DeclarativeBase): pass
async def state(request): return JSONResponse({"tables": sorted(Model.metadata.tables)})
app = Starlette(routes=[Route("/state", state)])
""",
    ),
)

REQUIREMENTS = (
    Case(
        "requirements: one beside that needs what the base has in C",
        """
from flask import Flask
from flaskkit import WHERE
import markupsafe
app = Flask(__name__)
@app.get("/")
def hello(): return [".beside" in WHERE, ".beside" in markupsafe.__file__]
""",
        (get(),),
        needs=("flask", "flaskkit"),
        beside={
            "flaskkit": {"files": {"flaskkit.py": "import flask\nWHERE = flask.__file__\n"}, "requires": ("flask",)}
        },
        wsgi=True,
    ),
    Case(
        "requirements: a company's package that needs what the base has",
        "import companylib\nSAID = '.beside' in companylib.X" + TAIL,
        (get(),),
        needs=("companylib",),
        beside={
            "companylib": {
                "files": {"companylib.py": "import starlette\nX = starlette.__file__\n"},
                "requires": ("starlette",),
            }
        },
    ),
    Case(
        "requirements: one that would do with an older framework than the base's",
        PACKAGES.replace("import pydantic", "import pagekit, pydantic"),
        (get(),),
        needs=("fastapi", "pagekit"),
        beside={
            "pagekit": {
                "files": {"pagekit.py": "import fastapi, pydantic\n"},
                "requires": ("fastapi>=0.100", "pydantic>=1.10"),
            }
        },
    ),
    Case(
        "requirements: a response class of a package beside and the base's framework",
        """
from fastapi import FastAPI
from ssekit import Events
app = FastAPI()
@app.get("/")
async def a():
    async def events():
        for i in range(3): yield {"data": i}
    return Events(events())
""",
        (get(),),
        needs=("fastapi", "ssekit"),
        beside={
            "ssekit": {
                "files": {
                    "ssekit.py": """
from starlette.responses import StreamingResponse
class Events(StreamingResponse):
    media_type = "text/event-stream"
    def __init__(self, events): super().__init__(self._lines(events))
    async def _lines(self, events):
        async for one in events: yield f"data: {one['data']}\\n\\n"
"""
                },
                "requires": ("starlette",),
            }
        },
    ),
)

CASES = (
    *REGISTRIES,
    *REQUIREMENTS,
)
