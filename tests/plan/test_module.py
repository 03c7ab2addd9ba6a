"""One Module, page by page: what its agent says goes in; one call, a status or a wait comes out (semantics 2, 5, 7, 8)."""

import pytest

from arkwright.model.kinds import ModulePhase, UpgradePolicy
from arkwright.model.names import DELETE_MODULE, DELETE_MODULE_DIRECTLY, DELETE_POD, DELETE_POD_DIRECTLY
from arkwright.model.outcomes import CallUnderWay, Command, LastCall, Outcome, Reason, Verdict
from arkwright.plan.backoff import backoff_seconds
from arkwright.plan.departure import kept_until_switched
from arkwright.plan.intents import Call, Delete, Patch, SetStatus, Tell
from arkwright.plan.module import plan_module
from arkwright.plan.tries import ObservedModule
from plan.builders import NOW, archive, available, later, module, pod, report


def seen(one=None, *, on=None, now=NOW, **more):
    """The plan for a Module as it is seen."""
    one, on = one or module(), on or pod()
    defaults = {"archive": one.spec.module, "pod": on, "is_pod_live": on.is_live, "report": report()}
    return plan_module(ObservedModule(module=one, **(defaults | more)), now)


def calls(plan):
    return [intent.command for intent in plan.intents if isinstance(intent, Call)]


def statuses(plan):
    return [(one.status["status"], one.status["reason"]) for one in plan.intents if isinstance(one, SetStatus)]


def ended(verdict, *, command=Command.INSTALL, attempt=1, reason=None, message="no", at=NOW):
    outcome = Outcome(command=command, verdict=verdict, reason=reason, message=message)
    return LastCall(outcome=outcome, at=at, attempt=attempt, generation=1)


ASKED = [("true", True), ("false", False), ("", False), ("no", False), ("True", False), ("1", False)]


@pytest.mark.parametrize("value, is_asked", ASKED)
@pytest.mark.parametrize("key", [DELETE_MODULE, DELETE_MODULE_DIRECTLY])
def test_only_true_asks_for_the_removal_of_a_module(key, value, is_asked):
    plan = seen(available(labels={key: value}), on=pod(serves=["provider"]), report=report(v1_0="activated"))
    assert any(isinstance(one, Delete) for one in plan.intents) is is_asked


@pytest.mark.parametrize("value, is_asked", ASKED)
@pytest.mark.parametrize("key", [DELETE_POD, DELETE_POD_DIRECTLY])
def test_only_true_asks_for_the_removal_of_a_pod(key, value, is_asked):
    assert pod(**{key: value}).is_live is not is_asked


@pytest.mark.parametrize("value, is_asked", ASKED)
def test_only_true_asks_for_a_removal_without_a_call(value, is_asked):
    of_pod = seen(module(going=True), on=pod(**{DELETE_POD_DIRECTLY: value}), report=report(v1_0="activated"))
    of_module = seen(module(going=True, labels={DELETE_MODULE_DIRECTLY: value}), report=report(v1_0="activated"))
    assert [calls(of_pod), calls(of_module)] == ([[], []] if is_asked else [[Command.UNINSTALL]] * 2)


def test_from_a_pod_being_chosen_to_available():
    assert calls(seen(report=None)) == [Command.QUERY], "page 1/6: ask what is there"
    assert calls(seen()) == [Command.INSTALL], "page 2/6: nothing is"
    waiting = seen(under_way=CallUnderWay(command=Command.INSTALL, version="1.0", since=NOW), now=later(0.1))
    assert (waiting.intents, waiting.look_again_in) == ((), 0.4), "page 3/6: a short state is not written"
    long = seen(under_way=CallUnderWay(command=Command.INSTALL, version="1.0", since=NOW), now=later(1))
    assert statuses(long) == [("Upgrading", "")], "page 4/6: a long one is"
    unlabelled = seen(report=report(v1_0="activated"))
    assert unlabelled.intents == (), "page 5/6: not Available before the pod says that it serves"
    assert statuses(seen(on=pod(serves=["provider"]), report=report(v1_0="activated"))) == [("Available", "")], "6/6"


def test_a_version_goes_on_serving_while_another_is_installed_beside_it():
    beside = CallUnderWay(command=Command.INSTALL, version="2.0", since=NOW)
    assert seen(available(), report=report(v1_0="activated"), under_way=beside, now=later(9)).intents == ()


def test_a_failure_from_before_it_became_available_is_not_told_again():
    lost = ended(Verdict.LOST, command=Command.SWITCH, reason=Reason.AGENT_UNREACHABLE, at=later(-1))
    one = seen(available(), on=pod(serves=["provider"]), report=report(v1_0="activated"), last=lost)
    assert one.intents == ()


