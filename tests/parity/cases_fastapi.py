"""FastAPI: what its users take for granted."""

from parity.table import Ask, Case, Talk, Until, get, post_files, post_form, post_json

NEEDS = ("fastapi",)

CASES = (
    Case(
        "fastapi: a JSON body is checked, and the error says where it is wrong",
        """
from fastapi import FastAPI
from pydantic import BaseModel, Field
class Item(BaseModel):
    name: str
    price: float = Field(gt=0)
app = FastAPI()
@app.post("/items", status_code=201)
def add(item: Item) -> Item: return item
""",
        (
            post_json("/items", '{"name": "a", "price": 2}'),
            post_json("/items", '{"name": 3}'),
            post_json("/items", "{"),
        ),
        needs=NEEDS,
    ),
    Case(
        "fastapi: its OpenAPI and documentation know the root path",
        """
from fastapi import FastAPI, Request
app = FastAPI(title="shop")
@app.get("/items/{number}")
async def item(number: int, request: Request):
    return {"url": str(request.url_for("item", number=number)), "root": request.scope["root_path"], "path": request.url.path}
""",
        (get("/openapi.json"), get("/docs"), get("/items/3"), get("/items/x"), get("/none")),
        needs=NEEDS,
    ),
    Case(
        "fastapi: forms and uploads",
        """
from fastapi import FastAPI, Form, UploadFile
app = FastAPI()
@app.post("/form")
async def form(name: str = Form(), tags: list[str] = Form()): return [name, tags]
@app.post("/files")
async def files(title: str = Form(), docs: list[UploadFile] = None):
    return [title, *[(one.filename, one.content_type, len(await one.read())) for one in docs]]
""",
        (
            post_form("/form", "name=a%20b&tags=1&tags=2"),
            post_form("/form", "name=a"),
            post_files("/files", ("docs", "a.txt", "abc"), ("docs", "b.txt", "x" * 2_000_000), title="two"),
        ),
        needs=(*NEEDS, "python-multipart"),
    ),
    Case(
        "fastapi: background tasks run to their end, also those of the last request",
        """
import asyncio, time
from fastapi import BackgroundTasks, FastAPI
app = FastAPI()
def note(text):
    with open("notes.txt", "a") as file: file.write(text + "\\n")
async def work(seconds):
    note("begun")
    try:
        await asyncio.sleep(seconds); note("done")
    except BaseException as error:
        note(repr(error)); raise
def work_in_thread(seconds):
    note("thread begun"); time.sleep(seconds); note("thread done")
@app.get("/tasks")
async def tasks(tasks: BackgroundTasks):
    tasks.add_task(work, 1); tasks.add_task(work_in_thread, 0.2)
    return "accepted"
""",
        (get("/tasks"),),
        needs=NEEDS,
    ),
    Case(
        "fastapi: an exception in a background task is logged, its answer is out",
        """
from fastapi import BackgroundTasks, FastAPI
app = FastAPI()
def fail(): raise LookupError("nobody to write to")
@app.get("/")
async def index(tasks: BackgroundTasks):
    tasks.add_task(fail)
    return "accepted"
""",
        (get("/"), get("/")),
        lines=("LookupError: nobody to write to",),
        needs=NEEDS,
    ),
    Case(
        "fastapi: dependencies with yield end after the answer, also where it fails",
        """
from fastapi import Depends, FastAPI, HTTPException
app = FastAPI()
def note(text):
    with open("notes.txt", "a") as file: file.write(text + "\\n")
async def session():
    note("open")
    try:
        yield "session"
    except HTTPException as error:
        note(f"rolled back: {error.detail}"); raise
    finally:
        note("closed"); CLOSED.append(1)
CLOSED = []
def plain(outer=Depends(session)):
    yield outer + "!"
    note("plain closed")
@app.get("/ok")
def ok(one=Depends(plain)): return one
@app.get("/fails")
async def fails(one=Depends(plain)): raise HTTPException(409, "taken", headers={"X-Why": "a"})
@app.get("/ended")
def ended(): return f"{len(CLOSED)} closed"
""",
        (get("/ok"), Until("/ended", "1 closed"), get("/fails")),
        needs=NEEDS,
    ),
    Case(
        "fastapi: the lifespan's state reaches requests and its end runs",
        """
import asyncio
from contextlib import asynccontextmanager
from fastapi import FastAPI, Request
def note(text):
    with open("notes.txt", "a") as file: file.write(text + "\\n")
@asynccontextmanager
async def lifespan(app):
    note("up")
    yield {"pool": ["one"], "name": "shop"}
    note("shutdown begins")
    await asyncio.sleep(0.5)
    note("shutdown done")
app = FastAPI(lifespan=lifespan)
@app.get("/")
async def index(request: Request):
    request.state.pool.append("more")
    request.state.name += "!"
    return [request.state.pool, request.state.name]
""",
        (get("/"), get("/")),
        needs=NEEDS,
    ),
    Case(
        "fastapi: a shutdown takes as long as it needs",
        """
import asyncio
from contextlib import asynccontextmanager
from fastapi import FastAPI
@asynccontextmanager
async def lifespan(app):
    yield
    await asyncio.sleep(2)
    open("flushed.txt", "w").close()
app = FastAPI(lifespan=lifespan)
@app.get("/")
def index(): return "ok"
""",
        (get("/"),),
        needs=NEEDS,
    ),
    Case(
        "fastapi: a shutdown that raises is told",
        """
from contextlib import asynccontextmanager
from fastapi import FastAPI
@asynccontextmanager
async def lifespan(app):
    yield
    raise RuntimeError("cannot flush")
app = FastAPI(lifespan=lifespan)
@app.get("/")
def index(): return "ok"
""",
        (get("/"),),
        lines=("cannot flush",),
        needs=NEEDS,
    ),
    Case(
        "fastapi: a startup that raises keeps it from starting",
        """
from contextlib import asynccontextmanager
from fastapi import FastAPI
@asynccontextmanager
async def lifespan(app):
    raise RuntimeError("no database")
    yield
app = FastAPI(lifespan=lifespan)
""",
        (get("/"),),
        needs=NEEDS,
    ),
    Case(
        "fastapi: WebSockets with path and query parameters, dependencies and a policy",
        """
from fastapi import Depends, FastAPI, WebSocket, WebSocketDisconnect, WebSocketException
app = FastAPI()
async def token(websocket: WebSocket, token: str = ""):
    if token != "ok": raise WebSocketException(1008, "no token")
    return token
@app.websocket("/rooms/{room}")
async def room(websocket: WebSocket, room: int, token=Depends(token)):
    await websocket.accept()
    try:
        while True:
            said = await websocket.receive_json()
            await websocket.send_json({"room": room, "said": said, "url": str(websocket.url)})
    except WebSocketDisconnect as gone:
        with open("gone.txt", "a") as file: file.write(f"{gone.code} {gone.reason}\\n")
""",
        (
            Talk("/rooms/3?token=ok", ('{"a": 1}', "[2]"), code=4000, reason="enough"),
            Talk("/rooms/3"),
            Talk("/rooms/x?token=ok"),
            Talk("/none"),
        ),
        needs=NEEDS,
    ),
    Case(
        "fastapi: middleware, exception handlers and CORS",
        """
from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origins=["https://a.test"], allow_methods=["PUT"])
class Taken(Exception): pass
@app.exception_handler(Taken)
async def taken(request: Request, error: Taken): return JSONResponse({"taken": str(error)}, 409)
@app.middleware("http")
async def stamp(request, call_next):
    response = await call_next(request)
    response.headers["X-Stamp"] = request.url.path
    return response
@app.get("/taken")
def fails(): raise Taken("umbrella")
@app.put("/")
def put(): return "ok"
""",
        (
            get("/taken"),
            Ask("OPTIONS", "/", (("Origin", "https://a.test"), ("Access-Control-Request-Method", "PUT"))),
            Ask("PUT", "/", (("Origin", "https://a.test"),)),
            Ask("DELETE", "/"),
        ),
        needs=NEEDS,
    ),
    Case(
        "fastapi: routers, mounted applications and static files",
        files={
            "served/web.py": """
from pathlib import Path
from fastapi import APIRouter, FastAPI, Request
from fastapi.staticfiles import StaticFiles
router = APIRouter(prefix="/orders", tags=["orders"])
@router.get("/{number}", name="order")
def order(number: int, request: Request): return str(request.url_for("static", path="a.txt"))
app, inner = FastAPI(), FastAPI()
@inner.get("/")
def index(request: Request): return [request.scope["root_path"], request.scope["path"]]
app.include_router(router)
app.mount("/inner", inner)
app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
""",
            "served/static/a.txt": "a static file",
        },
        asks=(
            get("/orders/1"),
            get("/inner/"),
            get("/inner"),
            get("/inner/openapi.json"),
            get("/static/a.txt"),
            get("/static/b"),
        ),
        needs=NEEDS,
    ),
)
