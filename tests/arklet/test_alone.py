"""The agent without Kubernetes: what `arkwright module` does with a base of its own process."""

import asyncio
import http.client
import json
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def alone(worker_number, tmp_path):
    """A bare base, and the commands on it."""
    running = Alone(f"127.7.{worker_number}.12", tmp_path)
    running.until(lambda: running("list").returncode == 0)
    yield running
    running.process.terminate()
    running.process.wait(20)


class Alone:
    def __init__(self, host, directory):
        self.host, self.directory = host, directory
        command = [sys.executable, "-m", "arkwright", "base", "--host", host]
        self.process = subprocess.Popen(command, cwd=directory)

    def __call__(self, *words, **more):
        command = [sys.executable, "-m", "arkwright", "module", *words]
        environment = {"ARKWRIGHT_AGENT": f"{self.host}:1238", "PATH": "/usr/bin:/bin"}
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, **more)

    def listed(self):
        return {one["version"]: one["state"] for one in json.loads(self("list", "-o", "json").stdout)}

    def get(self, path):
        with urllib.request.urlopen(f"http://{self.host}:8080{path}", timeout=5) as response:
            return response.read().decode()

    @staticmethod
    def until(condition, seconds=20):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not come about"
            time.sleep(0.1)


@pytest.fixture
def source(tmp_path):
    return Path(shutil.copytree(EXAMPLES / "provider", tmp_path / "source"))


def test_deploy_builds_and_installs_and_the_next_one_replaces_it(alone, source):
    first = alone("deploy", str(source))
    assert first.returncode == 0 and "provider:1.0.2 serves on /provider/ after" in first.stderr
    assert alone.get("/provider/") == "1.0.2"
    second = alone("deploy", str(source))
    assert "provider:1.0.2+deploy.1 serves" in second.stderr and "1.0.2 is gone" in second.stderr
    assert alone.listed() == {"1.0.2+deploy.1": "activated"}
    assert alone.get("/provider/") == "1.0.2+deploy.1"


def test_what_does_not_start_leaves_the_old_version_serving(alone, source):
    alone("deploy", str(source))
    (source / "provider" / "web.py").write_text("raise RuntimeError('this module never starts')")
    failed = alone("deploy", str(source))
    assert failed.returncode == 1 and "error: RuntimeError: this module never starts" in failed.stderr
    assert alone.listed() == {"1.0.2": "activated"} and alone.get("/provider/") == "1.0.2"


def test_a_base_that_ends_answers_every_connection_once_more(alone):
    """A request may be on its way on any of them, and one that has never sent any surely has something to ask."""
    used, new = (http.client.HTTPConnection(alone.host, 8080, timeout=5) for _ in range(2))
    used.request("GET", "/")
    assert used.getresponse().read()
    new.connect()
    alone.process.terminate()
    time.sleep(0.3)
    for one in (used, new):
        one.request("GET", "/")
        answer = one.getresponse()
        assert (answer.status, answer.headers["Connection"]) == (200, "close")
    began = time.monotonic()
    assert alone.process.wait(10) == -signal.SIGTERM
    assert time.monotonic() - began < 5, "nothing is waited for once everybody has been answered"


@pytest.fixture
def watching(alone, source):
    """`module deploy --watch`, which has begun to watch; what it says is on its stderr."""
    command = [sys.executable, "-m", "arkwright", "module", "deploy", "--watch", str(source)]
    with subprocess.Popen(
        [*command, "--agent", f"{alone.host}:1238"],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # who runs tests in the background ignores it
    ) as started:
        try:
            assert started.stderr.readline().startswith("watching")
            yield started
        finally:
            started.terminate()


def save(source, answer):
    web = source / "provider" / "web.py"
    web.write_text(web.read_text().replace("PlainTextResponse(VERSION)", f"PlainTextResponse({answer!r})"))


def test_watch_reinstalls_on_save_without_a_gap(alone, source, watching):
    alone.until(lambda: alone.listed() == {"1.0.2": "activated"})
    save(source, "saved")
    statuses = set()

    def is_saved():
        try:
            return alone.get("/provider/") == "saved"
        except urllib.error.HTTPError as error:
            statuses.add(error.code)

    alone.until(is_saved)
    assert not statuses
    watching.send_signal(signal.SIGINT)
    assert "stopped; the module stays installed" in watching.communicate(timeout=10)[1]


