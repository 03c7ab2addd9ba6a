"""What a real API server refuses of its own kinds, and what it does not: (kind, path, value) that is put into a sound document.

A path leads through fields and, in brackets, items of lists; GONE takes the field away. BESIDE are changes of several fields at once;
LATER are changes to an object that is there.
"""

import copy
import re

GONE = object()
PODS, SERVICES = "/api/v1/namespaces/NS/pods", "/api/v1/namespaces/NS/services"
APPS = "/apis/apps/v1/namespaces/NS"
LONG = "a" * 64
CONTAINER = {"name": "c", "image": "i", "ports": [{"containerPort": 80}], "env": [{"name": "A", "value": "b"}]}
TEMPLATE = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [CONTAINER]}}
SELECTED = {"replicas": 1, "selector": {"matchLabels": {"app": "a"}}, "template": TEMPLATE}
SOUND = {
    "pod": (PODS, {"metadata": {"name": "p"}, "spec": {"containers": [CONTAINER]}}),
    "deployment": (f"{APPS}/deployments", {"metadata": {"name": "d"}, "spec": SELECTED}),
    "replica set": (f"{APPS}/replicasets", {"metadata": {"name": "r"}, "spec": SELECTED}),
    "service": (SERVICES, {"metadata": {"name": "s"}, "spec": {"selector": {"app": "a"}, "ports": [{"port": 80}]}}),
    "node port": (
        SERVICES,
        {
            "metadata": {"name": "s"},
            "spec": {"type": "NodePort", "selector": {"app": "a"}, "ports": [{"port": 80, "nodePort": 31999}]},
        },
    ),
    "configmap": ("/api/v1/namespaces/NS/configmaps", {"metadata": {"name": "c"}, "data": {"a": "b"}}),
    "secret": ("/api/v1/namespaces/NS/secrets", {"metadata": {"name": "s"}, "data": {"a": "Yg=="}}),
    "account": ("/api/v1/namespaces/NS/serviceaccounts", {"metadata": {"name": "s"}}),
    "lease": (
        "/apis/coordination.k8s.io/v1/namespaces/NS/leases",
        {"metadata": {"name": "l"}, "spec": {"holderIdentity": "x", "leaseDurationSeconds": 15}},
    ),
    "role": (
        "/apis/rbac.authorization.k8s.io/v1/namespaces/NS/roles",
        {"metadata": {"name": "r"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
    ),
    "binding": (
        "/apis/rbac.authorization.k8s.io/v1/namespaces/NS/rolebindings",
        {
            "metadata": {"name": "b"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
            "subjects": [{"kind": "ServiceAccount", "name": "x", "namespace": "y"}],
        },
    ),
    "event": (
        "/api/v1/namespaces/NS/events",
        {
            "metadata": {"name": "e"},
            "involvedObject": {"kind": "Pod", "name": "p", "namespace": "NS"},
            "reason": "R",
            "message": "m",
            "type": "Normal",
        },
    ),
}

C = "spec.containers[0]"
POD_VALUES = {
    "metadata.name": ["A", "a_b", "a" * 254, "-a", ""],
    "metadata.labels": [
        {"a": "b c"},
        {"a b": "c"},
        {LONG: "x"},
        {"a": LONG},
        {"A_/x": "y"},
        {"/x": "y"},
        {"": "y"},
        {"a": None},
    ],
    "metadata.annotations": [{"a b": "c"}, {LONG: "x"}, {"a": "x" * 300000}],
    "metadata.finalizers": [["a"], ["a b/c"], ["example.com/x"], [""]],
    "metadata.ownerReferences": [
        [{"apiVersion": "v1", "kind": "Pod", "name": "x", "uid": ""}],
        [{"apiVersion": "v1", "kind": "Pod", "name": "x", "uid": str(n), "controller": True} for n in (1, 2)],
        [{"apiVersion": "v1", "kind": "Event", "name": "x", "uid": "1"}],
    ],
    "metadata.generateName": ["A_"],
    "spec.containers": [GONE, [], None, [{}], [{"name": "c"}], [{"image": "i"}]],
    "spec.restartPolicy": ["Never", "OnFailure", "Sometimes", "", 1],
    "spec.terminationGracePeriodSeconds": [0, -1, 2**31, 2**63, "1", 1.5],
    "spec.activeDeadlineSeconds": [0, 1, -1, 2**31],
    "spec.dnsPolicy": ["Default", "Odd", "None"],
    "spec.nodeName": ["a", "A_b"],
    "spec.nodeSelector": [{"a": "b"}, {"a b": "c"}, {"a": "b c"}],
    "spec.hostname": ["a", "A_b", LONG, "a.b"],
    "spec.subdomain": ["a", "A_b"],
    "spec.serviceAccountName": ["A_b"],
    "spec.imagePullSecrets": [[{"name": "x"}], [{}]],
    "spec.priority": [5],
    "spec.tolerations": [
        [{"key": "a", "operator": "Odd"}],
        [{"key": "a", "operator": "Exists", "value": "b"}],
        [{"operator": "Equal", "value": "b"}],
        [{"key": "a", "effect": "Odd"}],
        [{"key": "a", "tolerationSeconds": 1}],
    ],
    "spec.volumes": [
        [{"name": "v"}],
        [{"name": "v", "emptyDir": {}}, {"name": "v", "emptyDir": {}}],
        [{"name": "A_b", "emptyDir": {}}],
        [{"emptyDir": {}}],
    ],
    f"{C}.name": [GONE, "", "A", "a_b", LONG],
    f"{C}.image": [GONE, "", " i", "i "],
    f"{C}.imagePullPolicy": ["Always", "Odd"],
    f"{C}.terminationMessagePolicy": ["File", "Odd"],
    f"{C}.ports[0].containerPort": [GONE, 0, -1, 65535, 65536, 2**31, "80", 1.5],
    f"{C}.ports[0].hostPort": [65536, -1],
    f"{C}.ports[0].protocol": ["UDP", "SCTP", "tcp", "HTTP", ""],
    f"{C}.ports[0].name": ["web", "WEB", "a--b", "123", "a" * 16, ""],
    f"{C}.env[0].name": [GONE, "", "a b", "A=B", "1A", "a.b"],
    f"{C}.env[0].value": [1, True, None],
    f"{C}.env[0].valueFrom": [
        {},
        {"fieldRef": {"fieldPath": "metadata.name"}},
        {"fieldRef": {}},
        {"configMapKeyRef": {"name": "x", "key": "a"}},
    ],
    f"{C}.env[0]": [
        {"name": "A", "valueFrom": {}},
        {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.nothing"}}},
        {"name": "A", "valueFrom": {"fieldRef": {}}},
        {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "x"}}},
        {"name": "A", "valueFrom": {"secretKeyRef": {"name": "x", "key": "a b"}}},
    ],
    f"{C}.resources": [
        {"limits": {"cpu": "1"}},
        {"limits": {"cpu": "abc"}},
        {"limits": {"cpu": "-1"}},
        {"limits": {"memory": "1Gi"}, "requests": {"memory": "2Gi"}},
        {"requests": {"memory": "1Zi"}},
        {"requests": {"cpu": 0.5}},
        {"requests": {"odd": "1"}},
        {"requests": {"memory": "100m"}},
        {"limits": {"memory": ""}},
    ],
    f"{C}.command": [["a"], "a", [1], []],
    f"{C}.workingDir": ["/a", 7],
    f"{C}.volumeMounts": [[{"name": "v", "mountPath": "/a"}], [{"name": "v"}]],
    f"{C}.livenessProbe": [
        {},
        {"exec": {}},
        {"tcpSocket": {"port": 0}},
        {"httpGet": {"port": "Web"}},
        {"httpGet": {"port": 80}, "tcpSocket": {"port": 80}},
        {"httpGet": {"port": 80}, "periodSeconds": -1},
        {"httpGet": {"port": 80}, "successThreshold": 2},
        {"httpGet": {"port": 80, "scheme": "FTP"}},
    ],
    f"{C}.lifecycle": [
        {"preStop": {"sleep": {"seconds": 5}}},
        {"preStop": {"sleep": {"seconds": -1}}},
        {"preStop": {"sleep": {"seconds": 31}}},
        {"preStop": {}},
        {"preStop": {"exec": {}}},
    ],
}
DEPLOYMENT_VALUES = {
    "metadata.name": ["a" * 253, "A"],
    "spec.replicas": [0, -1, 2**31 - 1, 2**31, "1", 1.5, None, True],
    "spec.selector": [
        GONE,
        {},
        {"matchLabels": {"app": "b"}},
        {"matchLabels": {"a b": "c"}},
        {"matchLabels": {"app": "b c"}},
        {"matchExpressions": [{"key": "app", "operator": "In", "values": ["a"]}]},
        {"matchExpressions": [{"key": "app", "operator": "In"}]},
        {"matchExpressions": [{"key": "app", "operator": "Exists", "values": ["a"]}]},
        {"matchExpressions": [{"key": "app", "operator": "Odd"}]},
        {"matchExpressions": [{"key": "track", "operator": "NotIn", "values": ["canary"]}]},
        {"matchExpressions": [{"operator": "Exists"}]},
    ],
    "spec.template": [GONE, {}],
    "spec.template.metadata.labels": [GONE, {}, {"app": "b"}, {"app": "a", "x y": "z"}],
    "spec.template.spec.restartPolicy": ["Always", "Never", "OnFailure"],
    "spec.template.spec.activeDeadlineSeconds": [5],
    "spec.template.spec.containers": [GONE, [], [{"name": "c"}]],
    "spec.template.spec.containers[0].ports[0].containerPort": [0, 70000],
    "spec.minReadySeconds": [5, -1, 2**31],
    "spec.revisionHistoryLimit": [0, -1],
    "spec.progressDeadlineSeconds": [1, 0, -1],
    "spec.paused": [True, "yes"],
    "spec.strategy.type": ["Recreate", "Odd", ""],
    "spec.strategy": [
        {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}},
        *(
            {"rollingUpdate": {name: value}}
            for name in ("maxSurge", "maxUnavailable")
            for value in (0, 1, -1, "0%", "25%", "100%", "101%", "25.5%", "abc", "abc%", "%", "-1%", "7", "", True, 1.5)
        ),
        {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}},
        {"rollingUpdate": {"maxSurge": "0%", "maxUnavailable": 0}},
        {"rollingUpdate": {"maxSurge": 2**31}},
    ],
}
REPLICA_SET_VALUES = {
    "metadata.name": ["A"],
    "spec.replicas": [0, -1, 2**31],
    "spec.minReadySeconds": [-1],
    "spec.selector": [
        GONE,
        {},
        {"matchLabels": {"app": "b"}},
        {"matchExpressions": [{"key": "app", "operator": "In"}]},
    ],
    "spec.template": [GONE],
    "spec.template.metadata.labels": [{"app": "b"}],
    "spec.template.spec.restartPolicy": ["Never"],
    "spec.template.spec.containers": [[]],
}
SERVICE_VALUES = {
    "metadata.name": ["1a", "a.b", "A", "a" * 64],
    "spec.type": ["ClusterIP", "Odd", "ExternalName", ""],
    "spec.externalName": ["a.example"],
    "spec.clusterIP": ["None", "1.2.3", "nonsense", ""],
    "spec.selector": [{}, {"a b": "c"}, {"a": "b c"}],
    "spec.sessionAffinity": ["ClientIP", "Odd"],
    "spec.externalTrafficPolicy": ["Local", "Odd"],
    "spec.internalTrafficPolicy": ["Local", "Odd"],
    "spec.ipFamilyPolicy": ["Odd"],
    "spec.ports": [GONE, [], [{}], [{"port": 80}, {"port": 81}]],
    "spec.ports[0].port": [0, -1, 65536, 2**31, "80"],
    "spec.ports[0].targetPort": [0, 8080, 65536, -1, "web", "WEB", "a" * 16, "", "80", True],
    "spec.ports[0].protocol": ["UDP", "tcp", "HTTP", ""],
    "spec.ports[0].name": ["web", "WEB", "a_b", LONG],
    "spec.ports[0].nodePort": [31000],
}
VALUES = {
    "pod": POD_VALUES,
    "deployment": DEPLOYMENT_VALUES,
    "replica set": REPLICA_SET_VALUES,
    "service": SERVICE_VALUES,
    "node port": {"spec.ports[0].nodePort": [0, 29999, 32768, -1, 31998, "31998", 2**31]},
    "configmap": {
        "data": [{"a b": "c"}, {"a" * 254: "b"}, {"..": "b"}, {"a": 1}, {"a": None}],
        "binaryData": [{"a": "Yg=="}, {"b": "not base64!"}, {"b": "Yg=="}],
        "immutable": [True, "yes"],
    },
    "secret": {
        "data": [{"a b": "Yg=="}, {"a": "b c"}],
        "stringData": [{"a b": "c"}],
        "type": ["kubernetes.io/tls", "kubernetes.io/dockerconfigjson"],
    },
    "account": {"metadata.name": ["A_b"]},
    "lease": {
        "spec.leaseDurationSeconds": [0, -1, 2**31],
        "spec.leaseTransitions": [-1],
        "spec.renewTime": ["x", "2026-01-01T00:00:00.000000Z"],
    },
    "role": {
        "rules[0].verbs": [GONE, []],
        "rules[0].resources": [GONE, []],
        "rules[0].apiGroups": [GONE],
        "metadata.name": ["a/b", "A:b"],
    },
    "binding": {
        "roleRef": [GONE, {}],
        "roleRef.kind": ["Odd"],
        "roleRef.name": [GONE],
        "subjects[0].kind": ["Odd", GONE],
        "subjects[0].name": [GONE],
        "subjects[0].namespace": [GONE],
        "subjects[0].apiGroup": ["x"],
    },
    "event": {"involvedObject.namespace": ["other"], "firstTimestamp": ["x"], "count": [2**31], "metadata.name": ["A"]},
}
BESIDE = {
    "two ports of a number": ("pod", {f"{C}.ports": [{"containerPort": 80}, {"containerPort": 80}]}),
    "two ports of a name": (
        "pod",
        {f"{C}.ports": [{"containerPort": 80, "name": "a"}, {"containerPort": 81, "name": "a"}]},
    ),
    "two variables of a name": ("pod", {f"{C}.env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}),
    "two containers of a name": ("pod", {"spec.containers": [CONTAINER, CONTAINER]}),
    "an init container of that name": ("pod", {"spec.initContainers": [{"name": "c", "image": "i"}]}),
    "an init container": ("pod", {"spec.initContainers": [{"name": "i", "image": "i"}]}),
    "two ports of a service": ("service", {"spec.ports": [{"port": 80, "name": "a"}, {"port": 80, "name": "b"}]}),
    "two ports of one name": ("service", {"spec.ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "a"}]}),
    "a port for each protocol": (
        "service",
        {"spec.ports": [{"port": 80, "name": "a"}, {"port": 80, "name": "b", "protocol": "UDP"}]},
    ),
    "one nodePort twice": (
        "node port",
        {"spec.ports": [{"port": n, "name": f"p{n}", "nodePort": 31997} for n in (80, 81)]},
    ),
    "a name that leads elsewhere": (
        "service",
        {"spec.type": "ExternalName", "spec.externalName": "a.example", "spec.ports": GONE},
    ),
    "a bad name that leads elsewhere": ("service", {"spec.type": "ExternalName", "spec.externalName": "A_b"}),
    "headless, with a nodePort": ("node port", {"spec.clusterIP": "None"}),
    "a value and where it comes from": (
        "pod",
        {f"{C}.env": [{"name": "A", "value": "1", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]},
    ),
    "a volume that is mounted": (
        "pod",
        {"spec.volumes": [{"name": "v", "emptyDir": {}}], f"{C}.volumeMounts": [{"name": "v", "mountPath": "/a"}]},
    ),
    "everything at once": (
        "deployment",
        {"spec.replicas": -1, "spec.selector": GONE, "spec.template.spec.containers": []},
    ),
    "a claim of the host's network": ("pod", {"spec.hostNetwork": True}),
    "a sleep longer than the grace": (
        "pod",
        {f"{C}.lifecycle": {"preStop": {"sleep": {"seconds": 8}}}, "spec.terminationGracePeriodSeconds": 5},
    ),
}
LATER = {
    "the selector of a deployment": (
        "deployment",
        {"spec.selector": {"matchLabels": {"app": "b"}}, "spec.template.metadata.labels": {"app": "b"}},
    ),
    "the selector of a replica set": (
        "replica set",
        {"spec.selector": {"matchLabels": {"app": "b"}}, "spec.template.metadata.labels": {"app": "b"}},
    ),
    "the labels of a template": ("deployment", {"spec.template.metadata.labels": {"app": "b"}}),
    "the image of a template": ("deployment", {"spec.template.spec.containers[0].image": "j"}),
    "fewer than no replicas": ("deployment", {"spec.replicas": -1}),
    "the image of a pod": ("pod", {f"{C}.image": "j"}),
    "no image of a pod": ("pod", {f"{C}.image": ""}),
    "the name of a container": ("pod", {f"{C}.name": "d"}),
    "the command of a pod": ("pod", {f"{C}.command": ["x"]}),
    "the ports of a pod": ("pod", {f"{C}.ports": []}),
    "another container": ("pod", {"spec.containers": [CONTAINER, {"name": "d", "image": "i"}]}),
    "the grace of a pod": ("pod", {"spec.terminationGracePeriodSeconds": 5}),
    "the deadline of a pod": ("pod", {"spec.activeDeadlineSeconds": 5}),
    "the restart policy of a pod": ("pod", {"spec.restartPolicy": "Never"}),
    "the node of a pod": ("pod", {"spec.nodeName": "b"}),
    "the labels of a pod": ("pod", {"metadata.labels": {"a": "b"}}),
    "wrong labels of a pod": ("pod", {"metadata.labels": {"a": "b c"}}),
    "the address of a service": ("service", {"spec.clusterIP": "10.96.200.200"}),
    "the type of a service": ("service", {"spec.type": "NodePort"}),
    "another nodePort": ("node port", {"spec.ports[0].nodePort": 31996}),
    "no nodePort": ("node port", {"spec.type": "ClusterIP", "spec.ports[0].nodePort": GONE}),
    "the role of a binding": ("binding", {"roleRef.name": "other"}),
    "the type of a secret": ("secret", {"type": "other"}),
}


def put(document, path, value):
    """In place."""
    steps = [int(one) if one.isdigit() else one for one in re.findall(r"[^.\[\]]+", path)]
    for one in steps[:-1]:
        document = document.setdefault(one, {}) if isinstance(document, dict) else document[one]
    if value is GONE:
        del document[steps[-1]]
    else:
        document[steps[-1]] = copy.deepcopy(value)


def changed(kind, changes):
    """(collection, document)"""
    path, sound = SOUND[kind]
    document = copy.deepcopy(sound)
    for where, value in changes.items():
        put(document, where, value)
    return path, document


def _shown(value):
    text = "none" if value is GONE else str(value)
    return text if len(text) < 60 else f"{text[:40]}… ({len(text)})"


CASES = {
    f"{kind}: {path} is {_shown(value)}": (kind, {path: value})
    for kind, fields in VALUES.items()
    for path, values in fields.items()
    for value in values
} | BESIDE
