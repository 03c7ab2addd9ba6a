"""The controller signs its calls with keys of its own, and hands the public ones to whoever mounts them; nobody has done anything for it."""

import base64
import json

import pytest

from arkwright.clients.agentaccess import AgentAccess
from arkwright.model.resources import Kind
from scenarios.kubectl import kubectl
from scenarios.site import Site
from scenarios.test_agent_access import RealBase

SECRET, CONFIG_MAP = "arkwright-agent-keys", "arkwright-controller-keys"
MOUNTED = {"volumes": [{"name": "keys", "configMap": {"name": CONFIG_MAP}}]}
CONTAINERS = [{"name": "base", "image": "x", "ports": [{"containerPort": 1238}]}]


@pytest.fixture
def site_class():
    class SigningSite(Site):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            self.access = AgentAccess()
            self.settings = {"agents": self.access, "keys": (self.namespace, SECRET)}

        async def mount_keys(self):
            """As a kubelet does it; returns what is in the ConfigMap."""
            template = {"spec": MOUNTED | {"containers": CONTAINERS}}
            await self.patch(Kind.DEPLOYMENT, "stock", {"spec": {"template": template}})
            await self.until(lambda: self.published())
            return await self.published()

        async def published(self):
            found = kubectl("get", "configmap", CONFIG_MAP, "-n", self.namespace, "-o", "json", "--ignore-not-found")
            return json.loads(found)["data"]["keys.json"] if found else None

    return SigningSite


@pytest.fixture
def tokens(tmp_path):
    """Nobody has one: being the same user is not enough for an agent that asks for it."""
    (tmp_path / "tokens").write_text("nobody knows this one\n")
    return str(tmp_path / "tokens")


async def test_bases_that_mount_the_public_keys_take_the_controllers_calls_and_nobody_elses(
    site, archive, tmp_path, tokens
):
    assert await site.published() is None, "no Deployment mounts it"
    (tmp_path / "keys.json").write_text(await site.mount_keys())
    guarded = {"controller_keys": str(tmp_path / "keys.json"), "token_file": tokens}
    base = await site.add_pod_with(lambda address: RealBase(address, **guarded))
    module = {"name": "provider", "version": "1.0.2", "url": archive}
    await site.apply(replicas=1, template={"spec": {"module": module}})
    await site.until_progress("Completed", 1, 1)
    assert await base.answer() == (200, "1.0.2")
    async with base.running.session.post(f"{base.running.agent}/queryAllBiz", json={}) as response:
        assert response.status == 401


async def test_the_private_keys_are_in_one_secret_and_what_spoils_it_is_replaced(site):
    public = await site.mount_keys()
    kept = await secret(site)
    assert "PRIVATE KEY" in kept and "PRIVATE" not in public and len(json.loads(kept)) == 1
    kubectl("delete", "configmap", CONFIG_MAP, "-n", site.namespace)
    spoilt = json.dumps({"data": {"keys.json": base64.b64encode(b"nonsense").decode()}})
    kubectl("patch", "secret", SECRET, "-n", site.namespace, "--type=merge", "-p", spoilt)
    await site.until(lambda: is_whole(site), 90)
    assert await secret(site) != kept


async def test_where_it_is_asked_for_an_agent_that_takes_anybodys_calls_is_left_alone(site, archive, tmp_path):
    kubectl("label", "namespace", site.namespace, "arkwright.dev/require-agent-authentication=true")
    (tmp_path / "keys.json").write_text(await site.mount_keys())
    bases = [
        await site.add_pod_with(lambda address: RealBase(address)),
        await site.add_pod_with(lambda address: RealBase(address, controller_keys=str(tmp_path / "keys.json"))),
    ]
    lowered = ("serverless.alipay.com/arklet-scheme=http", "arkwright.dev/require-agent-authentication=false")
    kubectl("annotate", "pod", "-n", site.namespace, "stock-1", *lowered)
    module = {"name": "provider", "version": "1.0.2", "url": archive}
    await site.apply(replicas=2, template={"spec": {"module": module}})
    await site.until(lambda: is_left_alone(site))
    await site.until_progress("Executing", 1, 1)
    assert [(await one.answer())[0] for one in bases] == [404, 200]


async def secret(site):
    found = json.loads(kubectl("get", "secret", SECRET, "-n", site.namespace, "-o", "json"))
    return base64.b64decode(found["data"]["keys.json"]).decode()


async def is_whole(site):
    return await site.published() and "PRIVATE KEY" in await secret(site)


async def is_left_alone(site):
    told = [one["status"]["message"] for one in await site.modules(reason="AgentUnauthenticated")]
    return len(told) == 1 and "its agent takes calls from anybody" in told[0]
