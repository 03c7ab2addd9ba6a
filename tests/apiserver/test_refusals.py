"""What a real API server refuses of its built-in kinds, ours refuses, at the same fields and in the same words."""

import json

import pytest

from apiserver.refusals import CASES, LATER, SOUND, changed, put

JSON = {"Content-Type": "application/json"}
DRY = "a real one looks at this only when it is no dry run"
LABELS = "ours does not tell an empty map from none"
DIFFERENT = {
    "node port: spec.ports[0].nodePort is 29999": DRY,
    "node port: spec.ports[0].nodePort is 32768": DRY,
    "node port: spec.ports[0].nodePort is -1": DRY,
    "pod: spec.priority is 5": "there are no priorities here, and a number harms nobody",
    "deployment: spec.template.metadata.labels is {}": LABELS,
}


def causes(body):
    """(field, reason, words) of each; a real one says some twice, and adds a whole pod's difference."""
    found = json.loads(body)
    told = (found.get("details") or {}).get("causes") or [] if found.get("kind") == "Status" else []
    return sorted({(one.get("field"), one.get("reason"), one["message"].partition("\n")[0]) for one in told})


def answer(status, body):
    """Of 400 the words are those of Go's decoder, which ours need not say alike."""
    return status, causes(body) if status == 422 else []


def created(api, kind, changes):
    path, document = changed(kind, changes)
    document = json.loads(json.dumps(document).replace('"NS"', '"default"'))
    status, _, body = api.raw("POST", f"{path.replace('NS', 'default')}?dryRun=All", document, **JSON)
    return answer(status, body)


def replaced(api, kind, changes):
    """An object is made, and written anew with these changes."""
    path, document = changed(kind, {"spec.nodeName": "a"} if kind == "pod" else {})
    path, name = path.replace("NS", "default"), document["metadata"]["name"]
    status, _, body = api.raw("POST", path, document, **JSON)
    assert status == 201, body
    found = json.loads(api.raw("GET", f"{path}/{name}")[2])
    for where, value in changes.items():
        put(found, where, value)
    status, _, body = api.raw("PUT", f"{path}/{name}?dryRun=All", found, **JSON)
    api.raw("DELETE", f"{path}/{name}", {"gracePeriodSeconds": 0}, **JSON)
    return answer(status, body)


@pytest.fixture(scope="module")
def pair(both):
    """In the namespace `default`, where a real one wants an account for pods."""
    for api in both:
        api.raw("POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}}, **JSON)
    return both


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_like_a_real_one(pair, name):
    ours, theirs = (created(api, *CASES[name]) for api in pair)
    if name in DIFFERENT:
        assert ours != theirs, f"it no longer differs: {DIFFERENT[name]}"
    else:
        assert ours == theirs


@pytest.mark.parametrize("name", LATER)
def test_a_change_is_refused_like_a_real_one(pair, name):
    ours, theirs = (replaced(api, *LATER[name]) for api in pair)
    assert ours == theirs


@pytest.mark.parametrize("name", CASES)
def test_nothing_of_it_is_a_mistake_of_ours(embedded_api, name):
    status, _ = created(embedded_api, *CASES[name])
    assert status in (201, 400, 403, 422)


@pytest.mark.parametrize("kind", SOUND)
def test_what_is_sound_is_taken(embedded_api, kind):
    assert created(embedded_api, kind, {}) == (201, [])


def test_there_are_cases_enough():
    assert len(CASES) + len(LATER) >= 300
    assert DIFFERENT.keys() <= CASES.keys()
