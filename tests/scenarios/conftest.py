"""One control plane for all scenarios of a test process, or the cluster that KUBECONFIG names; a namespace for each."""

import contextlib
import itertools
import os
import sys
from pathlib import Path

import pytest
import structlog

from arkwright.clients.credentials import find_access
from arkwright.clients.kube import KubeClient
from scenarios.site import Site

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "kubernetes"))
from control_plane import running  # noqa: E402

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items):
    for item in items:
        if "cluster" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.kubernetes)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """Path of a kubeconfig of a cluster that has our CRDs."""
    with contextlib.ExitStack() as stack:
        kubeconfig = os.environ.get("KUBECONFIG")
        if not kubeconfig:
            directory = tmp_path_factory.mktemp("control-plane")
            kubeconfig = str(stack.enter_context(running(directory)).kubeconfig)
        os.environ["KUBECONFIG"] = kubeconfig
        stack.callback(os.environ.pop, "KUBECONFIG", None)
        _install_kinds()
        yield Path(kubeconfig)


def _install_kinds():
    from scenarios.kubectl import kubectl

    files = [word for file in sorted((ROOT / "deploy").glob("*crd.yaml")) for word in ("-f", str(file))]
    kubectl("apply", *files)
    kubectl("wait", "--for=condition=Established", "crd", "-l", "", "--all", "--timeout=30s")


@pytest.fixture
def site_class():
    """What `site` is made of; a test file may choose another."""
    return Site


@pytest.fixture
async def site(cluster, worker_number, site_class):
    """A namespace of its own, a controller that sees only that, and as many scripted base pods as asked for."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    number = next(_numbers)
    async with KubeClient(await find_access()) as kube, contextlib.AsyncExitStack() as stack:
        name, network = f"scenario-{worker_number}-{number}-{os.getpid()}", f"127.{20 + worker_number}.{number}"
        made = site_class(kube, stack, name, network)
        await made.begin()
        yield made
        await made.end()
