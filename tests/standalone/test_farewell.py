"""How long a base serves on once its pod is deleted."""

import msgspec
import pytest

from arkwright.model.cluster import Container
from arkwright.standalone.process import FAREWELL_SECONDS, farewell_seconds


@pytest.mark.parametrize(
    ("lifecycle", "seconds"),
    [
        ({}, FAREWELL_SECONDS),
        ({"lifecycle": {}}, FAREWELL_SECONDS),
        ({"lifecycle": {"postStart": {"exec": {"command": ["true"]}}}}, FAREWELL_SECONDS),
        ({"lifecycle": {"preStop": {"exec": {"command": ["sleep", "5"]}}}}, FAREWELL_SECONDS),
        ({"lifecycle": {"preStop": {"sleep": {"seconds": 5}}}}, 5),
        ({"lifecycle": {"preStop": {"sleep": {"seconds": 0}}}}, 0),
    ],
)
def test_a_base_serves_on_for_as_long_as_its_hook_sleeps(lifecycle, seconds):
    assert farewell_seconds(msgspec.convert({"name": "base"} | lifecycle, Container)) == seconds
