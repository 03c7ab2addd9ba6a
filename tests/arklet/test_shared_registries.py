"""What a module registers in a library goes with it, and two versions can register the same."""

import logging
import sys
from types import SimpleNamespace

import prometheus_client
import pytest
from celery import Celery
from sqlalchemy.orm import DeclarativeBase

from arklet import a_library
from arklet.sharing import TAIL, Served


@pytest.fixture
def served(base, tmp_path):
    class Model(DeclarativeBase):
        pass

    sys.of_this_test = SimpleNamespace(Model=Model, queue=Celery("base", broker="memory://"))
    yield Served(base, tmp_path)
    del sys.of_this_test


COUNTER = "from prometheus_client import Counter\nHITS = Counter('served_hits', 'Requests', ['version'])\nHITS.labels('{}').inc()\nSAYS = int"


def metrics():
    text = prometheus_client.generate_latest().decode().splitlines()
    return [line for line in text if line.startswith("served_hits_total")]


async def test_a_metric_goes_with_its_module_and_can_come_again(served):
    for version in ("1.0", "1.0", "2.0"):
        await served.install(COUNTER.format(version) + TAIL, version)
        assert metrics() == [f'served_hits_total{{version="{version}"}} 1.0']
        assert await served.uninstall(version) == [] and metrics() == []


async def test_the_later_version_of_a_metric_is_shown_while_both_are_there(served):
    for version in ("1.0", "2.0"):
        await served.install(COUNTER.format(version) + TAIL, version)
    assert metrics() == ['served_hits_total{version="2.0"} 1.0']
    assert await served.uninstall("2.0") == [] and metrics() == ['served_hits_total{version="1.0"} 1.0']
    assert await served.uninstall("1.0") == [] and metrics() == []


async def test_after_an_upgrade_the_new_version_has_the_metric_alone(served):
    for version in ("1.0", "2.0"):
        await served.install(COUNTER.format(version) + TAIL, version)
    assert await served.uninstall("1.0") == [] and metrics() == ['served_hits_total{version="2.0"} 1.0']
    assert await served.uninstall("2.0") == [] and metrics() == []


async def test_a_start_that_fails_leaves_no_metric_and_the_other_version_has_its_own_again(served):
    await served.install(COUNTER.format("1.0") + TAIL, "1.0")
    answer = await served.try_to_install(COUNTER.format("2.0") + "\nraise RuntimeError('a typo')", "2.0")
    assert "a typo" in answer["message"] and metrics() == ['served_hits_total{version="1.0"} 1.0']


TABLE = """
import sys
from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, mapped_column, relationship
class Order(sys.of_this_test.Model):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    note: Mapped[str]
    lines: Mapped[list["Line"]] = relationship("Line", back_populates="order")
class Line(sys.of_this_test.Model):
    __tablename__ = "lines"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    order: Mapped["Order"] = relationship("Order", back_populates="lines")
SAYS = lambda: str(select(Order.note).join(Order.lines)).replace(chr(10), "")
"""
JOINED = "SELECT orders.note FROM orders JOIN lines ON orders.id = lines.order_id"


async def test_tables_in_the_bases_metadata_come_go_and_come_again(served):
    metadata = sys.of_this_test.Model.metadata
    for version in ("1.0", "1.0", "2.0"):
        await served.install(TABLE + TAIL, version)
        assert await served.says() == JOINED and set(metadata.tables) == {"orders", "lines"}
        assert await served.uninstall(version) == [] and not metadata.tables


async def test_two_versions_have_their_tables_side_by_side(served):
    for version in ("1.0", "2.0"):
        await served.install(TABLE + TAIL, version)
    for version in ("1.0", "2.0", "1.0", "2.0"):
        await served.switch(version)
        assert await served.says() == JOINED
    assert await served.uninstall("1.0") == []
    assert await served.says() == JOINED and set(sys.of_this_test.Model.metadata.tables) == {"orders", "lines"}
    assert await served.uninstall("2.0") == [] and not sys.of_this_test.Model.metadata.tables


