"""What is asked of both APIs: (name, requests). Every answer is compared, field by field."""

from apiserver.asking import APPLY, JSON_PATCH, MERGE, STRATEGIC, TABLE, Ask
from apiserver.cases_of_kinds import (
    CONFIGMAPS,
    DEPLOYMENTS,
    MODULE_DEPLOYMENTS,
    MODULES,
    PODS,
    SERVICES,
    WIDGETS,
    configmap,
    container,
    deployment,
    pod,
    service,
    widget,
)


def post(path, body, **more):
    return Ask("POST", path, body, **more)


def get(path, **more):
    return Ask("GET", path, **more)


def put(path, body, **more):
    return Ask("PUT", path, body, **more)


def delete(path, body=None, **more):
    return Ask("DELETE", path, body, **more)


def merge(path, body, **more):
    return Ask("PATCH", path, body, MERGE, **more)


def json_patch(path, *operations, **more):
    return Ask("PATCH", path, list(operations), JSON_PATCH, **more)


def strategic(path, body, **more):
    return Ask("PATCH", path, body, STRATEGIC, **more)


def apply(path, body, manager="one", **query):
    return Ask("PATCH", path, body, APPLY, query={"fieldManager": manager} | query)


def quiet(one):
    """Needed for what follows; its own answer is compared elsewhere."""
    return Ask(**{**one.__dict__, "is_shown": False})


C, W, P, S, D = f"{CONFIGMAPS}/c", f"{WIDGETS}/w", f"{PODS}/p", f"{SERVICES}/s", f"{DEPLOYMENTS}/d"
MADE_C, MADE_W = quiet(post(CONFIGMAPS, configmap(a="1"))), quiet(post(WIDGETS, widget(size=1)))
MADE_P, MADE_S, MADE_D = (
    quiet(post(PODS, pod())),
    quiet(post(SERVICES, service())),
    quiet(post(DEPLOYMENTS, deployment())),
)
LONG = "a" * 64
OURS = {"apiVersion": "serverless.alipay.com/v1alpha1"}

