"""What agents tell, on the page of a base: rounded, asked for only where somebody looks, once for all, and shown to those only who may see it."""

import asyncio
import doctest
from datetime import timedelta

import pytest
from msgspec.structs import replace

from arkwright.clients.controllers import ControllerClient
from arkwright.clients.errors import NoAnswer
from arkwright.model.agentview import BYTES, AgentView, LeftView, ModuleView, Traffic
from arkwright.model.arklet import BizState
from arkwright.model.cluster import Lease, LeaseSpec
from arkwright.model.kinds import ModulePhase
from arkwright.model.meta import ObjectMeta
from arkwright.model.names import ANSWERS_AT
from arkwright.model.resources import Kind
from arkwright.web import agentfacts
from arkwright.web.agentfacts import NOTHING, UNTOLD, Mood, facts_of, rates_between
from arkwright.web.agents import EVERY_SECONDS, LOOKED_AT_SECONDS, SOON_SECONDS, Agents
from arkwright.web.bases import bases_page, shown_pods
from arkwright.web.live import Live
from arkwright.web.pieces import difference
from arkwright.web.question import Question
from arkwright.web.rendering import piece_html
from arkwright.web.sight import Right, Sight
from fakes.controller import FakeController
from plan.builders import NOW, module, pod
from web.test_views import ALL, base_with

PATH = "/bases/default/stock"
QUESTION, OPENED = Question(PATH), Question(PATH, open="stock-1")


def view(number=1, seconds=0, requests=None, **more):
    """Of a pod; `requests`: by identity, None for a Java agent's silence about them."""
    told = {"provider:1.0": 0} if requests is None else requests
    modules = tuple(
        ModuleView(
            identity=name,
            state=BizState.ACTIVATED,
            traffic=None if count is None else Traffic(requests=count, p50_ms=1.23, p99_ms=98.7),
        )
        for name, count in told.items()
    )
    return AgentView(pod=f"stock-{number}-uid", at=NOW + timedelta(seconds=seconds), modules=modules, **more)


def test_what_the_documentation_of_rounding_says_is_so():
    assert doctest.testmod(agentfacts).failed == 0


RATES = [
    ("the first answer", None, view(requests={"a:1": 7}), {}),
    ("ten seconds later", view(requests={"a:1": 7}), view(seconds=10, requests={"a:1": 27}), {"a:1": 2.0}),
    ("nobody asked anything", view(requests={"a:1": 7}), view(seconds=10, requests={"a:1": 7}), {"a:1": 0.0}),
    ("the same answer", view(requests={"a:1": 7}), view(requests={"a:1": 7}), {"known": 1.0}),
    ("it was loaded anew", view(requests={"a:1": 7}), view(seconds=10, requests={"a:1": 3}), {}),
    ("another version", view(requests={"a:1": 7}), view(seconds=10, requests={"a:2": 30}), {}),
    ("no figures", view(requests={"a:1": None}), view(seconds=10, requests={"a:1": None}), {}),
    ("it was silent", view(silence="no answer"), view(seconds=10, requests={"a:1": 30}), {}),
    ("clocks went back", view(seconds=10, requests={"a:1": 7}), view(requests={"a:1": 9}), {"known": 1.0}),
]


@pytest.mark.parametrize(("before", "after", "rates"), [one[1:] for one in RATES], ids=[one[0] for one in RATES])
def test_requests_a_second_are_those_between_two_answers(before, after, rates):
    assert rates_between(before, after, {"known": 1.0}) == rates


MOODS = [
    (view(), Mood.WELL),
    (view(left=(LeftView(identity="a:1", what=("thread x",)),)), Mood.LEFT),
    (view(troubles=("its port: closed",)), Mood.TROUBLED),
    (AgentView(pod="x", at=NOW, modules=(ModuleView(identity="a:1", state=BizState.BROKEN),)), Mood.TROUBLED),
    (view(silence="no answer"), Mood.SILENT),
]


@pytest.mark.parametrize(("told", "mood"), MOODS)
def test_an_agent_is_in_one_mood(told, mood):
    assert facts_of(told, {}).mood is mood


def test_figures_that_hardly_change_are_the_same_piece():
    one, other = (facts_of(view(requests={"a:1": 120_345 + more}), {"a:1": 34.2 + more / 1000}) for more in (0, 30))
    assert one == other and one.lines[0].figures.requests == "120k" and one.rate == 34


# ── on the page ──


def page(facts, question=QUESTION, sight=ALL):
    fleet = base_with(module("1.0", on=1, status=ModulePhase.AVAILABLE))
    return bases_page(fleet, sight, question, NOW, lambda one: facts.get(one.name))


def html(found, name, language="en"):
    piece = next(one for region in found.regions for one in region.pieces if one.name == name)
    return piece_html(piece.template, piece.name, piece.value, language)


