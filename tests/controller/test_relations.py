"""What belongs to what. In: two Modules on one base pod. Out: whether one waits for the other."""

import pytest
from msgspec.structs import replace

from arkwright.controller.relations import goes_first
from arkwright.model.kinds import ModulePhase
from plan.builders import available, module


def of_another_family(one):
    labels = {**one.metadata.labels, "serverless.alipay.com/module-deployment": "other"}
    return replace(one, metadata=replace(one.metadata, labels=labels))


LEAVES, COMES = available(going=True, revision=2), module(status=ModulePhase.PREPARE)
FIRST = [
    ("the same version leaves, and would take away what comes", LEAVES, COMES, True),
    ("what serves waits for nobody of its version", LEAVES, available(), False),
    ("another version leaves beside it", available("2.0", going=True, revision=2), COMES, False),
    ("the same version stays", available(revision=2), COMES, False),
    ("somebody else's leaves", of_another_family(available("2.0", going=True, revision=2)), available(), True),
]


@pytest.mark.parametrize("neighbour, one, expected", [case[1:] for case in FIRST], ids=[case[0] for case in FIRST])
def test_who_leaves_goes_first_where_a_base_cannot_hold_both(neighbour, one, expected):
    assert goes_first(neighbour, one) is expected
