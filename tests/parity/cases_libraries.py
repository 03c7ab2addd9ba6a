"""Libraries that render, store, measure and connect."""

from parity.table import Case, get

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


RENDERING = (
    Case(
        "jinja2: templates of its package, inherited and with filters of its own",
        files={
            "served/web.py": """
from jinja2 import Environment, PackageLoader, select_autoescape
pages = Environment(loader=PackageLoader("served"), autoescape=select_autoescape(["html"]))
pages.filters["shout"] = lambda text: text.upper() + "!"
def SAYS(): return pages.get_template("page.html").render(name="<b>")
"""
            + SAYING,
            "served/templates/base.html": "<html>{% block body %}{% endblock %}</html>",
            "served/templates/page.html": '{% extends "base.html" %}{% block body %}{{ name|shout }}{% endblock %}',
        },
        asks=(get(),),
        needs=("jinja2", "starlette"),
    ),
    _library(
        "pillow: an image is drawn and read again",
        ("pillow",),
        """
import io
from PIL import Image, ImageDraw
def SAYS():
    image = Image.new("RGB", (20, 10), "white"); ImageDraw.Draw(image).rectangle((2, 2, 8, 8), fill="red")
    file = io.BytesIO(); image.save(file, "PNG")
    return [Image.open(io.BytesIO(file.getvalue())).size, image.getpixel((3, 3)), len(image.getcolors())]
""",
    ),
    _library(
        "numpy: what it computes, how it prints and what it warns of",
        ("numpy",),
        """
import numpy as np
np.set_printoptions(precision=2)
np.seterr(divide="ignore")
def SAYS():
    matrix = np.arange(6, dtype=float).reshape(2, 3)
    return [str(np.array([1 / 3])), float((matrix @ matrix.T).sum()), np.geterr()["divide"], np.random.default_rng(1).integers(9)
            .item(), str(np.array([1.0]) / 0)]
""",
    ),
)

DATA = (
    _library(
        "sqlalchemy: tables and sessions of its own",
        ("sqlalchemy",),
        """
from sqlalchemy import create_engine, select, func
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from sqlalchemy import ForeignKey
class Model(DeclarativeBase): pass
class Customer(Model):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    orders: Mapped[list["Order"]] = relationship(back_populates="customer")
class Order(Model):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    customer: Mapped["Customer"] = relationship(back_populates="orders")
engine = create_engine("sqlite:///orders.sqlite3")
Model.metadata.drop_all(engine); Model.metadata.create_all(engine)
def SAYS():
    with Session(engine) as session:
        session.add(Customer(orders=[Order(), Order()])); session.commit()
        return [session.scalar(select(func.count(Order.id))), repr(Order.__table__), len(session.get(Customer, 1).orders)]
""",
    ),
    Case(
        "sqlalchemy: async sessions, opened and closed by the lifespan",
        """
from contextlib import asynccontextmanager
from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
engine = create_async_engine("sqlite+aiosqlite://")
sessions = async_sessionmaker(engine)
@asynccontextmanager
async def lifespan(app):
    async with engine.begin() as db: await db.execute(text("create table t (a)"))
    yield
    await engine.dispose()
async def hello(request):
    async with sessions() as session, session.begin():
        await session.execute(text("insert into t values (1)"))
        return JSONResponse((await session.execute(text("select count(*) from t"))).scalar())
app = Starlette(routes=[Route("/", hello)], lifespan=lifespan)
""",
        (get(), get()),
        needs=("starlette", "sqlalchemy[asyncio]", "aiosqlite"),
    ),
    _library(
        "pydantic-settings: from the environment, a file and defaults",
        ("pydantic-settings",),
        """
import os
from pydantic_settings import BaseSettings, SettingsConfigDict
os.environ["SERVED_PORT"] = "5433"
with open("own.env", "w") as file: file.write("SERVED_HOST=db\\n")
class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SERVED_", env_file="own.env")
    host: str = "none"
    port: int = 5432
    name: str = "shop"
settings = Settings()
del os.environ["SERVED_PORT"]
def SAYS(): return settings.model_dump()
""",
    ),
    _library(
        "pydantic: generic models, forward references, validators and their schema",
        ("pydantic",),
        """
from __future__ import annotations
from typing import Annotated, Generic, Literal, TypeVar, Union
from pydantic import AfterValidator, BaseModel, Field, TypeAdapter, ValidationError, create_model
T = TypeVar("T")
class Cat(BaseModel): kind: Literal["cat"]; lives: int = 9
class Dog(BaseModel): kind: Literal["dog"]; tail: Tail
class Tail(BaseModel): cm: Annotated[int, AfterValidator(abs)]
class Page(BaseModel, Generic[T]): items: list[T]; next: Page[T] | None = None
Pet = Annotated[Union[Cat, Dog], Field(discriminator="kind")]
Made = create_model("Made", a=(int, 1))
def SAYS():
    page = Page[Pet].model_validate({"items": [{"kind": "dog", "tail": {"cm": -3}}], "next": {"items": []}})
    try: Cat(kind="cow")
    except ValidationError as error: wrong = str(error).splitlines()[:2]
    return [page.model_dump(), TypeAdapter(Pet).json_schema(), Page[Made].__name__, Made.__module__, wrong]
""",
    ),
)

