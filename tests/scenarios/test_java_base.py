"""A whole life with a real Java base: from kubectl to what the module answers over HTTP; what was said to its agent is recorded."""

import asyncio
import json

import pytest

from arkwright.model.resources import Kind
from java.proxy import RecordingProxy
from java.recordings import record, recorded
from java.wire import comparable
from scenarios.kubectl import kubectl

pytestmark = [pytest.mark.java, pytest.mark.timeout(400)]
SECONDS = 60
RESTART = {"command": "restart of the base"}


async def test_a_java_base_from_kubectl_to_what_a_module_answers(site, java_base, java_parts, request):
    proxy = await site.add_pod_with(lambda address: RecordingProxy(address, java_base.agent_port))
    urls = java_parts.archives
    await _apply(site, "provider", "1.0.2", urls)
    await _answers(site, java_base, "/provider/", "1.0.2")
    await _apply(site, "provider", "2.0.0", urls)  # on the same web path: the base cannot hold both
    await site.until(lambda: _says(site, "cannot hold two versions on one web path", "provider"), SECONDS)
    await _apply(site, "provider", "2.0.0", urls, upgradePolicy="uninstall_then_install")
    await _answers(site, java_base, "/provider/", "2.0.0")
    await _apply(site, "provider", "3.0.0", urls)  # beside it, then a switch
    await _answers(site, java_base, "/provider3/", "3.0.0")
    await site.until(lambda: _is_gone_from(java_base, "/provider/"), SECONDS)
    await _apply(site, "broken", "0.9.0", urls)
    await site.until(lambda: _says(site, "java.lang.IllegalStateException: this module never starts"), SECONDS)
    await site.delete(name="broken")
    await site.until(lambda: _is_deleted(site, "broken"), SECONDS)
    proxy.exchanges.append((RESTART["command"], {}, ""))
    await _restart(site, java_base, proxy)
    await _answers(site, java_base, "/provider3/", "3.0.0")
    await site.delete(name="provider")
    await site.until(lambda: _is_deleted(site, "provider"), SECONDS)
    assert await _is_gone_from(java_base, "/provider3/")
    said = _without_repeats(proxy.exchanges)
    if request.config.getoption("--rewrite-recordings"):
        record("release", said)
    assert said == recorded("release")


async def _apply(site, name, version, urls, upgradePolicy="install_then_uninstall"):  # noqa: N803
    module = {"name": name, "version": version, "url": urls[f"{name}-{version}"]}
    spec = {"baseDeploymentName": "stock", "replicas": 1, "template": {"spec": {"module": module}}}
    spec["operationStrategy"] = {"upgradePolicy": upgradePolicy}
    wish = {"apiVersion": "serverless.alipay.com/v1alpha1", "kind": "ModuleDeployment", "metadata": {"name": name}}
    wish = json.dumps(wish | {"spec": spec})
    await asyncio.to_thread(kubectl, "apply", "-n", site.namespace, "-f", "-", text=wish)


async def _answers(site, base, path, version):
    async def is_so():
        return await base.get(path) == (200, version) and await site.progress("provider") == ("Completed", 1, 1)

    await site.until(is_so, SECONDS)


async def _is_gone_from(base, path):
    return (await base.get(path))[0] == 404


async def _says(site, words, name="broken"):
    return words in (await site.condition("ReplicaFailure", name)).get("message", "")


async def _is_deleted(site, name):
    return await site.get(Kind.MODULE_DEPLOYMENT, name) is None


async def _restart(site, base, proxy):
    await base.kill()
    await base.start()
    await site.set_pod_status("stock-1", proxy.address, restarts=1)


def _without_repeats(exchanges):
    """What changed a base, or was to; tries that only repeat the one before are told once."""
    told = []
    for command, body, answer in exchanges:
        if command == RESTART["command"]:
            told.append(RESTART)
        elif command != "queryAllBiz":
            asked = {name: body[name] for name in ("bizName", "bizVersion")}
            told.append({"command": command, "asked": asked, "answer": comparable((200, answer))})
    return [one for number, one in enumerate(told) if number == 0 or one != told[number - 1]]
