"""The agent over real HTTP: each command, each outcome, in the words of the wire."""

import asyncio
import hashlib
import sys
from pathlib import Path
from urllib.request import url2pathname

import pytest

from arkwright.arklet.modules import LoadedModule


async def test_an_installed_module_answers_on_its_web_path(base, make_wheel):
    answer = await base.install(make_wheel())
    assert answer["code"] == answer["data"]["code"] == "SUCCESS"
    expected = {"bizName": "provider", "bizState": "activated", "bizVersion": "1.0.2", "webContextPath": "provider"}
    assert answer["data"]["bizInfos"] == [expected]
    assert await base.get("/provider/") == (200, "1.0.2")
    assert await base.get("/") == (200, "base")


async def test_a_second_version_waits_deactivated_until_the_switch(base, make_wheel):
    await base.install(make_wheel())
    await base.install(make_wheel("2.0.0"), "2.0.0")
    assert await base.states() == {"1.0.2": "activated", "2.0.0": "deactivated"}
    assert await base.get("/provider/") == (200, "1.0.2")
    await base.command("switchBiz", bizName="provider", bizVersion="2.0.0")
    assert await base.states() == {"1.0.2": "deactivated", "2.0.0": "activated"}
    assert await base.get("/provider/") == (200, "2.0.0")


async def test_a_web_path_is_one_modules_until_that_one_is_gone(base, make_wheel, gate):
    slow = make_wheel(
        "1.0.0", name="other", files={"other/values.py": f"{gate.code}VERSION = 'other'"}, web_path="provider"
    )
    first = asyncio.create_task(base.command("installBiz", bizUrl=slow))
    while not await base.states():
        await asyncio.sleep(0.01)
    answer = await base.install(make_wheel())
    assert "web path /provider is other:1.0.0's, another module's: give provider one of its own" in answer["message"]
    gate.open()
    assert (await first)["code"] == "SUCCESS" and await base.get("/provider/") == (200, "other")
    assert (await base.install(make_wheel()))["code"] == "CMD_PROCESS_INTERNAL_ERROR"
    await base.command("uninstallBiz", bizName="other", bizVersion="1.0.0")
    assert (await base.install(make_wheel()))["code"] == "SUCCESS" and await base.get("/provider/") == (200, "1.0.2")


async def test_a_switch_moves_the_module_to_the_web_path_of_its_version(base, make_wheel):
    await base.install(make_wheel())
    await base.install(make_wheel("2.0.0", web_path="moved"), "2.0.0")
    await base.command("switchBiz", bizName="provider", bizVersion="2.0.0")
    assert [await base.get(path) for path in ("/moved/", "/provider/")] == [(200, "2.0.0"), (404, "base")]


@pytest.mark.parametrize("web_path", ["/", "a/b", "a b", "a?b"])
async def test_a_web_path_is_one_segment(base, make_wheel, web_path):
    answer = await base.install(make_wheel(web_path=web_path))
    assert f"asks for web path {web_path.strip('/')!r}, which is not one segment" in answer["message"]


async def test_an_end_that_fails_is_the_end_all_the_same(base, make_wheel, monkeypatch):
    await base.install(make_wheel())
    stop = LoadedModule.stop

    async def failing(module):
        await stop(module)
        raise RuntimeError("a mistake of ours")

    with monkeypatch.context() as changed:
        changed.setattr(LoadedModule, "stop", failing)
        assert "a mistake of ours" in (await base.uninstall())["message"]
    assert await base.states() == {}
    assert (await base.install(make_wheel()))["code"] == "SUCCESS"


async def test_the_same_version_again_is_a_repeat(base, make_wheel):
    await base.install(make_wheel())
    answer = await base.install(make_wheel())
    assert (answer["code"], answer["data"]["code"]) == ("FAILED", "REPEAT_BIZ")
    assert answer["data"]["message"] == "Biz: provider:1.0.2 has been installed or registered."


async def test_an_uninstall_leaves_no_route_and_no_module_object(base, make_wheel):
    await base.install(make_wheel())
    assert any(name.startswith("module_provider_") for name in sys.modules)
    assert (await base.uninstall())["data"]["message"] == "Uninstall biz: provider:1.0.2 success."
    assert not any(name.startswith("module_provider_") for name in sys.modules)
    assert await base.get("/provider/") == (404, "base")
    assert await base.states() == {}


async def test_requests_in_flight_are_finished_before_the_code_goes(base, make_wheel):
    await base.install(make_wheel())
    slow = asyncio.create_task(base.get("/provider/?0.5"))
    await asyncio.sleep(0.1)
    await base.uninstall()
    assert slow.done() and await slow == (200, "1.0.2")


async def test_a_request_that_outlives_the_drain_is_cut_off_and_said_so(base, make_wheel):
    await base.install(make_wheel())
    endless = asyncio.create_task(base.get("/provider/?600"))
    await asyncio.sleep(0.1)
    answer = await base.uninstall()
    assert "1 requests were cut off after 2 s" in answer["data"]["message"]
    await asyncio.gather(endless, return_exceptions=True)


async def test_an_unknown_module_is_not_found(base):
    for command in ("uninstallBiz", "switchBiz"):
        answer = await base.command(command, bizName="provider", bizVersion="9")
        assert (answer["code"], answer["data"]["code"]) == ("FAILED", "NOT_FOUND_BIZ")


async def test_a_module_whose_start_fails_leaves_nothing_and_names_the_cause(base, make_wheel):
    broken = make_wheel(files={"provider/values.py": "raise RuntimeError('this module never starts')"})
    answer = await base.install(broken)
    assert answer["code"] == "CMD_PROCESS_INTERNAL_ERROR"
    assert answer["errorStackTrace"].splitlines()[-1] == "Caused by: RuntimeError: this module never starts"
    assert await base.states() == {}
    assert not any(name.startswith("module_provider_") for name in sys.modules)


