"""Nothing new comes into what is going: it would be what keeps it."""

import json

import pytest
import yaml

from apiserver.cases_of_kinds import CRD
from apiserver.inside import Inside
from arkwright.apiserver.objects import Removal
from arkwright.apiserver.store import Key

DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"


@pytest.fixture
async def api(tmp_path):
    found = Inside(tmp_path)
    for namespace in ("default", "going"):
        await found.ask("POST", "/api/v1/namespaces", json.dumps({"metadata": {"name": namespace}}).encode())
    await found.define(yaml.safe_load(CRD))
    yield found
    await found.store.close()


async def gone(api, resource, name):
    await api.objects.delete(api.objects.registry.named(resource), Key(resource, "", name), Removal())


async def test_a_kind_that_is_going_takes_no_new_object_and_keeps_those_it_has(api):
    kind = next(one for one in api.objects.registry if one.is_custom)
    path = f"/apis/{kind.group}/{kind.version}/namespaces/default/{kind.plural}"

    def named(name):
        about = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name, "finalizers": ["a.b/c"]}}
        return json.dumps(about).encode()

    assert (await api.ask("POST", path, named("before")))[0] == 201
    await gone(api, DEFINITIONS, kind.name)
    status, body = await api.ask("POST", path, named("after"))
    assert (status, json.loads(body)["reason"]) == (405, "MethodNotAllowed") and b"terminating" in body
    status, _ = await api.ask(
        "PATCH", f"{path}/after", named("after"), "application/apply-patch+yaml", "fieldManager=me"
    )
    assert status == 405
    change = b'{"metadata":{"labels":{"a":"b"}}}'
    assert (await api.ask("PATCH", f"{path}/before", change, "application/merge-patch+json"))[0] == 200


async def test_a_namespace_that_is_going_takes_no_new_object(api):
    await gone(api, "namespaces", "going")
    status, body = await api.ask("POST", "/api/v1/namespaces/going/configmaps", b'{"metadata":{"name":"new"}}')
    assert status == 403 and b"because it is being terminated" in body


async def test_a_text_that_speaks_of_a_deletion_is_none(api):
    told = {"metadata": {"name": "odd", "annotations": {"said": '"deletionTimestamp":"now"'}}}
    assert (await api.ask("POST", "/api/v1/namespaces", json.dumps(told).encode()))[0] == 201
    status, _ = await api.ask("POST", "/api/v1/namespaces/odd/configmaps", b'{"metadata":{"name":"new"}}')
    assert status == 201
