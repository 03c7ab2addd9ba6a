"""Two APIs side by side: the embedded one, and a real one that it is held to."""

import sys
from pathlib import Path

import pytest

from apiserver.asking import Api
from apiserver.cases_of_kinds import CRD

sys.path.insert(0, str(Path(__file__).parents[1] / "kubernetes"))
import embedded  # noqa: E402
from control_plane import running  # noqa: E402

# No controller writes to the objects of a case while it is played.
COLLECTORS = ("garbage-collector-controller", "namespace-controller", "serviceaccount-controller")
ROOT = Path(__file__).parents[2]


def pytest_collection_modifyitems(items):
    for item in items:
        if {"both", "api"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.kubernetes)


@pytest.fixture(scope="session")
def embedded_api(tmp_path_factory):
    """The embedded API alone."""
    with embedded.alone(tmp_path_factory.mktemp("embedded")) as kubeconfig:
        yield prepared(Api(kubeconfig))


@pytest.fixture(scope="session")
def both(embedded_api, tmp_path_factory):
    """(embedded, real)"""
    with running(tmp_path_factory.mktemp("real"), COLLECTORS) as plane:
        yield embedded_api, prepared(Api(plane.kubeconfig))


def prepared(api):
    """With our kinds, and one that has all that a schema can say."""
    for file in sorted((ROOT / "deploy").glob("*crd.yaml")):
        api.create_definition(file.read_text())
    api.create_definition(CRD)
    return api
