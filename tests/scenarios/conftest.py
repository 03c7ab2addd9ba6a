"""Every scenario on the embedded API and on a real one, or on the cluster that KUBECONFIG names; a namespace for each."""

import contextlib
import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from arkwright.clients.credentials import find_access
from arkwright.clients.kube import KubeClient
from scenarios.kubectl import Refused, kubectl
from scenarios.rights import record
from scenarios.site import Site

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "kubernetes"))
import embedded  # noqa: E402
from control_plane import running  # noqa: E402

GIVEN = os.environ.get("KUBECONFIG", "")

ARKWRIGHT = str(Path(sys.executable).with_name("arkwright"))
_numbers = itertools.count(1)


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.kubernetes)


def pytest_sessionfinish(session):
    if file := session.config.getoption("--record-rights"):
        record(Path(file))


def pytest_generate_tests(metafunc):
    if "cluster" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--api")
        apis = ["given"] if GIVEN else [chosen] if chosen else ["embedded", "kubernetes"]
        metafunc.parametrize("cluster", apis, indirect=True, scope="session")


@pytest.fixture(scope="session")
def cluster(request, tmp_path_factory):
    """Path of a kubeconfig of a cluster that has our CRDs."""
    with contextlib.ExitStack() as stack:
        kubeconfig = GIVEN
        if request.param == "embedded":
            kubeconfig = stack.enter_context(embedded.running(tmp_path_factory.mktemp("embedded")))
        elif request.param == "kubernetes":
            kubeconfig = stack.enter_context(running(tmp_path_factory.mktemp("control-plane"))).kubeconfig
        os.environ["KUBECONFIG"] = str(kubeconfig)
        if not GIVEN:
            stack.callback(os.environ.pop, "KUBECONFIG", None)
        _install_kinds()
        yield Path(kubeconfig)


def _install_kinds():
    files = [word for file in sorted((ROOT / "deploy").glob("*crd.yaml")) for word in ("-f", str(file))]
    try:
        kubectl("apply", *files)
    except Refused as refused:  # another test process was faster
        assert "AlreadyExists" in str(refused)
        kubectl("apply", *files)
    kubectl("wait", "--for=condition=Established", "crd", "-l", "", "--all", "--timeout=30s")


@pytest.fixture
def site_class():
    """What `site` is made of; a test file may choose another."""
    return Site


def network_of(first, number):
    """Three numbers of an address that no other scenario has: there are more of these than 250."""
    return f"127.{first + 100 * (number // 250)}.{number % 250}"


@pytest.fixture
async def site(cluster, worker_number, site_class, request):
    """A namespace of its own, a controller that sees only that, and as many scripted base pods as asked for."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40), cache_logger_on_first_use=False)
    number = next(_numbers)
    async with KubeClient(await find_access()) as kube, contextlib.AsyncExitStack() as stack:
        name, network = f"scenario-{worker_number}-{number}-{os.getpid()}", network_of(20 + worker_number, number)
        made = site_class(kube, stack, name, network)
        made.is_real = request.node.callspec.params["cluster"] == "kubernetes"
        await made.begin()
        yield made
        await made.end()


@pytest.fixture
def bases(site, worker_number, tmp_path):
    """The example's base Deployment with two pods, each a real process with a real agent."""
    node = f"node-of-{site.namespace}"
    network = f"{network_of(50 + worker_number, int(site.namespace.split('-')[2]))}.0/28"
    command = [ARKWRIGHT, "pods", "--node", node, "--addresses", network, "--log-directory", str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT / "examples" / "base", env=dict(os.environ))
    text = (ROOT / "examples" / "base" / "deployment.yaml").read_text()
    kubectl("apply", "-n", site.namespace, "-f", "-", text=text.replace("nodeName: arkwright", f"nodeName: {node}"))
    yield "dynamic-stock-deployment"
    kubectl("delete", "-n", site.namespace, "deployment", "dynamic-stock-deployment", "--cascade=foreground")
    process.terminate()
    process.wait(20)
