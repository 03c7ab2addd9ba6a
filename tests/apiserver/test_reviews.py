"""What clients ask before they do something: who am I, may I, who is that; answered as a real API answers it."""

import json
from pathlib import Path

import pytest

from apiserver.asking import Api

JSON = {"Content-Type": "application/json"}
ACCESS, WHO = "/apis/authorization.k8s.io/v1", "/apis/authentication.k8s.io/v1"
PODS = {"namespace": "default", "verb": "create", "resource": "pods"}
MAY_I, MAY_THEY, MY_RULES = (
    f"{ACCESS}/{name}" for name in ("selfsubjectaccessreviews", "subjectaccessreviews", "selfsubjectrulesreviews")
)
MAY_THEY_THERE = f"{ACCESS}/namespaces/default/localsubjectaccessreviews"
WHO_AM_I, WHOSE = f"{WHO}/selfsubjectreviews", f"{WHO}/tokenreviews"


def asked(api, path, spec=None, **headers):
    status, _, body = api.raw("POST", path, {} if spec is None else {"spec": spec}, **JSON | headers)
    return status, json.loads(body)


QUESTIONS = [
    (MAY_I, {"resourceAttributes": PODS}),
    (MAY_I, {"nonResourceAttributes": {"path": "/version", "verb": "get"}}),
    (MAY_I, {}),
    (MAY_I, {"resourceAttributes": PODS, "nonResourceAttributes": {"path": "/", "verb": "get"}}),
    (MAY_THEY, {"user": "nobody", "resourceAttributes": PODS}),
    (MAY_THEY, {"groups": ["system:masters"], "resourceAttributes": PODS}),
    (MAY_THEY, {"resourceAttributes": PODS}),
    (MAY_THEY_THERE, {"user": "nobody", "resourceAttributes": PODS}),
    (MY_RULES, {}),
    (WHO_AM_I, None),
    (WHOSE, {"token": "nonsense"}),
    (WHOSE, {}),
]


@pytest.mark.parametrize("path, spec", QUESTIONS)
def test_it_is_answered_like_a_real_one(both, path, spec):
    found = []
    for api in both:
        status, document = asked(api, path, spec)
        said = document["status"]
        if isinstance(said, dict):
            said.pop("reason", None)  # ours says why
        found.append((status, document.get("kind"), document.get("apiVersion"), said, document.get("message")))
    assert found[0] == found[1]


@pytest.mark.parametrize("group", ["authorization.k8s.io", "authentication.k8s.io"])
def test_the_kinds_of_reviews_are_listed_like_a_real_one(both, group):
    ours, theirs = (json.loads(api.raw("GET", f"/apis/{group}/v1")[2]) for api in both)
    assert ours == theirs
    for method in ("GET", "POST"):
        ours, theirs = (api.raw(method, f"/apis/{group}/v1/nothing", None)[0] for api in both)
        assert ours == theirs == 404


def test_nothing_of_a_review_can_be_read(both):
    assert {api.raw("GET", MAY_I)[0] for api in both} == {405}


@pytest.fixture(scope="module")
def reader(embedded_api, tmp_path_factory):
    """The second user of the same server."""
    import embedded

    with embedded.alone(tmp_path_factory.mktemp("reviews")) as kubeconfig:
        yield Api(Path(kubeconfig).with_name("reader.kubeconfig")), Api(kubeconfig)


@pytest.mark.parametrize(
    "verb, is_allowed",
    [("get", True), ("list", True), ("watch", True), ("create", False), ("delete", False), ("*", False)],
)
def test_the_reader_may_ask_what_it_may(reader, verb, is_allowed):
    for api, path, more in (
        (reader[0], MAY_I, {}),
        (reader[1], MAY_THEY, {"user": "reader"}),
    ):
        status, document = asked(api, path, {"resourceAttributes": PODS | {"verb": verb}} | more)
        assert (status, document["status"]["allowed"]) == (201, is_allowed)


def test_the_reader_is_told_who_it_is_and_its_rules(reader):
    assert asked(reader[0], WHO_AM_I)[1]["status"]["userInfo"]["username"] == "reader"
    rules = asked(reader[0], MY_RULES, {"namespace": "default"})[1]["status"]["resourceRules"]
    assert rules[-1] == {"verbs": ["get", "list", "watch"], "apiGroups": ["*"], "resources": ["*"]}


def test_the_reader_may_not_ask_about_others(reader):
    assert asked(reader[0], MAY_THEY, {"user": "admin", "resourceAttributes": PODS})[0] == 403
    assert asked(reader[0], WHOSE, {"token": "x"})[0] == 403


@pytest.mark.parametrize("name, code", [("admin", 201), ("reader", 403), ("nobody", 403)])
def test_who_acts_in_the_name_of_another_may_what_that_one_may(reader, name, code):
    document = {"metadata": {"generateName": "c-"}}
    path = "/api/v1/namespaces/default/configmaps"
    status, _, _ = reader[1].raw("POST", path, document, **JSON | {"Impersonate-User": name})
    assert status == code
    assert asked(reader[1], WHO_AM_I, **{"Impersonate-User": name})[1]["status"]["userInfo"]["username"] == name
    assert asked(reader[0], WHO_AM_I, **{"Impersonate-User": name})[0] == 403


@pytest.mark.parametrize("spec", ["text", [], 7])
def test_a_question_that_is_none_is_the_clients_mistake(embedded_api, spec):
    assert asked(embedded_api, MAY_I, spec)[0] == 400
