"""In a pod the account that Kubernetes gives it is used: its address, its authority, its token as that is renewed, its namespace."""

import base64
import functools
import sys
from pathlib import Path

import pytest
import yaml

from arkwright.clients import credentials, incluster
from arkwright.clients.credentials import find_access
from arkwright.clients.errors import BadCredentials
from arkwright.clients.incluster import READ_AGAIN_SECONDS, Account
from arkwright.clients.kube import KubeClient

sys.path.insert(0, str(Path(__file__).parents[1] / "kubernetes"))
import embedded  # noqa: E402


@pytest.fixture
def account(tmp_path, monkeypatch):
    """Its directory; a pod has no KUBECONFIG."""
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    monkeypatch.setattr(credentials, "Account", functools.partial(Account, tmp_path))
    monkeypatch.setattr(credentials, "ACCOUNT", tmp_path)
    (tmp_path / "token").write_text("first\n")
    (tmp_path / "namespace").write_text("team")
    return tmp_path


async def test_the_api_server_is_asked_as_the_pods_account(account, tmp_path, monkeypatch):
    with embedded.alone(tmp_path / "api") as kubeconfig:
        found = yaml.safe_load(kubeconfig.read_text())
        cluster, user = found["clusters"][0]["cluster"], found["users"][0]["user"]
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", cluster["server"].rpartition(":")[2])
        (account / "ca.crt").write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
        (account / "token").write_text(user["token"] + "\n")
        async with KubeClient(await find_access()) as kube:
            assert b'"kind":"NamespaceList"' in await kube.request("GET", "/api/v1/namespaces")
            assert kube.access.namespace == "team"


async def test_a_renewed_token_is_read_within_a_minute_and_one_that_is_being_replaced_is_missed_by_nobody(
    account, monkeypatch
):
    now = 0.0
    monkeypatch.setattr(incluster.time, "monotonic", lambda: now)
    found = Account(account)

    async def token():
        return await found.get_api_key_with_prefix("BearerToken")

    assert await token() == "Bearer first"
    (account / "token").write_text("second")
    now = READ_AGAIN_SECONDS - 1
    assert await token() == "Bearer first"
    now = READ_AGAIN_SECONDS + 1
    assert await token() == "Bearer second"
    (account / "token").unlink()
    now *= 3
    assert await token() == "Bearer second"
    (account / "token").write_text("third")
    assert await token() == "Bearer third"


@pytest.mark.parametrize(
    ("lacks", "said"),
    [
        (lambda where, _: (where / "token").unlink(), "token"),
        (lambda where, _: (where / "token").write_text(" \n"), "token is empty"),
        (lambda where, _: None, "ca.crt"),
        (lambda where, env: env.delenv("KUBERNETES_SERVICE_PORT"), "KUBERNETES_SERVICE_PORT"),
        (lambda where, env: env.setenv("KUBERNETES_SERVICE_PORT", "https"), "https"),
    ],
)
async def test_what_is_missing_is_named(account, monkeypatch, lacks, said):
    lacks(account, monkeypatch)
    with pytest.raises(BadCredentials, match=said):
        await find_access()


async def test_kubeconfig_wins(account, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(account / "none"))
    with pytest.raises(BadCredentials, match="no such file"):
        await find_access()


async def test_a_pod_without_a_namespace_file_is_in_default(account):
    (account / "namespace").unlink()
    assert Account(account).namespace == "default"
