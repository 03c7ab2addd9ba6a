"""A whole site, as its user sees it: `arkwright up`, bases behind a nodePort, a base release under load, `down` and up again."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from apiserver.asking import STRATEGIC, Api
from arkwright.standalone.site import Site
from standalone.pods import pid_of

PODS = "/api/v1/namespaces/default/pods"
SERVICES = "/api/v1/namespaces/default/services"
JSON = {"Content-Type": "application/json"}
BASE = "/apis/apps/v1/namespaces/default/deployments/base"


def arkwright(*words, code=0, **environment):
    """What a command says, on both outputs. `code`: that it has to end with; None for any."""
    command = [sys.executable, "-m", "arkwright", *map(str, words)]
    known = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"}
    done = subprocess.run(
        command, env=known | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=90
    )
    assert code is None or done.returncode == code, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory, worker_number):
    """Its directory, while it is up with two bases; started by somebody who has no `arkwright` on the PATH."""
    directory = tmp_path_factory.mktemp("site")
    words = ["--data-dir", directory, "--port", 0, "--addresses", f"127.9.{worker_number}.0/24"]
    said = arkwright("up", "--bases", 2, *words, PATH=os.defpath)
    assert f"export KUBECONFIG={directory}/kubeconfig" in said
    yield directory
    arkwright("down", "--data-dir", directory)


@pytest.fixture
def api(site):
    return Api(site / "kubeconfig")


def until(look, seconds=30):
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it does not come to that"
        time.sleep(0.05)
    return found


def pods_of(api):
    return json.loads(api.raw("GET", PODS)[2])["items"]


def ready_pods(api):
    return sorted(
        one["metadata"]["name"]
        for one in pods_of(api)
        if {"type": "Ready", "status": "True"} in one.get("status", {}).get("conditions", ())
        and "deletionTimestamp" not in one["metadata"]
    )


def fetched(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
        return answer.read().decode()


def is_answering(port):
    try:
        return fetched(port)
    except OSError:
        return ""


def change_bases(api, **spec):
    assert api.raw("PATCH", BASE, {"spec": spec}, **{"Content-Type": STRATEGIC})[0] == 200


def container(**changes):
    """The template of bases with another container."""
    return {"spec": {"containers": [{"name": "base"} | changes]}}


def run_in_bases(api, *command):
    change_bases(api, template=container(command=command))


def expose(api, name, node_port):
    """The bases, as a Service of that name."""
    port = {"port": 80, "targetPort": 8080, "nodePort": node_port}
    spec = {"type": "NodePort", "selector": {"app": "base"}, "ports": [port]}
    status, _, body = api.raw("POST", SERVICES, {"metadata": {"name": name}, "spec": spec}, **JSON)
    assert status == 201, body


@pytest.fixture
def node_port(api, worker_number):
    """One that leads to the bases; another for each test process, for each may have a site up."""
    number = 31700 + worker_number
    until(lambda: len(ready_pods(api)) == 2)
    expose(api, "base", number)
    until(lambda: is_answering(number))
    yield number
    api.raw("DELETE", f"{SERVICES}/base")


def test_a_base_release_loses_no_request(api, node_port):
    """New connections go to ready pods only, in turn; a base that is asked to end finishes what it has begun."""
    before = set(ready_pods(api))
    outcomes, is_over = [], threading.Event()

    def ask():
        while not is_over.is_set():
            try:
                outcomes.append(fetched(node_port))
            except OSError as error:
                outcomes.append(error)

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for one in asking:
        one.start()
    try:
        change_bases(api, template={"metadata": {"annotations": {"release": "2"}}})
        until(lambda: len(ready_pods(api)) == 2 and not before & set(ready_pods(api)))
        time.sleep(0.5)
    finally:
        is_over.set()
        for one in asking:
            one.join()
    failed = [one for one in outcomes if not isinstance(one, str)]
    assert not failed, f"{len(failed)} of {len(outcomes)} requests failed: {failed[0]}"
    assert len(set(outcomes)) >= 4, "all four pods have answered"


def test_a_request_on_its_way_to_a_base_that_is_deleted_is_answered(api, node_port):
    """Its connection was made before, or in the moment in which the base left."""
    names = ready_pods(api)
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(socket.create_connection(("127.0.0.1", node_port), 5)) for _ in names]
        for name in names:
            assert api.raw("DELETE", f"{PODS}/{name}")[0] == 200
        time.sleep(0.3)  # longer than a base that was asked to end keeps what says nothing
        for one in opened:
            one.sendall(b"GET / HTTP/1.1\r\nHost: base\r\nConnection: close\r\n\r\n")
        assert [one.recv(12) for one in opened] == [b"HTTP/1.1 200"] * len(names)
    until(lambda: len(ready_pods(api)) == 2 and not set(names) & set(ready_pods(api)))


def test_a_base_that_dies_is_passed_over_and_started_again(api, node_port):
    name = ready_pods(api)[0]
    os.kill(pid_of(json.loads(api.raw("GET", f"{PODS}/{name}")[2])), signal.SIGKILL)
    began = time.monotonic()
    answers = [is_answering(node_port) for _ in range(10)]
    assert answers.count("") <= 1, "only what the base had taken when it died may fail"
    assert time.monotonic() - began < 4, "and that is told at once"
    until(lambda: len(ready_pods(api)) == 2)


def test_a_node_port_that_somebody_else_has_is_listened_on_once_it_is_free(api, worker_number):
    number = 31720 + worker_number
    with socket.create_server(("127.0.0.1", number)):
        expose(api, "late", number)
        time.sleep(0.5)
    until(lambda: is_answering(number))
    api.raw("DELETE", f"{SERVICES}/late")


def test_status_and_logs_show_the_site(site, api):
    until(lambda: len(ready_pods(api)) == 2)
    said = arkwright("status", KUBECONFIG=str(site / "kubeconfig"))
    assert f"site {site}: https://127.0.0.1:" in said and "2 of 2 pods ready" in said and "kubectl apply -f" in said
    assert "base on http://127.9." in arkwright("logs", ready_pods(api)[0], "--data-dir", site)
    assert "known: api" in arkwright("logs", "nobody", "--data-dir", site, code=1)


def test_a_base_that_cannot_start_says_why(site, api):
    """In status, in its log, and in what kubectl describes; the bases that serve are left alone."""
    before = until(lambda: len(found := ready_pods(api)) == 2 and found)
    run_in_bases(api, "arkwright", "base", "--app", "nothing:app")

    def failing():
        found = ((one, one["status"].get("containerStatuses", [{}])[0]) for one in pods_of(api))
        return [one for one, container in found if container.get("lastState") and not container["ready"]]

    [pod] = until(failing)
    name, ended = pod["metadata"]["name"], pod["status"]["containerStatuses"][0]["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (1, "Error")
    said = arkwright("status", KUBECONFIG=str(site / "kubeconfig"))
    assert f"2 of 3 pods ready; arkwright logs {name} --data-dir {site} says why" in said
    assert "No module named 'nothing'" in arkwright("logs", name, "--data-dir", site)
    assert ready_pods(api) == before
    run_in_bases(api, "arkwright", "base")
    until(lambda: not failing() and len(ready_pods(api)) == 2)


def test_a_command_that_is_not_there_is_named_in_the_pod_and_its_log(site, api):
    run_in_bases(api, "arkwrong", "base")

    def waiting():
        states = ((one, one["status"].get("containerStatuses", [{}])[0].get("state", {})) for one in pods_of(api))
        return [
            (one["metadata"]["name"], state["waiting"])
            for one, state in states
            if "message" in state.get("waiting", {})
        ]

    [(name, state)] = until(waiting)
    said = "arkwrong: No such file or directory (PATH="
    assert state["reason"] == "BaseNotRunning" and said in state["message"]
    assert said in arkwright("logs", name, "--data-dir", site)
    run_in_bases(api, "arkwright", "base")
    until(lambda: not waiting() and len(ready_pods(api)) == 2)


def test_a_site_that_is_up_is_not_started_twice(site):
    assert "is up already" in arkwright("up", "--data-dir", site, code=1)


def test_without_a_kubeconfig_a_command_names_the_site_that_is_up(site, tmp_path):
    (tmp_path / "arkwright").symlink_to(site)
    said = arkwright("get", code=1, HOME=str(tmp_path), XDG_DATA_HOME=str(tmp_path))
    assert "no usable Kubernetes configuration" in said and f"export KUBECONFIG={site}/kubeconfig" in said


def test_a_backup_is_a_whole_site(site, api, tmp_path):
    file = tmp_path / "store.db"
    assert "versions; to go back" in arkwright("backup", file, "--data-dir", site)
    assert "is there already" in arkwright("backup", file, "--data-dir", site, code=1)
    assert "there is no site" in arkwright("backup", tmp_path / "x", "--data-dir", tmp_path / "none", code=1)
    arkwright("up", "--no-controller", "--data-dir", tmp_path, "--port", 0, "--addresses", "127.9.77.0/24")
    try:
        assert Api(tmp_path / "kubeconfig").raw("GET", BASE)[0] == 200
    finally:
        assert f"down; all objects are in {file}" in arkwright("down", "--data-dir", tmp_path)


@pytest.fixture
def up_narrow(tmp_path, worker_number):
    """Starts a site of two addresses for its bases, with a base on each."""

    def up():
        words = ["--data-dir", tmp_path, "--port", 0, "--addresses", f"127.9.{80 + worker_number}.0/30"]
        arkwright("up", "--no-controller", "--bases", 2, *words)
        return Api(tmp_path / "kubeconfig")

    return up


@pytest.fixture
def narrow(up_narrow, tmp_path):
    found = up_narrow()
    until(lambda: len(ready_pods(found)) == 2)
    yield found
    arkwright("down", "--data-dir", tmp_path, code=None)  # some tests have done so


def test_a_pod_without_an_address_says_so_until_another_one_goes(narrow):
    """It says what to do, and nobody else is held up by it."""
    before = ready_pods(narrow)
    change_bases(narrow, replicas=3)
    [late] = until(lambda: [one for one in pods_of(narrow) if one["status"].get("message")])
    assert late["status"]["phase"] == "Pending" and "--addresses" in late["status"]["message"]
    change_bases(narrow, replicas=2)
    until(lambda: len(pods_of(narrow)) == 2)
    assert ready_pods(narrow) == before, "who does not run goes first"
    narrow.raw("DELETE", f"{PODS}/{before[0]}")
    until(lambda: before[0] not in ready_pods(narrow) and len(ready_pods(narrow)) == 2)


def test_a_site_that_goes_down_leaves_no_process_of_a_pod_that_is_leaving(narrow, tmp_path):
    """And does not wait for its preStop hook."""
    hook = container(lifecycle={"preStop": {"sleep": {"seconds": 25}}})
    before = ready_pods(narrow)
    change_bases(narrow, replicas=1, strategy={"type": "Recreate", "rollingUpdate": None}, template=hook)
    [name] = until(lambda: [one for one in ready_pods(narrow) if one not in before])
    pod = json.loads(narrow.raw("DELETE", f"{PODS}/{name}")[2])
    began = time.monotonic()
    arkwright("down", "--data-dir", tmp_path)
    assert not psutil.pid_exists(pid_of(pod))
    assert time.monotonic() - began < 15


def test_a_site_that_is_killed_takes_its_bases_with_it_and_comes_back_whole(narrow, up_narrow, tmp_path):
    """They would hold their addresses."""
    pids = [pid_of(one) for one in pods_of(narrow)]
    os.kill(Site(tmp_path).keeper()[0], signal.SIGKILL)
    until(lambda: not any(map(psutil.pid_exists, pids)))
    again = up_narrow()
    until(lambda: len(ready_pods(again)) == 2 and not {pid_of(one) for one in pods_of(again)} & set(pids))


def test_an_api_that_is_killed_comes_back_where_everybody_looks_for_it(narrow, tmp_path):
    keeper, _ = Site(tmp_path).keeper()
    [server] = [one for one in psutil.Process(keeper).children() if "api" in one.cmdline()]
    pods = ready_pods(narrow)
    narrow.raw("DELETE", f"{PODS}/{pods[0]}")
    time.sleep(0.5)  # its process ends while nobody can be told
    server.kill()
    again = until(lambda: reached(tmp_path))
    until(lambda: len(pods_of(again)) == len(ready_pods(again)) == 2 and pods[0] not in ready_pods(again))


def reached(directory):
    """A client of the site's API; None while it does not answer."""
    found = Api(directory / "kubeconfig")
    try:
        return found if found.raw("GET", PODS)[0] == 200 else None
    except OSError:
        return None


def test_a_port_that_is_taken_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = arkwright("up", "--data-dir", tmp_path, "--port", port, code=1)
    assert f"cannot listen on 127.0.0.1:{port}" in said and "--port" in said


def test_what_a_crash_leaves_behind_is_no_site_that_is_up(tmp_path: Path):
    (tmp_path / "site.json").write_text(json.dumps({"pid": os.getpid(), "server": "https://127.0.0.1:1"}))
    assert "nothing is up" in arkwright("down", "--data-dir", tmp_path)
