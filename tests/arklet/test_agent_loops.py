"""Nothing of an agent dies in silence: every loop that it has is begun anew, however it ends, and that is logged and told."""

import asyncio
import contextlib
import os

import aiohttp
import pytest
import uvicorn

from arklet.conftest import RunningBase, is_answering, plain_base
from arkwright import supervision
from arkwright.arklet.app import Arklet, _Server
from arkwright.arklet.process.host import OwnProcess
from arkwright.arklet.settings import AgentSettings, Isolation, ModuleSettings, Settings
from fakes.loops import broken_twice

EXPECTED = {"agent", "keeping provider:1.0.2"}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(supervision, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(supervision, "SETTLED_SECONDS", 0.05)


@pytest.fixture
async def agent(worker_number, make_wheel):
    """(the supervisor of an agent with a module, its base)."""
    host = f"127.7.{worker_number}.61"
    own = ModuleSettings(isolation=Isolation.PROCESS)
    arklet = Arklet(plain_base, Settings(agent=AgentSettings(host=host, port=1238), defaults=own))
    server = _Server(uvicorn.Config(arklet, host=host, port=8080, log_level="warning", lifespan="on"))
    serving = asyncio.create_task(server.serve())
    async with aiohttp.ClientSession() as session:
        base = RunningBase(session, host, 8080, 1238)
        await until(lambda: is_answering(base))
        assert (await base.install(make_wheel()))["code"] == "SUCCESS"
        yield arklet.operations.loops, base
    server.should_exit = True
    await serving


async def until(is_so, seconds=15):
    async with asyncio.timeout(seconds):
        while not (await answer if asyncio.iscoroutine(answer := is_so()) else answer):
            await asyncio.sleep(0.01)


async def serves(base):
    with contextlib.suppress(aiohttp.ClientError):
        states, (status, text) = await base.states(), await base.get("/provider/")
        return status == 200 and states == {"1.0.2": "activated"} and bool(text)
    return False


async def test_every_loop_of_an_agent_outlives_its_faults(agent):
    loops, base = agent
    await until(lambda: set(loops.loops) == EXPECTED)
    for name in sorted(EXPECTED):
        await until(lambda loop=loops.loops[name]: not loop.error)
        await until(broken_twice(loops.loops[name]))
        await until(lambda: serves(base))
    pid = (await base.command("queryAllBiz"))["data"][0]["pid"]
    os.kill(pid, 9)
    await until(lambda: serves(base))
    assert loops.troubles() == []
    await base.uninstall()
    assert set(loops.loops) == {"agent"}


async def test_a_loop_that_does_not_run_is_told_in_health_and_in_the_log(agent, caplog):
    loops, base = agent
    assert "troubles" not in (await base.command("health"))["data"]["healthData"]
    loop = loops.loops["keeping provider:1.0.2"]
    loop.run = failing
    loop.task.cancel()
    await until(lambda: loop.error == "RuntimeError: injected")
    [line] = (await base.command("health"))["data"]["healthData"]["troubles"]
    assert line.startswith("[-] keeping provider:1.0.2: RuntimeError: injected; begun anew")
    assert "keeping provider:1.0.2 has ended and is begun anew" in caplog.text


async def failing():
    raise RuntimeError("injected")


async def test_a_mistake_of_ours_when_a_process_is_started_again_leaves_its_module_no_less_kept(agent, monkeypatch):
    """Whatever it is, the next try may do."""
    _, base = agent
    spawn, failures = OwnProcess._spawn, [ValueError("x"), KeyError("y"), asyncio.CancelledError()]

    async def failing_at_first(self):
        if failures:
            raise failures.pop()
        return await spawn(self)

    monkeypatch.setattr(OwnProcess, "_spawn", failing_at_first)
    os.kill((await base.command("queryAllBiz"))["data"][0]["pid"], 9)
    await until(lambda: not failures)
    await until(lambda: serves(base))
