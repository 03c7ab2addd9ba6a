"""Agents that take nobody without a token and a certificate, beside one that takes everyone: the controller serves them all."""

import contextlib
from types import SimpleNamespace

import aiohttp
import pytest

from arklet.authority import authority  # noqa: F401 (a fixture)
from arklet.conftest import running_base
from arkwright.arklet.settings import AgentSettings, Settings
from arkwright.clients.agentaccess import AgentAccess
from arkwright.model.resources import Kind
from scenarios.kubectl import kubectl
from scenarios.site import Site


class RealBase:
    """A base in this process, on the ports that pods declare."""

    def __init__(self, address, **agent):
        self.address, self._stack = address, contextlib.AsyncExitStack()
        self.base = SimpleNamespace(modules={}, active=lambda name: None)  # what a Site may ask of a scripted one
        self._settings = Settings(agent=AgentSettings(host=address, **agent))

    async def __aenter__(self):
        self.running = await self._stack.enter_async_context(running_base(self._settings, 8080))
        return self

    async def __aexit__(self, *_):
        await self._stack.aclose()

    async def answer(self):
        return await self.running.get("/provider/")


@pytest.fixture
def guarded(authority, tmp_path):  # noqa: F811
    """(settings of an agent, the controller's access to it)."""
    (tmp_path / "token").write_text("a token\n")
    certificate, key = authority("base")
    ours, our_key = authority("controller")
    token = str(tmp_path / "token")
    agent = {"token_file": token, "certificate": certificate, "key": key, "client_ca": authority.ca}
    return agent, AgentAccess(token, authority.ca, ours, our_key)


@pytest.fixture
def site_class(guarded):
    class GuardedSite(Site):
        access = guarded[1]

    return GuardedSite


async def test_a_controller_releases_to_bases_that_ask_for_token_and_certificate(site, guarded, archive):
    agent, _ = guarded
    bases = [
        await site.add_pod_with(lambda address: RealBase(address, **agent)),
        await site.add_pod_with(lambda address: RealBase(address)),
    ]
    scheme = "serverless.alipay.com/arklet-scheme=http"
    kubectl("annotate", "pod", "-n", site.namespace, "stock-2", scheme)
    module = {"name": "provider", "version": "1.0.2", "url": archive}
    await site.apply(replicas=2, template={"spec": {"module": module}})
    await site.until_progress("Completed", 1, 2)
    assert [await one.answer() for one in bases] == [(200, "1.0.2")] * 2
    with pytest.raises(aiohttp.ClientError):
        await bases[0].running.command("queryAllBiz")


async def test_a_pod_whose_agent_does_not_speak_tls_is_told_about(site, archive):
    await site.add_pod_with(lambda address: RealBase(address))
    module = {"name": "provider", "version": "1.0.2", "url": archive}
    await site.apply(replicas=1, template={"spec": {"module": module}})
    await site.until(lambda: _says(site, "AgentUnreachable", "cannot be reached"))


async def _says(site, reason, words):
    (one,) = await site.all(Kind.MODULE) or [{}]
    status = one.get("status", {})
    return status.get("reason") == reason and words in status.get("message", "")
