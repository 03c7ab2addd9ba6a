"""Frameworks find what they look for in a module that runs in the base's process, and let it go."""

import asyncio
import json
import logging
import sys
from types import SimpleNamespace

import pytest
import structlog
from aiohttp import WSServerHandshakeError
from starlette.applications import Starlette

from arklet.sharing import TAIL, Served
from arklet.wheels import entry, write_wheel

FLASK = """
import sys
from flask import Flask, Response, render_template
app = Flask(__name__)
OPEN, CLOSED = [], []
@app.get("/")
def hello():
    app.logger.warning("said by flask")
    return render_template("hello.html", name=app.import_name)
@app.get("/stream")
def stream():
    def chunks():
        OPEN.append(1)
        try:
            while True: yield b"x" * 10_000
        finally: CLOSED.append(1)
    return Response(chunks())
@app.get("/counts")
def counts(): return f"{len(OPEN)} {len(CLOSED)}"
"""


@pytest.fixture
def served(base, tmp_path):
    return Served(base, tmp_path)


@pytest.fixture
async def flask(served, tmp_path):
    files = {
        "served/__init__.py": "",
        "served/web.py": FLASK,
        "served/templates/hello.html": "hello from {{ name }}",
        "served/static/a.txt": "static",
    }
    url = write_wheel(tmp_path, "served", "1.0", files, entry("served", "served.web:app", "shared")).as_uri()
    assert (await served.base.command("installBiz", bizUrl=url))["code"] == "SUCCESS"
    return served


async def test_flask_finds_its_templates_its_static_files_and_its_logger(flask, caplog):
    assert await flask.says() == "hello from served.web" and await flask.says("/served/static/a.txt") == "static"
    (record,) = (one for one in caplog.records if one.getMessage() == "said by flask")
    assert (record.name, record.arkwright_module) == ("served.web", "served:1.0")
    assert await flask.uninstall() == []


async def test_a_stream_whose_client_leaves_ends_and_leaves_no_thread(flask):
    for _ in range(3):
        async with flask.base.session.get(f"{flask.base.web}/served/stream") as response:
            await response.content.readexactly(10)
    async with asyncio.timeout(10):
        while await flask.says("/served/counts") != "3 3":
            await asyncio.sleep(0.02)
    assert await flask.uninstall() == []


PYDANTIC = """
from __future__ import annotations
import enum, typing
from pydantic import BaseModel, Field
from fastapi import FastAPI
from served.values import VERSION
T = typing.TypeVar("T")
class Colour(enum.Enum):
    RED = "red"
class Page(BaseModel, typing.Generic[T]):
    items: list[T]
    next: Page[T] | None = None
class Item(BaseModel):
    colour: Colour = Colour.RED
    version: typing.Literal["1.0", "2.0"] = Field(default=VERSION)
    later: Later | None = None
class Later(BaseModel):
    item: Item | None = None
app = FastAPI()
@app.get("/")
def pages() -> Page[Item]: return Page[Item](items=[Item(later=Later(item=Item()))], next=Page[Item](items=[]))
"""


async def test_models_of_two_versions_are_built_each_from_its_own_names(served):
    for version in ("1.0", "2.0"):
        await served.install(PYDANTIC, version, values=f"VERSION = {version!r}")
    for version in ("1.0", "2.0", "1.0"):
        await served.switch(version)
        (item,) = json.loads(await served.says())["items"]
        assert item["version"] == item["later"]["item"]["version"] == version and item["colour"] == "red"
    assert [await served.uninstall(version) for version in ("2.0", "1.0")] == [[], []]


async def test_jinja_finds_templates_of_the_package(served, tmp_path):
    web = "import jinja2\nfound = jinja2.Environment(loader=jinja2.PackageLoader('served', 'pages'))\n"
    web += "def SAYS(): return found.get_template('a.html').render()\n" + TAIL
    files = {"served/__init__.py": "", "served/web.py": web, "served/pages/a.html": "a page"}
    url = write_wheel(tmp_path, "served", "1.0", files, entry("served", "served.web:app", "shared")).as_uri()
    assert (await served.base.command("installBiz", bizUrl=url))["code"] == "SUCCESS"
    assert await served.says() == "a page" and await served.uninstall() == []


STRUCTLOG = """
import structlog
from opentelemetry import trace
log, tracer = structlog.get_logger(__name__), trace.get_tracer(__name__)
def drop(logger, name, event): raise structlog.DropEvent
structlog.configure(processors=[drop])
def SAYS():
    with tracer.start_as_current_span("a"): log.info("x")
"""


async def test_a_configuration_of_structlog_is_told_and_put_back(served):
    before = structlog.is_configured(), structlog.get_config()["processors"]
    await served.install(STRUCTLOG + TAIL)
    await served.says()
    assert await served.changed() == ["the configuration of structlog"]
    assert await served.uninstall() == []
    assert (structlog.is_configured(), structlog.get_config()["processors"]) == before


async def test_routes_that_it_adds_to_the_bases_application_are_named(served):
    sys.of_this_test = SimpleNamespace(app=Starlette())
    await served.install(
        "import sys\nasync def added(request): pass\nsys.of_this_test.app.add_route('/', added)\nSAYS = int" + TAIL
    )
    assert any(one.startswith("served.web.added is held by Route") for one in await served.uninstall())
    del sys.of_this_test


async def test_what_a_service_of_another_module_looks_up_is_the_other_modules(served):
    """Two modules that have a package of one name each find their own."""
    for name in ("one", "two"):
        files = {
            f"{name}/web.py": f"import plugins\nSAYS = lambda: (plugins.WHO, __import__('sys').modules['plugins'].WHO)\n{TAIL}",
            "plugins.py": f"WHO = {name!r}",
        }
        url = write_wheel(served._directory, name, "1.0", files, entry(name, f"{name}.web:app", "shared")).as_uri()
        assert (await served.base.command("installBiz", bizUrl=url))["code"] == "SUCCESS"
    assert [await served.says(f"/{name}/") for name in ("one", "two")] == ["('one', 'one')", "('two', 'two')"]
    assert await served.uninstall(name="one") == [] and await served.says("/two/") == "('two', 'two')"


async def test_settings_of_django_are_refused_before_they_are_there(served):
    answer = await served.try_to_install("from django.conf import settings\nsettings.configure(DEBUG=True)\n")
    assert "served:1.0 must not have settings of Django" in answer["message"]
    assert "isolation process lets it" in answer["message"]


FALCON = """
import falcon.asgi
class Item:
    async def on_get(self, request, response): response.media = 1
app = falcon.asgi.App()
app.add_route("/", Item())
"""


async def test_a_cache_that_leads_to_it_through_objects_of_a_library_is_emptied(served, monkeypatch):
    monkeypatch.setattr(
        logging.getLogger("falcon"), "disabled", True
    )  # a record that a test keeps has all of the module
    await served.install(FALCON)
    with pytest.raises(WSServerHandshakeError):
        await served.base.session.ws_connect(f"{served.base.web}/served/none")
    assert await served.uninstall() == []
