"""Two versions of a module change the same of the base: each goes by itself, and with the last of them what they changed."""

import asyncio
import gc
import json
import locale
import os
import sys
import threading
import warnings

import pytest
from opentelemetry import trace

from arklet.sharing import TAIL, Served

IMPORTS = "import asyncio, functools, gc, json, locale, logging, os, sys, threading, warnings\n"


@pytest.fixture
def served(base, tmp_path):
    return Served(base, tmp_path)


# what both versions do -> how it reads
BOTH_THE_SAME = {
    "os.environ['A_TEST'] = 'x'": lambda: os.environ.get("A_TEST"),
    "os.environ.setdefault('A_TEST', 'x')": lambda: os.environ.get("A_TEST"),
    "os.environ.pop('HOME', None)": lambda: os.environ.get("HOME"),
    "os.chdir('/')": os.getcwd,
    "locale.setlocale(locale.LC_ALL, 'C.UTF-8')": lambda: locale.setlocale(locale.LC_ALL),
    "sys.setrecursionlimit(3000)": sys.getrecursionlimit,
    "gc.disable()": gc.isenabled,
    "warnings.simplefilter('ignore')": lambda: list(warnings.filters),
    "logging.getLogger('shop').setLevel(7)": lambda: __import__("logging").getLogger("shop").level,
}
EACH_ITS_OWN = {
    "sys.excepthook = lambda *_: '{version}'": lambda: sys.excepthook(),
    "threading.excepthook = lambda *_: '{version}'": lambda: threading.excepthook(),
    "json.dumps = lambda *_: '{version}'": lambda: json.dumps(None),
    "os.environ['A_TEST'] = '{version}'": lambda: os.environ.get("A_TEST"),
}


@pytest.mark.parametrize("first", ["1.0", "2.0"])
@pytest.mark.parametrize("deed", BOTH_THE_SAME)
async def test_what_both_have_set_stays_until_both_are_gone(served, deed, first):
    read = BOTH_THE_SAME[deed]
    before = read()
    for version in ("1.0", "2.0"):
        await served.install(IMPORTS + deed + "\nSAYS = int" + TAIL, version)
    changed = read()
    last = {"1.0": "2.0", "2.0": "1.0"}[first]
    assert await served.uninstall(first) == [] and read() == changed != before
    assert await served.uninstall(last) == [] and read() == before


@pytest.mark.parametrize("deed", EACH_ITS_OWN)
async def test_the_last_that_has_set_it_is_seen_and_the_other_one_when_that_has_gone(served, deed):
    read = EACH_ITS_OWN[deed]
    for version in ("1.0", "2.0", "3.0"):
        await served.install(IMPORTS + deed.format(version=version) + "\nSAYS = int" + TAIL, version)
    assert read() == "3.0"
    assert await served.uninstall("2.0") == [] and read() == "3.0"
    assert await served.uninstall("3.0") == [] and read() == "1.0"
    assert await served.uninstall("1.0") == []
    assert "A_TEST" not in os.environ and json.dumps(None) == "null"


async def test_what_the_base_has_set_between_them_is_there_afterwards(served):
    await served.install(IMPORTS + "os.environ['A_TEST'] = '1.0'\nSAYS = int" + TAIL, "1.0")
    os.environ["A_TEST"] = "of the base"
    await served.install(IMPORTS + "os.environ['A_TEST'] = '2.0'\nSAYS = int" + TAIL, "2.0")
    for version in ("1.0", "2.0"):
        await served.uninstall(version)
    assert os.environ.pop("A_TEST") == "of the base"


async def test_what_a_version_sets_a_second_time_is_put_back_too(served):
    code = "os.environ['A_TEST'] = '1'\ndef SAYS(): os.environ['A_TEST'] = '2'\n"
    await served.install(IMPORTS + code + TAIL)
    await served.says()
    assert await served.changed() == ["os.environ['A_TEST']"]
    assert await served.uninstall() == [] and "A_TEST" not in os.environ


WRAPPED = """
before = json.dumps
@functools.wraps(before)
def dumps(*args, **more): return before(*args, **{**more, "sort_keys": True})
json.dumps = dumps
def SAYS(): return json.dumps({"b": 1, "a": 2})
"""


async def test_a_version_that_wraps_what_another_one_has_wrapped_wraps_the_bases_own_when_that_goes(served):
    for version in ("1.0", "2.0"):
        await served.install(IMPORTS + WRAPPED + TAIL, version)
    await served.switch("2.0")
    assert await served.uninstall("1.0") == []
    assert await served.says() == '{"a": 2, "b": 1}' == json.dumps({"b": 1, "a": 2})
    assert await served.uninstall("2.0") == [] and json.dumps({"b": 1, "a": 2}) == '{"b": 1, "a": 2}'


async def test_a_handler_of_the_event_loops_exceptions_is_told_and_put_back(served):
    loop, heard = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda _, context: heard.append(context["message"]))
    await served.install(IMPORTS + "def SAYS(): asyncio.get_running_loop().set_exception_handler(print)\n" + TAIL)
    await served.says()
    assert await served.changed() == ["the event loop's handler of exceptions"]
    assert await served.uninstall() == []
    loop.call_exception_handler({"message": "a flaw"})
    assert heard == ["a flaw"]
    loop.set_exception_handler(None)


PROVIDER = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
spans = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(spans))
trace.set_tracer_provider(provider)
def SAYS(): return trace.get_tracer_provider() is provider
"""


async def test_each_version_has_its_own_provider_of_opentelemetry_which_ends_with_it(served):
    before, threads = trace._TRACER_PROVIDER, threading.active_count()
    for version in ("1.0", "2.0"):
        await served.install(PROVIDER + TAIL, version)
        await served.switch(version)
        assert await served.says() == "True"
    assert await served.uninstall("1.0") == [] and await served.says() == "True"
    assert await served.uninstall("2.0") == []
    assert trace._TRACER_PROVIDER is before
    assert not [one for one in threading.enumerate() if one.name.startswith("Otel")], threads
