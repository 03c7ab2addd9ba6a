"""Calls to agents: limits, what is learned from answers, and that a hung agent holds up nobody else."""

import asyncio

import pytest
from msgspec.structs import replace

from arkwright.controller.agentcalls import QUICK_SECONDS, AgentCalls, Asked, Limits, Places, learned, news
from arkwright.controller.metrics import Metrics
from arkwright.controller.objects import Key
from arkwright.model.arklet import BizInfo
from arkwright.model.outcomes import BaseReport, Command, Outcome, Verdict
from arkwright.model.resources import Kind
from plan.builders import NOW, archive, pod, report

pytestmark = pytest.mark.looptime


class SlowArklet:
    """Every call takes a second, or `seconds`; counts how many are under way at once, and the most there were."""

    def __init__(self):
        self.now, self.most, self.seconds, self.is_nonsense = {}, {}, 1, False

    async def install(self, address, module, pod=""):
        for where in (address, "altogether"):
            self.now[where] = self.now.get(where, 0) + 1
            self.most[where] = max(self.most.get(where, 0), self.now[where])
        await asyncio.sleep(self.seconds)
        for where in (address, "altogether"):
            self.now[where] -= 1
        if self.is_nonsense:
            return Outcome(command=Command.INSTALL, verdict=Verdict.LOST, is_nonsense=True)
        return Outcome(command=Command.INSTALL, verdict=Verdict.DONE, modules=(info(module.name, module.version),))

    async def query(self, address, pod=""):
        raise ValueError("a mistake of ours")


def info(name="provider", version="1.0", state="activated"):
    return BizInfo(biz_name=name, biz_version=version, biz_state=state)


def calling(limits=None):
    ended = []
    calls = AgentCalls(SlowArklet(), lambda: NOW, Metrics(), ended.append, Places(limits or Limits()))
    return calls, calls._client, ended


def asked(name="a"):
    return Asked(Key(Kind.MODULE, "default", name), 1, 1)


async def test_no_more_calls_at_once_to_one_pod_and_to_all_than_allowed():
    calls, client, ended = calling(Limits(per_pod=2, altogether=3, slow=0))
    for number in (1, 2):
        for name in "abcd":
            calls.start(pod(number), Command.INSTALL, archive(name=name), asked(name))
    await asyncio.sleep(60)
    assert client.most == {"127.1.0.1:1238": 2, "127.1.0.2:1238": 2, "altogether": 3} and len(ended) == 8


async def test_agents_that_hang_by_hundreds_hold_up_nobody_for_long():
    calls, client, ended = calling(Limits(altogether=3, slow=100))
    client.seconds = 100
    for number in range(1, 60):
        calls.start(pod(number), Command.INSTALL, archive(), asked(str(number)))
    await asyncio.sleep(60 / 3 * QUICK_SECONDS + 0.1)
    assert client.most["altogether"] == 59, "each has begun, though none has ended"
    await asyncio.sleep(600)
    assert len(ended) == 59


async def test_agents_that_answer_nonsense_are_asked_so_often_a_second_altogether_and_others_at_once():
    calls, client, ended = calling(Limits(doubted=10))
    client.is_nonsense = True
    for number in range(1, 101):
        calls.start(pod(number), Command.INSTALL, archive(), asked(str(number)))
    await asyncio.sleep(5)
    assert len(ended) == 100, "a first call waits for nobody"
    client.most.clear()
    client.is_nonsense = False
    for number in range(1, 101):
        calls.start(pod(number), Command.INSTALL, archive(), asked(str(number)))
    calls.start(pod(200), Command.INSTALL, archive(), asked("200"))
    await asyncio.sleep(1.5)
    assert pod(200).name in {one.pod.name for one in ended[100:]} and len(ended) < 120
    await asyncio.sleep(10)
    assert len(ended) == 201
    for number in range(1, 101):
        calls.start(pod(number), Command.INSTALL, archive(), asked(str(number)))
    await asyncio.sleep(2)
    assert len(ended) == 301, "whoever has answered as an agent does is doubted no more"


async def test_one_call_at_a_time_for_a_module_on_a_pod():
    calls, client, ended = calling()
    for _ in range(3):
        calls.start(pod(), Command.INSTALL, archive(), asked())
    assert calls.under_way(pod(), "provider").command is Command.INSTALL
    await asyncio.sleep(60)
    assert client.most["altogether"] == 1 and calls.under_way(pod(), "provider") is None
    assert calls.last(asked().key).outcome.verdict is Verdict.DONE


