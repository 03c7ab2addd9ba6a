"""A pod whose agent has never answered is named, holds up its own batch for a while, and nobody else (semantics 8)."""

import pytest
from msgspec.structs import replace

from arkwright.model.kinds import ModulePhase
from arkwright.model.meta import Condition
from arkwright.model.outcomes import Command, LastCall, Outcome, Reason, Verdict
from arkwright.plan.intents import Patch, SetStatus
from arkwright.plan.module import plan_module
from arkwright.plan.placement import Seat, Wish, choose_pods
from arkwright.plan.silence import NEVER_ANSWERED, Silence, has_never_answered
from arkwright.plan.tries import ObservedModule
from plan.builders import NOW, available, later, module, pod, report, spec


def silent(on=1, made=NOW, **more):
    one = module(
        on=on, status=ModulePhase.FAILED, reason=Reason.AGENT_UNREACHABLE, conditions=(NEVER_ANSWERED,), **more
    )
    return replace(one, metadata=replace(one.metadata, creation_timestamp=made))


def in_vain(command=Command.QUERY, reason=Reason.AGENT_UNREACHABLE, attempt=1):
    outcome = Outcome(command=command, verdict=Verdict.UNREACHED, reason=reason, message="no answer")
    return LastCall(outcome=outcome, at=NOW, attempt=attempt, generation=1)


def planned(one, **more):
    seen = {"archive": one.spec.module, "pod": pod(), "is_pod_live": True, "last": in_vain()}
    return plan_module(ObservedModule(module=one, **(seen | more)), NOW).intents


def is_said_silent(one, **more):
    written = [intent.status for intent in planned(one, **more) if isinstance(intent, SetStatus)]
    return any(said["type"] == NEVER_ANSWERED.type for status in written for said in status["conditions"])


def tried(one):
    return replace(one, status=replace(one.status, attempts=0))


TRACES = [
    pytest.param(module(), {}, True, id="asked for the first time, in vain"),
    pytest.param(module(status=ModulePhase.PREPARE), {}, True, id="it waited for another to leave"),
    pytest.param(tried(silent()), {}, True, id="asked again, in vain"),
    pytest.param(module(), {"neighbours": (silent(),)}, True, id="the version before it heard nothing either"),
    pytest.param(module(), {"report": report()}, False, id="it has answered this controller"),
    pytest.param(available(), {}, False, id="it has answered before"),
    pytest.param(module(), {"neighbours": (available(),)}, False, id="it has answered for another version"),
    pytest.param(module(), {"last": in_vain(Command.INSTALL)}, False, id="something was sent to it"),
    pytest.param(module(), {"last": in_vain(reason=Reason.INSTALL_FAILED)}, False, id="it answers, and refuses"),
]


@pytest.mark.parametrize("one, more, expected", TRACES)
def test_an_agent_has_never_answered_if_nobody_has_left_a_trace_of_it(one, more, expected):
    assert is_said_silent(one, **more) is expected


def test_a_module_goes_without_a_call_where_nothing_was_ever_installed():
    (let_go,) = planned(silent(going=True, attempts=3), last=in_vain(attempt=3))
    assert isinstance(let_go, Patch) and "never answered" in let_go.because


@pytest.mark.parametrize("last", [None, in_vain(), in_vain(attempt=2)])
def test_it_is_asked_first_and_more_than_once_for_a_question_may_get_lost(last):
    assert not [one for one in planned(silent(going=True), last=last) if isinstance(one, Patch)]


READY, UNREADY = frozenset(), frozenset({"stock-1"})
EXCUSES = [
    pytest.param(
        -1, UNREADY, 0, {"stock-1"}, {"stock-1"}, id="symmetric: a pod that says it is not ready is not missed"
    ),
    pytest.param(-1, READY, 0, set(), set(), id="one that says it is ready is waited for"),
    pytest.param(-1, READY, 600, set(), {"stock-1"}, id="for progressDeadlineSeconds"),
    pytest.param(2, UNREADY, 599, set(), set(), id="a number of replicas is waited for, ready or not"),
    pytest.param(
        2, UNREADY, 600, set(), {"stock-1"}, id="for progressDeadlineSeconds too, and it is missed all the same"
    ),
]


@pytest.mark.parametrize("replicas, unready, age, uncounted, excused", EXCUSES)
def test_who_is_not_waited_for(replicas, unready, age, uncounted, excused):
    silence = Silence(spec(replicas), (silent(), available(on=2)), unready)
    assert (silence.uncounted, silence.excused(later(age))) == (uncounted, excused)


def test_it_is_looked_at_again_when_its_time_is_over():
    assert Silence(spec(), (silent(), available(on=2))).next_excuse_in(later(200)) == 400
    assert Silence(spec(), (available(),)).next_excuse_in(NOW) is None


def test_a_silent_pod_is_chosen_last_and_one_that_nobody_made_after_its_equals():
    seats = (Seat("a", is_silent=True), Seat("b", is_nobodys=True), Seat("c"), Seat("d", modules=1))
    assert choose_pods(seats, Wish("provider", 4)).pods == ("c", "b", "d", "a")


def test_a_condition_that_is_false_says_nothing():
    taken_back = Condition(type=NEVER_ANSWERED.type, status="False")
    assert not has_never_answered(module(conditions=(taken_back,)))
