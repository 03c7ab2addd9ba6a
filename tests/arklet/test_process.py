"""Modules in processes of their own: how they start, what is heard of them, how they end, and what is left when somebody is killed."""

import asyncio
import contextlib
import logging
import os
import signal
import sys

import psutil
import pytest

from arklet.wheels import entry, write_wheel
from arkwright.arklet.process.warm import how_it_ended

APPLICATION = """
import asyncio, atexit, logging, os, signal, subprocess, sys, threading, time, traceback
{makes}
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive(); await startup(); await send({{"type": "lifespan.startup.complete"}})
        await receive(); await shutdown(); await send({{"type": "lifespan.shutdown.complete"}})
        return
    said = await answer(scope, receive, send)
    if said is not None:
        await send({{"type": "http.response.start", "status": 200, "headers": []}})
        await send({{"type": "http.response.body", "body": str(said).encode()}})
        await afterwards()
"""
PLAIN = {
    "startup": "async def startup(): pass",
    "shutdown": "async def shutdown(): pass",
    "answer": "async def answer(scope, receive, send): return 'here'",
    "afterwards": "async def afterwards(): pass",
}


@pytest.fixture
def install(base, tmp_path):
    """Install a module with this code; its answer."""

    async def installed(makes="", name="own", requires=(), extra=None):
        makes = "\n".join([*(code for word, code in PLAIN.items() if f"def {word}(" not in makes), makes])
        files = {f"{name}/__init__.py": "", f"{name}/web.py": APPLICATION.format(makes=makes), **(extra or {})}
        url = write_wheel(tmp_path, name, "1.0", files, entry(name, f"{name}.web:app"), requires).as_uri()
        return await base.command("installBiz", bizName=name, bizVersion="1.0", bizUrl=url)

    return installed


async def uninstall(base, name="own"):
    return (await base.command("uninstallBiz", bizName=name, bizVersion="1.0"))["data"]


async def process_of(base, name="own"):
    (found,) = [one for one in (await base.command("queryAllBiz"))["data"] if one["bizName"] == name]
    return psutil.Process(found["pid"])


async def until(is_so, seconds=5):
    async with asyncio.timeout(seconds):
        while not is_so():
            await asyncio.sleep(0.01)


def warm_process():
    (found,) = [one for one in psutil.Process().children() if "arkwright.arklet.runner.warm" in one.cmdline()]
    return found


# how it starts


async def test_its_code_is_imported_in_the_main_thread_outside_of_a_loop(base, install):
    where = "SEEN = (threading.current_thread() is threading.main_thread(), asyncio._get_running_loop(), __name__)"
    await install(f"{where}\nasync def answer(scope, receive, send): return SEEN")
    assert await base.get("/own/") == (200, "(True, None, 'own.web')")


async def test_an_archive_that_asks_for_private_gets_a_process_and_is_told_so(base, tmp_path, caplog):
    code = APPLICATION.format(makes="\n".join(PLAIN.values()))
    url = write_wheel(tmp_path, "own", "1.0", {"own.py": code}, entry("own", "own:app", "private")).as_uri()
    answer = await base.command("installBiz", bizUrl=url)
    assert "it asks for isolation private, which is no more: it has a process of its own" in answer["data"]["message"]
    assert [one for one in caplog.messages if "own:1.0: it asks for isolation private" in one]
    assert (await base.command("queryAllBiz"))["data"][0]["isolation"] == "process"


async def test_what_modules_require_is_there_from_the_start_the_next_time(base, install):
    code = "import starlette.applications\nasync def answer(scope, receive, send): return os.getppid()"
    await install(code, requires=("starlette",))
    warm, seen = warm_process(), "import sys\nEARLY = 'starlette.applications' in sys.modules\n"
    again = f"{seen}async def answer(scope, receive, send): return EARLY"
    for number in range(100):
        await install(again, name=f"next{number}", requires=("starlette",))
        if (await base.get(f"/next{number}/"))[1] == "True":
            break
        await asyncio.sleep(0.1)
    else:
        pytest.fail("it was never learnt")
    assert warm.num_threads() == 1


@pytest.fixture
def threaded(tmp_path, monkeypatch):
    """A distribution in the base's environment, before the base starts."""
    library = tmp_path / "library"
    (library / "threaded-1.0.dist-info").mkdir(parents=True)
    (library / "threaded-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: threaded\nVersion: 1.0\n"
    )
    (library / "threaded-1.0.dist-info" / "top_level.txt").write_text("threaded\n")
    (library / "threaded.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()"
    )
    monkeypatch.syspath_prepend(str(library))


async def test_what_starts_threads_when_it_is_imported_is_left_to_the_module(threaded, base, install, caplog):
    caplog.set_level(logging.INFO)
    assert (await install("import threaded", requires=("threaded",)))["code"] == "SUCCESS"
    await until(lambda: any("threads when they are imported: threaded" in one for one in caplog.messages), 20)
    assert warm_process().num_threads() == 1
    assert (await install("import threaded", name="again", requires=("threaded",)))["code"] == "SUCCESS"