CREATE = {
    "a configmap": [post(CONFIGMAPS, configmap(a="1")), get(C)],
    "twice": [MADE_C, post(CONFIGMAPS, configmap())],
    "without a name": [post(CONFIGMAPS, {"metadata": {}})],
    "without metadata": [post(CONFIGMAPS, {"data": {}})],
    "a bad name": [post(CONFIGMAPS, configmap("A_b"))],
    "a name too long": [post(CONFIGMAPS, configmap("a" * 254))],
    "a made up name": [post(CONFIGMAPS, {"metadata": {"generateName": "made-"}})],
    "a version is set": [post(CONFIGMAPS, configmap(metadata={"resourceVersion": "1"}))],
    "what the server gives is not taken": [
        post(WIDGETS, widget(metadata={"uid": "x", "generation": 7, "selfLink": "/"}))
    ],
    "another kind": [post(CONFIGMAPS, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "c"}})],
    "another version": [post(CONFIGMAPS, {"apiVersion": "v2", "kind": "ConfigMap", "metadata": {"name": "c"}})],
    "another namespace": [post(CONFIGMAPS, configmap(metadata={"namespace": "other"}))],
    "a namespace that is not there": [post("/api/v1/namespaces/nowhere/configmaps", configmap())],
    "an unknown kind": [post("/api/v1/namespaces/NS/nothings", {})],
    "an unknown group": [get("/apis/nobody.dev/v1/namespaces/NS/things")],
    "in yaml": [post(CONFIGMAPS, b"metadata: {name: c}\ndata: {a: b}", kind="application/yaml")],
    "not json": [post(CONFIGMAPS, b"{nothing")],
    "an array": [post(CONFIGMAPS, b"[]")],
    "an unknown media type": [post(CONFIGMAPS, b"<a/>", kind="text/xml")],
    "a wrong label key": [post(CONFIGMAPS, configmap(metadata={"labels": {"-a": "b"}}))],
    "a wrong label prefix": [post(CONFIGMAPS, configmap(metadata={"labels": {"A_/a": "b"}}))],
    "a wrong label value": [post(CONFIGMAPS, configmap(metadata={"labels": {"a": "b c"}}))],
    "a label value too long": [post(CONFIGMAPS, configmap(metadata={"labels": {"a": LONG}}))],
    "a label key too long": [post(CONFIGMAPS, configmap(metadata={"labels": {LONG: "a"}}))],
    "a wrong annotation key": [post(CONFIGMAPS, configmap(metadata={"annotations": {"a b": "c"}}))],
    "an owner without a uid": [
        post(CONFIGMAPS, configmap(metadata={"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "x"}]}))
    ],
    "an unknown field is told": [post(CONFIGMAPS, configmap() | {"nothing": 1})],
    "an unknown field is refused": [
        post(CONFIGMAPS, configmap() | {"nothing": 1}, query={"fieldValidation": "Strict"})
    ],
    "an unknown field is dropped": [
        post(CONFIGMAPS, configmap() | {"nothing": 1}, query={"fieldValidation": "Ignore"})
    ],
    "an unknown way to validate": [post(CONFIGMAPS, configmap(), query={"fieldValidation": "Maybe"})],
    "as a dry run": [post(CONFIGMAPS, configmap(), query={"dryRun": "All"}), get(C)],
    "as a dry run of nothing": [post(CONFIGMAPS, configmap(), query={"dryRun": "Some"})],
    "a manager is named": [post(CONFIGMAPS, configmap(a="1"), query={"fieldManager": "me"}), get(C)],
}
READ = {
    "what is not there": [get(C)],
    "a widget that is not there": [get(W)],
    "by label": [
        MADE_L := quiet(post(CONFIGMAPS, configmap(metadata={"labels": {"a": "1", "b": "2"}}))),
        get(CONFIGMAPS, query={"labelSelector": "a=1"}),
    ],
    "by label, double": [MADE_L, get(CONFIGMAPS, query={"labelSelector": "a==1,b=2"})],
    "by label, not": [MADE_L, get(CONFIGMAPS, query={"labelSelector": "a,b!=2"})],
    "by label, in": [MADE_L, get(CONFIGMAPS, query={"labelSelector": "a in (1,2)"})],
    "by label, not in": [MADE_L, get(CONFIGMAPS, query={"labelSelector": "a, b notin (2)"})],
    "by label, there": [MADE_L, get(CONFIGMAPS, query={"labelSelector": "b"})],
    "by label, not there": [MADE_L, get(CONFIGMAPS, query={"labelSelector": "a,!c"})],
    "by label, nonsense": [get(CONFIGMAPS, query={"labelSelector": "a in 1"})],
    "by name": [MADE_C, get(CONFIGMAPS, query={"fieldSelector": "metadata.name=c"})],
    "by another name": [MADE_C, get(CONFIGMAPS, query={"fieldSelector": "metadata.name=x"})],
    "by a field that cannot be asked for": [get(CONFIGMAPS, query={"fieldSelector": "data.a=1"})],
    "by a field of a widget": [get(WIDGETS, query={"fieldSelector": "spec.size=1"})],
    "a pod by its node": [quiet(post(PODS, pod(nodeName="n"))), get(PODS, query={"fieldSelector": "spec.nodeName=n"})],
    "a page": [MADE_W, quiet(post(WIDGETS, widget("x"))), get(WIDGETS, query={"limit": 1})],
    "a page of something that is no token": [get(WIDGETS, query={"limit": 1, "continue": "nonsense"})],
    "an empty list": [get(WIDGETS)],
    "a limit that is no number": [get(WIDGETS, query={"limit": "x"})],
    "a put on a collection": [put(CONFIGMAPS, configmap())],
    "a post on an object": [post(C, configmap())],
    "an unknown part": [MADE_C, get(f"{C}/nothing")],
    "an unknown part of a widget": [MADE_W, get(f"{W}/nothing")],
    "a scale that its kind does not have": [get(f"{MODULE_DEPLOYMENTS}/m/scale")],
    "a widget as a table": [
        quiet(post(WIDGETS, widget(labels={"example.com/of": "x"}, size=2))),
        get(WIDGETS, accept=TABLE),
    ],
    "one widget as a table": [MADE_W, get(W, accept=TABLE)],
    "a table with objects": [MADE_W, get(WIDGETS, accept=TABLE, query={"includeObject": "Object"})],
    "a table without objects": [MADE_W, get(WIDGETS, accept=TABLE, query={"includeObject": "None"})],
}
UPDATE = {
    "all of it": [MADE_C, put(C, configmap(a="2")), get(C)],
    "nothing changes": [MADE_C, put(C, configmap(a="1"))],
    "what is not there": [put(C, configmap())],
    "with an old version": [MADE_C, put(C, configmap(metadata={"resourceVersion": "1"}))],
    "under another name": [MADE_C, put(C, configmap("x"))],
    "another object of that name": [
        MADE_C,
        put(C, configmap(metadata={"uid": "11111111-1111-1111-1111-111111111111"})),
    ],
    "a widget without a version": [MADE_W, put(W, widget(size=2))],
    "labels to nothing": [MADE_L, put(C, configmap(metadata={"labels": {}}))],
    "as a dry run": [MADE_C, put(C, configmap(a="2"), query={"dryRun": "All"}), get(C)],
    "the spec counts": [MADE_W, merge(W, {"spec": {"size": 2}}), merge(W, {"metadata": {"labels": {"a": "b"}}})],
    "a status is not written along": [MADE_W, merge(W, {"spec": {"size": 2}, "status": {"phase": "x"}})],
    "a status apart": [MADE_W, merge(f"{W}/status", {"status": {"phase": "x"}, "spec": {"size": 5}}), get(W)],
    "a status by put": [MADE_W, Ask("GET", f"{W}/status"), merge(f"{W}/status", {"status": {"replicas": 3}})],
    "a label with the status": [
        MADE_W,
        merge(f"{W}/status", {"metadata": {"labels": {"a": "b"}}, "status": {"phase": "x"}}),
    ],
}
PATCH = {
    "merge": [MADE_C, merge(C, {"data": {"b": "2"}})],
    "merge, null": [MADE_C, merge(C, {"data": {"a": None, "b": "2"}})],
    "merge, nothing": [MADE_C, merge(C, {})],
    "merge what is not there": [merge(C, {})],
    "merge, an array": [MADE_C, merge(C, [])],
    "merge with an old version": [MADE_C, merge(C, {"metadata": {"resourceVersion": "1"}, "data": {"a": "2"}})],
    "merge with another uid": [MADE_W, merge(W, {"metadata": {"uid": "11111111-1111-1111-1111-111111111111"}})],
    "merge, another name": [MADE_C, merge(C, {"metadata": {"name": "x"}})],
    "merge an unknown field": [MADE_W, merge(W, {"spec": {"nothing": 1}})],
    "merge an unknown field, strictly": [
        MADE_W,
        merge(W, {"spec": {"nothing": 1}}, query={"fieldValidation": "Strict"}),
    ],
    "json, add": [MADE_C, json_patch(C, {"op": "add", "path": "/data/b", "value": "2"})],
    "json, replace": [MADE_C, json_patch(C, {"op": "replace", "path": "/data/a", "value": "2"})],
    "json, remove": [MADE_C, json_patch(C, {"op": "remove", "path": "/data/a"})],
    "json, test": [MADE_C, json_patch(C, {"op": "test", "path": "/data/a", "value": "1"})],
    "json, a test that fails": [MADE_C, json_patch(C, {"op": "test", "path": "/data/a", "value": "9"})],
    "json, a path that is not there": [MADE_C, json_patch(C, {"op": "remove", "path": "/data/z"})],
    "json, no array": [MADE_C, Ask("PATCH", C, {"op": "add"}, JSON_PATCH)],
    "json, copy and move": [
        MADE_C,
        json_patch(
            C,
            {"op": "copy", "from": "/data/a", "path": "/data/b"},
            {"op": "move", "from": "/data/a", "path": "/data/c"},
        ),
    ],
    "json, append": [
        quiet(post(WIDGETS, widget(plain=[1]))),
        json_patch(
            W, {"op": "add", "path": "/spec/plain/-", "value": 2}, {"op": "add", "path": "/spec/plain/0", "value": 0}
        ),
    ],
    "strategic": [MADE_C, strategic(C, {"data": {"b": "2"}})],
    "strategic of a custom kind": [MADE_W, strategic(W, {"spec": {"size": 2}})],
    "an unknown patch": [MADE_C, Ask("PATCH", C, {}, "application/json")],
    "strategic, items by key": [
        quiet(post(DEPLOYMENTS, deployment(containers=[container("x"), container("y")]))),
        strategic(D, {"spec": {"template": {"spec": {"containers": [{"name": "y", "image": "y:2"}]}}}}),
    ],
    "strategic, a new item": [MADE_D, strategic(D, {"spec": {"template": {"spec": {"containers": [container("z")]}}}})],
    "strategic, an item goes": [
        quiet(post(DEPLOYMENTS, deployment(containers=[container("x"), container("y")]))),
        strategic(D, {"spec": {"template": {"spec": {"containers": [{"name": "x", "$patch": "delete"}]}}}}),
    ],
    "strategic, all are replaced": [
        MADE_D,
        strategic(D, {"spec": {"template": {"spec": {"containers": [{"$patch": "replace"}, container("z")]}}}}),
    ],
    "strategic, an order": [
        quiet(post(DEPLOYMENTS, deployment(containers=[container("x"), container("y")]))),
        strategic(
            D,
            {
                "spec": {
                    "template": {
                        "spec": {
                            "$setElementOrder/containers": [{"name": "y"}, {"name": "x"}],
                            "containers": [{"name": "x", "image": "n"}],
                        }
                    }
                }
            },
        ),
    ],
    "strategic, keys are retained": [
        MADE_D,
        strategic(D, {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}),
    ],
    "strategic, a plain list": [
        quiet(post(CONFIGMAPS, configmap(metadata={"finalizers": ["x.dev/a"]}))),
        strategic(C, {"metadata": {"finalizers": ["x.dev/b"]}}),
        strategic(C, {"metadata": {"$deleteFromPrimitiveList/finalizers": ["x.dev/a"]}}),
        quiet(merge(C, {"metadata": {"finalizers": None}})),
    ],
    "strategic, a map is replaced": [MADE_C, strategic(C, {"data": {"$patch": "replace", "z": "1"}})],
    "as a dry run": [MADE_C, merge(C, {"data": {"a": "2"}}, query={"dryRun": "All"}), get(C)],
}
APPLIED = {
    "something new": [apply(W, widget(size=1)), get(W)],
    "the same again": [quiet(apply(W, widget(size=1))), apply(W, widget(size=1))],
    "another value": [quiet(apply(W, widget(size=1))), apply(W, widget(size=2))],
    "a field less": [quiet(apply(W, widget(size=1, name="ab"))), apply(W, widget(size=1))],
    "a conflict": [quiet(apply(W, widget(size=1))), apply(W, widget(size=2), "two")],
    "two conflicts": [quiet(apply(W, widget(size=1, name="ab"))), apply(W, widget(size=2, name="cd"), "two")],
    "a conflict with an update": [MADE_W, apply(W, widget(size=2))],
    "a conflict, forced": [quiet(apply(W, widget(size=1))), apply(W, widget(size=2), "two", force="true")],
    "the same value is shared": [quiet(apply(W, widget(size=1))), apply(W, widget(size=1), "two")],
    "what is shared stays": [
        quiet(apply(W, widget(size=1))),
        quiet(apply(W, widget(size=1), "two")),
        apply(W, widget(name="ab")),
    ],
    "without a manager": [Ask("PATCH", W, widget(size=1), APPLY)],
    "an unknown field": [apply(W, widget(nothing=1))],
    "a wrong type": [apply(W, widget(size="x"))],
    "half a replica": [apply(D, deployment(replicas=1.5))],
    "wrong types": [apply(W, widget(size="x", link=5, on="yes", words=[], tags={}, plain=["x"], whole=5))],
    "wrong types and unknown fields": [apply(W, widget(size=[], ratio=True, link={}, nothing=1))],
    "another name": [apply(W, widget("x"))],
    "with managed fields": [apply(W, widget(metadata={"managedFields": [{"manager": "x"}]}))],
    "a map list, by two": [
        quiet(apply(W, widget(parts=[{"name": "a"}]))),
        apply(W, widget(parts=[{"name": "b", "weight": 2}]), "two"),
    ],
    "an item of a map list goes": [
        quiet(apply(W, widget(parts=[{"name": "a"}, {"name": "b"}]))),
        apply(W, widget(parts=[{"name": "b"}])),
    ],
    "a set, by two": [quiet(apply(W, widget(tags=["a"]))), apply(W, widget(tags=["b"]), "two")],
    "a whole list": [quiet(apply(W, widget(plain=[1, 2]))), apply(W, widget(plain=[3]))],
    "a whole map": [quiet(apply(W, widget(whole={"a": "1"}))), apply(W, widget(whole={"b": "2"}))],
    "free fields": [apply(W, widget(free={"a": {"b": [1]}}))],
    "words": [quiet(apply(W, widget(words={"a": "1"}))), apply(W, widget(words={"b": "2"}))],
    "labels, by two": [
        quiet(apply(W, widget(labels={"a": "1"}))),
        apply(W, widget(labels={"b": "2"}), "two"),
        apply(W, widget(), "one"),
    ],
    "a status": [MADE_W, apply(f"{W}/status", widget(status={"phase": "x"})), get(W)],
    "conditions, by two": [
        MADE_W,
        quiet(apply(f"{W}/status", widget(status={"conditions": [{"type": "A", "status": "True"}]}))),
        apply(f"{W}/status", widget(status={"conditions": [{"type": "B", "status": "True"}]}), "two"),
    ],
    "as a dry run": [apply(W, widget(size=1), dryRun="All"), get(W)],
    "a configmap": [apply(C, configmap(a="1")), apply(C, configmap(b="2"))],
    "an update takes a field over": [quiet(apply(W, widget(size=1))), merge(W, {"spec": {"size": 2}})],
    "managed fields are cleared": [quiet(apply(W, widget(size=1))), merge(W, {"metadata": {"managedFields": [{}]}})],
    "a deployment": [apply(D, deployment()), apply(D, deployment(paused=True))],
}
DELETED = {
    "at once": [MADE_W, delete(W), get(W)],
    "a configmap": [MADE_C, delete(C), get(C)],
    "what is not there": [delete(W)],
    "of that uid": [MADE_W, delete(W, {"preconditions": {"uid": "11111111-1111-1111-1111-111111111111"}})],
    "of that version": [MADE_W, delete(W, {"preconditions": {"resourceVersion": "1"}})],
    "held by a finalizer": [
        quiet(post(WIDGETS, widget(metadata={"finalizers": ["x.dev/a"]}))),
        delete(W),
        get(W),
        delete(W),
        merge(W, {"metadata": {"finalizers": ["x.dev/a", "x.dev/b"]}}),
        merge(W, {"metadata": {"labels": {"a": "b"}}}),
        merge(W, {"metadata": {"finalizers": None}}),
        get(W),
    ],
    "an unknown policy": [MADE_W, delete(W, {"propagationPolicy": "Slowly"})],
    "as a dry run": [MADE_W, delete(W, query={"dryRun": "All"}), get(W)],
    "all with a label": [
        quiet(post(WIDGETS, widget("a", labels={"x": "1"}))),
        quiet(post(WIDGETS, widget("b"))),
        delete(WIDGETS, query={"labelSelector": "x=1"}),
        get(WIDGETS),
    ],
    "a pod without a node": [MADE_P, delete(P), get(P)],
    "a pod with a node": [
        quiet(post(PODS, pod(nodeName="n"))),
        delete(P),
        delete(P, {"gracePeriodSeconds": 0}),
        get(P),
    ],
    "a pod with less grace": [
        quiet(post(PODS, pod(nodeName="n"))),
        delete(P, {"gracePeriodSeconds": 7}),
        quiet(delete(P, {"gracePeriodSeconds": 0})),
    ],
    "a service": [MADE_S, delete(S), get(S)],
    "orphans keep": [MADE_W, delete(W, {"propagationPolicy": "Orphan"}), get(W, until=404)],
    "in the foreground": [MADE_W, delete(W, {"propagationPolicy": "Foreground"}), get(W, until=404)],
    "a namespace": [
        quiet(post("/api/v1/namespaces", {"metadata": {"name": "NS"}})),
        get("/api/v1/namespaces/NS"),
    ],
    "a deployment": [MADE_D, delete(D), get(D, until=404)],
}
WRONG_WIDGETS = {
    "below": {"size": 0},
    "above": {"size": 10},
    "at an open limit": {"count": 0},
    "not one of": {"colour": "blue"},
    "too short": {"name": "a"},
    "too long": {"name": "abcdef"},
    "no match": {"name": "A1"},
    "a string for a number": {"size": "x"},
    "a number for a string": {"name": 5},
    "a float for an integer": {"size": 1.5},
    "an object for a string": {"name": {}},
    "an array for an object": {"words": []},
    "a string for a boolean": {"on": "yes"},
    "no time": {"when": "noon"},
    "no link": {"link": "nothing at all"},
    "too many items": {"tags": ["a", "b", "c", "d"]},
    "an item twice": {"tags": ["a", "a"]},
    "too few items": {"plain": []},
    "a wrong item": {"plain": ["x"]},
    "an item without its key": {"parts": [{"weight": 1}]},
    "a key twice": {"parts": [{"name": "a"}, {"name": "a"}]},
    "too many properties": {"words": {"a": "1", "b": "2", "c": "3"}},
    "a wrong value": {"words": {"a": 1}},
    "a rule": {"low": 2, "high": 1},
    "two things": {"size": 0, "colour": "blue"},
    "neither number nor text": {"amount": True},
    "too large for 32 bits": {"size": 5000000000},
    "null where it may not be": {"size": None},
}
RIGHT_WIDGETS = {
    "defaults": {"parts": [{"name": "a"}]},
    "null where it may be": {"maybe": None},
    "null for a default": {"colour": None},
    "a number or text": {"amount": 5},
    "text or a number": {"amount": "5%"},
    "free fields": {"free": {"a": {"b": [1, None]}}},
    "unknown fields go": {"nothing": 1, "parts": [{"name": "a", "nothing": 2}]},
    "a ratio": {"ratio": 1},
    "unicode": {"words": {"a": "ü 模块"}},
}
VALIDATED = {
    **{f"refused: {name}": [post(WIDGETS, widget(**spec))] for name, spec in WRONG_WIDGETS.items()},
    **{f"accepted: {name}": [post(WIDGETS, widget(**spec))] for name, spec in RIGHT_WIDGETS.items()},
    "a rule about a change": [quiet(post(WIDGETS, widget(colour="red"))), merge(W, {"spec": {"colour": "green"}})],
    "a wrong status": [MADE_W, merge(f"{W}/status", {"status": {"replicas": "x"}})],
    "without a kind": [post(WIDGETS, {"metadata": {"name": "w"}})],
    "a module without its name": [
        post(MODULES, OURS | {"kind": "Module", "metadata": {"name": "m"}, "spec": {"module": {"version": "1"}}})
    ],
    "a module deployment of nothing": [
        post(MODULE_DEPLOYMENTS, OURS | {"kind": "ModuleDeployment", "metadata": {"name": "m"}, "spec": {}})
    ],
}
BUILT_IN = {
    "a pod": [post(PODS, pod()), get(P)],
    "a pod with ports and variables": [
        post(
            PODS,
            pod(
                "p",
                container(
                    ports=[{"containerPort": 80}],
                    env=[{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
                ),
            ),
        )
    ],
    "a pod with a probe": [post(PODS, pod("p", container(readinessProbe={"httpGet": {"port": 80}})))],
    "a pod with resources": [post(PODS, pod("p", container(resources={"requests": {"cpu": "1"}})))],
    "a pod without containers": [post(PODS, {"metadata": {"name": "p"}, "spec": {}})],
    "a pod without an image": [post(PODS, pod("p", {"name": "x"}))],
    "a pod's status": [
        MADE_P,
        merge(f"{P}/status", {"status": {"phase": "Running", "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}]}}),
    ],
    "a pod as a table": [
        quiet(post(PODS, pod(nodeName="n"))),
        get(PODS, accept=TABLE),
        quiet(delete(P, {"gracePeriodSeconds": 0})),
    ],
    "a service": [post(SERVICES, service())],
    "a service without ports": [post(SERVICES, {"metadata": {"name": "s"}, "spec": {"selector": {"a": "b"}}})],
    "a service with a wrong port": [post(SERVICES, service("s", {"port": 0}))],
    "a service with two ports without names": [post(SERVICES, service("s", {"port": 80}, {"port": 81}))],
    "a service with a wrong name": [post(SERVICES, service("1s"))],
    "a headless service": [post(SERVICES, service(clusterIP="None"))],
    "a service with a node port of its own": [
        post(SERVICES, service("s", {"port": 80, "nodePort": 31999}, type="NodePort")),
        quiet(delete(S)),
    ],
    "a node port that is taken": [
        quiet(post(SERVICES, service("s", {"port": 80, "nodePort": 31998}, type="NodePort"))),
        post(SERVICES, service("t", {"port": 80, "nodePort": 31998}, type="NodePort")),
        quiet(delete(S)),
    ],
    "a node port out of range": [post(SERVICES, service("s", {"port": 80, "nodePort": 80}, type="NodePort"))],
    "a service by another name": [
        post(SERVICES, {"metadata": {"name": "s"}, "spec": {"type": "ExternalName", "externalName": "x.dev"}})
    ],
    "a deployment": [post(DEPLOYMENTS, deployment())],
    "a deployment that does not select its pods": [post(DEPLOYMENTS, deployment(labels={"app": "b"}))],
    "a deployment without a selector": [
        post(DEPLOYMENTS, {"metadata": {"name": "d"}, "spec": {"template": deployment()["spec"]["template"]}})
    ],
    "a deployment with fewer than none": [post(DEPLOYMENTS, deployment(replicas=-1))],
    "a deployment with a word for a number": [post(DEPLOYMENTS, deployment(replicas="x"))],
    "a deployment's selector is fixed": [
        MADE_D,
        merge(D, {"spec": {"selector": {"matchLabels": {"app": "a", "b": "c"}}}}),
    ],
    "a deployment that recreates": [post(DEPLOYMENTS, deployment(strategy={"type": "Recreate"}))],
    "a deployment's scale": [
        MADE_D,
        get(f"{D}/scale"),
        put(
            f"{D}/scale",
            {
                "apiVersion": "autoscaling/v1",
                "kind": "Scale",
                "metadata": {"name": "d", "namespace": "NS"},
                "spec": {"replicas": 0},
            },
        ),
    ],
    "a widget's scale": [MADE_W, get(f"{W}/scale"), merge(f"{W}/scale", {"spec": {"replicas": 4}}), get(W)],
    "a deployment's scale is no deployment": [MADE_D, merge(f"{D}/scale", {"spec": {"replicas": "x"}})],
    "a secret in clear": [post("/api/v1/namespaces/NS/secrets", {"metadata": {"name": "x"}, "stringData": {"a": "b"}})],
    "a service account": [post("/api/v1/namespaces/NS/serviceaccounts", {"metadata": {"name": "x"}})],
    "a role": [
        post(
            "/apis/rbac.authorization.k8s.io/v1/namespaces/NS/roles",
            {"metadata": {"name": "x:y"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
        )
    ],
    "a lease": [
        post(
            "/apis/coordination.k8s.io/v1/namespaces/NS/leases",
            {"metadata": {"name": "x"}, "spec": {"holderIdentity": "me", "renewTime": "2026-01-01T00:00:00.000000Z"}},
        )
    ],
    "an event": [
        post(
            "/api/v1/namespaces/NS/events",
            {
                "metadata": {"name": "x"},
                "involvedObject": {"kind": "Pod", "name": "p", "namespace": "NS"},
                "reason": "R",
                "message": "m",
                "type": "Normal",
            },
        ),
        get("/api/v1/namespaces/NS/events", query={"fieldSelector": "involvedObject.name=p,reason=R"}),
    ],
    "a namespace with a wrong name": [post("/api/v1/namespaces", {"metadata": {"name": "a.b"}})],
    "the default namespace stays": [delete("/api/v1/namespaces/default")],
}
ABOUT = {
    "the core group": [get("/api")],
    "our group": [get("/apis/test.arkwright.dev")],
    "our kinds": [get("/apis/test.arkwright.dev/v1")],
    "a group that is not there": [get("/apis/nobody.dev")],
    "a version that is not there": [get("/apis/apps/v9")],
    "health": [get("/readyz"), get("/livez"), get("/healthz")],
    "no path at all": [get("/nothing")],
    "a definition": [get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.test.arkwright.dev")],
    "a definition with another name": [
        post(
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
            {
                "metadata": {"name": "other"},
                "spec": {
                    "group": "x.dev",
                    "scope": "Namespaced",
                    "names": {"plural": "ys", "kind": "Y"},
                    "versions": [
                        {
                            "name": "v1",
                            "served": True,
                            "storage": True,
                            "schema": {"openAPIV3Schema": {"type": "object"}},
                        }
                    ],
                },
            },
        )
    ],
}


def watch(path, since="RV0", **query):
    """What has happened since, until the server ends the watch."""
    return get(path, query={"watch": "true", "timeoutSeconds": 1, "resourceVersion": since} | query)


HAPPENED = [
    quiet(post(CONFIGMAPS, configmap(metadata={"labels": {"a": "1"}}))),
    quiet(post(CONFIGMAPS, configmap("x"))),
    quiet(merge(C, {"data": {"a": "2"}})),
    quiet(merge(C, {"metadata": {"labels": {"a": "2"}}})),
    quiet(delete(f"{CONFIGMAPS}/x")),
]
WATCHED = {
    "what has happened since": [*HAPPENED, watch(CONFIGMAPS)],
    "what happens": [MADE_C, watch(CONFIGMAPS, "", fieldSelector="metadata.name=c")],
    "by label": [*HAPPENED, watch(CONFIGMAPS, labelSelector="a=1")],
    "by label, come and gone": [*HAPPENED, watch(CONFIGMAPS, labelSelector="a=2")],
    "by name": [*HAPPENED, watch(CONFIGMAPS, fieldSelector="metadata.name=x")],
    "an object's own path": [MADE_C, get(C, query={"watch": "true", "timeoutSeconds": 1})],
    "from any version": [MADE_C, watch(CONFIGMAPS, "0", fieldSelector="metadata.name=c")],
    "all that is there, first": [
        MADE_C,
        watch(
            CONFIGMAPS,
            "",
            fieldSelector="metadata.name=c",
            sendInitialEvents="true",
            allowWatchBookmarks="true",
            resourceVersionMatch="NotOlderThan",
        ),
    ],
    "all that is there, without a match": [watch(CONFIGMAPS, "", sendInitialEvents="true")],
    "a version that is no number": [watch(CONFIGMAPS, "x")],
    "a widget": [MADE_W, quiet(merge(W, {"spec": {"size": 2}})), watch(WIDGETS)],
    "a widget as a table": [
        MADE_W,
        quiet(merge(W, {"spec": {"size": 2}})),
        quiet(delete(W)),
        get(WIDGETS, accept=TABLE, query={"watch": "true", "timeoutSeconds": 1, "resourceVersion": "RV0"}),
    ],
    "a pod that ends": [
        quiet(post(PODS, pod(nodeName="n"))),
        quiet(delete(P)),
        quiet(delete(P, {"gracePeriodSeconds": 0})),
        watch(PODS),
    ],
    "a pod without a node": [MADE_P, quiet(delete(P)), watch(PODS)],
    "an object with a finalizer": [
        quiet(post(CONFIGMAPS, configmap(metadata={"finalizers": ["x.dev/a"]}))),
        quiet(delete(C)),
        quiet(merge(C, {"metadata": {"finalizers": None}})),
        watch(CONFIGMAPS),
    ],
    "a list of a version to come": [get(CONFIGMAPS, query={"resourceVersion": "99999999999999"})],
    "a list with a match alone": [get(CONFIGMAPS, query={"resourceVersionMatch": "Exact"})],
    "a list with an unknown match": [get(CONFIGMAPS, query={"resourceVersionMatch": "Near", "resourceVersion": "1"})],
    "a list as it was": [
        *HAPPENED,
        get(
            CONFIGMAPS,
            query={
                "resourceVersion": "RV1",
                "resourceVersionMatch": "Exact",
                "fieldSelector": "metadata.name!=kube-root-ca.crt",
            },
        ),
    ],
}
GROUPS = {
    "watch": WATCHED,
    "create": CREATE,
    "read": READ,
    "update": UPDATE,
    "patch": PATCH,
    "apply": APPLIED,
    "delete": DELETED,
    "validate": VALIDATED,
    "kinds": BUILT_IN,
    "about": ABOUT,
}
CASES = {f"{group}: {name}": steps for group, cases in GROUPS.items() for name, steps in cases.items()}