WORKING = (
    _library(
        "celery: a worker in a thread does a task that is found by its name",
        ("celery",),
        """
from celery import Celery, signature
queue = Celery("served", broker="memory://", backend="cache+memory://", include=["served.tasks"])
queue.loader.import_default_modules()
queue.conf.task_always_eager = True
def SAYS(): return [signature("served.tasks.add", (1, 2), app=queue).type.name, queue.tasks["served.tasks.add"].delay(2, 3).get()]
""",
        files={"served/tasks.py": "from celery import shared_task\n@shared_task\ndef add(a, b): return a + b\n"},
    ),
    _library(
        "prometheus: figures of a registry of its own and of the process's",
        ("prometheus_client",),
        """
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, REGISTRY
own = CollectorRegistry()
HITS = Counter("own_hits", "Requests", ["path"], registry=own)
SECONDS = Histogram("served_seconds", "Seconds", buckets=(1, 2))
def SAYS():
    HITS.labels("/").inc(); SECONDS.observe(1.5)
    lines = [line for line in generate_latest(REGISTRY).decode().splitlines() if "served_seconds" in line and "created" not in line]
    return [[line for line in generate_latest(own).decode().splitlines() if "created" not in line], lines]
""",
    ),
    _library(
        "opentelemetry: spans of its own provider",
        ("opentelemetry-sdk",),
        """
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
spans = InMemorySpanExporter()
provider = TracerProvider(resource=Resource.create({"service.name": "served"}))
provider.add_span_processor(SimpleSpanProcessor(spans))
provider.add_span_processor(BatchSpanProcessor(spans))
trace.set_tracer_provider(provider)
tracer = trace.get_tracer(__name__)
def SAYS():
    spans.clear()
    with tracer.start_as_current_span("outer"):
        with tracer.start_as_current_span("inner"): pass
    first = [one for one in spans.get_finished_spans()][:2]
    return [[one.name for one in first], first[0].resource.attributes["service.name"], first[0].instrumentation_scope.name]
""",
    ),
    _library(
        "structlog: its own configuration, and the standard library's records through it",
        ("structlog",),
        """
import logging, structlog
structlog.configure(processors=[structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, structlog.processors.JSONRenderer(sort_keys=True)],
                    wrapper_class=structlog.make_filtering_bound_logger(logging.INFO), cache_logger_on_first_use=False)
log = structlog.get_logger("served.web")
def SAYS():
    structlog.contextvars.bind_contextvars(who="acme")
    log.info("sold", count=3); log.debug("not to be seen")
    return structlog.is_configured()
""",
        lines=('{"count": 3, "event": "sold", "level": "info", "who": "acme"}', "not to be seen"),
    ),
)

CLIENT = """
import asyncio, CLIENT
from contextlib import asynccontextmanager
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
async def answer(reader, writer):
    try:
        while await reader.readuntil(b"\\r\\n\\r\\n"):
            writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\nX-A: 1\\r\\n\\r\\nwell"); await writer.drain()
    except asyncio.IncompleteReadError: writer.close()
@asynccontextmanager
async def lifespan(app):
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    OPEN
        yield {"client": client, "url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"}
    server.close()
async def hello(request):
    SAY
app = Starlette(routes=[Route("/", hello)], lifespan=lifespan)
"""


def _client(library, opening, saying):
    code = CLIENT.replace("CLIENT", library).replace("OPEN", opening).replace("SAY", saying)
    return Case(
        f"{library}: a client that lives as long as the lifespan", code, (get(), get()), needs=("starlette", library)
    )


CLIENTS = (
    _client(
        "httpx",
        "async with httpx.AsyncClient(trust_env=False) as client:",
        "said = await request.state.client.get(request.state.url)\n    return JSONResponse([said.status_code, said.text, said.headers['x-a']])",
    ),
    _client(
        "aiohttp",
        "async with aiohttp.ClientSession() as client:",
        "async with request.state.client.get(request.state.url) as said:\n        return JSONResponse([said.status, await said.text(), said.headers['x-a']])",
    ),
    Case(
        "httpx: an application asks itself without a socket",
        """
import httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient
app = FastAPI()
@app.get("/inner")
async def inner(): return "inside"
@app.get("/")
async def index():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://x") as client:
        return (await client.get("/inner")).json()
""",
        (get(),),
        needs=("fastapi", "httpx"),
    ),
)

CASES = (
    *RENDERING,
    *DATA,
    *WORKING,
    *CLIENTS,
)