WHAT_IS_FOUND = [
    pytest.param({"v1_0": "deactivated"}, [Command.SWITCH], id="installed, another answers: switch"),
    pytest.param({"v1_0": "broken"}, [Command.UNINSTALL], id="broken: away with it, then anew"),
    pytest.param({"v9": "activated"}, [Command.INSTALL], id="another version does not count"),
    pytest.param({"v1_0": "resolved"}, [], id="being installed by an earlier call: wait"),
]


@pytest.mark.parametrize("states, expected", WHAT_IS_FOUND)
def test_what_is_found_in_the_base_decides_the_call(states, expected):
    assert calls(seen(report=report(**states))) == expected


def test_what_is_being_installed_is_asked_about_again_after_a_second():
    assert calls(seen(report=report(v1_0="resolved"), now=later(1))) == [Command.QUERY]


def test_after_a_lost_answer_the_agent_is_asked_before_anything_is_tried_again():
    one = module(status=ModulePhase.FAILED, attempts=1, next_attempt_time=NOW)
    lost = ended(Verdict.LOST)
    assert calls(seen(one, report=report(is_certain=False), last=lost, now=later(1))) == [Command.QUERY]


def test_a_failure_is_written_down_once_with_its_reason_and_told():
    refused = ended(Verdict.REFUSED, reason=Reason.PULL_FAILED, message="cannot fetch http://a")
    plan = seen(last=refused)
    assert statuses(plan) == [("Failed", "PullFailed")]
    assert [(one.reason, one.because) for one in plan.intents if isinstance(one, Tell)] == [
        ("ModuleInstallFailed", "PullFailed: cannot fetch http://a")
    ]
    known = module(status=ModulePhase.FAILED, attempts=1, next_attempt_time=later(1))
    again = seen(known, last=refused)
    assert (again.intents, again.look_again_in) == ((), 1.0)


def test_the_next_try_comes_when_its_time_has_come():
    known = module(status=ModulePhase.FAILED, attempts=1, next_attempt_time=later(1))
    plan = seen(known, last=ended(Verdict.REFUSED), now=later(1))
    assert [(one.command, one.attempt) for one in plan.intents] == [(Command.INSTALL, 2)]


def test_pauses_double_from_a_second_to_a_minute_spread_by_a_fifth():
    pauses = [backoff_seconds("uid", attempt) for attempt in range(1, 12)]
    assert all(0.8 * 2**n <= pause <= 1.2 * 2**n for n, pause in enumerate(pauses[:6]))
    assert pauses[-1] <= 60


def test_an_install_that_the_agent_then_does_not_list_is_a_failure_and_not_a_loop():
    plan = seen(last=ended(Verdict.DONE, message="success"), report=report(at=later(1)), now=later(1))
    assert statuses(plan) == [("Failed", "InstallFailed")] and calls(plan) == []


DOUBTS = [
    pytest.param(1, "Available", id="once: it serves still, as far as anybody knows"),
    pytest.param(4, "Failed", id="for the fourth time: it does not"),
]


@pytest.mark.parametrize("attempt, expected", DOUBTS)
def test_a_question_that_gets_no_answer_does_not_make_a_serving_module_fail_at_once(attempt, expected):
    lost = ended(Verdict.LOST, command=Command.QUERY, attempt=attempt, reason=Reason.AGENT_UNREACHABLE)
    assert statuses(seen(available(attempts=attempt - 1), last=lost)) == [(expected, "AgentUnreachable")]


def test_a_base_that_lost_its_modules_gets_them_again_and_says_so():
    plan = seen(available())
    assert statuses(plan) == [("Prepare", "BaseRestarted")] and calls(plan) == [Command.INSTALL]


def new(**more):
    return module("2.0", revision=2, **more)


WHO_GOES_FIRST = [
    pytest.param(new(), [Command.INSTALL], id="install_then_uninstall: both at once"),
    pytest.param(new(policy=UpgradePolicy.UNINSTALL_THEN_INSTALL), [], id="uninstall_then_install: the old one first"),
    pytest.param(
        new(status=ModulePhase.FAILED, reason=Reason.WEB_PATH_CONFLICT), [], id="one web path: the old one first"
    ),
    pytest.param(module("1.0", revision=2), [], id="a restart: the same identity first"),
]


@pytest.mark.parametrize("one, expected", WHO_GOES_FIRST)
def test_an_old_version_on_the_pod_goes_first_where_it_must(one, expected):
    assert calls(seen(one, report=report(v1_0="activated"), elders=(available(),))) == expected