async def test_its_own_version_of_a_package_wins_over_one_that_is_there_already(base, install):
    extra = {"typing_extensions.py": "VERSION = 'its own'", "msgspec_other.py": ""}
    code = "import typing_extensions\nasync def answer(scope, receive, send): return typing_extensions.VERSION"
    await install(code, extra=extra)
    assert await base.get("/own/") == (200, "its own")
    assert "arkwright.arklet.runner.fresh" in (await process_of(base)).cmdline(), "nothing of it could be forked"


# what is heard of it


async def test_printed_lines_come_at_once(base, install, caplog):
    caplog.set_level(logging.INFO)
    await install("async def answer(scope, receive, send): print('a line'); return 1")
    await base.get("/own/")
    await until(lambda: "a line" in caplog.messages, 1)
    (record,) = [one for one in caplog.records if one.message == "a line"]
    assert (record.levelname, record.name, record.arkwright_module) == ("INFO", "stdout", "own:1.0")


async def test_a_traceback_is_one_record(base, install, caplog):
    code = (
        "async def answer(scope, receive, send):\n    try: 1 / 0\n    except ArithmeticError:\n        try: int('x')\n"
    )
    code += "        except ValueError: traceback.print_exc()\n    print('afterwards'); return 1"
    await install(code)
    await base.get("/own/")
    await until(lambda: "afterwards" in caplog.messages)
    (record,) = [one for one in caplog.records if "Traceback" in one.message and one.name == "stdout"]
    assert record.levelname == "ERROR" and "During handling" in record.message
    assert "ZeroDivisionError" in record.message and record.message.endswith(
        "ValueError: invalid literal for int() with base 10: 'x'"
    )


async def test_log_records_keep_level_logger_and_exception(base, install, caplog):
    code = "async def answer(scope, receive, send):\n    try: 1 / 0\n    except ArithmeticError: logging.getLogger('a.b').exception('gone %s', 'wrong'); return 1"
    await install(code)
    await base.get("/own/")
    await until(lambda: [one for one in caplog.records if one.name == "a.b"])
    (record,) = [one for one in caplog.records if one.name == "a.b"]
    assert record.levelname == "ERROR" and record.message.startswith("gone wrong\nTraceback")


async def test_a_long_line_is_kept(base, install, caplog):
    caplog.set_level(logging.INFO)
    await install("async def answer(scope, receive, send): print('x' * 300_000); return 1")
    await base.get("/own/")
    await until(lambda: "x" * 300_000 in caplog.messages)


async def test_last_words_before_a_crash_are_heard(base, install, caplog):
    caplog.set_level(logging.INFO)
    await install("async def answer(scope, receive, send): print('last words'); os.kill(os.getpid(), signal.SIGSEGV)")
    assert (await base.get("/own/"))[0] == 502
    await until(lambda: "last words" in caplog.messages and any("SIGSEGV" in one for one in caplog.messages))
    (record,) = [one for one in caplog.records if "Fatal Python error: Segmentation fault" in one.message]
    assert record.levelname == "ERROR" and "own/web.py" in record.message, "and where it was"


async def test_a_module_sets_up_logging_as_if_alone(base, install, caplog):
    caplog.set_level(logging.INFO)
    root = list(logging.root.handlers)
    await install(
        "SEEN = logging.root.handlers[:]\nlogging.basicConfig(level='DEBUG', format='OWN %(message)s')\nlogging.debug('mine')"
    )
    await until(lambda: "OWN mine" in caplog.messages)
    assert logging.root.handlers == root


# how it ends

AFTERWARDS = "async def afterwards():\n    await asyncio.sleep(0.5); open({path!r}, 'a').write('task,')\n"
SHUTDOWN = "async def shutdown(): await asyncio.sleep(0.2); open({path!r}, 'a').write('shutdown,')\n"


async def test_requests_then_background_tasks_then_the_shutdown_then_exit_callbacks(base, install, tmp_path):
    path = str(tmp_path / "said")
    exits = f"atexit.register(lambda: open({path!r}, 'a').write('exit'))"
    await install(AFTERWARDS.format(path=path) + SHUTDOWN.format(path=path) + exits)
    assert await base.get("/own/") == (200, "here")
    assert await uninstall(base) == {"code": "SUCCESS", "message": "Uninstall biz: own:1.0 success."}
    assert (tmp_path / "said").read_text() == "task,shutdown,exit"


@pytest.mark.parametrize("modules", [{"own": {"shutdown-seconds": 0.2}}])
async def test_a_shutdown_that_takes_too_long_is_cut_off_and_named(base, install, modules):
    await install("async def shutdown(): await asyncio.sleep(60)")
    assert (await uninstall(base))["residue"] == ["its shutdown failed: no answer to lifespan.shutdown after 0.2 s"]


