"""Small requests that would become large, and what is answered: run by itself, with no more memory than the first argument says in MiB.

Prints a line of JSON for each: name, status, seconds. Who is not bounded ends this process, or never comes to its end.
"""

import asyncio
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from apiserver.inside import Inside  # noqa: E402
from apiserver.odd_kind import ODDITY, with_rule  # noqa: E402

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
ODDITIES = "/apis/example.com/v1/namespaces/default/oddities"
JSON, YAML, APPLY = "application/json", "application/yaml", "application/apply-patch+yaml"
JSON_PATCH, MERGE = "application/json-patch+json", "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
INTEGERS = {"type": "array", "items": {"type": "integer"}}
COPY = {"op": "copy", "from": "/spec/a", "path": "/spec/a/-"}
DEEPER = [{"op": "add", "path": "/spec/d" + "/d" * number, "value": {}} for number in range(1, 150)]
LAUGHS = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (one, one, b",".join([b"*%c" % (one - 1)] * 9)) for one in range(ord("b"), ord("k"))
)
MERGES = b"a: &a {x: 1}\n" + b"".join(
    b"%c: &%c {<<: [%s]}\n" % (one, one, b",".join([b"*%c" % (one - 1)] * 9)) for one in range(ord("b"), ord("k"))
)
NAMED = b"kind: ConfigMap\napiVersion: v1\nmetadata: {name: named}\n"
LONG_LIST = json.dumps({"metadata": {"finalizers": [f"a.b/{number}" for number in range(60_000)]}}).encode()


def deep(levels, open_=b"[", close=b"]"):
    return b'{"metadata":{"name":"x"},"data":' + open_ * levels + b"1" + close * levels + b"}"


def definition(rule, **properties):
    return json.dumps(with_rule(rule, **properties)).encode()


def nested(loops, inner="x0 == x0"):
    return "".join(f"self.a.all(x{one}, " for one in range(loops)) + inner + ")" * loops


