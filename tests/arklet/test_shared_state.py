"""What a module changes that a process has but once is told, and put back; what its import sets is there for its requests."""

import asyncio
import atexit
import codecs
import copyreg
import decimal
import gc
import locale
import mimetypes
import os
import socket
import ssl
import sys
import threading
import warnings
from fractions import Fraction

import pytest

from arklet.sharing import TAIL, Served


@pytest.fixture
def served(base, tmp_path):
    return Served(base, tmp_path)


# what a module does -> (what the agent says that it has changed, how it reads)
CHANGES = {
    "os.environ['A_TEST'] = 'x'": ("os.environ['A_TEST']", lambda: os.environ.get("A_TEST")),
    "os.environ.pop('HOME')": ("os.environ['HOME']", lambda: os.environ.get("HOME")),
    "os.environ.update(HOME='x')": ("os.environ['HOME']", lambda: os.environ.get("HOME")),
    "os.chdir('/')": ("the working directory", os.getcwd),
    "locale.setlocale(locale.LC_ALL, 'C.UTF-8')": ("the locale", lambda: locale.setlocale(locale.LC_ALL)),
    "socket.setdefaulttimeout(7)": ("the time-out of sockets", socket.getdefaulttimeout),
    "sys.setrecursionlimit(3000)": ("the recursion limit", sys.getrecursionlimit),
    "gc.disable()": ("the collector", gc.isenabled),
    "gc.set_threshold(100000)": ("the collector's thresholds", gc.get_threshold),
    "sys.setswitchinterval(0.01)": ("the switch interval", sys.getswitchinterval),
    "ssl._create_default_https_context = ssl._create_unverified_context": (
        "ssl.create_default_https_context",
        lambda: ssl._create_default_https_context,
    ),
    "warnings.simplefilter('ignore')": ("warnings.filters", lambda: list(warnings.filters)),
    "mimetypes.add_type('a/test', '.atest')": ("the types of mimetypes", lambda: mimetypes.guess_type("x.atest")),
    "asyncio.set_event_loop_policy(asyncio.DefaultEventLoopPolicy())": (
        "asyncio.events.event_loop_policy",
        lambda: asyncio.events._event_loop_policy,
    ),
    "sys.excepthook = print": ("sys.excepthook", lambda: sys.excepthook),
    "sys.stdout = io.StringIO()": ("sys.stdout", lambda: sys.stdout),
    "sys.excepthook = lambda *_: None": ("sys.excepthook", lambda: sys.excepthook),
    "threading.excepthook = lambda *_: None": ("threading.excepthook", lambda: threading.excepthook),
    "decimal.DefaultContext.prec = 5": ("decimal.DefaultContext.prec", lambda: decimal.DefaultContext.prec),
    "logging.getLogger('shop').disabled = True": (
        "logger shop",
        lambda: __import__("logging").getLogger("shop").disabled,
    ),
}
IMPORTS = "import asyncio, decimal, gc, io, locale, logging, mimetypes, os, socket, ssl, sys, threading, warnings\n"


@pytest.mark.parametrize("deed", CHANGES)
async def test_what_it_changes_at_its_start_is_told_and_put_back(served, deed, caplog):
    where, read = CHANGES[deed]
    mimetypes.init()
    read()
    before = read()
    await served.install(f"{IMPORTS}{deed}\nSAYS = int" + TAIL)
    assert read() != before and where in await served.changed()
    assert f"served:1.0 has changed {where} in the base" in caplog.messages
    assert await served.uninstall() == [] and read() == before


@pytest.mark.parametrize("deed", ["os.environ['A_TEST'] = 'x'", "os.chdir('/')", "socket.setdefaulttimeout(7)"])
async def test_what_it_changes_in_a_request_too(served, deed):
    where, read = CHANGES[deed]
    before = read()
    await served.install(f"{IMPORTS}def SAYS():\n    {deed}\n" + TAIL)
    assert await served.changed() == []
    await served.says()
    assert read() != before and await served.changed() == [where]
    assert await served.uninstall() == [] and read() == before


@pytest.mark.parametrize("deed", CHANGES)
async def test_a_start_that_fails_changes_nothing(served, deed):
    _, read = CHANGES[deed]
    mimetypes.init()
    read()
    before = read()
    answer = await served.try_to_install(f"{IMPORTS}{deed}\n1 / 0")
    assert "ZeroDivisionError" in answer["message"] and read() == before


