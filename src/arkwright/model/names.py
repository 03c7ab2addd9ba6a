"""Names that users, scripts and base fleets rely on (contract 4): labels, annotations, finalizers, and how objects are named.

In: user input of any length. Out: names and label values that the API server never refuses.
"""

import functools
import hashlib
import re
import zlib
from collections.abc import Mapping

GROUP = "serverless.alipay.com"
API_VERSION = f"{GROUP}/v1alpha1"

BASE_INSTANCE_IP = f"{GROUP}/base-instance-ip"
BASE_INSTANCE_NAME = f"{GROUP}/base-instance-name"
MAX_MODULE_COUNT = f"{GROUP}/max-module-count"
MODULE_INSTANCE_COUNT = f"{GROUP}/module-instance-count"
MODULE_NAME = f"{GROUP}/module-name"
MODULE_VERSION = f"{GROUP}/module-version"
MODULE_DEPLOYMENT = f"{GROUP}/module-deployment"
BASE_DEPLOYMENT = f"{GROUP}/deployment-name"
MODULE_SCHEDULING_STRATEGY = f"{GROUP}/module-scheduling-strategy"
MODULE_REPLICASET = f"{GROUP}/module-replicaset"
MODULE_REPLICASET_REVISION = f"{GROUP}/module-replicaset-revision"
DELETE_MODULE = f"{GROUP}/delete-module"
DELETE_MODULE_DIRECTLY = f"{GROUP}/delete-module-directly"
DETACHED = f"{GROUP}/detached"
NEW_REPLICATED_MODULE = f"{GROUP}/new-replicated-module"
DELETE_POD = f"{GROUP}/delete-pod"
DELETE_POD_DIRECTLY = f"{GROUP}/delete-pod-directly"
SERVES_PREFIX = "module.serverless.alipay.com/"

ABORT = f"{GROUP}/abort"
AWAITING = f"{GROUP}/awaiting-confirmation"
RECYCLE_BASE_POD = f"{GROUP}/recycle-base-pod"
CHANGE_CAUSE = "kubernetes.io/change-cause"  # kubectl's: why a release came, in the words of whoever made it
RESTARTED_AT = f"{GROUP}/restartedAt"
ARKLET_PORT = f"{GROUP}/arklet-port"
ARKLET_SCHEME = f"{GROUP}/arklet-scheme"
PORT = "arkwright.dev/port"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

REPLICASET_EXISTS = f"{GROUP}/module-replicaset-existed"
MODULE_EXISTS = f"{GROUP}/module-existed"
ORPHAN = "orphan"
"""Set by `kubectl delete --cascade=orphan` until what is owned has been let go."""
ALLOCATE_POD = f"{GROUP}/allocate-pod"

REQUIRE_AUTHENTICATION = "arkwright.dev/require-agent-authentication"
"""Label of a namespace: only agents that know their callers are called there."""
CONTROLLER_KEYS = "arkwright-controller-keys"  # the ConfigMap that bases mount

DEFAULT_LEASE = ("default", "arkwright")  # namespace and name of the Lease that the controller which acts holds
SHARES_WITH = "arkwright.dev/shares-with"  # label of a Lease: its holder shares namespaces with others of this group
ANSWERS_AT = (
    "arkwright.dev/answers-at"  # annotation of a controller's Lease: the url where bases and dashboards may ask it
)
ACTS_BY = "arkwright.dev/acts-by"  # annotation of such a Lease: who lives, as its holder has it

MAX_LABEL = 63
MAX_NAME = 253
HASH_LENGTH = 8
REMEMBERED = 16_384  # names that were made of others: a fleet asks for the same ones all the time


def serves_label(module_name: str) -> str:
    """The pod label that says "this module serves here", the selector of its Service [S8]."""
    return SERVES_PREFIX + module_name


def is_asked_for(labels: Mapping[str, str], *keys: str) -> bool:
    """Whether a label among `keys` asks for something: "true" does, and nothing else; "false" least of all.

    >>> is_asked_for({DELETE_POD: "true"}, DELETE_POD), is_asked_for({DELETE_POD: "false"}, DELETE_POD)
    (True, False)
    """
    return any(labels.get(key) == "true" for key in keys)


def without_ours(labels: dict[str, str]) -> dict[str, str]:
    """A user's labels to be copied: those with a meaning here belong to one object only.

    >>> without_ours({"team": "stock", "serverless.alipay.com/delete-module": "true"})
    {'team': 'stock'}
    """
    return {key: value for key, value in labels.items() if not key.startswith((f"{GROUP}/", SERVES_PREFIX))}


@functools.lru_cache(REMEMBERED)
def label_value(text: str) -> str:
    """`text` as a label value: illegal characters become `-`, too long is cut and hashed.

    >>> label_value("1.0.2+build.7"), label_value("fd00::1"), label_value("")
    ('1.0.2-build.7', 'fd00--1', '')
    """
    clean = re.sub(r"[^A-Za-z0-9._-]", "-", text)
    return cut(re.sub(r"^[^A-Za-z0-9]+|[^A-Za-z0-9]+$", "", clean), MAX_LABEL)


def cut(name: str, limit: int) -> str:
    """`name` if it fits, else its beginning with a hash of the whole.

    >>> cut("provider", 63), len(cut("p" * 300, 253))
    ('provider', 253)
    """
    if len(name) <= limit:
        return name
    return f"{name[: limit - HASH_LENGTH - 1].rstrip('-.')}-{short_hash(name)}"


def short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_LENGTH]


def object_name(text: str) -> str:
    """`text` as the name of an object (DNS-1123 subdomain).

    >>> object_name("My_Module")
    'my-module'
    """
    clean = re.sub(r"[^a-z0-9.-]", "-", text.lower())
    return cut(re.sub(r"^[^a-z0-9]+|[^a-z0-9]+$", "", clean), MAX_NAME)


def replicaset_name(deployment: str, number: int) -> str:
    """`<md>-replicas-<n>`, n = 1, 2, 3…"""
    suffix = f"-replicas-{number}"
    return cut(deployment, MAX_NAME - len(suffix)) + suffix


def module_object_name(replicaset: str, module: str, pod_uid: str) -> str:
    """`<rs>-<module name>-<suffix>`: the suffix follows the pod, so that planning twice makes no twin."""
    return f"{module_name_stem(replicaset, module)}-{short_hash(pod_uid)}"


@functools.lru_cache(REMEMBERED)
def module_name_stem(replicaset: str, module: str) -> str:
    """What the names of all Modules of a ReplicaSet begin with, before the suffix.

    >>> module_object_name("demo-replicas-1", "provider", "uid-1").rpartition("-")[0]
    'demo-replicas-1-provider'
    """
    return cut(object_name(f"{replicaset}-{module}"), MAX_NAME - HASH_LENGTH - 1)


def service_name(module: str) -> str:
    """`<module name>-service`."""
    return f"{module}-service"


def jitter(seed: str) -> float:
    """A number from 0.8 to 1.2 that `seed` decides: spreads retries without chance in a planner."""
    return 0.8 + 0.4 * (zlib.crc32(seed.encode()) % 1000) / 1000
