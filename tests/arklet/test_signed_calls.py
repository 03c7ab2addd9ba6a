"""Calls that their caller has signed: what holds, and each way in which one does not, over real HTTP."""

import asyncio
import dataclasses
import itertools
import json
import time
import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from arklet.conftest import running_base
from arkwright.arklet.settings import AgentSettings, Settings
from arkwright.clients.agentaccess import AgentAccess, BadAccess
from arkwright.clients.arklet import ArkletClient
from arkwright.model.kinds import ModuleArchive
from arkwright.model.outcomes import Verdict
from arkwright.model.signedcalls import Call, SigningKey, key_set, name_of
from arkwright.standalone.agentkeys import agent_keys

_ports = itertools.count(26500, 2)
POD = "uid-1"


class Guarded:
    """A base that takes calls of one key; `number` of the address."""

    def __init__(self, host, keys, **agent):
        self.keys = keys
        self.settings = AgentSettings(host=host, port=next(_ports), controller_keys=str(keys), **agent)
        self.address = f"{host}:{self.settings.port}"

    async def __aenter__(self):
        self._running = running_base(Settings(agent=self.settings), self.settings.port + 1)
        self.base = await self._running.__aenter__()
        for _ in range(500):
            try:
                await self.status()
                break
            except OSError:
                await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *error):
        await self._running.__aexit__(*error)

    async def status(self, command="queryAllBiz", body=b"{}", token=None, **headers):
        """(status, message) of one call; an unsigned one looks like a web page's, so that being the same user does not count."""
        told = {"Arklet-Signature": token} if token is not None else {"Origin": "http://evil.example"}
        url = f"{self.base.agent}/{command}"
        async with self.base.session.post(url, data=body, headers=told | headers) as response:
            answer = await response.json()
            return response.status, answer.get("message", "")


@pytest.fixture
def key():
    made = Ed25519PrivateKey.generate()
    return SigningKey(name_of(made.public_key()), made)


@pytest.fixture
async def guarded(worker_number, tmp_path, key):
    (tmp_path / "keys.json").write_text(json.dumps(key_set((key.key.public_key(),))))
    async with Guarded(f"127.7.{worker_number}.24", tmp_path / "keys.json", pod=POD) as one:
        yield one


def token(key, guarded, now=None, number=None, **call):
    meant = Call("queryAllBiz", b"{}", guarded.address, POD)
    return key.sign(dataclasses.replace(meant, **call), now or time.time(), number or uuid.uuid4().hex)


async def test_a_signed_call_is_taken_and_an_unsigned_one_is_not(guarded, key):
    assert (await guarded.status(token=token(key, guarded)))[0] == 200
    assert (await guarded.status())[0] == 403


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"body": b'{"bizName": "x"}'}, "it is for another body"),
        ({"command": "installBiz"}, "it is for another command"),
        ({"pod": "uid-2"}, "it is for another base pod"),
        ({"now": 1_000_000_000}, "compare the clocks"),
        ({"now": 4_000_000_000}, "compare the clocks"),
        ({"pod": "", "to": "127.0.0.1:1"}, "it is for another address"),
    ],
)
async def test_a_signature_is_good_for_one_call_to_one_pod_for_two_minutes(guarded, key, changed, words):
    status, said = await guarded.status(token=token(key, guarded, **changed))
    assert (status, words in said) == (401, True), said


async def test_it_is_good_once(guarded, key):
    used = token(key, guarded)
    assert (await guarded.status(token=used))[0] == 200
    assert await guarded.status(token=used) == (401, "this call is not taken: this very call has come before")


async def test_a_caller_that_does_not_know_the_pod_is_taken_at_its_address(guarded, key):
    assert (await guarded.status(token=token(key, guarded, pod="")))[0] == 200


@pytest.mark.parametrize("forged", ["", "e30.e30.e30", "a", "a.b.c.d", "e" * 5000])
async def test_what_is_no_token_is_refused(guarded, forged):
    assert (await guarded.status(token=forged))[0] == 401


async def test_a_stranger_signs_in_vain_and_so_does_one_who_takes_the_keys_name(guarded, key):
    stranger = Ed25519PrivateKey.generate()
    for name in (name_of(stranger.public_key()), key.name):
        assert (await guarded.status(token=token(SigningKey(name, stranger), guarded)))[0] == 401


async def test_a_key_is_replaced_without_a_restart(guarded, key):
    other = Ed25519PrivateKey.generate()
    both = key_set((key.key.public_key(), other.public_key()))
    new = SigningKey(name_of(other.public_key()), other)
    assert (await guarded.status(token=token(new, guarded)))[0] == 401
    guarded.keys.write_text(json.dumps(both))
    assert [(await guarded.status(token=token(one, guarded)))[0] for one in (key, new)] == [200, 200]
    guarded.keys.write_text("half of a fi")
    assert (await guarded.status(token=token(key, guarded)))[0] == 200, "it is being replaced"
    guarded.keys.write_text(json.dumps(key_set((other.public_key(),))))
    assert [(await guarded.status(token=token(one, guarded)))[0] for one in (key, new)] == [401, 200]
    guarded.keys.write_text('{"keys": []}')
    assert (await guarded.status(token=token(new, guarded)))[0] == 401, "nobody is known any more"
    guarded.keys.unlink()
    assert (await guarded.status(token=token(new, guarded)))[0] == 401


async def test_the_controllers_client_signs_whatever_it_asks(guarded, tmp_path, make_wheel):
    keys = agent_keys(tmp_path)
    guarded.keys.write_bytes(keys.public.read_bytes())
    module = ModuleArchive(name="provider", version="1.0.2", url=make_wheel())
    async with ArkletClient(access=AgentAccess(signing_key=str(keys.private))) as client:
        outcomes = [
            await client.install(guarded.address, module, POD),
            await client.query(guarded.address, POD),
            await client.switch(guarded.address, "provider", "1.0.2", POD),
            await client.uninstall(guarded.address, "provider", "1.0.2", POD),
            await client.query(guarded.address),
        ]
        assert {one.verdict for one in outcomes} == {Verdict.DONE}
        assert (await client.query(guarded.address, "uid-2")).verdict is Verdict.UNREACHED
        assert await client.refuses_strangers(guarded.address) is True


async def test_an_agent_that_takes_anybody_is_known_by_trying(worker_number):
    agent = AgentSettings(host=f"127.7.{worker_number}.25", port=next(_ports))
    async with running_base(Settings(agent=agent), agent.port + 1), ArkletClient() as client:
        while (found := await client.refuses_strangers(f"{agent.host}:{agent.port}")) is None:
            await asyncio.sleep(0.01)
        assert found is False


@pytest.mark.parametrize("text", ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_file_that_holds_no_key_is_named(tmp_path, text):
    (tmp_path / "key.pem").write_text(text)
    with pytest.raises(BadAccess, match="key.pem cannot sign calls: it is no private key in PEM"):
        ArkletClient(access=AgentAccess(signing_key=str(tmp_path / "key.pem")))
