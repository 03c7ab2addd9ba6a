"""Every command to a real Java agent, and every way it refuses one: still as recorded."""

import pytest

from java.recordings import record, recorded
from java.together import SCENES, played
from java.wire import STEPS, asked, comparable

pytestmark = [pytest.mark.java, pytest.mark.timeout(400)]


async def test_a_java_base_answers_as_recorded(java_parts, java_base, request, capsys):
    fresh = java_base.resident_megabytes()
    answers = {}
    for step in STEPS:
        answers[step.name] = comparable(await asked("127.0.0.1", java_base.agent_port, step, java_parts.archives))
    if request.config.getoption("--rewrite-recordings"):
        record("wire", answers)
    assert answers == recorded("wire")
    with capsys.disabled():
        took, used = java_base.start_seconds, java_base.resident_megabytes()
        print(f"\na Java base: its agent answers after {took:.1f} s; {fresh:.0f} MB, after six installs {used:.0f} MB")


async def test_a_java_base_that_is_asked_several_things_at_once_answers_as_recorded(java_parts, java_base, request):
    where = ("127.0.0.1", java_base.port, java_base.agent_port, java_parts.archives)
    answers = {scene.name: await played(scene, *where) for scene in SCENES}
    if request.config.getoption("--rewrite-recordings"):
        record("together", answers)
    assert answers == recorded("together")
