"""Who may call an agent that does not take everyone, and what the interface says of itself."""

import asyncio
import itertools

import pytest

from arklet.authority import authority  # noqa: F401 (a fixture)
from arklet.conftest import running_base
from arkwright.arklet.settings import AgentSettings, Settings
from arkwright.clients.agentaccess import AgentAccess, InClear
from arkwright.clients.arklet import ArkletClient
from arkwright.clients.errors import BadAccess
from arkwright.model.outcomes import Verdict

_ports = itertools.count(25000, 2)


@pytest.fixture
def agent(worker_number):
    """agent(**settings) -> a base whose agent has them, and its address."""

    def make(**more):
        port = next(_ports)
        settings = Settings(agent=AgentSettings(host=f"127.7.{worker_number}.5", port=port, **more))
        return running_base(settings, port + 1), f"127.7.{worker_number}.5:{port}"

    return make


async def asked(address, in_clear=InClear.ON_LOOPBACK, **access):
    """The verdict, once the agent is up."""
    async with ArkletClient(access=AgentAccess(in_clear=in_clear, **access)) as client:
        for _ in range(200):
            outcome = await client.query(address)
            if "refused" not in outcome.message:
                return outcome
    return outcome


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "tokens"
    path.write_text("old-token\nnew-token\n")
    return path


def with_token(tmp_path, token):
    path = tmp_path / f"token-{token}"
    path.write_text(f"{token}\n")
    return str(path)


async def test_a_call_without_the_token_is_refused_and_says_why(agent, token_file, tmp_path):
    running, address = agent(token_file=str(token_file))
    async with running as base:
        assert (await asked(address, token_file=with_token(tmp_path, "new-token"))).verdict is Verdict.DONE
        assert (await asked(address, token_file=with_token(tmp_path, "old-token"))).verdict is Verdict.DONE
        for access in ({}, {"token_file": with_token(tmp_path, "wrong")}):
            outcome = await asked(address, **access)
            assert outcome.verdict is Verdict.UNREACHED
            said = "this agent takes no call without a token: send it as `Authorization: Bearer <token>`"
            assert outcome.message == f"the agent at {address} takes no call of ours: {said}"
        async with base.session.post(f"{base.agent}/installBiz", json={}) as response:
            assert response.status == 401 and response.headers["WWW-Authenticate"] == "Bearer"
            assert "Authorization: Bearer" in (await response.json())["message"]


async def test_a_token_goes_only_to_agents_that_have_proven_who_they_are(agent, token_file, tmp_path, authority):  # noqa: F811
    certificate, key = authority("guarded")
    token = with_token(tmp_path, "new-token")
    seen = []

    async def note(reader, writer):
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(note, "127.0.0.1", 0) as server:
        pod = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for address, access in ((pod, {}), (f"http://{pod}", {"ca": authority.ca})):
            outcome = await asked(address, in_clear=InClear.NOWHERE, token_file=token, **access)
            assert "ours is not sent in clear text: give the base a certificate" in outcome.message
        assert len(seen) == 2 and not [one for one in seen if b"new-token" in one]
        await asked(pod, in_clear=InClear.ANYWHERE, token_file=token)
        assert b"Authorization: Bearer new-token" in seen[-1]
    running, address = agent(token_file=str(token_file), certificate=certificate, key=key)
    async with running:
        outcome = await asked(address, in_clear=InClear.NOWHERE, ca=authority.ca, token_file=token)
        assert outcome.verdict is Verdict.DONE


async def test_a_token_is_replaced_without_a_restart(agent, token_file, tmp_path):
    running, address = agent(token_file=str(token_file))
    old = with_token(tmp_path, "old-token")
    async with running:
        assert (await asked(address, token_file=old)).verdict is Verdict.DONE
        token_file.write_text("newest-token\n")
        assert (await asked(address, token_file=old)).verdict is Verdict.UNREACHED
        assert (await asked(address, token_file=with_token(tmp_path, "newest-token"))).verdict is Verdict.DONE
        token_file.unlink()
        assert (await asked(address, token_file=old)).verdict is Verdict.UNREACHED


async def test_with_mutual_tls_only_certified_callers_reach_a_certified_agent(agent, authority):  # noqa: F811
    certificate, key = authority("agent")
    ours, our_key = authority("controller")
    running, address = agent(certificate=certificate, key=key, client_ca=authority.ca)
    async with running:
        assert (await asked(address, ca=authority.ca, certificate=ours, key=our_key)).verdict is Verdict.DONE
        assert (await asked(address, ca=authority.ca)).verdict is not Verdict.DONE
        assert (await asked(address)).verdict is not Verdict.DONE
        stranger = await asked(f"https://{address}", certificate=ours, key=our_key)
        assert stranger.verdict is Verdict.UNREACHED and "certificate verify failed" in stranger.message


async def test_a_plain_agent_is_reached_beside_those_with_tls(agent, authority):  # noqa: F811
    running, address = agent()
    async with running:
        assert (await asked(f"http://{address}", ca=authority.ca)).verdict is Verdict.DONE


async def test_an_agent_whose_name_is_not_known_is_told_so():
    outcome = await asked("nowhere.invalid:1238")
    assert outcome.verdict is Verdict.UNREACHED and "nowhere.invalid:1238 cannot be reached: " in outcome.message
    assert "Unknown error" not in outcome.message


def test_a_file_that_cannot_be_used_is_named(tmp_path):
    with pytest.raises(BadAccess, match="nowhere.pem"):
        ArkletClient(access=AgentAccess(ca=str(tmp_path / "nowhere.pem")))


async def test_a_token_file_that_has_gone_is_an_outcome(tmp_path):
    outcome = await asked("127.0.0.1:9", token_file=str(tmp_path / "nowhere"))
    assert outcome.verdict is Verdict.UNREACHED and "nowhere holds no token" in outcome.message


async def test_the_interface_describes_itself(base):
    async with base.session.get(f"{base.agent}/openapi.json") as response:
        told = await response.json()
    help_ids = {one["id"] for one in (await base.command("help"))["data"]}
    assert {path.strip("/") for path in told["paths"]} == help_ids and told["openapi"] == "3.1.0"
    install = told["components"]["schemas"]["InstallRequest"]["properties"]
    assert {"bizName", "bizVersion", "bizUrl", "md5", "async", "requestId"} <= set(install)
    named = {
        one["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"] for one in told["paths"].values()
    }
    assert named <= {f"#/components/schemas/{name}" for name in told["components"]["schemas"]}


@pytest.mark.parametrize(
    ("ours", "meant", "verdict"),
    [
        ("uid-1", "uid-1", Verdict.DONE),
        ("uid-1", "", Verdict.DONE),  # a person's, or a controller's of before
        ("", "uid-2", Verdict.DONE),  # an agent that does not know which pod it is
        ("uid-1", "uid-2", Verdict.UNREACHED),
    ],
)
async def test_a_call_for_another_pod_is_refused_whatever_it_asks(agent, ours, meant, verdict):
    running, address = agent(pod=ours)
    async with running:
        await asked(address)
        async with ArkletClient() as client:
            outcomes = [
                await client.query(address, meant),
                await client.uninstall(address, "nobody", "1.0", meant),
            ]
    assert outcomes[0].verdict is verdict
    if verdict is Verdict.UNREACHED:
        said = f"another base pod answers at {address}: this is base pod uid-1, and the call is for uid-2"
        assert {one.message for one in outcomes} == {said}
        assert outcomes[1].verdict is Verdict.UNREACHED
