"""What a module makes goes with it; what cannot go is named, in the answer and in health."""

import asyncio
import atexit
import contextlib
import gc
import json
import logging
import os
import socket
import sys
import threading
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from arklet.wheels import entry, write_wheel

APPLICATION = """
import asyncio, atexit, logging, socket, subprocess, threading, time, weakref
{makes}
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await startup()
        await send({{"type": "lifespan.startup.complete"}})
        await receive()
        await send({{"type": "lifespan.shutdown.complete"}})
        return
    await send({{"type": "http.response.start", "status": 200, "headers": []}})
    await send({{"type": "http.response.body", "body": b"here"}})
"""
NOTHING = "async def startup(): pass"
PRIVATE_AND_SHARED = pytest.mark.parametrize("mode", ["shared"])


@pytest.fixture
def leaver(base, tmp_path):
    """Install and uninstall a module with this code; the answer to the uninstall."""

    async def come_and_go(makes, mode="shared", meanwhile=None):
        makes = makes if "def startup" in makes else f"{makes}\n{NOTHING}"
        files = {"leaver/__init__.py": "", "leaver/web.py": APPLICATION.format(makes=makes)}
        url = write_wheel(tmp_path, "leaver", "1.0", files, entry("leaver", "leaver.web:app", mode)).as_uri()
        answer = await base.command("installBiz", bizName="leaver", bizVersion="1.0", bizUrl=url)
        assert answer["code"] == "SUCCESS", answer
        if meanwhile:
            await meanwhile()
        answer = await base.command("uninstallBiz", bizName="leaver", bizVersion="1.0")
        assert answer["code"] == "SUCCESS", answer
        assert not [name for name in sys.modules if name.startswith("module_leaver_")]
        return answer["data"]

    return come_and_go


async def residue(base):
    return (await base.command("health"))["data"]["healthData"]["residue"]


def names_of_threads():
    return {one.name for one in threading.enumerate()}


@PRIVATE_AND_SHARED
async def test_a_well_behaved_module_leaves_nothing(base, leaver, mode):
    data = await leaver("", mode)
    assert data == {"code": "SUCCESS", "message": "Uninstall biz: leaver:1.0 success."}
    assert await residue(base) == {}


@pytest.mark.parametrize(
    "target",
    ["lambda: threading.Event().wait(0.2)", "beat", "time.sleep, args=(0.2,)"],
    ids=["ends by itself", "endless, in Python", "without code of the module"],
)
async def test_threads_end_with_the_module(leaver, target):
    beat = "def beat():\n    while True: time.sleep(0.01)\n"
    data = await leaver(f"{beat}threading.Thread(target={target}, name='beating').start()")
    assert "residue" not in data
    assert "beating" not in names_of_threads()


async def test_a_thread_that_will_not_stop_is_named_until_it_does(base, leaver):
    release = threading.Event()
    sys.release_of_this_test = release
    data = await leaver(
        "import sys\ndef hang():\n    while True:\n        try: sys.release_of_this_test.wait()\n        except BaseException: pass\n"
        "        else: return\nthreading.Thread(target=hang, name='stubborn').start()"
    )
    assert "thread stubborn goes on" in data["residue"] and "thread stubborn goes on." in data["message"]
    assert "thread stubborn goes on" in (await residue(base))["leaver:1.0"]
    release.set()
    async with asyncio.timeout(5):
        while "stubborn" in names_of_threads():
            await asyncio.sleep(0.01)
    gc.collect()
    assert await residue(base) == {}
    del sys.release_of_this_test


async def test_tasks_of_the_module_are_cancelled(leaver):
    data = await leaver("async def startup():\n    asyncio.create_task(asyncio.sleep(600), name='endless')")
    assert "residue" not in data
    assert "endless" not in {task.get_name() for task in asyncio.all_tasks()}


async def test_a_task_that_will_not_be_cancelled_is_named(leaver):
    data = await leaver(
        "async def endless():\n    end = time.monotonic() + 4\n    while time.monotonic() < end:\n"
        "        try: await asyncio.sleep(0.1)\n        except asyncio.CancelledError: pass\n"
        "async def startup():\n    asyncio.create_task(endless(), name='stubborn')"
    )
    assert "task stubborn (endless) goes on" in data["residue"]


