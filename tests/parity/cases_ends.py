"""How an HTTP request ends: errors, breaks, clients that leave; and how a framework's answers look below a root path."""

from parity.table import Ask, Case, Until, get, head

# An application without a framework: `answer` is what it does with a request; lifespans it does not know.
RAW = """
import asyncio, json
NOTES = []
def note(text): NOTES.append(text)
async def body_of(receive):
    pieces = []
    while (message := await receive())["type"] == "http.request":
        pieces.append(message.get("body", b""))
        if not message.get("more_body"): break
    return b"".join(pieces)
async def start(send, status=200, headers=(), **more):
    await send({"type": "http.response.start", "status": status, "headers": list(headers), **more})
async def say(send, body=b"", more=False):
    await send({"type": "http.response.body", "body": body, "more_body": more})
async def app(scope, receive, send):
    assert scope["type"] == "http"
    if scope["path"].endswith("/notes"):
        await start(send); await say(send, json.dumps(NOTES).encode())
        return
    await answer(scope, receive, send)
"""


def raw(name, answer, *asks, **more):
    """A case of an application without a framework."""
    return Case(f"http: {name}", RAW + answer, asks, **more)


ENDS = (
    raw(
        "an exception before the answer is a 500, and the next request is answered",
        """
async def answer(scope, receive, send):
    if scope["path"].endswith("/fails"): raise LookupError("before the answer")
    await start(send); await say(send, b"well")
""",
        get("/fails"),
        get("/"),
        lines=("LookupError: before the answer",),
    ),
    raw(
        "an exception within the answer breaks it off",
        """
async def answer(scope, receive, send):
    await start(send); await say(send, b"begun", True)
    raise LookupError("within the answer")
""",
        get("/"),
        lines=("LookupError: within the answer",),
    ),
    raw(
        "an exception after the answer is logged",
        """
async def answer(scope, receive, send):
    await start(send); await say(send, b"whole")
    raise LookupError("after the answer")
""",
        get("/"),
        lines=("LookupError: after the answer",),
    ),
    raw(
        "an application that returns without an answer",
        "async def answer(scope, receive, send):\n    return None\n",
        get("/"),
    ),
    raw(
        "an application that returns within its answer",
        "async def answer(scope, receive, send):\n    await start(send); await say(send, b'half', True)\n",
        get("/"),
    ),
    raw(
        "less than its Content-Length",
        "async def answer(scope, receive, send):\n    await start(send, headers=[(b'content-length', b'9')]); await say(send, b'half')\n",
        get("/"),
    ),
    raw(
        "more than its Content-Length",
        "async def answer(scope, receive, send):\n    await start(send, headers=[(b'content-length', b'2')]); await say(send, b'whole')\n",
        get("/"),
    ),
    raw(
        "words that are out of order are refused to the application",
        """
async def answer(scope, receive, send):
    for wrong in ({"type": "http.response.body", "body": b""}, {"type": "websocket.accept"}):
        try: await send(wrong)
        except Exception as error: note(type(error).__name__)
    await start(send); await say(send, b"whole")
    try: await say(send, b"more")
    except Exception as error: note(type(error).__name__)
""",
        get("/"),
        get("/notes"),
    ),
    raw(
        "it hears that a client has gone, in the middle of its answer",
        """
async def answer(scope, receive, send):
    await body_of(receive)
    await start(send); await say(send, b"begun", True)
    note((await asyncio.wait_for(receive(), 5))["type"])
    await say(send, b"to nobody")
""",
        Ask("GET", "/", leaves=True),
        Until("/notes", "http.disconnect"),
    ),
    raw(
        "it hears of the end of its own answer",
        """
async def answer(scope, receive, send):
    await body_of(receive)
    await start(send); await say(send, b"whole")
    note((await asyncio.wait_for(receive(), 5))["type"])
""",
        get("/"),
        Until("/notes", "http.disconnect"),
    ),
    raw(
        "many requests at once",
        """
OPEN = []
ALL = asyncio.Event()
async def answer(scope, receive, send):
    OPEN.append(1)
    if len(OPEN) == 50: ALL.set()
    await asyncio.wait_for(ALL.wait(), 5)
    await start(send); await say(send, b"all there")
""",
        Ask("GET", "/", times=50),
    ),
)

FRAMED = (
    Case(
        "starlette: ranges, conditions and names of files",
        files={
            "served/web.py": """
from pathlib import Path
from starlette.applications import Starlette
from starlette.responses import FileResponse
from starlette.routing import Route
FILE = Path(__file__).parent / "file.bin"
async def file(request): return FileResponse(FILE, filename="caf\\u00e9.bin")
app = Starlette(routes=[Route("/", file)])
""",
            "served/file.bin": bytes(range(256)) * 1000,
        },
        asks=(
            get("/"),
            get("/", range="bytes=10-19"),
            get("/", range="bytes=-5"),
            get("/", range="bytes=0-1,5-6"),
            get("/", range="bytes=999999-"),
            head("/"),
        ),
        needs=("starlette",),
        masks=(r"boundary=\w+", r"--[0-9a-f]{20,}"),
    ),
    Case(
        "starlette: redirects, urls and sessions below the root path",
        """
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Mount, Route
async def index(request):
    request.session["count"] = request.session.get("count", 0) + 1
    urls = [str(request.url), str(request.base_url), str(request.url_for("index")), request.url.path]
    return JSONResponse([request.session["count"], *urls])
async def item(request): return RedirectResponse(request.url_for("index"))
inner = Mount("/inner", routes=[Route("/{number:int}/", item, name="item")])
app = Starlette(routes=[Route("/", index, name="index"), inner], middleware=[Middleware(SessionMiddleware, secret_key="x", path="/served")])
""",
        (get("/"), get("/"), get("/inner/3/"), get("/inner/3"), get("/none")),
        needs=("starlette", "itsdangerous"),
    ),
)

CASES = (
    *ENDS,
    *FRAMED,
)
