"""What a real API server refuses as malformed or too much, ours refuses with the same status; null in a map of strings is what it is there."""

import json

import pytest

from apiserver.attacks import DEFINITIONS, NAMED, definition, nested
from apiserver.attacks import INTEGERS as LIST

JSON, YAML, APPLY = "application/json", "application/yaml", "application/apply-patch+yaml"
JSON_PATCH, MERGE = "application/json-patch+json", "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
MAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
LAUGHS = b"data: {a: b}\nx: &x [1,1,1,1,1,1,1,1,1]\n" + b"".join(
    b"%c: &%c [%s]\n" % (one, one, b",".join([b"*%c" % (before)] * 9))
    for before, one in zip(b"xbcdefg", b"bcdefgh", strict=True)
)
SOUND = {"metadata": {"name": "there"}, "data": {"a": "b"}}
GREAT = {
    "metadata": {"name": "great"},
    "spec": {"nodeName": "nowhere", "containers": [{"name": "c", "image": "i", "command": ["x" * 1_700_000]}]},
}
POD = {
    "metadata": {"labels": {"a": "b"}, "annotations": {"n": None}},
    "spec": {"containers": [{"name": "c", "image": "i"}]},
}
DEPLOYMENT = {"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": POD}}
THERE = f"{MAPS}/there"
CASES = {
    **{f"a body {name}": ("POST", MAPS, JSON, body) for name, body in {
        "of nothing": b"", "of null": b"null", "of a list": b"[]", "of a number": b"5", "of a text": b'"a"', "cut off": b'{"metadata":',
        "with a text for metadata": b'{"metadata":"a"}', "with a list for metadata": b'{"metadata":[]}',
        "with null for metadata": b'{"metadata":null}', "with a number for a name": b'{"metadata":{"name":5}}',
        "that is no UTF-8": b'{"metadata":{"name":"\xff"}}',
        "with a list for data": b'{"metadata":{"name":"x"},"data":[]}', "with a map in data": b'{"metadata":{"name":"x"},"data":{"a":{}}}',
        "with a number beyond all": b'{"metadata":{"name":"x"},"data":{"a":1e999}}',
        "with a text for owners": b'{"metadata":{"name":"x","ownerReferences":"a"}}',
        "with a number for finalizers": b'{"metadata":{"name":"x","finalizers":[1]}}',
        "of another kind": b'{"kind":"Pod","apiVersion":"v1","metadata":{"name":"x"}}',
    }.items()},
    **{f"YAML {name}": ("POST", MAPS, YAML, body) for name, body in {
        "with aliases of aliases": NAMED + LAUGHS, "of an alias of itself": NAMED + b"data: &a {b: *a}\n", "cut off": NAMED + b"data: {a: [",
        "with one alias": NAMED + b"data:\n  a: &a b\n  c: *a\n", "of a list": b"- a\n", "of infinity": NAMED + b"data: {a: .inf}",
    }.items()},
    **{f"a JSON patch {name}": ("PATCH", THERE, JSON_PATCH, json.dumps(body).encode()) for name, body in {
        "of a map": {}, "of numbers": [5], "of nothing": [], "of an unknown operation": [{"op": "odd", "path": "/data"}],
        "without a path": [{"op": "add", "value": 1}], "without a value": [{"op": "add", "path": "/data/b"}],
        "to another kind of thing": [{"op": "replace", "path": "", "value": 5}],
        "of 10,001 operations": [{"op": "add", "path": "/data/z", "value": "a"}] * 10_001,
        "of metadata away": [{"op": "remove", "path": "/metadata"}],
        "of what is not there": [{"op": "remove", "path": "/data/nothing"}],
        "that fails its test": [{"op": "test", "path": "/data/a", "value": "x"}],
    }.items()},
    **{f"a merge patch {name}": ("PATCH", THERE, MERGE, json.dumps(body).encode()) for name, body in {
        "of a list": [], "of a number": 5, "of null": None, "with a text for metadata": {"metadata": "a"},
        "with null for metadata": {"metadata": None}, "with a number in data": {"data": {"a": 5}},
        "with another name": {"metadata": {"name": "other"}}, "with null for labels": {"metadata": {"labels": None}},
    }.items()},
    **{f"a strategic patch {name}": ("PATCH", THERE, STRATEGIC, json.dumps(body).encode()) for name, body in {
        "of a list": [], "with a text for metadata": {"metadata": "a"}, "with an odd directive": {"$patch": "odd"},
        "with a number to keep": {"$retainKeys": 5}, "with finalizers of numbers": {"metadata": {"finalizers": [5]}},
    }.items()},
    **{f"an apply {name}": ("PATCH", THERE, APPLY, body) for name, body in {
        "of a list": b"[]", "of nothing": b"", "of text": b"a", "without a kind": b"metadata: {name: there}",
        "with aliases of aliases": NAMED.replace(b"name: named", b"name: there") + LAUGHS,
    }.items()},
    **{f"options {name}": ("DELETE", f"{MAPS}/nobody", JSON, json.dumps(body).encode()) for name, body in {
        "of a list": [], "of a number": 5, "with a text for a grace": {"gracePeriodSeconds": "5"}, "with an odd policy": {"propagationPolicy": "Odd"},
        "with a number for preconditions": {"preconditions": 5}, "with a text for dryRun": {"dryRun": "All"},
    }.items()},
    "an object of 1.7 MB": ("POST", MAPS.replace("configmaps", "pods"), JSON, json.dumps(GREAT).encode()),
    "a body of 4 MB": ("POST", MAPS, JSON, b" " * 4_000_000 + b"{}"),
    "a path with an empty namespace": ("GET", "/api/v1/namespaces//configmaps", JSON, None),
    "a path with an empty part": ("GET", "/api/v1//configmaps", JSON, None),
    "a rule of three loops": ("POST", DEFINITIONS, JSON, definition(nested(3), a=LIST)),
    "a rule of two loops": ("POST", DEFINITIONS, JSON, definition(nested(2), a=LIST)),
    "a scale of nothing": ("PUT", "/apis/apps/v1/namespaces/default/deployments/nobody/scale", JSON, b"[]"),
    "a review of a list": ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", JSON, b"[]"),
    "a review of a text": ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", JSON, b'{"spec":"a"}'),
}  # fmt: skip
NAME, PATCH, TYPED = (
    "it is told as malformed, not as nameless",
    "it is no patch",
    "a real one has 500, as if it were its own mistake",
)
DIFFERENT = {
    "a body of null": ((400, 422), NAME),
    "a body that is no UTF-8": ((400, 422), NAME),
    "a JSON patch of an unknown operation": ((400, 422), PATCH),
    "a JSON patch without a path": ((400, 422), PATCH),
    "a JSON patch without a value": ((400, 200), PATCH),
    "a JSON patch to another kind of thing": ((422, 200), "a real one ignores it"),
    "a strategic patch with an odd directive": ((200, 500), TYPED),
    "an apply without a kind": ((200, 400), "the path says it"),
    "options of a list": ((400, 500), TYPED),
    "options of a number": ((400, 500), TYPED),
    "options with a text for a grace": ((400, 500), TYPED),
    "options with a number for preconditions": ((400, 500), TYPED),
    "options with a text for dryRun": ((400, 500), TYPED),
    "an object of 1.7 MB": ((413, 500), TYPED),
    "a path with an empty namespace": ((404, 200), "nobody means all by nothing"),
    "a scale of nothing": ((404, 400), "the object is looked for first"),
}
NULLS = {
    "annotations": (MAPS, {"metadata": {"name": "n", "annotations": {"a": None, "b": "c"}}}),
    "labels": (MAPS, {"metadata": {"name": "n", "labels": {"a": None}}}),
    "data": (MAPS, {"metadata": {"name": "n"}, "data": {"a": None}}),
    "a template": (DEPLOYMENTS, DEPLOYMENT),
    "all of them": (MAPS, {"metadata": {"name": "n", "labels": None, "annotations": None, "finalizers": None}, "data": None}),
}  # fmt: skip


