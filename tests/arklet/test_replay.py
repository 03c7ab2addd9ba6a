"""What a real Java agent was asked, and answered: the agent that the scenarios script answers the same, and so does ours, but what
differs on purpose.
"""

import json
from urllib.parse import urlsplit

import pytest

from fakes.base import FakeBase
from java.differences import DIFFERENCES, DIFFERENCES_TOGETHER
from java.recordings import recorded
from java.together import SCENES, played
from java.wire import STEPS, asked, comparable

# What the fake knows: commands with all they need and no more. It validates nothing, and does nothing later.
WORDS = {
    "installBiz": {"bizName", "bizVersion", "bizUrl"},
    "uninstallBiz": {"bizName", "bizVersion"},
    "switchBiz": {"bizName", "bizVersion"},
    "queryAllBiz": set(),
    "makeCoffee": set(),
}
BEYOND_IT = ("a path for a url", "an uninstall of the base", "which the archive has named")
FAKED = [
    step
    for step in STEPS
    if not isinstance(step.body, str) and set(step.body or {}) == WORDS.get(step.command) and step.name not in BEYOND_IT
]


def _scripted():
    """With the modules that the Java base was given."""
    fake = FakeBase(holds_one_version=True, broken_versions={"0.9.0"}, web_paths={"provider:3.0.0": "provider3"})
    fake.real_identity["provider:7.7.7"] = "provider:1.0.2"
    return fake


def test_the_scripted_agent_answers_as_a_java_agent_does():
    fake = _scripted()
    answers = {step.name: comparable((200, json.dumps(fake.answer(step.command, step.body or {})))) for step in FAKED}
    assert answers == {step.name: recorded("wire")[step.name] for step in FAKED}
    assert len(FAKED) == 24


def test_the_scripted_agent_lives_through_a_release_as_a_java_base_does():
    fake = _scripted()
    for one in recorded("release"):
        if "asked" in one:
            answer = fake.answer(one["command"], one["asked"] | {"bizUrl": "http://archives/any.jar"})
            assert comparable((200, json.dumps(answer))) == one["answer"], one
        else:
            fake.restart()


@pytest.fixture
def wheels(make_wheel):
    made = {f"provider-{version}": make_wheel(version) for version in ("1.0.2", "2.0.0")}
    made["provider-3.0.0"] = make_wheel("3.0.0", web_path="provider3")
    never = {"broken/values.py": "raise RuntimeError('this module never starts')"}
    return made | {"broken-0.9.0": make_wheel("0.9.0", name="broken", web_path="broken", files=never)}


async def test_our_agent_answers_as_a_java_agent_does_but_what_is_listed(base, wheels):
    address = urlsplit(base.agent)
    ours = {step.name: comparable(await asked(address.hostname, address.port, step, wheels)) for step in STEPS}
    theirs = recorded("wire")
    different = {name: answer for name, answer in ours.items() if answer != theirs[name]}
    assert different == {name: answer for name, (answer, _) in DIFFERENCES.items()}


async def test_our_agent_is_asked_several_things_at_once_and_answers_as_a_java_agent_does(base, wheels, make_wheel):
    slow = {"provider/values.py": "import time\ntime.sleep(1)\nVERSION = '1.0.2'"}  # to start: a Java module is
    urls = wheels | {"provider-1.0.2": make_wheel("1.0.2", files=slow)}
    where = (urlsplit(base.agent).hostname, urlsplit(base.web).port, urlsplit(base.agent).port, urls)
    ours = _flat({scene.name: await played(scene, *where) for scene in SCENES})
    different = {which: answer for which, (answer, _) in DIFFERENCES_TOGETHER.items()}
    assert ours == _flat(recorded("together")) | different


def _flat(scenes):
    return {(name, which): answer for name, answers in scenes.items() for which, answer in answers.items()}