def test_a_restarted_module_is_not_available_by_the_old_instance():
    on, there = pod(serves=["provider"]), report(v1_0="activated")
    plan = seen(module(revision=2), on=on, report=there, elders=(available(going=True),))
    assert statuses(plan) == [("Prepare", "")]


def test_a_replaced_version_does_not_switch_itself_back_on():
    both = report(v1_0="deactivated", v2_0="activated")
    assert seen(available(), report=both, neighbours=(new(),), newer=(new(),)).intents == ()
    alone = report(v1_0="deactivated")
    assert calls(seen(available(), report=alone, neighbours=(new(),), newer=(new(),))) == [Command.SWITCH], "not there"


@pytest.mark.parametrize("label", [DELETE_MODULE, DELETE_MODULE_DIRECTLY])
def test_the_labels_ask_for_removal(label):
    (only,) = seen(available(labels={label: "true"})).intents
    assert isinstance(only, Delete)


def test_a_module_whose_pod_is_gone_goes_without_a_call():
    (only,) = seen(available(), pod=None, is_pod_live=False).intents
    assert isinstance(only, Delete)


# ── the way out ──


def leaving(**more):
    return available(going=True, **more)


def test_traffic_off_drain_uninstall_let_go():
    there = report(v1_0="activated")
    labelled = seen(leaving(), on=pod(serves=["provider"]), report=there, drain_seconds=5)
    assert calls(labelled) == [], "page 1/5: the label first"
    coming = seen(leaving(), report=there, is_label_coming=True)
    assert calls(coming) == [], "page 1/5: also where it is only on its way"
    draining = seen(leaving(), report=there, drain_seconds=5, label_off_since=NOW, now=later(2))
    assert statuses(draining) == [("Terminating", "")] and draining.look_again_in == 3, "page 2/5"
    drained = seen(leaving(), report=there, drain_seconds=5, label_off_since=NOW, now=later(5))
    assert calls(drained) == [Command.UNINSTALL], "page 3/5"
    under_way = CallUnderWay(command=Command.UNINSTALL, since=NOW)
    assert statuses(seen(leaving(), under_way=under_way, now=later(1))) == [("Terminating", "")], "page 4/5"
    (last,) = seen(leaving()).intents
    assert isinstance(last, Patch) and last.patch["metadata"]["finalizers"] is None, "page 5/5"


WHOSE_INSTANCE = [
    pytest.param(module("1.0", revision=2, going=True), available(), [], id="it has waited for the old one"),
    pytest.param(
        module("1.0", revision=2, going=True, status=ModulePhase.TERMINATING),
        available(),
        [],
        id="and says that it goes",
    ),
    pytest.param(available(going=True), module("1.0", revision=2), [Command.UNINSTALL], id="the new one waits for it"),
    pytest.param(module("1.0", going=True), available("2.0"), [Command.UNINSTALL], id="another version"),
]


@pytest.mark.parametrize("one, other, expected", WHOSE_INSTANCE)
def test_a_module_that_has_never_come_does_not_take_away_the_instance_of_another(one, other, expected):
    plan = seen(one, report=report(v1_0="activated"), neighbours=(other,))
    assert calls(plan) == expected
    assert bool(expected) or isinstance(plan.intents[-1], Patch)


def test_an_install_that_may_be_under_way_is_not_left_behind():
    assert calls(seen(module(going=True))) == [Command.UNINSTALL], "page 1/2: the agent's lock tells"
    (last,) = seen(module(going=True), is_settled=True).intents
    assert isinstance(last, Patch), "page 2/2"


def test_nothing_is_drained_where_another_version_serves_on_the_pod():
    both = report(v1_0="deactivated", v2_0="activated")
    plan = seen(leaving(), on=pod(serves=["provider"]), report=both, neighbours=(new(),), drain_seconds=5)
    assert calls(plan) == [Command.UNINSTALL]


SWITCHED_BACK = [
    pytest.param(new(), ["provider"], "deactivated", 1, id="the other one is in the base and idle: it comes first"),
    pytest.param(new(), ["provider"], "activated", 0, id="the other one serves"),
    pytest.param(new(), ["provider"], "broken", 0, id="the other one is not ready to serve"),
    pytest.param(new(), [], "deactivated", 0, id="traffic is off already: it has begun to go"),
    pytest.param(new(going=True), ["provider"], "deactivated", 0, id="the other one goes too"),
    pytest.param(
        new(policy=UpgradePolicy.UNINSTALL_THEN_INSTALL), ["provider"], "deactivated", 0, id="it waits for us"
    ),
    pytest.param(
        new(status=ModulePhase.FAILED, reason=Reason.WEB_PATH_CONFLICT), ["provider"], "deactivated", 0, id="so it does"
    ),
]


