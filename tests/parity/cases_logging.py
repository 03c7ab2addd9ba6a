"""What a module says: its logging and its configuration of it, its output, its warnings."""

from parity.table import PROCESS, Case, get

STARLETTE = ("starlette",)
TAIL = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
async def hello(request): return PlainTextResponse(str(SAID))
app = Starlette(routes=[Route("/", hello)])
"""
THREE_LINES = """
log = logging.getLogger(__name__)
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
async def hello(request):
    log.debug("a debug line"); log.info("an info line"); log.warning("a warning line")
    return PlainTextResponse(f"{__name__} level={log.getEffectiveLevel()}")
app = Starlette(routes=[Route("/", hello)])
"""
LINES = ("a debug line", "an info line", "a warning line")
CONFIGURED = """
import logging, logging.config
logging.config.dictConfig({
    "version": 1, "disable_existing_loggers": False,
    "formatters": {"f": FORMATTER},
    "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "f"}},
    "loggers": {"served": {"level": "DEBUG", "handlers": ["out"], "propagate": False}},
})
"""
JSON_FORMATTER = """
import json, logging
class Json(logging.Formatter):
    def format(self, record):
        return "JSON " + json.dumps({"logger": record.name, "level": record.levelname, "msg": record.getMessage()})
"""

LOGGING = (
    Case(
        "logging: dictConfig with a formatter of its own",
        files={
            "served/web.py": CONFIGURED.replace("FORMATTER", '{"()": "served.logs.Json"}') + THREE_LINES,
            "served/logs.py": JSON_FORMATTER,
        },
        asks=(get(),),
        lines=(*LINES, 'JSON {"logger": "served.web", "level": "WARNING"'),
        needs=STARLETTE,
    ),
    Case(
        "logging: a logger that is named after its package is the parent of its modules'",
        CONFIGURED.replace("FORMATTER", '{"format": "OUT %(levelname)s %(name)s %(message)s"}') + THREE_LINES,
        (get(),),
        lines=(*LINES, "OUT DEBUG served.web a debug line"),
        needs=STARLETTE,
    ),
    Case(
        "logging: dictConfig that disables existing loggers leaves the base's",
        """
import logging, logging.config
logging.config.dictConfig({
    "version": 1,
    "formatters": {"f": {"format": "MOD %(levelname)s %(name)s %(message)s"}},
    "handlers": {"h": {"class": "logging.StreamHandler", "formatter": "f"}},
    "root": {"level": "INFO", "handlers": ["h"]},
})
"""
        + THREE_LINES,
        (get(),),
        lines=(*LINES, "MOD INFO served.web an info line"),
        needs=STARLETTE,
    ),
    Case(
        "logging: dictConfig of one logger alone",
        'import logging, logging.config\nlogging.config.dictConfig({"version": 1, "loggers": {"served.web": {"level": "INFO"}}})'
        + THREE_LINES,
        (get(),),
        lines=("a debug line", "a warning line"),
        needs=STARLETTE,
    ),
    Case(
        "logging: basicConfig by force",
        'import logging\nlogging.basicConfig(level=logging.DEBUG, force=True, format="MOD %(levelname)s %(name)s %(message)s")'
        + THREE_LINES,
        (get(),),
        lines=(*LINES, "MOD DEBUG served.web a debug line"),
        needs=STARLETTE,
    ),
    Case(
        "logging: a level of its own, and a file",
        'import logging\nlogging.getLogger("served").setLevel(logging.INFO)\n'
        'logging.getLogger("served").addHandler(logging.FileHandler("own.txt"))' + THREE_LINES,
        (get(),),
        needs=STARLETTE,
    ),
)

OUTPUT = (
    Case(
        "output: printed lines come, and long ones whole",
        """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
async def hello(request):
    print("a printed line"); print("x" * 100_000 + "the end of a long line")
    return PlainTextResponse("x")
app = Starlette(routes=[Route("/", hello)])
""",
        (get(), get()),
        lines=("a printed line", "x" * 100_000 + "the end of a long line"),
        needs=STARLETTE,
    ),
    Case(
        "output: an exception is one record",
        """
from starlette.applications import Starlette
from starlette.routing import Route
async def hello(request): raise LookupError("lost")
app = Starlette(routes=[Route("/", hello)])
""",
        (get(),),
        lines=("Traceback (most recent call last)", "LookupError: lost", "Exception in ASGI application"),
        needs=STARLETTE,
    ),
    Case(
        "output: warnings are shown once",
        "import warnings\nwarnings.warn('an old spelling')\nwarnings.warn('deprecated', DeprecationWarning)\nSAID = 1"
        + TAIL,
        (get(),),
        lines=("UserWarning: an old spelling", "DeprecationWarning: deprecated"),
        needs=STARLETTE,
    ),
    Case(
        "output: the last words of a crash",
        """
import os, signal
from starlette.applications import Starlette
from starlette.routing import Route
async def kill(request):
    print("last words", flush=True)
    os.kill(os.getpid(), signal.SIGSEGV)
app = Starlette(routes=[Route("/kill", kill)])
""",
        (get("/kill"),),
        lines=("last words",),
        needs=STARLETTE,
        isolations=(PROCESS,),
    ),
)

CASES = (
    *LOGGING,
    *OUTPUT,
)
