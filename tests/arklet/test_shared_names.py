"""A module in the base's process runs under the names that its author wrote, whichever version, and whoever looks."""

import json
import pickle
import sys

import pytest

from arklet.sharing import TAIL, Served

LOOK_UPS = {
    "the builtin __import__": "__import__('served.late').late.WHO",
    "a frozen library that uses it": "logging.config.BaseConfigurator({}).resolve('served.late.WHO')",
    "importlib.import_module": "importlib.import_module('served.late').WHO",
    "a relative one": "importlib.import_module('.late', __package__).WHO",
    "pkgutil.resolve_name": "pkgutil.resolve_name('served.late:WHO')",
    "Django's import_string": "import_string('served.late.WHO')",
    "sys.modules": "(__import__('served.late'), sys.modules['served.late'].WHO)[1]",
    "pickle": "pickle.loads(pickle.dumps(Kind())).who",
    "typing.get_type_hints": "typing.get_type_hints(Kind)['late'].who",
    "a dataclass with annotations in words": "[one.name for one in dataclasses.fields(Data)] == ['who'] and Data().who",
    "importlib.util.find_spec": "pathlib.Path(importlib.util.find_spec('served.late').origin).parent.parent.joinpath('who').read_text()",
    "importlib.util.find_spec of a package": "pathlib.Path(importlib.util.find_spec('second').origin).parent.parent.joinpath('who').read_text()",
    "importlib.resources": "importlib.resources.files('served').joinpath('data.txt').read_text()",
    "pkgutil.get_data": "pkgutil.get_data('served', 'data.txt').decode()",
    "importlib.metadata.version": "importlib.metadata.version('served')",
    "its entry points": "[one.load() for one in importlib.metadata.entry_points(group='of.a.test')][0]",
    "its metadata": "importlib.metadata.metadata('served')['Version']",
    "a pool's thread": "pool.submit(lambda: sys.modules['served.late'].WHO).result()",
    "a thread": "in_a_thread(lambda: importlib.metadata.version('served'))",
    "an import inside a function": "late()",
}
WEB = """
from __future__ import annotations
import concurrent.futures, dataclasses, importlib, importlib.metadata, importlib.resources, importlib.util, logging.config, pathlib
import pickle, pkgutil, sys, threading, typing
from django.utils.module_loading import import_string
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from served.values import WHO
class Kind:
    who: typing.ClassVar[str] = WHO
    late: Kind
@dataclasses.dataclass
class Data:
    who: str = WHO
    kind: typing.ClassVar[int] = 1
pool = concurrent.futures.ThreadPoolExecutor(1)
def late():
    from served import late
    import served.late as again
    assert again is late
    return late.WHO
def in_a_thread(call):
    found = []
    thread = threading.Thread(target=lambda: found.append(call()))
    thread.start(); thread.join()
    return found[0]
async def hello(request): return PlainTextResponse(str(eval((await request.body()).decode())))
app = Starlette(routes=[Route("/", hello, methods=["POST"])])
"""


@pytest.fixture
def served(base, tmp_path):
    return Served(base, tmp_path)


def files(version):
    return {"values": f"WHO = {version!r}", "late": f"WHO = {version!r}"}


@pytest.fixture
async def both(served, tmp_path, monkeypatch):
    """1.0 and 2.0 with a data file, a second package and an entry point; asks the one that is wanted."""
    from arklet import sharing as module

    for version in ("1.0", "2.0"):
        more = {"served/data.txt": version, "second/__init__.py": "", "who": version}

        def write(directory, name, version, contents, points, more=more):
            points += f"[of.a.test]\nwho = {name}.values:WHO\n"
            return WRITE(directory, name, version, {**contents, **more}, points)

        monkeypatch.setattr(module, "write_wheel", write)
        await served.install(WEB, version, **files(version))

    async def ask(code, version):
        await served.switch(version)
        async with served.base.session.post(served.base.web + "/served/", data=code) as response:
            return await response.text()

    return ask


WRITE = __import__("arklet.wheels").wheels.write_wheel


async def test_whatever_looks_by_name_finds_the_version_that_is_at_work(both):
    wrong = {}
    for how, code in LOOK_UPS.items():
        found = [await both(code, version) for version in ("1.0", "2.0", "1.0")]
        if found != ["1.0", "2.0", "1.0"]:
            wrong[how] = found
    assert not wrong


async def test_names_are_as_the_author_wrote_them(served):
    await served.install(
        "class Kind: pass\ndef call(): pass\nSAYS = lambda: (__name__, __package__, __spec__.name, Kind.__module__, call.__module__)"
        + TAIL
    )
    assert await served.says() == str(("served.web", "served", "served.web", "served.web", "served.web"))