TASK = "import sys\n@sys.of_this_test.queue.task\ndef add(): return '{0}'\nSAYS = lambda: (add.name, add.apply().get())"


async def test_tasks_of_the_bases_queue_have_their_names_and_each_version_its_own(served):
    queue = sys.of_this_test.queue
    for version in ("1.0", "2.0"):
        await served.install(TASK.format(version) + TAIL, version)
        await served.switch(version)
        assert await served.says() == str(("served.web.add", version))
    assert await served.uninstall("1.0") == [] and queue.tasks["served.web.add"].apply().get() == "2.0"
    assert await served.uninstall("2.0") == [] and "served.web.add" not in queue.tasks


HELD = {
    "a dictionary by name": "a_library.REGISTRY['kind'] = Kind",
    "a dictionary by class": "a_library.REGISTRY[Kind] = 1",
    "a set": "a_library.KINDS.add(Kind)",
    "a list of functions": "a_library.HOOKS.append(call)",
    "a list of pairs": "a_library.HOOKS.append(('call', call))",
    "a list in a dictionary": "a_library.LISTENERS['all'].append(call)",
    "a wrapper of a library": "a_library.HOOKS.append(a_library.wrapped(call))",
    "a list of instances": "a_library.HOOKS.append(Kind())",
    "singledispatch by a class": "a_library.shown.register(Kind, str); a_library.shown(Kind())",
    "singledispatch by a function": "a_library.shown.register(complex)(call)",
    "a cache": "a_library.cached(Kind); a_library.cached(call); a_library.cached(Kind())",
    "abc": "import collections.abc; collections.abc.Sized.register(Kind); isinstance(Kind(), collections.abc.Sized)",
    "typing": "import typing; X = typing.Optional[Kind]; Y = dict[str, typing.Union[Kind, None]]",
    "a class attribute of the standard library": "import json; json.JSONEncoder.default = call",
    "a filter of the base's logger": "import logging; logging.getLogger('shop').addFilter(Kind())",
    "json's types of a context": "import decimal; decimal.getcontext().prec = 7",
    "a callback of the collector": "import gc; gc.callbacks.append(lambda *_: None)",
}


@pytest.mark.parametrize("what", HELD)
async def test_what_libraries_hold_of_a_module_is_let_go(served, what):
    logging.getLogger("shop")  # the base's
    code = "from arklet import a_library\nclass Kind:\n    def filter(self, record): return True\n"
    await served.install(f"{code}def call(*_): return 1\n{HELD[what]}\nSAYS = int" + TAIL)
    await served.says()
    assert await served.uninstall() == []
    assert a_library.kept() == ({}, set(), ["of the base"], {"all": ["of the base"]}, False, 0)


FASTAPI = """
from __future__ import annotations
from fastapi import BackgroundTasks, Depends, FastAPI
from pydantic import BaseModel, field_validator
class Item(BaseModel):
    name: str
    other: Other | None = None
    @field_validator("name")
    @classmethod
    def upper(cls, value): return value.upper()
class Other(BaseModel):
    n: int = 1
def number(): return 1
async def opened():
    yield 2
app = FastAPI()
BALLAST = bytearray(b"x" * 4_000_000)
def later(): pass
@app.get("/")
def hello(tasks: BackgroundTasks, a: int = Depends(number), b: int = Depends(opened)):
    tasks.add_task(later)
    return {"ok": len(BALLAST), "sum": a + b}
@app.post("/item")
async def post(item: Item) -> Item: return item
"""


async def test_a_fastapi_module_leaves_nothing_round_after_round(served):
    for _ in range(20):
        await served.install(FASTAPI)
        assert await served.says() == '{"ok":4000000,"sum":3}'
        async with served.base.session.post(f"{served.base.web}/served/item", json={"name": "a"}) as response:
            assert await response.json() == {"name": "A", "other": None}
        await served.says("/served/openapi.json")
        assert await served.uninstall() == []
    assert (await served.base.command("health"))["data"]["healthData"]["residue"] == {}