async def test_a_shutdown_that_fails_is_named(base, install):
    await install("async def shutdown(): raise RuntimeError('cannot flush')")
    assert (await uninstall(base))["residue"] == ["its shutdown failed: RuntimeError: cannot flush"]


async def test_a_process_that_does_not_end_is_made_to_and_that_is_named(base, install, monkeypatch):
    monkeypatch.setattr("arkwright.arklet.process.host.EXIT_SECONDS", 0.3)
    monkeypatch.setattr("arkwright.arklet.process.host.TERM_SECONDS", 0.3)
    await install(
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nthreading.Thread(target=time.sleep, args=(600,)).start()"
    )
    process = await process_of(base)
    assert (await uninstall(base))["residue"] == [
        "its process had not ended 0.3 s later and was sent SIGTERM",
        "its process had not ended 0.3 s later and was sent SIGKILL",
    ]
    assert not process.is_running()


async def test_an_exit_callback_that_hangs_ends_by_sigterm(base, install, monkeypatch):
    monkeypatch.setattr("arkwright.arklet.process.host.EXIT_SECONDS", 0.3)
    await install("atexit.register(time.sleep, 600)")
    assert (await uninstall(base))["residue"] == ["its process had not ended 0.3 s later and was sent SIGTERM"]


async def test_what_it_has_started_goes_with_it(base, install):
    await install(
        "CHILD = subprocess.Popen(['sleep', '600'])\nasync def answer(scope, receive, send): return CHILD.pid"
    )
    child = psutil.Process(int((await base.get("/own/"))[1]))
    await uninstall(base)
    await until(lambda: not child.is_running())


@pytest.mark.parametrize("modules", [{"own": {"timeout-seconds": 0.3}}])
async def test_a_time_limit_is_for_the_response_and_not_for_what_follows(base, install, tmp_path, modules):
    path = str(tmp_path / "said")
    await install(AFTERWARDS.format(path=path))
    assert await base.get("/own/") == (200, "here")
    await until(lambda: os.path.exists(path) and open(path).read() == "task,")


# when somebody is killed


async def test_the_process_that_starts_the_others_may_die(base, install):
    await install()
    before = warm_process()
    before.kill()
    await until(lambda: not before.is_running() or before.status() == psutil.STATUS_ZOMBIE)
    assert await base.get("/own/") == (200, "here"), "its children live on"
    assert (await install(name="other"))["code"] == "SUCCESS", "there is another"
    assert await base.get("/other/") == (200, "here")
    process = await process_of(base)
    assert "residue" not in await uninstall(base)
    await until(lambda: not process.is_running())


async def test_a_module_whose_process_keeps_dying_backs_off_and_says_so(base, install, caplog):
    await install(
        "async def startup():\n    if os.path.exists('/proc/self/cwd/never'): pass\nasync def answer(s, r, send): os._exit(3)"
    )
    for restarts in (1, 2):
        assert (await base.get("/own/"))[0] == 502
        async with asyncio.timeout(10):
            while (await base.command("queryAllBiz"))["data"][0]["restarts"] < restarts:
                await asyncio.sleep(0.02)
    said = [one for one in caplog.messages if "started again in" in one]
    assert said == [f"own:1.0: it ended with code 3; started again in {pause} s" for pause in ("0.1", "0.2")]


BASE = """
import asyncio, sys
from arkwright.arklet.server import serve_base
from arkwright.arklet.settings import AgentSettings, Settings
"""


async def test_a_base_that_is_killed_leaves_no_process_behind(tmp_path, worker_number):
    import aiohttp

    host = f"127.7.{worker_number}.31"
    command = (sys.executable, "-m", "arkwright", "base", "--host", host)
    base = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    code = APPLICATION.format(makes="\n".join(PLAIN.values()))
    url = write_wheel(tmp_path, "own", "1.0", {"own/__init__.py": "", "own/web.py": code}, entry("own", "own.web:app"))
    async with aiohttp.ClientSession() as session, asyncio.timeout(20):
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.post(f"http://{host}:1238/installBiz", json={"bizUrl": url.as_uri()}) as response:
                    assert (await response.json())["code"] == "SUCCESS"
                    break
            await asyncio.sleep(0.05)
    family = psutil.Process(base.pid).children(recursive=True)
    assert len(family) >= 2
    base.send_signal(signal.SIGKILL)
    await base.wait()
    await until(lambda: not any(one.is_running() for one in family), 10)


@pytest.mark.parametrize(
    "code, said", [(0, "it ended with code 0"), (-11, "it was ended by SIGSEGV"), (-99, "it was ended by signal 99")]
)
def test_an_end_is_told_in_words(code, said):
    assert how_it_ended(code) == said