SHOWN = [
    ("asked", None, ["…"], ["Its agent is being asked."]),
    ("no controller", UNTOLD, ["–"], ["figures: the controller does not answer"]),
    ("nothing of ours", NOTHING, ["–"], ["Nothing has been released into this pod."]),
    ("no answer", facts_of(view(silence="no <b>word</b>"), {}), ["does not answer"], ["no &lt;b&gt;word&lt;/b&gt;"]),
    ("Java", facts_of(view(requests={"a:1": None}), {}), ["well", "no figures"], ["Agents of Java bases are so."]),
    ("figures", facts_of(view(requests={"a:1": 40}), {"a:1": 4.04}), ["well", "4/s"], ["40", "1.2", "99", "p99 ms"]),
    (
        "left",
        facts_of(view(left=(LeftView(identity="a:0", what=("thread x",)),)), {}),
        ["something left"],
        ["thread x"],
    ),
    ("an empty base", facts_of(view(requests={}), {}), ["well"], ["No module is in this base."]),
]


@pytest.mark.parametrize(("facts", "row", "opened"), [one[1:] for one in SHOWN], ids=[one[0] for one in SHOWN])
def test_a_row_has_a_word_and_an_opened_one_all(facts, row, opened):
    found = page({"stock-1": facts} if facts else {}, OPENED)
    for name, words in (("g-stock-1", row), ("o-stock-1", opened)):
        shown = html(found, name)
        assert all(word in shown for word in words), shown
    assert 'aria-expanded="true"' in html(found, "g-stock-1") and 'aria-expanded="false"' in html(found, "g-stock-2")
    assert html(found, "o-stock-1", "zh") != html(found, "o-stock-1")


def test_the_head_sums_up_and_says_it_where_the_controller_does_not_answer():
    known = {f"stock-{n}": facts_of(view(n), {"provider:1.0": 20.4}) for n in (1, 2)}
    head = html(page(known), "base-summary")
    assert "2 of 2 answer" in head and "40/s" in head
    assert "figures: the controller does not answer" in html(page(dict.fromkeys(known, UNTOLD)), "base-summary")


def test_who_may_not_see_modules_sees_nothing_of_agents():
    sight = Sight(frozenset(Right) - {Right.SEE_MODULES})
    known = {"stock-1": facts_of(view(requests={"a:1": 40}), {"a:1": 4.0})}
    found = page(known, OPENED, sight)
    assert "o-stock-1" not in found.region("grid").order and "4/s" not in html(found, "g-stock-1")
    assert "Agents" not in html(found, "base-summary") and "open=" not in html(found, "g-stock-1")
    fleet = base_with(module("1.0", on=1))
    assert len(shown_pods(fleet, ALL, QUESTION)) == 2 and shown_pods(fleet, sight, QUESTION) == []


# ── asking ──


def lease(url, seconds=1):
    meta = ObjectMeta(name="arkwright", namespace="default", annotations={ANSWERS_AT: url})
    spec = LeaseSpec(holder_identity="one", lease_duration_seconds=15, renew_time=NOW - timedelta(seconds=seconds))
    return Lease(metadata=meta, spec=spec)


class Answering:
    """A ControllerClient that answers by script: views, or exceptions, in turn; the last one for ever."""

    def __init__(self, *script):
        self.script, self.asked, self.now, self.most = list(script), [], 0, 0

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    async def view(self, url, namespace, name):
        self.asked.append((url, namespace, name, asyncio.get_running_loop().time()))
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.1)
        self.now -= 1
        found = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(found, Exception):
            raise found
        return found and replace(found, pod=f"{name}-uid")


class Watching:
    """Agents that run, and how often they had news."""

    def __init__(self, *script, leases=True):
        self.fleet = base_with(module("1.0", on=1))
        if leases:
            self.fleet.apply(Kind.LEASE, lease("http://127.0.0.1:8081"))
        self.client, self.news = Answering(*script), 0
        self.agents = Agents(self.fleet, lambda: NOW, self._hear, lambda: self.client)

    def _hear(self):
        self.news += 1

    async def __aenter__(self):
        self._task = asyncio.create_task(self.agents.run())
        return self

    async def __aexit__(self, *_):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def look(self, seconds, pods=None):
        """As a page that is open so long."""
        for _ in range(round(seconds)):
            self.agents.look_at(PATH, pods or [pod()])
            await asyncio.sleep(1)


@pytest.mark.looptime
async def test_nobody_is_asked_unless_somebody_looks_and_no_longer_than_that():
    async with Watching(view()) as it:
        await asyncio.sleep(100)
        assert not it.client.asked
        await it.look(60)
        count = len(it.client.asked)
        assert 1 + (60 - SOON_SECONDS) // (EVERY_SECONDS + 1) <= count <= 2 + 60 / EVERY_SECONDS
        await asyncio.sleep(LOOKED_AT_SECONDS + 1)
        left = len(it.client.asked)
        await asyncio.sleep(1000)
        assert len(it.client.asked) == left <= count + 2 and it.agents.facts(pod()) is None