async def test_what_the_base_runs_of_it_is_named_and_left_alone(leaver):
    """A task and a thread of the base that are inside the module's code, and a task of the base that it waits for."""
    sys.of_this_test = handed = SimpleNamespace(release=threading.Event())
    handed.base_task = asyncio.create_task(asyncio.sleep(600))
    running = []

    async def meanwhile():
        async def in_a_task():
            await handed.wait()

        running.append(asyncio.create_task(in_a_task(), name="of the base"))
        running.append(threading.Thread(target=lambda: handed.block(), name="thread of the base", daemon=True))
        running[1].start()
        await asyncio.sleep(0.1)

    data = await leaver(
        "import sys\nhanded = sys.of_this_test\nasync def waits(): await asyncio.shield(handed.base_task)\n"
        "async def wait(): await asyncio.sleep(600)\n"
        "def block():\n    while not handed.release.is_set(): time.sleep(0.01)\n"
        "handed.wait, handed.block = wait, block\n"
        "async def startup(): asyncio.create_task(waits())",
        meanwhile=meanwhile,
    )
    named = [one for one in data["residue"] if "of the base" in one]
    assert "task of the base" in named[0] and named[0].endswith("of the base runs its code")
    assert "thread thread of the base goes on" in named
    assert not running[0].done() and running[1].is_alive() and not handed.base_task.done()
    handed.release.set()
    for task in (running[0], handed.base_task):
        task.cancel()
    del sys.of_this_test


@pytest.fixture
def place(base):
    """(host, port) that is free."""
    return urlsplit(base.web).hostname, base.agent_port + 500


async def test_servers_and_connections_of_the_module_are_closed(leaver, place):
    host, port = place
    serve = f"await asyncio.start_server(lambda r, w: None, '{host}', {port})"
    connect = f"await asyncio.open_connection('{host}', {port})"
    data = await leaver(f"async def startup():\n    {serve}\n    {connect}\n    global s; s = socket.socket()")
    assert "residue" not in data
    with socket.socket() as again:
        again.bind(place)


async def test_a_server_that_a_library_runs_for_the_module_is_closed(leaver, place):
    host, port = place
    serve = f"await web.TCPSite(runner, '{host}', {port}).start()"
    await leaver(
        "from aiohttp import web\nasync def startup():\n    runner = web.AppRunner(web.Application())\n"
        f"    await runner.setup()\n    {serve}"
    )
    with socket.socket() as again:
        again.bind(place)


async def test_clients_of_the_modules_servers_are_let_go(leaver, place):
    (host, port), clients = place, []

    async def meanwhile():
        clients.append(await asyncio.open_connection(host, port))
        clients[0][1].write(b"x")
        assert await clients[0][0].readline() == b"hello\n"

    answer = (
        "async def answer(reader, writer):\n    await reader.read(1); writer.write(b'hello\\n'); await reader.read()"
    )
    serve = f"async def startup(): await asyncio.start_server(answer, '{host}', {port})"
    data = await leaver(f"{answer}\n{serve}", meanwhile=meanwhile)
    assert "residue" not in data
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(clients[0][0].read(), 5) == b""
    clients[0][1].close()


MAKES = {
    "a datagram endpoint": "create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=('127.0.0.1', 0))",
    "a unix server": "create_unix_server(asyncio.Protocol, 'SOCKET')",
    "a server from a keyword": "create_server(protocol_factory=asyncio.Protocol, host='127.0.0.1', port=0)",
    "a pipe": "connect_read_pipe(asyncio.Protocol, open(os.pipe()[0], 'rb'))",
}


@pytest.mark.parametrize("made", MAKES)
async def test_what_it_makes_through_the_loop_is_closed(leaver, tmp_path, made):
    code = MAKES[made].replace("SOCKET", str(tmp_path / "socket"))
    await leaver("")  # so that what the base opens once is open
    before = os.listdir("/proc/self/fd")
    data = await leaver(f"import os\nasync def startup():\n    await asyncio.get_running_loop().{code}")
    assert "residue" not in data
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= len(before) + (made == "a pipe"), "its other end"


@pytest.mark.parametrize(
    "child", ["subprocess.Popen(['sleep', '600'])", "await asyncio.create_subprocess_exec('sleep', '600')"]
)
async def test_child_processes_of_the_module_are_ended(leaver, child):
    sys.kept_by_this_test = kept = []
    await leaver(f"import sys\nasync def startup():\n    sys.kept_by_this_test.append(({child}).pid)")
    with pytest.raises(ProcessLookupError):
        os.kill(kept[0], 0)
    del sys.kept_by_this_test


async def test_a_child_process_that_will_not_end_is_killed(leaver):
    sys.kept_by_this_test = kept = []
    hang = "'sh', '-c', 'trap : TERM; while :; do sleep 0.1; done'"
    await leaver(
        f"import sys\nasync def startup():\n    child = await asyncio.create_subprocess_exec({hang})\n"
        "    await asyncio.sleep(0.2)\n    sys.kept_by_this_test.append(child.pid)"
    )
    with pytest.raises(ProcessLookupError):
        os.kill(kept[0], 0)
    del sys.kept_by_this_test


async def test_log_handlers_and_loggers_of_the_module_go(leaver):
    before = list(logging.root.handlers)
    data = await leaver("logging.getLogger().addHandler(logging.NullHandler())\nlogging.getLogger(__name__).info('x')")
    assert logging.root.handlers == before and "residue" not in data
    assert not [name for name in logging.root.manager.loggerDict if name.startswith("module_leaver_")]


