"""A Java base behind the sidecar of examples/java-base: the controller's client gets through with its certificate, and nobody without one."""

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from arklet.authority import authority  # noqa: F401 (a fixture)
from arkwright.clients.agentaccess import AgentAccess
from arkwright.clients.arklet import ArkletClient
from arkwright.model.outcomes import Verdict

CONFIGURATION = Path(__file__).parents[2] / "examples" / "java-base" / "nginx.conf"
MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"


def has_streams():
    """Built in, or as a module."""
    if not shutil.which("nginx"):
        return False
    told = subprocess.run(["nginx", "-V"], capture_output=True, text=True).stderr
    return Path(MODULE).exists() or " --with-stream " in told


pytestmark = [
    pytest.mark.java,
    pytest.mark.timeout(400),
    pytest.mark.skipif(not has_streams(), reason="there is no nginx with its stream module on this machine"),
]


@pytest.fixture
async def sidecar(java_base, authority, tmp_path):  # noqa: F811
    """Its address."""
    certificate, key = authority("java-base")
    address = f"127.0.0.1:{java_base.agent_port + 500}"
    text = CONFIGURATION.read_text()
    for what, instead in (
        ("listen 1338", f"listen {address}"),
        ("127.0.0.1:1238", f"127.0.0.1:{java_base.agent_port}"),
        ("/etc/agent-tls/tls.crt", certificate),
        ("/etc/agent-tls/tls.key", key),
        ("/etc/agent-tls/ca.crt", authority.ca),
        ("/tmp/nginx.pid", str(tmp_path / "nginx.pid")),
    ):
        assert what in text
        text = text.replace(what, instead)
    file = tmp_path / "nginx.conf"
    file.write_text((f"load_module {MODULE};\n" if Path(MODULE).exists() else "") + text)
    process = await asyncio.create_subprocess_exec("nginx", "-p", str(tmp_path), "-c", str(file))
    yield address
    process.terminate()
    await process.wait()


async def asked(address, access, call="query", *words):
    async with ArkletClient(access=access) as client:
        async with asyncio.timeout(20):
            while "refused" in (outcome := await getattr(client, call)(address, *words)).message:
                await asyncio.sleep(0.05)
    return outcome


async def test_a_java_base_behind_the_sidecar_takes_calls_of_certified_callers_only(sidecar, java_base, authority):  # noqa: F811
    ours = AgentAccess("", authority.ca, *authority("controller"))
    found = await asked(sidecar, ours)
    assert found.verdict is Verdict.DONE, found
    gone = await asked(sidecar, ours, "uninstall", "nowhere", "1.0")
    assert gone.verdict is Verdict.ABSENT, gone
    for stranger in (AgentAccess("", authority.ca), AgentAccess()):
        assert (await asked(sidecar, stranger)).verdict in (Verdict.LOST, Verdict.UNREACHED)
    async with ArkletClient(access=ours) as client:
        assert await client.refuses_strangers(sidecar) is True, "whoever answers there has proven who it is"