# name: (method, path, kind of body, body, the statuses that there may be)
ATTACKS = {
    "copies of copies": ("PATCH", f"{ODDITIES}/o", JSON_PATCH, json.dumps([COPY] * 14).encode(), (422,)),
    "additions to each other": ("PATCH", f"{ODDITIES}/o", JSON_PATCH, json.dumps(DEEPER).encode(), (400, 422)),
    "operations without end": (
        "PATCH",
        f"{ODDITIES}/o",
        JSON_PATCH,
        json.dumps([{"op": "test", "path": ""}] * 10_001).encode(),
        (413,),
    ),
    "aliases of aliases": ("POST", CONFIGMAPS, YAML, NAMED + LAUGHS, (400,)),
    "aliases in an apply": ("PATCH", f"{CONFIGMAPS}/named", APPLY, NAMED + LAUGHS, (400,)),
    "merged aliases": ("POST", CONFIGMAPS, YAML, NAMED + MERGES, (400,)),
    "an alias of itself": ("POST", CONFIGMAPS, YAML, NAMED + b"data: &a {b: *a}\n", (400,)),
    "a long text a hundred times": (
        "POST",
        CONFIGMAPS,
        YAML,
        NAMED + b"a: &a " + b"x" * 100_000 + b"\nb: [" + b"*a," * 100 + b"]\n",
        (400,),
    ),
    "deep JSON": ("POST", CONFIGMAPS, JSON, deep(1_000_000), (400,)),
    "deep enough to be lost in": ("POST", CONFIGMAPS, JSON, deep(900), (400,)),
    "deep maps": ("PATCH", f"{ODDITIES}/o", MERGE, deep(500, b'{"a":', b"}"), (400,)),
    "deep YAML": ("POST", CONFIGMAPS, YAML, NAMED + b"data: " + b"[" * 100_000, (400,)),
    "YAML deep in blocks": ("POST", CONFIGMAPS, YAML, NAMED + b"data:\n  " + b"- " * 500 + b"a", (400,)),
    "no number of JSON": ("POST", CONFIGMAPS, JSON, b'{"metadata":{"name":"x"},"data":{"a":1e999}}', (400,)),
    "no number of YAML": (
        "PATCH",
        f"{ODDITIES}/o",
        APPLY,
        b"apiVersion: example.com/v1\nkind: Oddity\nmetadata: {name: o}\nspec: {x: .inf}",
        (400,),
    ),
    "a number with 5,000 digits": ("POST", CONFIGMAPS, YAML, NAMED + b"data: {a: " + b"9" * 5000 + b"}", (400,)),
    "a day that is none": ("POST", CONFIGMAPS, YAML, NAMED + b"data: {a: 2026-13-45}", (400,)),
    "three loops": ("POST", DEFINITIONS, JSON, definition(nested(3), a=INTEGERS), (422,)),
    "a rule without end": ("POST", DEFINITIONS, JSON, definition("1" + "+1" * 100_000 + " > 0", a=INTEGERS), (422,)),
    "a rule of parentheses": ("POST", DEFINITIONS, JSON, definition("(" * 100_000 + "true" + ")" * 100_000), (422,)),
    "an object of 2 MB": (
        "POST",
        CONFIGMAPS,
        JSON,
        json.dumps({"metadata": {"name": "x"}, "data": {"a": "x" * 2_000_000}}).encode(),
        (413,),
    ),
    "an object that grows": (
        "PATCH",
        f"{ODDITIES}/o",
        MERGE,
        json.dumps({"spec": {"more": "x" * 1_200_000}}).encode(),
        (413,),
    ),
    "an object that grows by an apply": (
        "PATCH",
        f"{ODDITIES}/new",
        APPLY,
        json.dumps({"apiVersion": "example.com/v1", "kind": "Oddity", "spec": {"a": "x" * 1_700_000}}).encode(),
        (413,),
    ),
    "a status that grows": (
        "PATCH",
        f"{ODDITIES}/o/status",
        MERGE,
        json.dumps({"status": {"more": "x" * 1_200_000}}).encode(),
        (413,),
    ),
    "fields without end": (
        "POST",
        ODDITIES,
        JSON,
        json.dumps(
            {
                "apiVersion": "example.com/v1",
                "kind": "Oddity",
                "metadata": {"name": "n"},
                "spec": {str(n): 1 for n in range(80_000)},
            }
        ).encode(),
        (413,),
    ),
    "annotations without end": (
        "POST",
        CONFIGMAPS,
        JSON,
        json.dumps({"metadata": {"name": "x", "annotations": {f"a{n}": "x" * 100 for n in range(3_000)}}}).encode(),
        (422,),
    ),
    "a list against a list": ("PATCH", f"{CONFIGMAPS}/c", STRATEGIC, LONG_LIST, (200, 413, 422)),
    "a grace without end": ("DELETE", f"{CONFIGMAPS}/c", JSON, b'{"gracePeriodSeconds": 9223372036854775807}', (200,)),
}
# rule, fields of the kind, values of its spec, the statuses that there may be
RULES = {
    "two loops": (nested(2), {"a": {**INTEGERS, "maxItems": 3000}}, {"a": [1] * 3000}, (422,)),
    "two short loops": (nested(2), {"a": {**INTEGERS, "maxItems": 3000}}, {"a": [1] * 100, "b": [2] * 90_000}, (201,)),
    "three loops": (nested(3), {"a": {**INTEGERS, "maxItems": 100}}, {"a": [1] * 100}, (201, 422)),
    "loops over what is there anyhow": (
        "[1,2,3].all(x, [1,2,3].all(y, x > 0))", {"a": {**INTEGERS, "maxItems": 3000}}, {"a": [1] * 3000}, (201,),
    ),
}  # fmt: skip


async def main(megabytes):
    inside = Inside(Path(tempfile.mkdtemp(prefix="attacks-")))
    await inside.ask("POST", "/api/v1/namespaces", b'{"metadata":{"name":"default"}}')
    await inside.define(ODDITY)
    large = {"a": ["x" * 1000] * 900, "d": {}}
    document = {"apiVersion": "example.com/v1", "kind": "Oddity", "metadata": {"name": "o"}, "spec": large}
    assert (await inside.ask("POST", ODDITIES, json.dumps(document).encode()))[0] == 201
    content = json.dumps({"metadata": {"name": "c"}, "data": {}}).encode()
    assert (await inside.ask("POST", CONFIGMAPS, content))[0] == 201
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    for name, (method, path, kind, body, wanted) in ATTACKS.items():
        await tell(
            inside, name, (method, path, body, kind, "fieldManager=f&force=true" if method == "PATCH" else ""), wanted
        )
    for name, (rule, fields, spec, wanted) in RULES.items():
        kind = with_rule(rule, **fields)
        inside.objects.registry.define(kind)
        document = {
            "apiVersion": "example.com/v1",
            "kind": "Ruled",
            "metadata": {"name": f"r{len(name)}"},
            "spec": spec,
        }
        body = json.dumps(document).encode()
        await tell(inside, f"rule: {name}", ("POST", ODDITIES.replace("oddities", "ruled"), body, JSON), wanted)


async def tell(inside, name, request, wanted):
    begun = time.monotonic()
    status, said = await inside.ask(*request)
    found = {"name": name, "status": status, "wanted": wanted, "seconds": round(time.monotonic() - begun, 2)}
    print(json.dumps(found | {"said": said[:200].decode(errors="replace")}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
