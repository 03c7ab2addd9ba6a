"""A real Java base for the tests that need one: built once, one process a test."""

import itertools
import sys
from pathlib import Path

import pytest

from java.java_base import JavaBase

sys.path.append(str(Path(__file__).parent))
from java_build import built  # noqa: E402

_ports = itertools.count(15000, 2)


@pytest.fixture(scope="session")
def java_parts():
    return built()


@pytest.fixture
async def java_base(java_parts, worker_number, tmp_path):
    port = next(_ports) + 1000 * worker_number
    async with JavaBase(java_parts.base, tmp_path / "java.log", port, port + 1) as base:
        yield base
