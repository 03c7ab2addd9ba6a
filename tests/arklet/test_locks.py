"""With trusted keys nothing unsigned runs: what lies beside a signed module is named by hash in the archive, or is not installed."""

import asyncio
import base64
import hashlib
import itertools
import subprocess
import sys
import tarfile
import zipfile

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from arklet.conftest import is_answering, running_base
from arklet.wheels import write_wheel
from arkwright.arklet.archives.errors import PackageError
from arkwright.arklet.archives.locks import LOCK_FILE, read_lock
from arkwright.arklet.settings import AgentSettings, ArchiveSettings, Settings

_ports = itertools.count(26700, 2)
APP = """
import {helper}
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({{"type": message["type"] + ".complete"}})
            if message["type"] == "lifespan.shutdown":
                return
    await send({{"type": "http.response.start", "status": 200, "headers": []}})
    await send({{"type": "http.response.body", "body": {helper}.SAID.encode()}})
"""
PYPROJECT = """
[build-system]
requires = ["flit_core"]
build-backend = "flit_core.buildapi"
[project]
name = "needy"
version = "1.0"
description = "needs a helper"
requires-python = ">=3.11"
dependencies = [{requirement!r}]
[project.entry-points."arkwright.module"]
needy = "needy:app"
"""


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """Where pip finds packages, and nowhere else."""
    directory = tmp_path / "shelf"
    directory.mkdir()
    for name, value in (("PIP_FIND_LINKS", str(directory)), ("PIP_NO_INDEX", "1"), ("PIP_CONFIG_FILE", "/dev/null")):
        monkeypatch.setenv(name, value)
    put(directory, "SAID = 'the one that was meant'")
    return directory


def put(shelf, code):
    write_wheel(shelf, "helperx", "1.0", {"helperx.py": code})


@pytest.fixture
def key(tmp_path):
    made = Ed25519PrivateKey.generate()
    private = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pem").write_bytes(private)
    (tmp_path / "trusted.pem").write_bytes(public)
    return tmp_path / "key.pem"


