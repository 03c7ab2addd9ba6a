"""What our code reads of objects that people write, and values of every wrong kind for it."""

from hypothesis import strategies as st

REVISION, PORT = "deployment.kubernetes.io/revision", "arkwright.dev/port"
TEXTS = ["", "test", "-1", "99999", "1.5", "25.5%", "abc%", "%", "1e3", "٣", " 7 ", "9" * 400, "\u0000", "null"]
NUMBERS = [0, -1, 2**31 - 1, 2**31, -(2**63), 10**30, 0.5]
OTHERS = [None, True, [], {}, [None], [7], {"a": "b"}, [{"type": 7}], [{}]]
ODD = [*TEXTS, *NUMBERS, *OTHERS]
odd = st.one_of(
    st.sampled_from(ODD),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
        max_leaves=4,
    ),
)
CONDITION = ["Available", "Progressing", "Ready"]
conditions = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(CONDITION)},
        optional={name: odd for name in ("status", "reason", "message", "lastUpdateTime", "lastTransitionTime")},
    ),
    max_size=3,
)

# Path in a Deployment, a ReplicaSet, a pod or a Service, as our code reads it.
DEPLOYMENT_FIELDS = [
    "spec.replicas",
    "spec.paused",
    "spec.strategy",
    "spec.strategy.rollingUpdate",
    "spec.strategy.rollingUpdate.maxSurge",
    "spec.strategy.rollingUpdate.maxUnavailable",
    "spec.revisionHistoryLimit",
    "spec.progressDeadlineSeconds",
    "spec.minReadySeconds",
    *(f"status.{name}" for name in ("conditions", "replicas", "updatedReplicas", "readyReplicas")),
    *(f"status.{name}" for name in ("availableReplicas", "unavailableReplicas", "terminatingReplicas")),
    "status.collisionCount",
]
REPLICA_SET_FIELDS = [
    "spec.replicas",
    "spec.minReadySeconds",
    *(f"status.{name}" for name in ("conditions", "replicas", "readyReplicas", "availableReplicas")),
    "status.terminatingReplicas",
]
POD_FIELDS = ["status.phase", "status.podIP", "status.conditions", "spec.containers"]
SERVICE_FIELDS = ["spec.type", "spec.ports"]


def put(document, path, value):
    """In place; what is on the way is made."""
    *way, last = path.split(".")
    for name in way:
        if not isinstance(document.get(name), dict):
            document[name] = {}
        document = document[name]
    document[last] = value