def status(api, method, path, kind, body):
    query = (
        "?dryRun=All&fieldManager=f"
        if method in ("PATCH", "POST") and "review" not in path and "GREAT" not in path
        else ""
    )
    if body and len(body) > 1_600_000:
        query = ""  # nobody's etcd hears of a dry run
    return api.raw(method, path + query, body, **{"Content-Type": kind})[0]


@pytest.mark.parametrize("name", CASES)
def test_the_status_is_that_of_a_real_one(both, name):
    for api in both:
        api.raw("POST", MAPS, SOUND, **{"Content-Type": JSON})
    ours, theirs = (status(api, *CASES[name]) for api in both)
    if name in DIFFERENT:
        wanted, why = DIFFERENT[name]
        assert (ours, theirs) == wanted, f"it differs otherwise now: {why}"
    else:
        assert ours == theirs


@pytest.mark.parametrize("name", CASES)
def test_no_malformed_body_is_a_mistake_of_ours(embedded_api, name):
    embedded_api.raw("POST", MAPS, SOUND, **{"Content-Type": JSON})
    assert status(embedded_api, *CASES[name]) < 500


@pytest.mark.parametrize("name", NULLS)
def test_null_in_a_map_is_what_it_is_in_a_real_one(both, name):
    path, document = NULLS[name]
    answers = [json.loads(api.raw("POST", f"{path}?dryRun=All", document, **{"Content-Type": JSON})[2]) for api in both]
    ours, theirs = (
        [one["metadata"].get("annotations"), one["metadata"].get("labels"), one.get("data")] for one in answers
    )
    assert ours == theirs
    ours, theirs = (one.get("spec", {}).get("template", {}).get("metadata") for one in answers)
    assert ours == theirs
