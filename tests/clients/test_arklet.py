"""The controller's side of the agent's wire, over real HTTP: every row of the table of outcomes."""

import itertools

import pytest
from msgspec.structs import replace

from arkwright.clients.arklet import ArkletClient, Timeouts
from arkwright.model.kinds import ModuleArchive
from arkwright.model.outcomes import Reason, Verdict
from fakes.agent_server import FakeAgent

PROVIDER = ModuleArchive(name="provider", version="1.0.2", url="http://archives/provider-1.0.2.whl")
SECOND = ModuleArchive(name="provider", version="2.0.0", url="http://archives/provider-1.0.2.whl")
_ports = itertools.count(22000)


@pytest.fixture
async def agent(worker_number):
    async with FakeAgent(f"127.6.{worker_number}.1", next(_ports)) as running:
        yield running


@pytest.fixture
async def client():
    async with ArkletClient(Timeouts(connect=0.5, install=0.3, uninstall=0.3, query=0.3)) as connected:
        yield connected


def at(agent):
    return f"{agent.address}:{agent.port}"


async def test_an_answer_without_any_header_is_read_to_its_end(agent, client):
    outcome = await client.install(at(agent), PROVIDER)
    assert (outcome.verdict, outcome.modules[0].identity) == (Verdict.DONE, "provider:1.0.2")


async def test_what_is_there_already_is_a_repeat(agent, client):
    await client.install(at(agent), PROVIDER)
    assert (await client.install(at(agent), PROVIDER)).verdict is Verdict.REPEATED


async def test_what_is_not_there_is_absent(agent, client):
    assert (await client.uninstall(at(agent), "provider", "9")).verdict is Verdict.ABSENT
    assert (await client.switch(at(agent), "provider", "9")).verdict is Verdict.ABSENT


async def test_the_cause_of_a_failed_start_is_dug_out_of_the_stack_trace(agent, client):
    agent.base.failures["installBiz"] = 1
    outcome = await client.install(at(agent), PROVIDER)
    assert (outcome.verdict, outcome.reason) == (Verdict.REFUSED, Reason.INSTALL_FAILED)
    assert outcome.message == "java.lang.IllegalStateException: this module never starts"


async def test_an_archive_that_cannot_be_fetched_is_told_apart(agent, client):
    agent.base.unreachable_archives.add(PROVIDER.url)
    outcome = await client.install(at(agent), PROVIDER)
    assert (outcome.reason, PROVIDER.url in outcome.message) == (Reason.PULL_FAILED, True)


async def test_two_versions_on_one_web_path_are_told_apart(agent, client):
    agent.base.holds_one_version = True
    await client.install(at(agent), PROVIDER)
    assert (await client.install(at(agent), SECOND)).reason is Reason.WEB_PATH_CONFLICT


@pytest.mark.parametrize("is_there", [False, True], ids=["installed under its real name", "there already"])
async def test_another_identity_than_asked_for_is_a_failure_that_names_both(agent, client, is_there):
    agent.base.real_identity["provider:2.0.0"] = "provider:1.0.2"
    if is_there:
        await client.install(at(agent), PROVIDER)
    outcome = await client.install(at(agent), SECOND)
    assert (outcome.verdict, outcome.reason) == (Verdict.REFUSED, Reason.IDENTITY_MISMATCH)
    assert "asked for provider:2.0.0" in outcome.message and "is provider:1.0.2" in outcome.message


async def test_who_names_no_identity_takes_what_the_archive_is(agent, client):
    agent.base.real_identity[":"] = "provider:1.0.2"
    outcome = await client.install(at(agent), replace(PROVIDER, name="", version=""))
    assert (outcome.verdict, outcome.modules[0].identity) == (Verdict.DONE, "provider:1.0.2")


async def test_an_answer_lost_after_the_deed_may_or_may_not_have_been_done(agent, client):
    agent.loses["installBiz"] = 1
    outcome = await client.install(at(agent), PROVIDER)
    assert (outcome.verdict, outcome.reason) == (Verdict.LOST, Reason.AGENT_UNREACHABLE)
    assert agent.base.modules == {"provider:1.0.2": "activated"}


async def test_a_hanging_install_times_out_and_says_after_how_long(agent, client):
    agent.hangs.add("installBiz")
    outcome = await client.install(at(agent), PROVIDER)
    assert (outcome.verdict, outcome.reason) == (Verdict.LOST, Reason.INSTALL_TIMED_OUT)
    assert outcome.message == f"the agent at {at(agent)} has not answered installBiz after 0.3 s"


async def test_an_answer_that_is_no_json_counts_as_lost_and_is_quoted(agent, client):
    agent.garbles["queryAllBiz"] = 1
    outcome = await client.query(at(agent))
    assert outcome.verdict is Verdict.LOST and "cannot be read" in outcome.message


async def test_nobody_listening_is_unreached(client):
    outcome = await client.query("127.6.99.9:1238")
    assert (outcome.verdict, outcome.reason) == (Verdict.UNREACHED, Reason.AGENT_UNREACHABLE)


BUSY = "FAILED:provider:1.0.2 installBiz conflict, exist unfinished command(installBiz) for this biz"


@pytest.mark.parametrize(
    "envelope",
    [
        pytest.param({"code": "FAILED", "message": BUSY}, id="conflict"),
        pytest.param({"code": "CMD_PROCESS_INTERNAL_ERROR", "message": "Internal Error: null"}, id="race"),
    ],
)
async def test_an_unfinished_command_means_busy(agent, client, envelope):
    agent.base.answer = lambda command, body: envelope
    assert (await client.install(at(agent), PROVIDER)).verdict is Verdict.BUSY


async def test_states_are_read_whatever_their_case(agent, client):
    agent.base.modules["provider:1.0.2"] = "ACTIVATED"
    assert (await client.query(at(agent))).modules[0].state == "activated"