SCHEMAS = """
from fastapi import FastAPI
from served import a, b
app = FastAPI()
@app.post("/a")
def pa(item: a.Item) -> a.Item: return item
@app.post("/b")
def pb(item: b.Item) -> b.Item: return item
"""
ITEMS = {one: f"from pydantic import BaseModel\nclass Item(BaseModel):\n    {one}: int" for one in "ab"}


async def test_schemas_have_the_same_names_at_each_install(served):
    for _ in range(2):
        await served.install(SCHEMAS, **ITEMS)
        schemas = json.loads(await served.says("/served/openapi.json"))["components"]["schemas"]
        assert {"served__a__Item", "served__b__Item"} <= set(schemas)
        assert await served.uninstall() == []


async def test_what_one_version_has_pickled_the_next_one_reads(served):
    kind = "import pickle, sys\nclass Kind:\n    pass\n"
    await served.install(kind + "SAYS = lambda: pickle.dumps(Kind()).hex()" + TAIL)
    written = await served.says()
    await served.uninstall()
    await served.install(kind + f"SAYS = lambda: type(pickle.loads(bytes.fromhex({written!r}))) is Kind" + TAIL, "2.0")
    assert await served.says() == "True"


async def test_the_base_reads_by_name_what_the_active_version_has(served):
    code = "import pickle\nclass Kind:\n    version = '{}'\nSAYS = lambda: pickle.dumps(Kind()).hex()" + TAIL
    for version in ("1.0", "2.0"):
        await served.install(code.format(version), version)
    for version in ("1.0", "2.0"):
        await served.switch(version)
        assert pickle.loads(bytes.fromhex(await served.says())).version == version


async def test_one_version_serves_while_another_one_starts(served, gate):
    await served.install("def SAYS():\n    from served import late\n    return late.WHO\n" + TAIL, late="WHO = 'old'")
    web = gate.code + "SAYS = lambda: 'new'\n" + TAIL
    import asyncio

    starting = asyncio.create_task(served.install(web, "2.0", late="WHO = 'new'"))
    assert await served.says() == "old"
    gate.open()
    await starting


async def test_a_name_that_the_base_has_stays_the_bases_and_the_modules_own_code_finds_its_own(served, caplog):
    import colorsys

    web = (
        "from {0} import WHO\nimport {0}, pickle, sys\nclass Kind: pass\nSAYS = lambda: (WHO, {0}.WHO, {0}.__name__ == '{0}')"
        + TAIL
    )
    url = WRITE(
        served._directory,
        "served",
        "1.0",
        {"served/web.py": web.format("colorsys"), "colorsys.py": "WHO = 'its own'"},
        "[arkwright.module.shared]\nserved = served.web:app\n",
    ).as_uri()
    assert (await served.base.command("installBiz", bizUrl=url))["code"] == "SUCCESS"
    assert await served.says() == "('its own', 'its own', False)"
    assert sys.modules["colorsys"] is colorsys and any("colorsys" in one for one in caplog.messages)


async def test_a_module_may_put_an_object_in_its_place(served):
    lazy = "import sys\nclass Lazy:\n    WHO = 'lazy'\nsys.modules[__name__] = Lazy()"
    await served.install(
        "from served import lazy\nimport served.lazy as again\nSAYS = lambda: (lazy.WHO, again.WHO)" + TAIL, lazy=lazy
    )
    assert await served.says() == "('lazy', 'lazy')"
    assert await served.uninstall() == []


async def test_its_names_go_with_it(served):
    await served.install("SAYS = int" + TAIL)
    assert "served.web" in sys.modules
    await served.uninstall()
    assert not [name for name in sys.modules if name.startswith(("served", "module_served"))]
    with pytest.raises(ModuleNotFoundError):
        __import__("served.web")


async def test_what_is_missing_is_said_as_python_says_it(served):
    answer = await served.try_to_install("import served.nothing" + TAIL)
    assert "ModuleNotFoundError: No module named 'served.nothing'" in answer["message"]
    answer = await served.try_to_install("from served import nothing" + TAIL)
    assert "ImportError: cannot import name 'nothing' from 'served'" in answer["message"]


MADE = """
import sys, types
made = types.ModuleType("served.made")
made.WHO = "{version}"
sys.modules["served.made"] = made
import served.made
def SAYS():
    import served.made
    return sys.modules["served.made"].WHO, served.web.made.WHO
"""


async def test_a_module_that_it_has_put_into_the_table_itself_is_its_own(served):
    for version in ("1.0", "2.0"):
        await served.install(MADE.format(version=version) + TAIL, version)
    for version in ("2.0", "1.0"):
        await served.switch(version)
        assert await served.says() == f"('{version}', '{version}')"
    for version in ("1.0", "2.0"):
        assert await served.uninstall(version) == []
    assert "served.made" not in sys.modules
