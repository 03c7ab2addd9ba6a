"""A Module that serves while something failed: it is said once, and forgotten once the agent has told more (semantics 2)."""

import pytest
from msgspec.structs import replace

from arkwright.model.codec import decode
from arkwright.model.kinds import ModuleStatus
from arkwright.model.names import MODULE_DEPLOYMENT
from arkwright.model.outcomes import Command, LastCall, Outcome, Reason, Verdict
from arkwright.plan.intents import Call, SetStatus
from arkwright.plan.module import plan_module
from arkwright.plan.tries import ObservedModule
from plan.builders import NOW, archive, available, later, module, pod, report

LATER = later(100)  # every pause is over


def failed(command, verdict):
    outcome = Outcome(command=command, verdict=verdict, reason=Reason.AGENT_UNREACHABLE, message="no answer")
    return LastCall(outcome=outcome, at=NOW, attempt=1, generation=1)


def until_quiet(last, **seen):
    """Statuses written one after another, and the call that comes then; each look sees what the one before it wrote."""
    one, statuses = available(), []
    for _ in range(5):
        observed = ObservedModule(
            module=one,
            archive=one.spec.module,
            pod=pod(serves=["provider"]),
            is_pod_live=True,
            last=last,
            **seen,
        )
        plan = plan_module(observed, LATER)
        written = [intent.status for intent in plan.intents if isinstance(intent, SetStatus)]
        calls = [(intent.command, intent.attempt) for intent in plan.intents if isinstance(intent, Call)]
        if not written:
            return statuses, calls
        statuses += [bool(status["message"]) for status in written]
        one = replace(one, status=decode(written[-1], ModuleStatus))
    raise AssertionError(f"it is written again and again: {statuses}")


LOST, UNREACHED = failed(Command.QUERY, Verdict.LOST), failed(Command.UNINSTALL, Verdict.UNREACHED)
BEFORE, SINCE = report(at=later(-1), v1_0="activated"), report(at=later(1), v1_0="activated")
BOTH = report(at=later(-1), v1_0="activated", v0_9="deactivated")
DOUBTS = [
    pytest.param(LOST, {"report": replace(BEFORE, is_certain=False)}, [True], [(Command.QUERY, 2)], id="asked again"),
    pytest.param(LOST, {"report": SINCE}, [], [], id="another Module on the pod has asked since"),
    pytest.param(UNREACHED, {"report": BOTH, "leftovers": (archive("0.9"),)}, [True], [(Command.UNINSTALL, 2)], id="what was left behind is there still"),
    pytest.param(UNREACHED, {"report": BEFORE}, [True], [(Command.QUERY, 2)], id="nobody wants it away any more"),
    pytest.param(UNREACHED, {"report": SINCE}, [], [], id="it has gone, as somebody else heard"),
]  # fmt: skip


@pytest.mark.parametrize("last, seen, told, called", DOUBTS)
def test_a_failure_beside_a_module_that_serves_is_written_once_and_then_something_is_done(last, seen, told, called):
    assert until_quiet(last, **seen) == (told, called)


THEIRS = available("3.0", labels={MODULE_DEPLOYMENT: "rival"})
BESIDE = [
    pytest.param((THEIRS,), report(v1_0="deactivated", v3_0="activated"), [], id="another's serves: it waits"),
    pytest.param((THEIRS,), report(v1_0="deactivated", v3_0="deactivated"), ["switchBiz"], id="nobody serves"),
    pytest.param((), report(v1_0="deactivated", v3_0="activated"), ["switchBiz"], id="what nobody declares"),
]


@pytest.mark.parametrize("others, holds, called", BESIDE)
def test_two_wishes_on_one_pod_never_switch_each_other_off(others, holds, called):
    one = module()
    observed = ObservedModule(one, one.spec.module, pod(), True, report=holds, neighbours=others)
    plan = plan_module(observed, NOW)
    assert [intent.command for intent in plan.intents if isinstance(intent, Call)] == called
    said = " ".join(intent.status["message"] for intent in plan.intents if isinstance(intent, SetStatus))
    assert ("where provider:3.0 of rival serves" in said) is not bool(called)