@pytest.mark.parametrize("other, serving, state, expected", SWITCHED_BACK)
def test_the_only_one_that_serves_stays_until_an_idle_one_is_switched_on(other, serving, state, expected):
    both = report(v1_0="activated" if state != "activated" else "deactivated", v2_0=state)
    assert len(kept_until_switched(pod(serves=serving), (leaving(), other), both)) == expected


def test_what_is_kept_is_not_touched():
    both = report(v1_0="activated", v2_0="deactivated")
    plan = seen(leaving(), on=pod(serves=["provider"]), report=both, neighbours=(new(),), is_kept=True)
    assert calls(plan) == [] and "until another does in its place" in plan.intents[0].status["message"]


def test_an_install_under_way_is_awaited_before_the_uninstall():
    plan = seen(leaving(), under_way=CallUnderWay(command=Command.INSTALL, since=NOW))
    assert calls(plan) == []


def test_a_refused_uninstall_names_the_way_out():
    refused = ended(Verdict.REFUSED, command=Command.UNINSTALL, reason=Reason.UNINSTALL_FAILED, message="no")
    plan = seen(leaving(), report=report(v1_0="activated"), last=refused)
    assert statuses(plan) == [("Terminating", "UninstallFailed")]
    assert f"label it {DELETE_MODULE_DIRECTLY}=true" in plan.intents[0].status["message"]


DIRECTLY, POLITELY = {DELETE_POD_DIRECTLY: "true"}, {DELETE_POD: "true"}
LEAVING_PODS = [
    pytest.param(None, Patch, id="pod gone: no call"),
    pytest.param(pod(phase="Failed"), Patch, id="pod ended: no call"),
    pytest.param(pod(**DIRECTLY), Patch, id="label delete-pod-directly: no call"),
    pytest.param(pod(**POLITELY), Call, id="label delete-pod: uninstalled first"),
]


@pytest.mark.parametrize("on, expected", LEAVING_PODS)
def test_a_pod_that_goes_takes_its_modules_along(on, expected):
    (only,) = seen(leaving(), pod=on, is_pod_live=False, report=report(v1_0="activated")).intents
    assert isinstance(only, expected)


def test_a_version_left_behind_is_taken_away_once_the_wanted_one_serves():
    both = report(v1_0="activated", v0_9="deactivated")
    plan = seen(available(), on=pod(serves=["provider"]), report=both, leftovers=(archive("0.9"),))
    assert [(one.command, one.archive.version) for one in plan.intents] == [(Command.UNINSTALL, "0.9")]
    refused = ended(Verdict.REFUSED, command=Command.UNINSTALL, reason=Reason.UNINSTALL_FAILED)
    assert statuses(seen(available(), report=both, last=refused)) == [("Available", "UninstallFailed")]


def test_a_direct_removal_calls_nobody():
    (only,) = seen(leaving(labels={DELETE_MODULE_DIRECTLY: "true"}), report=report(v1_0="activated")).intents
    assert isinstance(only, Patch)


def test_what_is_installed_has_the_newest_url():
    moved = archive().__class__(name="provider", version="1.0", url="http://new/a.whl")
    (call,) = seen(archive=moved).intents
    assert call.archive.url == "http://new/a.whl"


@pytest.mark.parametrize("state, asked", [("deactivated", [Command.UNINSTALL]), ("activated", [])])
def test_what_is_idle_in_its_base_leaves_without_waiting_for_the_label_of_another(state, asked):
    plan = seen(module(going=True), on=pod(serves=["provider"]), report=report(v1_0=state, v0_9="activated"))
    assert calls(plan) == asked


FORGED = [
    pytest.param({"v2_0": "activated"}, [], ["PutRight"], id="the Module was changed: put right, nobody is called"),
    pytest.param({"v1_0": "activated"}, [Command.UNINSTALL], [], id="its ReplicaSet was changed: what it had leaves"),
    pytest.param(None, [Command.QUERY], [], id="nobody knows: its agent is asked"),
]


@pytest.mark.parametrize("holds, asked, told", FORGED)
def test_a_module_that_says_another_version_than_its_replica_set(holds, asked, told):
    known = None if holds is None else report(**holds)
    plan = seen(available(), archive=archive("2.0"), report=known)
    assert calls(plan) == asked and [one.reason for one in plan.intents if isinstance(one, Tell)] == told


def test_a_module_that_serves_says_so_while_its_pod_cannot_be_labelled():
    plan = seen(report=report(v1_0="activated"), now=later(5), refused="quota")
    assert statuses(plan) == [(ModulePhase.COMPLETING, "WriteRefused")]