@pytest.mark.looptime
async def test_facts_that_are_as_before_are_no_news():
    async with Watching(view()) as it:
        await it.look(60)
        assert it.news == it.agents.version(PATH) == 1 and it.agents.facts(pod()).mood is Mood.WELL


@pytest.mark.looptime
async def test_one_question_that_is_missed_changes_nothing_and_a_second_says_so():
    async with Watching(view(), NoAnswer("away"), view(), NoAnswer("away")) as it:
        await it.look(SOON_SECONDS + EVERY_SECONDS + 4)
        assert it.news == 1 and len(it.client.asked) == 3
        await it.look(2 * EVERY_SECONDS + 4)
        assert it.agents.facts(pod()) is UNTOLD and it.news == 2


ANSWERS = [
    ("no controller", {"leases": False}, view(), UNTOLD),
    ("it is away", {}, NoAnswer("away"), UNTOLD),
    ("not its pod", {}, None, NOTHING),
]


@pytest.mark.looptime
@pytest.mark.parametrize(("how", "answer", "facts"), [one[1:] for one in ANSWERS], ids=[one[0] for one in ANSWERS])
async def test_that_nothing_is_known_is_known(how, answer, facts):
    async with Watching(answer, **how) as it:
        await it.look(3)
        assert it.agents.facts(pod()) is facts
        assert {one[0] for one in it.client.asked} == (set() if how else {"http://127.0.0.1:8081"})


@pytest.mark.looptime
async def test_a_pod_of_the_same_name_is_another_one():
    async with Watching(view()) as it:
        other = replace(pod(), metadata=replace(pod().metadata, uid="other"))
        await it.look(3, [other])
        assert it.agents.facts(other) is NOTHING


@pytest.mark.looptime
async def test_few_are_asked_at_once():
    async with Watching(view()) as it:
        await it.look(5, [pod(number) for number in range(1, 51)])
        assert it.client.most == 8 and len({one[2] for one in it.client.asked}) == 50


@pytest.mark.looptime
async def test_what_agents_tell_makes_no_other_page_anew():
    fleet = base_with(module("1.0", on=1))
    live = Live(fleet, lambda: NOW)
    live.agents._client = lambda: Answering(view(requests={"a:1": 40}))
    others = [Question("/"), Question("/bases"), Question("/bases/default/other")]
    before, base = [live.page(one, ALL) for one in others], live.page(QUESTION, ALL)
    running = asyncio.create_task(live.agents.run())
    await asyncio.wait_for(live._ticked.wait(), 2)
    assert all(one is live.page(question, ALL) for one, question in zip(before, others, strict=True))
    changed = difference(base, live.page(QUESTION, ALL)).changed
    assert {piece.name for piece in changed} == {"g-stock-1", "g-stock-2", "base-summary"}
    running.cancel()


# ── over real HTTP ──

HOSTILE = [
    ("no JSON", b"<html>"),
    ("a page without end", b" " * (BYTES + 1)),
    ("a number for a name", b'{"pod": 5, "at": "2026-01-01T00:00:00Z"}'),
    ("a name that writes to terminals", b'{"pod": "\\u001b[2J", "at": "2026-01-01T00:00:00Z"}'),
    ("less than nothing", b'{"pod": "x", "at": "2026-01-01T00:00:00Z", "more": -1}'),
    ("deep", b"[" * 100_000),
    ("nothing", b""),
]


@pytest.mark.parametrize("body", [one[1] for one in HOSTILE], ids=[one[0] for one in HOSTILE])
async def test_what_is_no_view_is_none(body):
    with FakeController(lambda namespace, name: body) as controller:
        async with ControllerClient() as client:
            with pytest.raises(NoAnswer):
                await client.view(controller.url, "shop", "pod")


@pytest.mark.parametrize(
    "url", ["", "http://localhost:1", "https://127.0.0.1:1", "http://me:pw@127.0.0.1:1", "file:///x"]
)
async def test_a_lease_that_leads_elsewhere_is_not_followed(url):
    async with ControllerClient() as client:
        with pytest.raises(NoAnswer):
            await client.view(url, "shop", "pod")


async def test_a_view_comes_over_the_wire_as_it_is():
    with FakeController(lambda namespace, name: view() if name == "stock-1" else None) as controller:
        async with ControllerClient() as client:
            assert await client.view(controller.url, "shop", "stock-1") == view()
            assert await client.view(controller.url, "shop", "other") is None
            controller.status = 503
            with pytest.raises(NoAnswer):
                await client.view(controller.url, "shop", "stock-1")
