"""The example bases and modules: FastAPI, Django and Flask, a module that uses services and the database, another in Flask."""

import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from arklet.test_alone import Alone

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(params=["fastapi", "django", "flask"])
def example(request, worker_number, tmp_path):
    """A running base of that kind, as its file says that it is started."""
    host = f"127.7.{worker_number}.15"
    command = [sys.executable, "-m", "uvicorn", f"{request.param}_base:app", "--host", host, "--port", "8080"]
    process = subprocess.Popen(command, cwd=EXAMPLES / "bases", env=os.environ | {"POD_IP": host})
    running = Alone.__new__(Alone)
    running.host, running.process = host, process
    running.until(lambda: running("list").returncode == 0)
    yield running
    process.terminate()
    process.wait(20)


def post(example, path):
    request = urllib.request.Request(f"http://{example.host}:8080{path}", method="POST")
    with urllib.request.urlopen(request, timeout=5) as response:
        return json.loads(response.read())


def test_modules_use_the_bases_database_and_each_others_services(example, tmp_path):
    example.until(lambda: "base" in example.get("/"))
    for name in ("orders", "prices"):
        source = shutil.copytree(EXAMPLES / name, tmp_path / name)
        deployed = example("deploy", str(source))
        assert deployed.returncode == 0, deployed.stderr
    assert json.loads(example.get("/prices/umbrella")) == {"item": "umbrella", "cents": 2000}
    assert [post(example, "/orders/umbrella") for _ in range(2)] == [
        {"number": 1, "cents": 2000},
        {"number": 2, "cents": 2000},
    ]
    assert "Uninstall biz: prices:1.0.0 success." in example("uninstall", "prices:1.0.0").stderr
    with pytest.raises(urllib.error.HTTPError) as refused:
        post(example, "/orders/umbrella")
    assert refused.value.code == 503 and b"no service prices: nobody offers it" in refused.value.read()
