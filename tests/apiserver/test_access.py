"""Who may do what, and how much: tokens, bodies, watches, other hosts."""

import json
import os
import stat
import subprocess
import sys

import pytest

from apiserver.asking import Api
from apiserver.cases_of_kinds import configmap
from kubernetes import client, config

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    import embedded

    found = tmp_path_factory.mktemp("access")
    with embedded.running(found):
        yield found


def test_without_a_token_nothing_is_told(directory):
    api = Api(directory / "kubeconfig")
    for said in ("Bearer nonsense", "", "Basic YWRtaW46YWRtaW4="):
        status, _, body = api.raw("GET", CONFIGMAPS, Authorization=said)
        assert (status, json.loads(body)["reason"]) == (401, "Unauthorized")
    assert api.raw("GET", "/readyz", Authorization="")[0] == 200


def test_the_reader_reads_only(directory):
    reader = Api(directory / "reader.kubeconfig")
    assert reader.raw("GET", CONFIGMAPS)[0] == 200
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        status, _, body = reader.raw(method, f"{CONFIGMAPS}/x", {}, **JSON)
        assert (status, json.loads(body)["reason"]) == (403, "Forbidden")
        assert "may only read" in json.loads(body)["message"]


def test_secrets_are_for_their_owner(directory):
    for name in ("kubeconfig", "reader.kubeconfig", "admin.token", "reader.token", "server.key"):
        assert stat.S_IMODE((directory / name).stat().st_mode) == 0o600, name
    text = "".join(file.read_text() for file in directory.rglob("*.log"))
    assert (directory / "admin.token").read_text().strip() not in text


def test_a_body_that_is_too_large_is_refused(directory):
    api = Api(directory / "kubeconfig")
    status, _, body = api.raw("POST", CONFIGMAPS, configmap(a="x" * 4_000_000), **JSON)
    assert (status, json.loads(body)["reason"]) == (413, "RequestEntityTooLarge")
    assert api.raw("POST", CONFIGMAPS, configmap("fits", a="x" * 900_000), **JSON)[0] == 201


def test_other_hosts_are_listened_on_with_tls_and_a_certificate_for_them(tmp_path):
    command = [
        sys.executable,
        "-m",
        "arkwright",
        "api",
        "--data-dir",
        str(tmp_path),
        "--host",
        "0.0.0.0",
        "--port",
        "0",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    try:
        assert process.stdout.readline().startswith("https://127.0.0.1:")
        found = client.CoreV1Api(config.new_client_from_config(str(tmp_path / "kubeconfig")))
        assert "default" in [one.metadata.name for one in found.list_namespace().items]
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()