@pytest.mark.parametrize(
    "body, words",
    [
        ({}, "bizUrl should not be blank"),
        ({"bizUrl": "x", "bizName": "provider"}, "should be both blank or both not blank"),
        ({"bizUrl": "provider.whl"}, "no protocol: 'provider.whl'"),
        (
            {"bizUrl": "file:///nowhere/provider.whl"},
            "cannot read file:///nowhere/provider.whl: this base reads archives below",
        ),
        ({"bizUrl": "file:///tmp/nowhere/provider.whl"}, "cannot read file:///tmp/nowhere/provider.whl: No such file"),
        ({"bizUrl": "file:///a%00b"}, "cannot read file:///a%00b: embedded null byte"),
        ({"bizUrl": "http://127.0.0.1:9/p.whl"}, "cannot fetch http://127.0.0.1:9/p.whl"),
        ({"bizUrl": "http://["}, "no protocol: this is no url"),
        ({"bizUrl": 7}, "Expected `str`, got `int`"),
        ({"bizUrl": "file:///x", "async": True}, "requestId should not be blank when async is true"),
    ],
)
async def test_a_bad_install_says_what_is_wrong(base, body, words):
    answer = await base.command("installBiz", **body)
    assert answer["code"] == "CMD_PROCESS_INTERNAL_ERROR"
    assert words in answer["message"]


async def test_a_name_is_reported_as_the_archive_has_it(base, make_wheel):
    answer = await base.install(make_wheel("1.0.2"), "7.7.7")
    assert answer["data"]["bizInfos"][0]["bizVersion"] == "1.0.2"
    assert await base.states() == {"1.0.2": "activated"}


async def test_a_wrong_digest_keeps_the_code_out(base, make_wheel):
    url = make_wheel()
    answer = await base.install(f"{url}#sha256={'0' * 64}")
    assert "it was not loaded" in answer["message"] and await base.states() == {}
    digest = hashlib.sha256(Path(url2pathname(url.removeprefix("file://"))).read_bytes()).hexdigest()
    assert (await base.install(f"{url}#sha256={digest}"))["code"] == "SUCCESS"


@pytest.mark.parametrize("name", ["../escape.py", "/etc/escape.py", "a/../../escape.py"])
async def test_an_archive_that_leaves_its_directory_is_refused(base, make_wheel, name):
    answer = await base.install(make_wheel(files={name: "x = 1"}))
    assert "would leave its directory" in answer["message"]


async def test_an_archive_without_an_entry_point_is_told_what_to_write(base, make_wheel):
    answer = await base.install(make_wheel(entry=False))
    assert '[project.entry-points."arkwright.module"]' in answer["message"]


async def test_an_asynchronous_install_is_followed_by_its_request_id(base, make_wheel):
    answer = await base.install(make_wheel(), requestId="r1", **{"async": True})
    assert answer["data"]["status"] == "EXECUTING"
    record = await base.ended("r1")
    assert record["status"] == "SUCCEEDED" and record["endTimestamp"]
    again = await base.install(make_wheel(), requestId="r1", **{"async": True})
    assert again["message"] == "The request corresponding to the requestId(r1) has been executed."


async def test_two_installs_of_one_module_at_once_conflict(base, make_wheel, gate):
    slow = make_wheel(files={"provider/values.py": f"{gate.code}VERSION = 'x'"})
    installs = [asyncio.create_task(base.install(slow)) for _ in range(2)]
    (loser,), (winner,) = await asyncio.wait(installs, return_when=asyncio.FIRST_COMPLETED)
    assert "conflict, exist unfinished command(installBiz) for this biz" in loser.result()["message"]
    gate.open()
    assert (await winner)["code"] == "SUCCESS"


async def test_a_batch_says_how_each_archive_fared(base, make_wheel):
    good, bad = make_wheel(), "file:///nowhere.whl"
    answer = await base.command("batchInstallBiz", bizList=[{"bizUrl": good}, {"bizUrl": bad}])
    assert answer["code"] == "FAILED" and answer["data"]["message"] == "batch install failed"
    assert answer["data"]["bizUrlToResponse"][good]["code"] == "SUCCESS"
    assert "internal exception: cannot read" in answer["data"]["bizUrlToResponse"][bad]["message"]


async def test_health_lists_the_modules_and_the_base(base, make_wheel):
    await base.install(make_wheel())
    health = (await base.command("health"))["data"]["healthData"]
    assert [one["bizName"] for one in health["bizListInfo"]] == ["provider"]
    assert (await base.command("health", type="biz", bizName="x"))["message"] == "can not find biz: x"


async def test_malformed_json_unknown_commands_and_get_are_answered(base):
    async with base.session.post(base.agent + "/installBiz", data=b"{bad json") as response:
        assert (await response.json())["code"] == "CMD_PROCESS_INTERNAL_ERROR"
    assert (await base.command("a/b"))["code"] == "CMD_NOT_FOUND"
    async with base.session.get(base.agent + "/help") as response:
        assert response.status == 500
    assert len((await base.command("help"))["data"]) == 8


async def test_two_versions_share_no_state(base, make_wheel):
    count = (
        "VERSION = 'unset'\nimport provider\nprovider.lifespan_log.append(1)\nVERSION = str(len(provider.lifespan_log))"
    )
    for version in ("1.0.2", "2.0.0"):
        await base.install(make_wheel(version, files={"provider/values.py": count}), version)
        await base.command("switchBiz", bizName="provider", bizVersion=version)
        assert await base.get("/provider/") == (200, "1")
