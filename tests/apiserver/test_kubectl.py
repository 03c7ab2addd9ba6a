"""kubectl, every version that is looked after, is told the same by the embedded API as by a real one.

The transcripts were recorded on a real one: `pytest tests/apiserver/test_kubectl.py --rewrite-transcripts`.
"""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from apiserver.session import HERE, VERSIONS, Session, kubectl_of

sys.path.insert(0, str(Path(__file__).parents[1] / "kubernetes"))
import embedded  # noqa: E402
from control_plane import running  # noqa: E402

CONTROLLERS = (
    "garbage-collector-controller",
    "namespace-controller",
    "serviceaccount-controller",
    "deployment-controller",
    "replicaset-controller",
)


def pytest_generate_tests(metafunc):
    if "version" in metafunc.fixturenames:
        is_recording = metafunc.config.getoption("--rewrite-transcripts")
        real = VERSIONS if is_recording else [VERSIONS[0], VERSIONS[-1]]
        pairs = [("kubernetes", version) for version in real]
        pairs += [] if is_recording else [("embedded", version) for version in VERSIONS]
        metafunc.parametrize("api, version", pairs, indirect=["api"], scope="module")


@pytest.fixture(scope="module")
def api(request, tmp_path_factory, worker_number):
    """A kubeconfig. The pods of the node "session" are run, each as a process."""
    directory = tmp_path_factory.mktemp(request.param)
    is_real = request.param == "kubernetes"
    with contextlib.ExitStack() as stack:
        started = running(directory / "api", CONTROLLERS) if is_real else embedded.running(directory / "api")
        found = stack.enter_context(started)
        kubeconfig = found.kubeconfig if is_real else found
        network = f"127.{80 + worker_number}.{is_real:d}.0/24"
        node = ["--node", "session", "--addresses", network, "--log-directory", str(directory / "logs")]
        with (directory / "pods.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "arkwright", "pods", *node],
                env=os.environ | {"KUBECONFIG": str(kubeconfig)},
                stdout=log,
                stderr=log,
            )
        stack.callback(process.wait, 20)
        stack.callback(process.terminate)
        yield kubeconfig


def test_session(request, api, version, tmp_path):
    kubectl = kubectl_of(version)
    if kubectl is None:
        pytest.skip(
            f"there is no kubectl {version} here (looked for kubectl.{version} beside each kubectl on the PATH)"
        )
    subprocess.run(
        [kubectl, "--kubeconfig", api, "delete", "--ignore-not-found", "crd", "--all"],
        check=True,
        capture_output=True,
        timeout=60,
    )
    expected = HERE / f"{version}.txt"
    found = Session(kubectl, api, tmp_path).transcript()
    if request.config.getoption("--rewrite-transcripts"):
        expected.write_text(found)
    assert found.splitlines() == expected.read_text().splitlines()
