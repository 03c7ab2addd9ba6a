"""Options of the whole suite, and what tells its processes apart."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from java.fixtures import java_base, java_parts  # noqa: F401 (fixtures for several folders)

EXAMPLES = Path(__file__).parents[1] / "examples"

# The commands of this very environment, `arkwright` and `kubectl`, whether it is activated or not.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def pytest_addoption(parser):
    parser.addoption("--seed", type=int, help="run this one seed of the simulated rollouts")
    parser.addoption(
        "--seeds", type=int, help="how many seeds of the simulated rollouts to run; 100, or as a file says"
    )
    parser.addoption("--first-seed", type=int, default=0, help="which is the first of them")
    parser.addoption(
        "--every-crash", action="store_true", help="kill the controller after every write, not every eighth"
    )
    parser.addoption(
        "--cycles", type=int, default=30, help="installs and uninstalls after which nothing may have grown"
    )
    parser.addoption("--fuzz-seconds", type=int, default=4, help="how long each part of the agent is fuzzed")
    parser.addoption("--kills", type=int, default=8, help="how often the embedded API is killed under load")
    parser.addoption(
        "--controller-kills", type=int, default=3, help="how often one of several controllers is killed in releases"
    )
    parser.addoption("--api", choices=["embedded", "kubernetes"], help="run scenarios on this Kubernetes API alone")
    parser.addoption(
        "--rewrite-transcripts", action="store_true", help="record the sessions with kubectl anew, on a real API server"
    )
    parser.addoption("--pictures", action="store_true", help="make the pictures of the dashboard in the docs anew")
    parser.addoption("--record-rights", help="add what the controller asks the API server for to this file")
    parser.addoption("--rewrite-recordings", action="store_true", help="record a real Java base's answers anew")
    parser.addoption("--rewrite-sessions", action="store_true", help="run docs/sessions.md and write it anew")
    parser.addoption("--rewrite-stories", action="store_true", help="write the golden stories anew")
    parser.addoption(
        "--rewrite-operations", action="store_true", help="run docs/operations.md and write its outputs anew"
    )


def pytest_generate_tests(metafunc):
    if "seed" in metafunc.fixturenames:
        usual = getattr(metafunc.module, "USUAL_SEEDS", 100)
        one, count = metafunc.config.getoption("--seed"), metafunc.config.getoption("--seeds") or usual
        first = metafunc.config.getoption("--first-seed")
        metafunc.parametrize("seed", range(first, first + count) if one is None else [one])
    if "stride" in metafunc.fixturenames:
        is_each = metafunc.config.getoption("--every-crash")
        metafunc.parametrize("first, stride", [(first, 8) for first in (range(1, 9) if is_each else [3])])


@pytest.fixture(scope="session")
def worker_number():
    """0, 1, …: which of several test processes this is; each has loopback addresses of its own."""
    name = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    return int(name.removeprefix("gw"))


@pytest.fixture(autouse=True)
def quiet_log():
    """A test that wants to hear more says so."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50), cache_logger_on_first_use=False)
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    """url of examples/provider, built as 1.0.2."""
    out = tmp_path_factory.mktemp("archives")
    command = ["arkwright", "module", "build", str(EXAMPLES / "provider"), "--out", str(out)]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()).as_uri()
