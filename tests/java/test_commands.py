"""`arkwright module` against a real Java base."""

import json
import subprocess
import sys

import pytest

from arkwright.clients.arklet import ArkletClient
from arkwright.model.agentview import agent_view
from plan.builders import NOW

pytestmark = [pytest.mark.java, pytest.mark.timeout(400)]


async def seen(base):
    """What the dashboard has of it: states and no figures."""
    async with ArkletClient() as client:
        view = agent_view("uid", await client.health(f"127.0.0.1:{base.agent_port}"), (), NOW)
    assert view.silence == "" and not view.left
    return {one.identity: (one.state, one.traffic) for one in view.modules}


async def test_the_commands_for_one_base_know_a_java_base(java_parts, java_base):
    def module(*words, code=0):
        command = [sys.executable, "-m", "arkwright", "module", *words, "--agent", f"127.0.0.1:{java_base.agent_port}"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
        assert done.returncode == code, done.stdout
        return done.stdout

    archives = java_parts.archives
    assert "provider:1.0.2 is activated" in module("install", archives["provider-1.0.2"])
    assert "provider:3.0.0 is deactivated" in module(
        "install", archives["provider-3.0.0"], "--name", "provider", "--version", "3.0.0"
    )
    said = module("install", archives["provider-2.0.0"], code=1)
    assert "Child name [provider] is not unique" in said and "holds one version of a module on a web path" in said
    assert "this module never starts" in module("install", archives["broken-0.9.0"], code=1)
    assert "is activated" in module("switch", "provider:3.0.0")
    rows = json.loads(module("list", "-o", "json"))
    assert {one["version"]: (one["state"], one["path"]) for one in rows} == {
        "1.0.2": ("deactivated", "/provider"),
        "3.0.0": ("activated", "/provider3"),
    }
    assert "REQUESTS" not in module("list", "-o", "wide"), "a Java base does not count them"
    assert await seen(java_base) == {"provider:1.0.2": ("deactivated", None), "provider:3.0.0": ("activated", None)}
    for version in ("1.0.2", "3.0.0"):
        assert "success" in module("uninstall", f"provider:{version}")
    assert "not there" in module("uninstall", "provider:9", code=1)
