"""Programs that were written for Kubernetes work with the embedded API: Python's client, and Go's with its informers."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient

from apiserver.asking import MERGE, Api
from apiserver.cases_of_kinds import CRD
from arkwright.apiserver.store.records import Store
from kubernetes import client, config, watch

sys.path.insert(0, str(Path(__file__).parents[1] / "kubernetes"))
import embedded  # noqa: E402
from go_build import INFORMER, built  # noqa: E402

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
def kubeconfig(tmp_path):
    with embedded.running(tmp_path / "api") as found:
        yield found


# ── Python ──


def test_python_client(kubeconfig):
    Api(kubeconfig).create_definition(CRD)
    connected = config.new_client_from_config(str(kubeconfig))
    core, custom = client.CoreV1Api(connected), client.CustomObjectsApi(connected)
    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name="shop")))
    made = core.create_namespaced_config_map("shop", client.V1ConfigMap(metadata={"name": "c"}, data={"a": "1"}))
    core.patch_namespaced_config_map("c", "shop", {"data": {"b": "2"}})
    found = core.list_namespaced_config_map("shop", label_selector="!x", limit=1)
    assert [one.data for one in found.items] == [{"a": "1", "b": "2"}]

    since = made.metadata.resource_version
    core.delete_namespaced_config_map("c", "shop")
    seen = watch.Watch().stream(core.list_namespaced_config_map, "shop", resource_version=since, timeout_seconds=1)
    assert [(one["type"], one["object"].data) for one in seen] == [
        ("MODIFIED", {"a": "1", "b": "2"}),
        ("DELETED", {"a": "1", "b": "2"}),
    ]

    where = ("test.arkwright.dev", "v1", "shop", "widgets")
    custom.create_namespaced_custom_object(
        *where,
        {"apiVersion": "test.arkwright.dev/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 1}},
    )
    assert custom.patch_namespaced_custom_object(*where, "w", {"spec": {"size": 2}})["metadata"]["generation"] == 2
    with pytest.raises(ApiException) as refused:
        custom.patch_namespaced_custom_object(*where, "w", {"spec": {"size": 99}})
    assert refused.value.status == 422 and "less than or equal to 9" in refused.value.body
    with pytest.raises(ApiException) as missing:
        core.read_namespaced_config_map("c", "shop")
    assert missing.value.status == 404 and missing.value.reason == "Not Found"


# ── Go ──


class Program:
    """The Go program, and what it has said so far."""

    def __init__(self, kubeconfig):
        command = [built(INFORMER), kubeconfig, "default"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.lines = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self._process.stdout:
            self.lines.append(json.loads(line))

    def said(self):
        return [(one["event"], one.get("name", "")) for one in self.lines]

    def until(self, *wanted):
        deadline = time.monotonic() + 60
        while not set(wanted) <= set(self.said()):
            assert time.monotonic() < deadline, f"not seen: {set(wanted) - set(self.said())}; seen: {self.said()}"
            time.sleep(0.02)

    def end(self):
        self._process.terminate()
        self._process.wait(10)


@contextlib.contextmanager
def serving(directory, port):
    """`arkwright api` on a port of its own."""
    command = [sys.executable, "-m", "arkwright", "api", "--data-dir", str(directory), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield int(process.stdout.readline().rpartition(":")[2])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        process.stdout.close()


@pytest.fixture
def program():
    """Starts the Go program, given a kubeconfig."""
    with contextlib.ExitStack() as stack:

        def start(kubeconfig):
            started = Program(kubeconfig)
            stack.callback(started.end)
            return started

        yield start


def write(api, method, path, body=None, kind="application/json"):
    assert api.raw(method, path, body, **{"Content-Type": kind})[0] in (200, 201)


def test_go_informer_lists_anew_after_its_version_was_compacted(tmp_path, program):
    """While it is cut off objects come, change and go, and the history that would tell it so is forgotten."""
    kubeconfig = tmp_path / "kubeconfig"
    with serving(tmp_path, 0) as port:
        api = Api(kubeconfig)
        for name in ("stays", "changes", "goes"):
            write(api, "POST", CONFIGMAPS, {"metadata": {"name": name}})
        informer = program(kubeconfig)
        informer.until(("synced", ""), ("added", "stays"), ("added", "changes"), ("added", "goes"))
        write(api, "PATCH", f"{CONFIGMAPS}/changes", {"data": {"a": "1"}}, MERGE)
        informer.until(("updated", "changes"))
    with serving(tmp_path, 0):
        api = Api(kubeconfig)
        write(api, "PATCH", f"{CONFIGMAPS}/changes", {"data": {"a": "2"}}, MERGE)
        write(api, "DELETE", f"{CONFIGMAPS}/goes")
        write(api, "POST", CONFIGMAPS, {"metadata": {"name": "comes"}})
    asyncio.run(_forget_history(tmp_path / "store.db"))
    before = len(informer.lines)
    with serving(tmp_path, port):
        wanted = [("added", "comes"), ("found gone", "goes"), ("updated", "changes")]
        informer.until(*wanted)
        assert sorted(informer.said()[before:]) == wanted
        assert [one["data"] for one in informer.lines[before:] if one["name"] == "changes"] == [{"a": "2"}]
        write(Api(kubeconfig), "DELETE", f"{CONFIGMAPS}/comes")
        informer.until(("deleted", "comes"))


async def _forget_history(file):
    store = Store(file, lambda change: None)
    await store.compact(store.version)
    await store.close()


# As a real API server has it said, word for word.
MADE_OF = [
    *(["dynamic create", None],) * 5,
    ["dynamic patch", None],
    ["pages", [3, [f"tool-{number}" for number in range(5)]]],
    ["metadata", [True, [f"tool-{number}" for number in range(5)]]],
    ["metadata watch", "others"],
    ["event Old", ["told once", "tool-0", "toolstools", "Normal"]],
    ["event Recent", ["told 1", "tool-0", "tools", "Warning"]],
    ["event as the other kind", ["told once", "tool-0", 2]],
    ["leads", "me"],
]


@pytest.mark.parametrize("watches", ["list and watch", "watch alone"])
def test_go_has_what_controllers_are_made_of(kubeconfig, watches):
    """Dynamic client, pages, informers on metadata, both recorders of events, leader election; a list as a watch."""
    command = [built(INFORMER), kubeconfig, "default", "tools"]
    flags = {"KUBE_FEATURE_WatchListClient": str(watches == "watch alone").lower()}
    done = subprocess.run(command, env=os.environ | flags, stdout=subprocess.PIPE, text=True, timeout=60)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [[one["step"], one.get("error") or one["found"]] for one in said] == MADE_OF


def test_python_reads_pages_and_begins_anew_where_they_are_too_old(tmp_path):
    kubeconfig = tmp_path / "kubeconfig"
    with serving(tmp_path, 0):
        core = client.CoreV1Api(config.new_client_from_config(str(kubeconfig)))
        for number in range(5):
            core.create_namespaced_config_map("default", client.V1ConfigMap(metadata={"name": f"c{number}"}))
        first = core.list_namespaced_config_map("default", limit=2)
        assert first.metadata.remaining_item_count == 3
        core.delete_namespaced_config_map("c4", "default")
        second = core.list_namespaced_config_map("default", limit=9, _continue=first.metadata._continue)
        assert [one.metadata.name for one in second.items] == [
            "c2",
            "c3",
            "c4",
        ]  # as it was when the first page was read
        exact = {"resource_version": first.metadata.resource_version, "resource_version_match": "Exact"}
        assert len(core.list_namespaced_config_map("default", **exact).items) == 5
        old = first.metadata
    asyncio.run(_forget_history(tmp_path / "store.db"))
    with serving(tmp_path, 0):
        core = client.CoreV1Api(config.new_client_from_config(str(kubeconfig)))
        for words in (
            {"limit": 2, "_continue": old._continue},
            {"resource_version": "1", "resource_version_match": "Exact"},
        ):
            with pytest.raises(ApiException) as gone:
                core.list_namespaced_config_map("default", **words)
            assert (gone.value.status, json.loads(gone.value.body)["reason"]) == (410, "Expired")
        followed = watch.Watch().stream(
            core.list_namespaced_config_map, "default", resource_version="1", timeout_seconds=1
        )
        with pytest.raises(ApiException, match="too old resource version"):
            list(followed)


def test_python_finds_kinds_by_itself(kubeconfig):
    """Its dynamic client reads discovery; a watch from the beginning says with a bookmark when all is told."""
    found = DynamicClient(config.new_client_from_config(str(kubeconfig)))
    modules = found.resources.get(api_version="serverless.alipay.com/v1alpha1", kind="ModuleDeployment")
    assert modules.namespaced and "patch" in modules.verbs
    maps = found.resources.get(api_version="v1", kind="ConfigMap")
    maps.create(namespace="default", body={"metadata": {"name": "c", "labels": {"of": "dynamic"}}})
    maps.server_side_apply(
        namespace="default",
        name="c",
        body={"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"}},
        field_manager="me",
    )
    assert [one.data.a for one in maps.get(namespace="default", label_selector="of=dynamic").items] == ["1"]
    core = client.CoreV1Api(config.new_client_from_config(str(kubeconfig)))
    words = {"send_initial_events": True, "resource_version_match": "NotOlderThan", "allow_watch_bookmarks": True}
    stream = watch.Watch().stream(core.list_namespaced_config_map, "default", timeout_seconds=1, **words)
    kinds = [one["type"] for one in stream]
    assert kinds[0] == "ADDED" and kinds[-1] == "BOOKMARK"


def test_go_objects_come_in_protobuf(kubeconfig):
    """Go clients send built-in kinds so; they are what the same in JSON would be."""
    subprocess.run([built(INFORMER), kubeconfig, "default", "write"], check=True, timeout=60, env=dict(os.environ))
    api = Api(kubeconfig)

    def found(path):
        return json.loads(api.raw("GET", path)[2])

    pod = found("/api/v1/namespaces/default/pods/typed")
    [container] = pod["spec"]["containers"]
    assert container["ports"] == [{"containerPort": 8080, "protocol": "TCP"}]
    assert container["env"] == [
        {"name": "IP", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}}
    ]
    assert container["readinessProbe"]["httpGet"] == {"path": "/health", "port": 1238, "scheme": "HTTP"}
    assert pod["metadata"]["labels"] == {"app": "typed"}
    assert found("/api/v1/namespaces/default/secrets/typed")["data"] == {"a": "AGI="}
    assert found("/api/v1/namespaces/default/services/typed")["spec"]["ports"][0]["targetPort"] == "http"
    deployment = found("/apis/apps/v1/namespaces/default/deployments/typed")
    assert deployment["spec"]["replicas"] == 0
    assert deployment["spec"]["template"]["spec"]["containers"] == [container | {"imagePullPolicy": "IfNotPresent"}]
    lease = found("/apis/coordination.k8s.io/v1/namespaces/default/leases/typed")["spec"]
    assert lease == {"holderIdentity": "me", "renewTime": "2026-09-21T14:13:20.123456Z"}
