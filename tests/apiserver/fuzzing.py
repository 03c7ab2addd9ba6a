"""Sends the embedded API what nobody should, guided by which code that reaches. One kind of body a run:

    python tests/apiserver/fuzzing.py json|yaml|protobuf|json-patch|merge-patch|strategic-patch|apply-patch|options [libFuzzer options]

Ends with status 0 unless a mistake of ours was answered, or an input took longer than -timeout seconds.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path

import atheris
import structlog

with atheris.instrument_imports(
    include=["arkwright.apiserver", "jsonpatch", "jsonpointer"], enable_loader_override=False
):
    from arkwright.apiserver.wire import Api  # noqa: F401

sys.path.insert(0, str(Path(__file__).parents[1]))
from apiserver.inside import Inside  # noqa: E402
from apiserver.odd_kind import ODDITY  # noqa: E402

CONFIGMAPS, DEPLOYMENTS = "/api/v1/namespaces/default/configmaps", "/apis/apps/v1/namespaces/default/deployments"
ODDITIES = "/apis/example.com/v1/namespaces/default/oddities"
CONTAINER = {"name": "c", "image": "i", "ports": [{"containerPort": 80}], "env": [{"name": "A", "value": "b"}]}
POD = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [CONTAINER]}}
OBJECTS = {
    CONFIGMAPS: {"metadata": {"name": "o", "annotations": {"a": "b"}}, "data": {"a": "b"}},
    DEPLOYMENTS: {
        "metadata": {"name": "o"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": POD},
    },
    ODDITIES: {
        "apiVersion": "example.com/v1",
        "kind": "Oddity",
        "metadata": {"name": "o"},
        "spec": {"list": [1, 2], "map": {"a": "b"}, "items": [{"name": "a"}]},
    },
}
WORDS = (
    *("metadata spec data labels annotations name namespace finalizers ownerReferences managedFields template").split(),
    *("containers ports env replicas selector matchLabels status list map items kind apiVersion uid").split(),
    *("$patch $retainKeys $setElementOrder/containers $deleteFromPrimitiveList/finalizers resourceVersion").split(),
    *("dryRun preconditions gracePeriodSeconds propagationPolicy generateName creationTimestamp a b o").split(),
)
VALUES = (
    None,
    True,
    0,
    -1,
    1.5,
    1 << 70,
    "",
    "a",
    "replace",
    "delete",
    "v1",
    "ConfigMap",
    "2026-01-01T00:00:00Z",
    [],
    {},
)
OPERATIONS = ("add", "remove", "replace", "move", "copy", "test", "odd")
KINDS = {
    "json": "application/json",
    "yaml": "application/yaml",
    "protobuf": "application/vnd.kubernetes.protobuf",
    "json-patch": "application/json-patch+json",
    "merge-patch": "application/merge-patch+json",
    "strategic-patch": "application/strategic-merge-patch+json",
    "apply-patch": "application/apply-patch+yaml",
    "options": "application/json",
}
PIECES = (
    b"&a ",
    b"*a",
    b"<<: ",
    b"- ",
    b"? ",
    b": ",
    b"\n",
    b"  ",
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b"!!binary ",
    b"!!set ",
    b"| ",
)
_loop = asyncio.new_event_loop()


def value(given, depth=4):
    choice = given.ConsumeIntInRange(0, 6)
    if choice < 2 and depth:
        return {key(given): value(given, depth - 1) for _ in range(given.ConsumeIntInRange(0, 4))}
    if choice == 2 and depth:
        return [value(given, depth - 1) for _ in range(given.ConsumeIntInRange(0, 4))]
    return given.PickValueInList([*VALUES]) if choice < 6 else given.ConsumeUnicodeNoSurrogates(8)


def key(given):
    return given.PickValueInList([*WORDS]) if given.ConsumeIntInRange(0, 9) else given.ConsumeUnicodeNoSurrogates(8)


def changed(given, document):
    """One of ours, with something else somewhere."""
    document = json.loads(json.dumps(document))
    for _ in range(given.ConsumeIntInRange(1, 3)):
        node = document
        while isinstance(node, dict) and node and given.ConsumeIntInRange(0, 3):
            name = given.PickValueInList(sorted(node))
            if not isinstance(node[name], dict) or not node[name]:
                break
            node = node[name]
        node[key(given)] = value(given)
    return document


def pointer(given):
    return "".join(
        f"/{given.PickValueInList([*WORDS, '0', '-', '1', '~0'])}" for _ in range(given.ConsumeIntInRange(0, 4))
    )


def operation(given):
    one = {"op": given.PickValueInList([*OPERATIONS]), "path": pointer(given)}
    one |= {"from": pointer(given)} if given.ConsumeBool() else {}
    return one | ({"value": value(given, 2)} if given.ConsumeBool() else {})


def body(given, name, document):
    if not given.ConsumeIntInRange(0, 7):
        return given.ConsumeBytes(60)
    if name == "protobuf":
        return b"k8s\0\n" + given.ConsumeBytes(80)
    if name == "yaml" and given.ConsumeBool():
        return b"".join(given.PickValueInList([*PIECES, *(one.encode() for one in WORDS)]) for _ in range(30))
    if name == "json-patch":
        return json.dumps([operation(given) for _ in range(given.ConsumeIntInRange(0, 4))]).encode()
    if name in ("merge-patch", "strategic-patch", "options"):
        return json.dumps(value(given) if name == "options" else changed(given, {})).encode()
    return json.dumps(changed(given, document)).encode()


def request(given, name):
    """(method, path)"""
    path = given.PickValueInList([*OBJECTS])
    part = given.PickValueInList(["", "", "/status", "/scale"])
    if name == "options":
        return "DELETE", f"{path}/nobody", path
    if "patch" in name:
        return "PATCH", f"{path}/o{part}", path
    return given.PickValueInList([("POST", path, path), ("PUT", f"{path}/o{part}", path)])


def asking(name):
    inside = _loop.run_until_complete(prepared())

    def ask(data):
        given = atheris.FuzzedDataProvider(data)
        method, where, path = request(given, name)
        query = "fieldManager=f&dryRun=All&force=true" if method != "DELETE" else ""
        content = body(given, name, OBJECTS[path])
        status, said = _loop.run_until_complete(inside.ask(method, where, content, KINDS[name], query))
        assert inside.MISTAKE not in said, (method, where, content)

    return ask


async def prepared():
    inside = Inside(Path(tempfile.mkdtemp(prefix="fuzzing-")))
    await inside.ask("POST", "/api/v1/namespaces", b'{"metadata":{"name":"default"}}')
    await inside.define(json.loads(json.dumps(ODDITY)))
    for path, document in OBJECTS.items():
        status, said = await inside.ask("POST", path, json.dumps(document).encode())
        assert status == 201, said
    return inside


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    target = asking(sys.argv.pop(1))
    atheris.Setup([*sys.argv, "-timeout=20", "-len_control=0"], target)
    atheris.Fuzz()