def test_what_is_saved_while_the_first_one_starts_is_not_missed(alone, source, gate, request):
    values = source / "provider" / "__init__.py"
    values.write_text(gate.code + values.read_text())
    request.getfixturevalue("watching")
    alone.until(alone.listed)  # it is built, and being installed
    save(source, "saved meanwhile")
    gate.open()
    alone.until(lambda: "activated" in alone.listed().values() and alone.get("/provider/") == "saved meanwhile")


def test_list_shows_how_a_module_is_doing(alone, source):
    alone("deploy", str(source))
    alone.get("/provider/")
    (row,) = json.loads(alone("list", "-o", "json").stdout)
    assert (row["isolation"], row["requests"], row["failed"], row["inFlight"]) == ("process", 1, 0, 0)
    assert "P99 MS" in alone("list", "-o", "wide").stdout
    assert "P99 MS" not in alone("list").stdout


def test_a_source_that_is_no_module_is_told_what_is_missing(alone, tmp_path):
    (tmp_path / "empty").mkdir()
    failed = alone("deploy", str(tmp_path / "empty"))
    assert failed.returncode == 1 and "has no pyproject.toml" in failed.stderr
    assert "name the directory that holds the module's source" in failed.stderr


def test_a_signed_archive_is_loaded_by_a_base_that_trusts_the_key(tmp_path, source, worker_number):
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", tmp_path / "key.pem"], check=True)
    public = ["openssl", "pkey", "-in", tmp_path / "key.pem", "-pubout", "-out", tmp_path / "trusted.pem"]
    subprocess.run(public, check=True)
    (tmp_path / "base.toml").write_text('[archives]\ntrusted-keys = ["trusted.pem"]\n')
    host = f"127.7.{worker_number}.13"
    command = [sys.executable, "-m", "arkwright", "base", "--host", host, "--config", "base.toml"]
    base = subprocess.Popen(command, cwd=tmp_path)
    try:
        run = [sys.executable, "-m", "arkwright", "module"]
        built = subprocess.run([*run, "build", source, "--out", tmp_path], capture_output=True, text=True, check=True)
        install = [*run, "install", built.stdout.strip(), "--agent", f"{host}:1238"]
        Alone.until(
            lambda: "reached" not in (said := subprocess.run(install, capture_output=True, text=True).stderr) and said
        )
        assert subprocess.run(install, capture_output=True).returncode == 1
        subprocess.run([*run, "sign", built.stdout.strip(), "--key", tmp_path / "key.pem"], check=True)
        assert subprocess.run(install, capture_output=True).returncode == 0
    finally:
        base.terminate()
        base.wait(20)


@pytest.mark.parametrize(
    "text, words",
    [
        ("[agent]\nprot = 1", "Object contains unknown field `prot` - at `$.agent`"),
        ("[modules.provider]\nisolation = 'none'", "modules.provider: Invalid enum value 'none' - at `$.isolation`"),
        ("[archives]\ntrusted-keys = ['nowhere.pem']", "nowhere.pem is no public key"),
        ("agent = ", "Invalid value"),
        ("[agent]\ntoken-file = 'nowhere'", "nowhere"),
    ],
)
def test_settings_that_cannot_be_used_are_named(tmp_path, text, words):
    (tmp_path / "base.toml").write_text(text)
    command = [sys.executable, "-m", "arkwright", "base", "--config", "base.toml"]
    failed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=20)
    assert failed.returncode == 1 and words in failed.stderr


async def test_a_base_that_is_told_to_end_while_it_waits_for_its_baseline_ends(tmp_path, worker_number):
    host = f"127.7.{worker_number}.14"
    command = [sys.executable, "-m", "arkwright", "base", "--host", host, "--baseline-url", f"http://{host}:9"]
    base = await asyncio.create_subprocess_exec(*command, cwd=tmp_path, stderr=asyncio.subprocess.PIPE)
    while b"not ready, asked again" not in await base.stderr.readline():
        pass
    base.terminate()
    await asyncio.wait_for(base.wait(), 10)
