"""`arkwright base`: what it says of its application."""

import socket
import subprocess
import sys

import pytest


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
