"""A module that would end the process ends itself, or fails; never its base."""

import time

import pytest

from arklet.wheels import entry, write_wheel
from arkwright.arklet.asgi.lifespan import LIFESPAN_SECONDS

MODULE = """
import asyncio, sys, threading

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        {startup}
        await send({{"type": "lifespan.startup.complete"}})
        await receive()
        {shutdown}
        await send({{"type": "lifespan.shutdown.complete"}})
        return
    {request}
    await send({{"type": "http.response.start", "status": 200, "headers": []}})
    await send({{"type": "http.response.body", "body": b"here"}})

async def soon():
    sys.exit("soon")

def in_thread():
    thread = threading.Thread(target=sys.exit)
    thread.start()
    thread.join()
"""
EXITS = {
    "sys.exit('why')": "must not end the base, as by sys.exit('why')",
    "raise SystemExit(3)": "SystemExit: 3",
    "1 / 0": "division by zero",
}
IN_PROCESS = pytest.mark.parametrize("mode", ["shared"])
ALL = pytest.mark.parametrize("mode", ["shared", "process"])


@pytest.fixture
def install(base, tmp_path, mode):
    async def installed(startup="pass", shutdown="pass", request="pass"):
        code = MODULE.format(startup=startup, shutdown=shutdown, request=request)
        url = write_wheel(tmp_path, "leaving", "1.0", {"leaving.py": code}, entry("leaving", "leaving:app", mode))
        return await base.command("installBiz", bizName="leaving", bizVersion="1.0", bizUrl=url.as_uri())

    return installed


@IN_PROCESS
@pytest.mark.parametrize("code", EXITS)
async def test_at_startup_it_is_not_installed_and_the_answer_says_why(base, install, mode, code, caplog):
    answer = await install(startup=code)
    assert answer["code"] == "CMD_PROCESS_INTERNAL_ERROR" and EXITS[code] in answer["message"]
    assert EXITS[code] in answer["errorStackTrace"].splitlines()[-1]
    assert not [one for one in caplog.messages if "left by" in one]
    assert (await base.states(), await base.get("/")) == ({}, (200, "base"))


@pytest.mark.parametrize("mode", ["process"])
async def test_at_startup_in_a_process_of_its_own_likewise(base, install, mode):
    assert "SystemExit: 3" in (await install(startup="sys.exit(3)"))["message"]
    assert (await base.states(), await base.get("/")) == ({}, (200, "base"))


@IN_PROCESS
@pytest.mark.parametrize("code", EXITS)
async def test_at_shutdown_it_is_gone_and_the_answer_says_that_it_failed(base, install, mode, code):
    assert (await install(shutdown=code))["code"] == "SUCCESS"
    (left,) = (await base.command("uninstallBiz", bizName="leaving", bizVersion="1.0"))["data"]["residue"]
    assert left.startswith("its shutdown failed: ") and EXITS[code] in left
    assert (await base.states(), await base.get("/")) == ({}, (200, "base"))


@ALL
@pytest.mark.parametrize("code", EXITS)
async def test_in_a_request_only_that_request_fails(base, install, mode, code):
    await install(request=f"if scope['path'].endswith('exit'): {code}")
    assert (await base.get("/leaving/exit"))[0] == 500
    assert await base.get("/leaving/") == (200, "here")


@IN_PROCESS
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("code", ["asyncio.create_task(soon()); await asyncio.sleep(0.05)", "in_thread()"])
async def test_in_a_task_or_thread_of_its_own_only_that_one_ends(base, install, mode, code):
    await install(request=code)
    assert await base.get("/leaving/") == (200, "here")
    assert await base.get("/leaving/") == (200, "here")


@ALL
async def test_a_lifespan_that_returns_instead_of_answering_has_ended(base, install, mode):
    began = time.monotonic()
    assert (await install(startup="return"))["code"] == "SUCCESS"
    assert await base.get("/leaving/") == (200, "here")
    await base.command("uninstallBiz", bizName="leaving", bizVersion="1.0")
    assert (await install(shutdown="return"))["code"] == "SUCCESS"
    answer = await base.command("uninstallBiz", bizName="leaving", bizVersion="1.0")
    assert "residue" not in answer["data"] and time.monotonic() - began < LIFESPAN_SECONDS
