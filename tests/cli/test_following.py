"""When a release that somebody follows has ended, and how."""

import pytest
from msgspec.structs import replace

from arkwright.cli.following import End, end_of
from arkwright.model.kinds import ModuleDeploymentStatus, Progress, ReleaseStatus
from arkwright.model.meta import Condition
from arkwright.model.names import ABORT
from plan.builders import NOW, deployment, spec

STALLED = Condition(type="Stalled", status="True", reason="ProgressDeadlineExceeded")


def release(progress, *, version="2.0", seen=True, unavailable=0, annotations=None, conditions=(), deleted=False):
    one = deployment(spec(2, version), annotations=annotations or {})
    meta = replace(one.metadata, deletion_timestamp=NOW if deleted else None)
    status = ModuleDeploymentStatus(
        observed_generation=one.metadata.generation if seen else one.metadata.generation - 1,
        unavailable_replicas=unavailable,
        release_status=ReleaseStatus(progress=progress),
        conditions=conditions,
    )
    return replace(one, metadata=meta, status=status)


GOES_ON = [
    release(Progress.EXECUTING),
    release(Progress.PAUSED),
    release(Progress.COMPLETED, seen=False),
    release(Progress.COMPLETED, unavailable=1),
    pytest.param(release(Progress.ABORTED), id="its abort was taken away a moment ago"),
]
ENDS = [
    (release(Progress.COMPLETED), End()),
    (release(Progress.ABORTED, annotations={ABORT: "demo-replicas-2"}), "it was aborted"),
    (release(Progress.EXECUTING, version="3.0"), "superseded: version 3.0"),
    (release(Progress.TERMINATING, deleted=True), "it is being deleted"),
    (release(Progress.EXECUTING, conditions=(STALLED,)), ""),
]


@pytest.mark.parametrize("one", GOES_ON)
def test_it_goes_on(one):
    assert end_of(one, "2.0") is None


def test_who_has_waited_in_vain_for_a_person_is_told_what_the_person_types():
    one = release(Progress.PAUSED, conditions=(STALLED,))
    assert end_of(one, "2.0").way_out == "arkwright confirm demo"


@pytest.mark.parametrize(("one", "end"), ENDS)
def test_it_ends(one, end):
    found = end_of(one, "2.0")
    assert found == end if isinstance(end, End) else end in found.why
    assert found.may_abort is (STALLED in one.status.conditions)