@pytest.mark.parametrize("version", ["1.0", "2.0"])
async def test_a_path_of_its_own_is_told_and_goes_with_what_came_from_it(base, tmp_path, version):
    before, loaded = list(sys.path), set(sys.modules)
    web = "import os, sys\nsys.path.insert(0, os.path.dirname(__file__) + '/vendor')\nimport vendored\n"
    web += "async def app(scope, receive, send):\n    assert scope['type'] == 'http'\n"
    web += "    await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
    web += "    await send({'type': 'http.response.body', 'body': vendored.VERSION})"
    files = {"wide/web.py": web, "wide/vendor/vendored.py": f"VERSION = b'{version}'"}
    url = write_wheel(tmp_path, "wide", version, files, entry("wide", "wide.web:app", "shared")).as_uri()
    assert (await base.command("installBiz", bizUrl=url))["code"] == "SUCCESS"
    (told,) = (await base.command("queryAllBiz"))["data"]
    assert told["patched"] == ["sys.path"] and await base.get("/wide/") == (200, version)
    answer = await base.command("uninstallBiz", bizName="wide", bizVersion=version)
    assert "residue" not in answer["data"] and sys.path == before
    assert not [name for name in set(sys.modules) - loaded if "vendored" in name or "wide" in name]


async def test_exit_callbacks_run_when_the_module_ends(leaver, caplog):
    count = atexit._ncallbacks()
    code = ("lambda: logging.warning('goodbye')", "lambda: 1 / 0", "sys.exit")
    data = await leaver("import sys\n" + "\n".join(f"atexit.register({one})" for one in code))
    assert "goodbye" in caplog.messages and atexit._ncallbacks() == count
    by_exit, by_error = data["residue"]
    assert "SystemExit" in by_exit and "ZeroDivisionError" in by_error


async def test_a_patch_of_the_base_is_told_and_undone(base, leaver):
    before = json.dumps, json.JSONEncoder.default

    async def meanwhile():
        (found,) = (await base.command("queryAllBiz"))["data"]
        assert sorted(found["patched"]) == ["json.dumps", "json.encoder.JSONEncoder.default"]
        assert json.dumps(1) == "patched"

    data = await leaver(
        "import json\njson.dumps = lambda *a: 'patched'\njson.JSONEncoder.default = lambda *a: None",
        meanwhile=meanwhile,
    )
    assert (json.dumps, json.JSONEncoder.default) == before and "residue" not in data


async def test_what_the_base_still_holds_is_named(base, leaver):
    sys.kept_by_this_test = SimpleNamespace(classes=[])
    data = await leaver("import sys\nclass Kept: pass\nsys.kept_by_this_test.classes.append(Kept)")
    assert data["residue"] == ["leaver.web.Kept is held by list"]
    assert await residue(base) == {"leaver:1.0": ["leaver.web.Kept is held by list"]}
    del sys.kept_by_this_test
    gc.collect()
    assert await residue(base) == {}


async def test_caches_of_the_standard_library_let_go_of_it(leaver):
    data = await leaver("import typing\nclass Cached: pass\nX = typing.Optional[Cached]\nY = typing.List[Cached]")
    assert "residue" not in data


async def test_a_start_that_fails_takes_back_what_it_made(base, tmp_path):
    code = "import threading, time\nthreading.Thread(target=lambda: time.sleep(0.2), name='early').start()\n1 / 0"
    url = write_wheel(tmp_path, "early", "1.0", {"early.py": code}, entry("early", "early:app", "shared")).as_uri()
    answer = await base.command("installBiz", bizUrl=url)
    assert "ZeroDivisionError" in answer["message"]
    assert "early" not in names_of_threads()
    assert not [name for name in sys.modules if name.startswith("module_early_")]


async def test_a_start_that_fails_puts_back_what_it_has_replaced(base, tmp_path):
    before = json.dumps
    code = "import json\njson.dumps = lambda *a: 'patched'\n1 / 0"
    url = write_wheel(
        tmp_path, "patching", "1.0", {"patching.py": code}, entry("patching", "patching:app", "shared")
    ).as_uri()
    assert "ZeroDivisionError" in (await base.command("installBiz", bizUrl=url))["message"]
    assert json.dumps is before


async def test_an_import_that_hangs_is_given_up_and_its_thread_named(base, tmp_path, gate, monkeypatch, caplog):
    monkeypatch.setattr("arkwright.arklet.shared.host.IMPORT_SECONDS", 0.3)
    url = write_wheel(
        tmp_path, "hanging", "1.0", {"hanging.py": gate.code}, entry("hanging", "hanging:app", "shared")
    ).as_uri()
    answer = await base.command("installBiz", bizUrl=url)
    assert "its import has not ended after 0.3 s" in answer["message"]
    assert await base.states() == {}
    assert any("left by hanging:1.0, which did not start: thread" in message for message in caplog.messages)
    gate.open()
