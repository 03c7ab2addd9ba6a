"""`arkwright base`: what it says of its application."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from arklet.wheels import entry, write_wheel


@pytest.fixture
def run(tmp_path, worker_number):
    """run(*words) -> a process; what it says is on its stdout."""
    started = []

    def start(*words):
        command = [sys.executable, "-m", "arkwright", "base", "--host", f"127.7.{worker_number}.18", *words]
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        started.append(process)
        return process

    yield start
    for one in started:
        one.terminate()
        one.wait(30)
        one.stdout.close()


@pytest.mark.parametrize(
    ("code", "target", "said"),
    [
        ("", "nothing:app", "ModuleNotFoundError: No module named 'nothing'"),
        ("", "mine:wsgi", "AttributeError: module 'mine' has no attribute 'wsgi'"),
        ("app = 3", "mine:app", "mine:app is a int, not an ASGI or WSGI application"),
        ("raise OSError('no database')", "mine:app", "line 1, in <module>\n    raise OSError('no database')"),
        ("raise SystemExit(2)", "mine:app", "it exits while it is imported: SystemExit(2)"),
    ],
    ids=["no such module", "no such name", "no application", "its import fails", "its import exits"],
)
def test_an_application_that_cannot_be_served_is_named_with_the_cause(run, tmp_path, code, target, said):
    (tmp_path / "mine.py").write_text(code)
    done = run("--app", target)
    output = done.stdout.read()
    assert done.wait(60) == 1 and said in output
    assert f"--app '{target}' cannot be loaded" in output and "write package.module:attribute" in output


LIFESPAN = """
async def app(scope, receive, send):
    await receive()
    {startup}
    await send({{"type": "lifespan.startup.complete"}})
    await receive()
    raise OSError("the pool cannot be closed")
"""


def test_a_base_whose_startup_fails_shows_where_and_never_listens(run, tmp_path):
    (tmp_path / "mine.py").write_text(LIFESPAN.format(startup="raise OSError('no database')"))
    done = run("--app", "mine:app")
    output = done.stdout.read()
    assert done.wait(60) == 3 and "line 4, in app\n    raise OSError('no database')" in output
    assert "base on" not in output


def test_a_base_says_that_it_listens_once_it_does_and_how_its_end_went(run, tmp_path, worker_number):
    (tmp_path / "mine.py").write_text(LIFESPAN.format(startup="pass"))
    running = run("--app", "mine:app")
    first = running.stdout.readline()
    assert f"base on http://127.7.{worker_number}.18:8080, agent on port 1238" in first
    socket.create_connection((f"127.7.{worker_number}.18", 8080)).close()
    running.terminate()
    assert "the pool cannot be closed" in running.stdout.read()


MODULE = """
import logging
async def app(scope, receive, send):
    if scope["type"] == "lifespan": raise RuntimeError
    logging.getLogger("a.library").warning("out of stock")
    if scope["path"].endswith("fail"): raise RuntimeError("it fails")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})
"""


def until_it_answers(url, data=None, headers=None):
    end = time.monotonic() + 20
    while True:
        try:
            request = urllib.request.Request(url, data, headers or {})
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.read()
        except urllib.error.HTTPError as error:
            return error.read()
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.05)


@pytest.mark.parametrize("isolation", ["shared", "process"])
def test_json_lines_say_of_which_module_version_and_request_they_are(run, tmp_path, worker_number, isolation):
    host = f"127.7.{worker_number}.18"
    base = run("--log-format", "json")
    url = write_wheel(tmp_path, "stock", "1.0", {"stock.py": MODULE}, entry("stock", "stock:app", isolation)).as_uri()
    until_it_answers(f"http://{host}:1238/installBiz", json.dumps({"bizUrl": url}).encode())
    until_it_answers(f"http://{host}:8080/stock/", headers={"X-Request-ID": "abc"})
    until_it_answers(f"http://{host}:8080/stock/fail")
    base.terminate()
    lines = [json.loads(line) for line in base.stdout]
    told = [one for one in lines if one.get("module") == "stock"]
    assert {one["version"] for one in told} == {"1.0"}
    first, second = [one for one in told if one["logger"] == "a.library"]
    assert (first["message"], first["level"], first["request"]) == ("out of stock", "WARNING", "abc")
    (failed,) = [one for one in told if "exception" in one]
    assert failed["request"] == second["request"] != "abc"
    assert failed["exception"].startswith("Traceback") and failed["exception"].endswith("RuntimeError: it fails")
    assert {"installed stock:1.0", "uninstalled stock:1.0"} <= {one["message"][:19] for one in told} | {
        one["message"] for one in told
    }