async def test_a_mistake_in_a_call_is_a_lost_answer_and_not_a_module_that_waits_for_ever():
    calls, _, ended = calling()
    calls.start(pod(), Command.QUERY, archive(), asked())
    await asyncio.sleep(60)
    assert [(one.pod.name, one.names, one.askers) for one in ended] == [("stock-1", None, (asked().key,))]
    assert calls.last(asked().key).outcome.verdict is Verdict.LOST


async def test_a_first_question_that_gets_lost_teaches_nothing():
    calls, _, _ = calling()
    calls.start(pod(), Command.QUERY, archive(), asked())
    await asyncio.sleep(2)
    assert calls.report(pod()) is None, "an unknown base is not an empty one: what serves there goes on serving"


async def test_a_restarted_base_holds_nothing_that_we_know_of():
    calls, _, _ = calling()
    calls.start(pod(), Command.INSTALL, archive(), asked())
    await asyncio.sleep(60)
    assert calls.report(pod()).find("provider", "1.0")
    before = pod()
    status = replace(before.status, container_statuses=(replace(before.status.container_statuses[0], restart_count=1),))
    after = calls.report(replace(before, status=status))
    assert (after.modules, after.is_certain) == ((), False)


def outcome(command, verdict, *modules):
    return Outcome(command=command, verdict=verdict, modules=modules)


LEARNED = [
    pytest.param(outcome(Command.QUERY, Verdict.DONE, info("other", "9")), {"other:9"}, True, id="a query says all"),
    pytest.param(outcome(Command.QUERY, Verdict.LOST), {"provider:1.0"}, False, id="a lost query leaves doubt"),
    pytest.param(outcome(Command.INSTALL, Verdict.BUSY), {"provider:1.0"}, True, id="busy changes nothing"),
    pytest.param(outcome(Command.INSTALL, Verdict.LOST), set(), False, id="a lost install leaves doubt"),
    pytest.param(outcome(Command.INSTALL, Verdict.DONE), set(), False, id="success without a list leaves doubt"),
    pytest.param(outcome(Command.UNINSTALL, Verdict.DONE), set(), True, id="uninstalled"),
    pytest.param(outcome(Command.UNINSTALL, Verdict.ABSENT), set(), True, id="not there: as good as uninstalled"),
    pytest.param(outcome(Command.UNINSTALL, Verdict.REFUSED), {"provider:1.0"}, False, id="a refusal contradicts us"),
]


@pytest.mark.parametrize("came, expected, is_certain", LEARNED)
def test_what_a_call_teaches_about_a_base(came, expected, is_certain):
    after = learned(report(v1_0="activated"), archive(), came, NOW)
    known = {one.identity for one in after.modules}
    assert after.is_certain is is_certain and (not is_certain or known == expected)


def test_a_switch_deactivates_the_others_of_its_name():
    before = report(v1_0="activated", v2_0="deactivated")
    after = learned(before, archive("2.0"), outcome(Command.SWITCH, Verdict.DONE), NOW)
    assert {one.biz_version: str(one.state) for one in after.modules} == {"1.0": "deactivated", "2.0": "activated"}


KNOWN = BaseReport(modules=(info(), info("other")), at=NOW)
ASKED = Outcome(command=Command.QUERY, verdict=Verdict.DONE)
NEWS = [
    pytest.param(KNOWN, KNOWN, ASKED, frozenset(), id="all is as it was"),
    pytest.param(KNOWN, replace(KNOWN, modules=(info(),)), ASKED, {"other"}, id="one is gone"),
    pytest.param(
        KNOWN, replace(KNOWN, modules=(info(), info("other", state="broken"))), ASKED, {"other"}, id="changed"
    ),
    pytest.param(KNOWN, replace(KNOWN, modules=(*KNOWN.modules, info("new"))), ASKED, {"new"}, id="one has come"),
    pytest.param(None, KNOWN, ASKED, None, id="nothing was known"),
    pytest.param(replace(KNOWN, is_certain=False), KNOWN, ASKED, None, id="what was known was in doubt"),
    pytest.param(KNOWN, KNOWN, replace(ASKED, verdict=Verdict.LOST), None, id="no answer"),
]


@pytest.mark.parametrize("before, after, outcome, expected", NEWS)
def test_an_answer_concerns_the_modules_that_it_says_something_new_of(before, after, outcome, expected):
    assert news(before, after, outcome) == expected


async def test_who_has_seen_a_call_under_way_is_looked_at_when_it_ends():
    calls, _, ended = calling()
    routine = Asked(Key(Kind.MODULE, "default", "settled"), 1, 1, is_routine=True)
    calls.start(pod(1), Command.QUERY, archive(), routine)
    late = Key(Kind.MODULE, "default", "late")
    assert calls.under_way(pod(1), "late", late) is not None
    await asyncio.sleep(1)
    assert late in ended[0].askers and routine.key not in ended[0].askers
