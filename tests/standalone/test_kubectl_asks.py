"""What people and tools ask kubectl of a site: each answers, or says in words what works here instead."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from standalone.test_site import JSON, PODS, api, pods_of, ready_pods, site, until  # noqa: F401 (fixtures)

KUBECTL = Path(sys.executable).parent / "kubectl"
PROCESS = "a pod here is a process of this machine"


def kubectl(site, words, user="kubeconfig"):  # noqa: F811
    environment = os.environ | {"KUBECONFIG": str(site / user), "HOME": str(site)}
    command = [KUBECTL, *words.split()]
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60
    )
    return done.stdout


@pytest.mark.parametrize(
    "words, said",
    [
        ("auth can-i create pods", "yes"),
        ("auth can-i --list", "*.*"),
        ("auth can-i create pods --as=nobody", "no"),
        ("auth whoami", "admin"),
        ("logs {pod}", "base on http://"),
        ("logs {pod} --tail=1", "base on http://"),
        ("logs deploy/base", "base on http://"),
        ("logs {pod} --previous", 'previous terminated container "base" in pod "{pod}" not found'),
        ("logs {pod} --since=1h", "base on http://"),
        ("logs {pod} --since-time=2020-01-01T00:00:00Z --tail=1", "base on http://"),
        ("logs {pod} --timestamps --tail=1", "000Z "),
        ("logs {pod} -c other", "container other is not valid"),
        ("exec {pod} -- ls", PROCESS),
        ("attach {pod}", "kubectl logs -f {pod}"),
        ("port-forward {pod} 18080:8080", "its ports are open at 127."),
        ("debug {pod} --image=busybox", "nor one to be added: look into the process here"),
        ("cp {pod}:/etc/hostname /dev/null", PROCESS),
        ("create token default", "users of this API are admin and reader"),
        ("get nodes", "Ready"),
        ("describe node arkwright", "{pod}"),
        ("logs -l app=base --prefix --tail=1", "[pod/{pod}/base]"),
        ("logs {pod} --all-containers --tail=1", "base on http://"),
        ("create job j --image=busybox", "there are no jobs.batch in this API"),
        ("create quota q --hard=pods=1", "there are no resourcequotas in this API"),
        ("get jobs,hpa,ingresses,pvc", "No resources found"),
        ("cluster-info dump", "==== START logs for container base of pod default/{pod} ===="),
        ("top pods", "{pod}"),
        ("top pods -l app=base --containers", "{pod}"),
        ("top nodes", "arkwright"),
        ("top pod none", 'pods "none" not found'),
        ("events", ""),
        ("rollout history deployment/base", "REVISION"),
    ],
)
def test_kubectl_is_answered(site, api, words, said):  # noqa: F811
    pod = until(lambda: ready_pods(api))[0]
    assert said.format(pod=pod) in kubectl(site, words.format(pod=pod))


@pytest.mark.parametrize(
    "words, said",
    [
        ("auth can-i create pods", "no"),
        ("auth can-i get pods", "yes"),
        ("auth whoami", "reader"),
        ("logs {pod} --tail=1", "base on http://"),
        ("exec {pod} -- ls", "may only read"),
    ],
)
def test_the_reader_is_answered(site, api, words, said):  # noqa: F811
    pod = until(lambda: ready_pods(api))[0]
    assert said in kubectl(site, words.format(pod=pod), "reader.kubeconfig")


def test_a_pod_that_nobody_runs_says_so(site, api):  # noqa: F811
    kubectl(site, "run x --image=nginx")

    def message():
        return json.loads(api.raw("GET", f"{PODS}/x")[2])["status"].get("message", "")

    assert "there are no images" in until(message)
    assert "spec.nodeName 'arkwright'" in kubectl(site, "logs x")
    until(lambda: "nothing gives pods a node here" in kubectl(site, "describe pod x"))
    kubectl(site, "delete pod x")


def test_a_pod_with_a_node_and_a_command_runs(site, api):  # noqa: F811
    container = {"name": "y", "image": "process", "command": ["echo", "hello"]}
    spec = {"nodeName": "arkwright", "containers": [container]}
    assert api.raw("POST", PODS, {"metadata": {"name": "y"}, "spec": spec}, **JSON)[0] == 201
    until(lambda: "hello" in kubectl(site, "logs y"))
    api.raw("DELETE", f"{PODS}/y")


def test_a_pod_on_the_node_without_a_command_says_so(site, api):  # noqa: F811
    spec = {"nodeName": "arkwright", "containers": [{"name": "z", "image": "nginx"}]}
    api.raw("POST", PODS, {"metadata": {"name": "z"}, "spec": spec}, **JSON)
    until(lambda: "neither command nor args" in api.raw("GET", f"{PODS}/z")[2].decode())
    api.raw("DELETE", f"{PODS}/z")


def test_what_a_process_said_before_it_was_started_again_is_the_previous_log(site, api):  # noqa: F811
    words = "echo said by $$; sleep 1"
    container = {"name": "w", "image": "process", "command": ["sh", "-c", words]}
    spec = {"nodeName": "arkwright", "containers": [container]}
    assert api.raw("POST", PODS, {"metadata": {"name": "w"}, "spec": spec}, **JSON)[0] == 201
    before = until(lambda: "said by" in (said := kubectl(site, "logs w")) and said)
    until(lambda: before in kubectl(site, "logs w --previous"))
    assert before not in kubectl(site, "logs w")
    api.raw("DELETE", f"{PODS}/w")


def test_a_node_that_is_drained_keeps_new_pods_waiting_until_it_takes_them_again(site, api):  # noqa: F811
    before = until(lambda: len(found := ready_pods(api)) == 2 == len(pods_of(api)) and found)
    said = kubectl(site, "drain arkwright --timeout=30s")
    assert "node/arkwright drained" in said and all(f"pod/{name} evicted" in said for name in before)
    assert "SchedulingDisabled" in kubectl(site, "get nodes")
    waiting = [name for name in kubectl(site, "get pods -o name -l app=base").split() if name not in before]
    assert len(waiting) == 2 and not ready_pods(api)
    until(lambda: "it waits for `kubectl uncordon arkwright`" in kubectl(site, f"describe {waiting[0]}"))
    assert "uncordoned" in kubectl(site, "uncordon arkwright")
    assert until(lambda: len(found := ready_pods(api)) == 2 and found) == sorted(one[4:] for one in waiting)


ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: looker, namespace: default}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
"""


def test_roles_are_reconciled_and_said_to_be_stored_only(site, tmp_path):  # noqa: F811
    (tmp_path / "role.yaml").write_text(ROLE)
    said = [kubectl(site, f"auth reconcile -f {tmp_path}/role.yaml") for _ in range(2)]
    assert "reconciliation required create" in said[0] and "roles are stored and not enforced" in said[0]
    assert "reconciled" in said[1] and "required" not in said[1]


def test_a_node_that_is_deleted_is_there_again(site):  # noqa: F811
    kubectl(site, "delete node arkwright")
    until(lambda: " Ready" in kubectl(site, "get nodes"))