def built(tmp_path, *options, requirement="helperx>=1"):
    source = tmp_path / "source"
    source.mkdir(exist_ok=True)
    (source / "pyproject.toml").write_text(PYPROJECT.format(requirement=requirement))
    (source / "needy.py").write_text('"""Needs a helper."""\n' + APP.format(helper="helperx"))
    command = [sys.executable, "-m", "arkwright", "module", "build", source, "--out", tmp_path / "dist", *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return tmp_path / "dist" / "needy-1.0-py3-none-any.whl"


def sign(wheel, key):
    subprocess.run([sys.executable, "-m", "arkwright", "module", "sign", wheel, "--key", key], check=True)


@pytest.fixture
async def trusting(worker_number, tmp_path, key):
    """A base that trusts that key."""
    agent = AgentSettings(host=f"127.7.{worker_number}.27", port=next(_ports))
    archives = ArchiveSettings(trusted_keys=(str(tmp_path / "trusted.pem"),))
    async with running_base(Settings(agent=agent, archives=archives), agent.port + 1) as running:
        async with asyncio.timeout(10):
            while not await is_answering(running):
                await asyncio.sleep(0.01)
        yield running


async def install(base, wheel):
    await is_answering(base)  # a connection that has stood still while things were built is found out
    answer = await base.command("installBiz", bizUrl=wheel.as_uri())
    return answer["code"] == "SUCCESS", answer.get("message", "")


@pytest.mark.parametrize(
    ("requirement", "said"),
    [
        ("nobodyhasit>=1", "cannot install nobodyhasit>=1"),
        ("helperx @ {shelf}/helperx-1.0-py3-none-any.whl", "helperx comes by a url, which no lock can name"),
    ],
)
def test_what_cannot_be_locked_says_why(tmp_path, shelf, requirement, said):
    with pytest.raises(AssertionError, match=said):
        built(tmp_path, "--lock", requirement=requirement.format(shelf=shelf.as_uri()))


async def test_what_the_lock_names_runs_beside_a_signed_module(trusting, tmp_path, shelf, key):
    wheel = built(tmp_path, "--lock")
    sign(wheel, key)
    assert (await install(trusting, wheel))[0]
    await is_answering(trusting)  # a connection that has stood still meanwhile is found out
    assert await trusting.get("/needy/") == (200, "the one that was meant")


async def test_another_file_of_that_name_and_version_does_not(trusting, tmp_path, shelf, key):
    wheel = built(tmp_path, "--lock")
    sign(wheel, key)
    put(shelf, "SAID = 'somebody else'")
    done, said = await install(trusting, wheel)
    assert not done and "cannot install helperx==1.0 beside the module" in said and "HASH" in said.upper()


async def test_without_a_lock_nothing_is_installed_beside_it(trusting, tmp_path, shelf, key):
    wheel = built(tmp_path)
    sign(wheel, key)
    done, said = await install(trusting, wheel)
    assert not done and "this base runs signed code only" in said and "arkwright module build --lock" in said


async def test_nor_is_what_a_url_leads_to(trusting, tmp_path, shelf, key):
    wheel = built(tmp_path, requirement=f"helperx @ {(shelf / 'helperx-1.0-py3-none-any.whl').as_uri()}")
    sign(wheel, key)
    assert not (await install(trusting, wheel))[0]


async def test_a_lock_that_was_changed_after_the_signature_is_found_out(trusting, tmp_path, shelf, key):
    wheel = built(tmp_path, "--lock")
    sign(wheel, key)
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("extra.py", "")
    done, said = await install(trusting, wheel)
    assert not done and "signature" in said


async def test_a_base_that_trusts_nobody_uses_a_lock_too(base, tmp_path, shelf):
    wheel = built(tmp_path, "--lock")
    put(shelf, "SAID = 'somebody else'")
    done, said = await install(base, wheel)
    assert not done and "HASH" in said.upper()


async def test_no_source_is_built_in_a_base(base, tmp_path, shelf):
    """An sdist's setup.py is anybody's code."""
    mark = tmp_path / "it-ran"
    source = tmp_path / "evilx-1.0"
    source.mkdir()
    (source / "setup.py").write_text(
        f"open({str(mark)!r}, 'w')\nfrom setuptools import setup\nsetup(name='evilx', version='1.0')\n"
    )
    with tarfile.open(shelf / "evilx-1.0.tar.gz", "w:gz") as archive:
        archive.add(source, "evilx-1.0")
    urls = (
        f"evilx @ {(shelf / 'evilx-1.0.tar.gz').as_uri()}",
        f"evilx @ {source.as_uri()}",
        "evilx>=1",
        "evilx @ git+file:///x.git",
    )
    for requirement in urls:
        wheel = write_wheel(
            tmp_path,
            "needy",
            "1.0",
            {"needy.py": "app = None"},
            "[arkwright.module]\nneedy = needy:app\n",
            [requirement],
        )
        assert not (await install(base, wheel))[0]
        assert not mark.exists(), requirement


def test_the_lock_is_a_file_of_the_wheel_as_others_are(tmp_path, shelf):
    wheel = built(tmp_path, "--lock")
    digest = hashlib.sha256((shelf / "helperx-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    with zipfile.ZipFile(wheel) as archive:
        lock = archive.read(f"needy-1.0.dist-info/{LOCK_FILE}")
        recorded = archive.read("needy-1.0.dist-info/RECORD").decode()
    assert lock.decode() == f"helperx==1.0 --hash=sha256:{digest}\n"
    told = base64.urlsafe_b64encode(hashlib.sha256(lock).digest()).rstrip(b"=").decode()
    assert f"needy-1.0.dist-info/{LOCK_FILE},sha256={told},{len(lock)}" in recorded


@pytest.mark.parametrize(
    "line",
    [
        "helperx==1.0",
        "helperx>=1 --hash=sha256:" + "0" * 64,
        "helperx @ http://h/x.whl --hash=sha256:" + "0" * 64,
        "http://h/x.whl --hash=sha256:" + "0" * 64,
        "-r /etc/passwd",
        "--index-url http://evil/",
        "-e .",
        "helperx==1.0 --hash=md5:" + "0" * 32,
        "helperx==1.0 --hash=sha256:" + "0" * 64 + " --index-url http://evil/",
        "helperx==1.0 --hash=sha256:" + "0" * 64 + " ; -r x",
        "./x.whl",
        "${HOME}==1 --hash=sha256:" + "0" * 64,
    ],
)
def test_a_lock_holds_packages_with_hashes_and_nothing_that_pip_would_also_take(line):
    with pytest.raises(PackageError, match="names no package with its hash"):
        read_lock(line)
