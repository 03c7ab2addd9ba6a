"""Rights: what is asked of the API server, what is remembered, and that no page is another viewer's. In: an API server that answers as told."""

import json
import secrets
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from msgspec.structs import replace

from arkwright.model.resources import Kind
from arkwright.web.fleet import Fleet
from arkwright.web.live import Live
from arkwright.web.question import Question
from arkwright.web.rights import Reviews, Viewer
from arkwright.web.sessions import KEY_SECONDS, Entrance, Sessions, TokenTooLong
from arkwright.web.sight import READING, Right, Sight
from plan.builders import NOW, deployment, module


class AskedApi:
    """`allowed`: (verb and resource, namespace) -> whether. Counts what it is asked."""

    def __init__(self, allowed):
        self._allowed, self.asked = allowed, []

    async def request(self, method, path, *, body=None, query=None):
        self.asked.append(path.rpartition("/")[2])
        if path.endswith("tokenreviews"):
            is_known = body["spec"]["token"] == "good"
            return json.dumps(
                {"status": {"authenticated": is_known, "user": {"username": "ines", "groups": ["g"]}}}
            ).encode()
        asks = body["spec"]["resourceAttributes"]
        is_allowed = self._allowed(
            Right(f"{asks['verb']} {asks['group']}/{asks['resource']}"), asks.get("namespace", "")
        )
        return json.dumps({"status": {"allowed": is_allowed}}).encode()


INES = Viewer("ines", ("g",))


async def test_who_may_see_all_is_asked_about_once_and_not_by_namespace():
    api = AskedApi(lambda right, namespace: True)
    reviews = Reviews(api, lambda: ["a", "b"])
    first, again = await reviews.sight_of(INES), await reviews.sight_of(INES)
    assert first == again == Sight(frozenset(Right)) and len(api.asked) == len(Right)


async def test_a_namespace_with_no_right_that_it_is_known_by_is_not_in_the_sight():
    api = AskedApi(lambda right, namespace: namespace == "a" and right is not Right.CHANGE_RELEASES)
    sight = await Reviews(api, lambda: ["a", "b"]).sight_of(INES)
    assert [name for name, _ in sight.places] == ["a"] and not sight.everywhere
    assert sight.may(Right.SEE_RELEASES, "a") and not sight.may(Right.CHANGE_RELEASES, "a")


async def test_a_namespace_with_rights_to_its_pods_and_events_alone_is_not_in_the_sight():
    api = AskedApi(lambda right, namespace: right in (Right.SEE_PODS, Right.SEE_EVENTS) and bool(namespace))
    assert await Reviews(api, lambda: ["a"]).sight_of(INES) == Sight()


async def test_a_token_is_asked_about_once_in_a_while_whether_it_is_known_or_not():
    api = AskedApi(lambda right, namespace: True)
    reviews = Reviews(api, list)
    assert [await reviews.viewer_of(one) for one in ("good", "good", "bad", "bad")] == [
        Viewer("ines", ("g",), token="good"),
        Viewer("ines", ("g",), token="good"),
        None,
        None,
    ]
    assert api.asked == ["tokenreviews"] * 2


def test_of_a_read_only_dashboard_a_sight_has_rights_to_see_alone():
    everything = Sight(frozenset(Right), (("a", frozenset(Right)),))
    assert everything.only_reading() == Sight(READING, (("a", READING),))


SEES = frozenset({Right.SEE_RELEASES, Right.SEE_MODULES, Right.SEE_REVISIONS})
QUESTIONS = ["/", "/releases/hers/demo", "/bases", "/bases/hers/stock"]


@pytest.mark.parametrize("path", QUESTIONS)
async def test_no_page_of_one_sight_is_shown_to_another(path):
    fleet = Fleet()
    for namespace in ("hers", "theirs"):
        one = deployment()
        meta = replace(one.metadata, namespace=namespace, uid=f"uid-{namespace}")
        fleet.apply(Kind.MODULE_DEPLOYMENT, replace(one, metadata=meta))
    live = Live(fleet, lambda: NOW)
    for sight in (Sight(frozenset(Right)), Sight(places=(("theirs", SEES),)), Sight()):
        page = live.page(Question(path), sight)
        assert ("hers" in repr(page.regions if page else "")) == (bool(sight.everywhere) and path in QUESTIONS[:2])


async def test_all_who_ask_the_same_with_the_same_sight_get_the_same_page():
    live = Live(Fleet(), lambda: NOW)
    one, two = (live.page(Question("/"), Sight(places=(("a", SEES),))) for _ in range(2))
    assert one is two and live.page(Question("/"), Sight()) is not one


def test_a_fleet_forgets_what_is_gone_and_knows_which_namespaces_have_anything():
    fleet = Fleet()
    one = module()
    fleet.apply(Kind.MODULE, one)
    fleet.apply(Kind.MODULE, one)
    assert fleet.namespaces == ["default"]
    for one in fleet.all(Kind.MODULE):
        fleet.remove(Kind.MODULE, one)
    assert fleet.namespaces == [] and not fleet._index


# ── sessions ──


class Clock:
    def __init__(self):
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self):
        return self.now


def test_a_session_ends_after_its_time():
    clock = Clock()
    sessions = Sessions(Fernet.generate_key(), timedelta(hours=8), clock)
    session, cookie = sessions.begin("token")
    clock.now += timedelta(hours=7.9)
    assert sessions.of(cookie) == session
    clock.now += timedelta(hours=0.2)
    assert sessions.of(cookie) is None


def test_a_session_of_another_key_is_nobodys_and_its_forms_neither():
    clock = Clock()
    one, other = (Sessions(Fernet.generate_key(), timedelta(hours=8), clock) for _ in range(2))
    session, cookie = one.begin("token")
    assert other.of(cookie) is None and not other.is_form_key(session, one.form_key(session))


def test_several_dashboards_with_one_key_know_each_others_sessions():
    key, clock = Fernet.generate_key(), Clock()
    one, other = (Sessions(key, timedelta(hours=8), clock) for _ in range(2))
    assert other.of(one.begin("token")[1]).token == "token"


def test_a_token_that_fits_into_no_cookie_is_said_to_be_too_long():
    sessions = Sessions(Fernet.generate_key(), timedelta(hours=8), Clock())
    with pytest.raises(TokenTooLong):
        sessions.begin(secrets.token_urlsafe(9000))


def test_a_key_of_a_link_is_good_once_and_for_a_while():
    clock = Clock()
    entrance = Entrance(Fernet.generate_key(), clock)
    used, late = entrance.issue(), entrance.issue()
    assert [entrance.take(used), entrance.take(used), entrance.take("nonsense")] == [True, False, False]
    clock.now += timedelta(seconds=KEY_SECONDS + 1)
    assert not entrance.take(late) and not entrance.take(used)