async def test_what_somebody_has_changed_since_is_left(served):
    await served.install("import os\nos.environ['A_TEST'] = 'x'\nSAYS = int" + TAIL)
    os.environ["A_TEST"] = "of the base"
    await served.uninstall()
    assert os.environ.pop("A_TEST") == "of the base"


async def test_codecs_and_reducers_go_with_it(served):
    search = "import codecs\ncodecs.register(lambda name: codecs.lookup('utf-8') if name == 'atest' else None)\n"
    reduce = "import copyreg, fractions\ncopyreg.pickle(fractions.Fraction, lambda one: (str, ('x',)))\nSAYS = int"
    await served.install(search + reduce + TAIL)
    assert codecs.lookup("atest") and Fraction in copyreg.dispatch_table
    assert await served.uninstall() == [] and Fraction not in copyreg.dispatch_table
    with pytest.raises(LookupError):
        codecs.lookup("atest")


# what its import sets -> what its requests read
AT_IMPORT = {
    "import sqlite3\ndb = sqlite3.connect(':memory:')\ndb.execute('create table t (a)')": (
        "db.execute('select count(*) from t').fetchone()",
        "(0,)",
    ),
    "import decimal\ndecimal.getcontext().prec = 5": ("decimal.Decimal(1) / 3", "0.33333"),
    "import contextvars\nvar = contextvars.ContextVar('var')\nvar.set('acme')": ("var.get('none')", "acme"),
    "import threading\nlocal = threading.local()\nlocal.x = 1": ("getattr(local, 'x', 'unset')", "1"),
    "import asyncio\nloop = asyncio.get_event_loop()": ("loop is asyncio.get_running_loop()", "True"),
}


@pytest.mark.parametrize("code", AT_IMPORT)
async def test_what_its_import_sets_is_there_in_its_requests(served, code):
    expression, expected = AT_IMPORT[code]
    await served.install(f"{code}\ndef SAYS(): return {expression}\n" + TAIL)
    assert [await served.says(), await served.says()] == [expected, expected]
    assert await served.uninstall() == []


async def test_what_its_import_sets_is_not_there_for_the_base(served):
    before = str(decimal.getcontext())
    await served.install(
        "import decimal\ndecimal.getcontext().prec = 5\ndef SAYS(): return decimal.Decimal(1) / 3\n" + TAIL
    )
    await served.says()
    assert str(decimal.getcontext()) == before and decimal.getcontext().prec == 28


async def test_the_base_answers_while_a_module_is_imported(served, gate):
    starting = asyncio.create_task(served.install(gate.code + "SAYS = int" + TAIL))
    assert await served.base.get("/") == (200, "base")
    gate.open()
    await starting


async def test_what_its_import_sets_in_a_librarys_thread_local_is_told(served, caplog):
    await served.install("from arklet import a_library\na_library.LOCAL.current = 1\nSAYS = int" + TAIL)
    assert "served:1.0 has set arklet.a_library.LOCAL in its import; its requests do not see that" in caplog.messages


async def test_what_a_library_does_when_it_is_first_imported_is_its_own(served, tmp_path, monkeypatch):
    """Its exit callback, variable and filter stay when the module goes that has imported it."""
    code = "import atexit, os, warnings\natexit.register(print)\nos.environ['A_TEST'] = 'x'\nwarnings.filterwarnings('ignore', 'a test')"
    (tmp_path / "first_imported.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    count = atexit._ncallbacks()
    await served.install("import first_imported\nSAYS = int" + TAIL)
    assert await served.changed() == [] and await served.uninstall() == []
    assert atexit._ncallbacks() == count + 1 and os.environ.pop("A_TEST") == "x"
    atexit.unregister(print)
    warnings.filters.remove(next(one for one in warnings.filters if one[1] and one[1].pattern == "a test"))


@pytest.mark.parametrize("deed", ["os.register_at_fork(before=int)", "sys.addaudithook(print)"])
async def test_what_can_never_be_taken_back_is_refused(served, deed):
    answer = await served.try_to_install(f"import os, sys\n{deed}")
    assert "ModuleRefused: served:1.0 must not" in answer["message"] and "for good" in answer["message"]
