"""Which keys a change concerns. In: a Change and the cache. Out: keys. Nothing is decided here but who looks again."""

from collections.abc import Iterator

from msgspec.structs import replace

from arkwright.controller.cache import Cache
from arkwright.controller.indexes import meant, whose
from arkwright.controller.objects import Change, Key
from arkwright.controller.relations import deployment_by_label, owner_of, replica_set_of
from arkwright.model.cluster import Deployment, Pod, Service
from arkwright.model.kinds import Module, ModuleDeployment, ModuleReplicaSet
from arkwright.model.meta import KubernetesObject
from arkwright.model.names import MODULE_REPLICASET, SERVES_PREFIX, label_value, serves_label, service_name
from arkwright.model.resources import Kind


def keys(change: Change, cache: Cache) -> tuple[Key, ...]:
    """The objects whose plan may differ after `change`, each once, in an order that chance has no part in."""
    return tuple(dict.fromkeys(_all_concerned(change, cache)))


def _all_concerned(change: Change, cache: Cache) -> Iterator[Key]:
    if change.kind is Kind.POD and _is_the_same_to_bases(change):
        yield from _served_otherwise(change.before, change.after, cache)
        return
    for one in (change.before, change.after):
        if one is not None:
            yield from _concerned(one, cache)
    yield from _concerned_by_what_changed(change, cache)


def _concerned_by_what_changed(change: Change, cache: Cache) -> Iterator[Key]:
    one = change.after or change.before
    if change.kind is Kind.MODULE_REPLICASET:
        is_another = _is_another_wish(change)
        yield from (_key(Kind.MODULE, module) for module in cache.modules_of(one)) if is_another else ()
        yield from _replaced_by(one, cache)
    if change.kind is Kind.DEPLOYMENT and meant(change.before) != meant(change.after):
        for replica_set in _made_for(one, cache):
            yield from (_key(Kind.MODULE, module) for module in cache.modules_of(replica_set))
    if change.kind is Kind.REPLICASET and whose(change.before) != whose(change.after):
        for pod in cache.find(Kind.POD, "controller", one.metadata.uid):
            yield from _of_pod(pod, cache)


def _is_the_same_to_bases(change: Change) -> bool:
    """Most changes of a pod are labels that say which modules it serves, which concern those on it alone."""
    return bool(change.before and change.after) and _as_bases_see(change.before) == _as_bases_see(change.after)


def _as_bases_see(pod: Pod) -> object:
    metadata = pod.metadata
    labels = {key: value for key, value in metadata.labels.items() if not key.startswith(SERVES_PREFIX)}
    about = metadata.uid, metadata.owner_references, metadata.annotations, metadata.deletion_timestamp
    return labels, about, pod.status, pod.spec


def _is_another_wish(change: Change) -> bool:
    """Whether its Modules are to be another way than before; how many there are to be is its own business."""
    wished = [replace(one.spec, replicas=0) if one else None for one in (change.before, change.after)]
    return bool(wished[0] != wished[1])


def _concerned(one: KubernetesObject, cache: Cache) -> Iterator[Key]:
    match one:
        case ModuleDeployment():
            yield _key(Kind.MODULE_DEPLOYMENT, one)
            yield from _sharers(one, cache)
        case ModuleReplicaSet():
            yield _key(Kind.MODULE_REPLICASET, one)
            yield from _owner(one, cache)
        case Module():
            yield from _of_module(one, cache)
        case Pod():
            yield from _of_pod(one, cache)
        case Deployment():
            yield from _of_base(one, cache)
        case Service():
            yield from (Key(Kind.MODULE_DEPLOYMENT, one.metadata.namespace, name) for name in _askers(one, cache))


def _key(kind: Kind, one: KubernetesObject) -> Key:
    return Key(kind, one.metadata.namespace, one.name)


def _sharers(deployment: ModuleDeployment, cache: Cache) -> Iterator[Key]:
    name = deployment.spec.template.spec.module.name
    for other in cache.find(Kind.MODULE_DEPLOYMENT, "module", deployment.metadata.namespace, name):
        yield _key(Kind.MODULE_DEPLOYMENT, other)


def _owner(replica_set: ModuleReplicaSet, cache: Cache) -> Iterator[Key]:
    if owner := owner_of(replica_set):
        yield Key(Kind.MODULE_DEPLOYMENT, replica_set.metadata.namespace, owner.name)
    elif deployment := deployment_by_label(replica_set, cache):
        yield _key(Kind.MODULE_DEPLOYMENT, deployment)


def _of_module(module: Module, cache: Cache) -> Iterator[Key]:
    """Itself, its pod, its ReplicaSet with its owner, and those of its name on its pod."""
    namespace = module.metadata.namespace
    yield _key(Kind.MODULE, module)
    if module.pod_name:
        yield Key(Kind.POD, namespace, module.pod_name)
    for other in cache.find(Kind.MODULE, "pod", module.pod_uid):
        if other.spec.module.name == module.spec.module.name:
            yield _key(Kind.MODULE, other)
    replica_set = replica_set_of(module, cache)
    if replica_set:
        yield _key(Kind.MODULE_REPLICASET, replica_set)
        yield from _owner(replica_set, cache)
        yield from _replaced_by(replica_set, cache)
    elif module.metadata.labels.get(MODULE_REPLICASET):
        for deployment in cache.find(Kind.MODULE_DEPLOYMENT, "label", namespace, module.family):
            yield _key(Kind.MODULE_DEPLOYMENT, deployment)


def _replaced_by(replica_set: ModuleReplicaSet, cache: Cache) -> Iterator[Key]:
    """Deleted Modules of it, which may wait for their replacement, and their pods."""
    for one in cache.modules_of(replica_set).going if replica_set.replaces_first else ():
        yield _key(Kind.MODULE, one)
        yield Key(Kind.POD, one.metadata.namespace, one.pod_name)


def _served_otherwise(before: Pod, after: Pod, cache: Cache) -> Iterator[Key]:
    """Of a pod that has other labels for traffic: itself, and the Modules that these are about."""
    changed = {label for label, _ in before.metadata.labels.items() ^ after.metadata.labels.items()}
    yield _key(Kind.POD, after)
    for module in cache.modules_on(after):
        if serves_label(module.spec.module.name) in changed:
            yield _key(Kind.MODULE, module)


def _of_pod(pod: Pod, cache: Cache) -> Iterator[Key]:
    yield _key(Kind.POD, pod)
    for module in cache.modules_on(pod):
        yield _key(Kind.MODULE, module)
    for base in cache.find(Kind.DEPLOYMENT, "namespace", pod.metadata.namespace):
        if base.selects(pod):
            yield from _of_base(base, cache)
    yield from _seeking(pod, cache)


def _seeking(pod: Pod, cache: Cache) -> Iterator[Key]:
    """Bare ones that the pod may be for: their selector means it, or their label names its base."""
    for module in cache.find(Kind.MODULE, "pod", ""):
        if module.metadata.namespace == pod.metadata.namespace:
            yield _key(Kind.MODULE, module)
    for replica_set in cache.find(Kind.MODULE_REPLICASET, "base", pod.metadata.namespace, ""):
        if replica_set.spec.selector.matches(pod.metadata.labels):
            yield _key(Kind.MODULE_REPLICASET, replica_set)


def _of_base(base: Deployment, cache: Cache) -> Iterator[Key]:
    for deployment in cache.find(Kind.MODULE_DEPLOYMENT, "base", base.metadata.namespace, base.name):
        yield _key(Kind.MODULE_DEPLOYMENT, deployment)
        for replica_set in cache.find(Kind.MODULE_REPLICASET, "owner", base.metadata.namespace, deployment.name):
            yield _key(Kind.MODULE_REPLICASET, replica_set)
    yield from (_key(Kind.MODULE_REPLICASET, one) for one in _made_for(base, cache))


def _made_for(base: Deployment, cache: Cache) -> tuple[ModuleReplicaSet, ...]:
    """ReplicaSets whose Modules go into this base, whoever they belong to."""
    found: tuple[ModuleReplicaSet, ...] = cache.find(
        Kind.MODULE_REPLICASET, "base", base.metadata.namespace, label_value(base.name)
    )
    return found


def _askers(service: Service, cache: Cache) -> Iterator[str]:
    for owner in service.metadata.owner_references:
        if owner.kind == "ModuleDeployment":
            yield owner.name
    suffix = service_name("")
    if service.name.endswith(suffix):
        module = service.name.removesuffix(suffix)
        for one in cache.find(Kind.MODULE_DEPLOYMENT, "module", service.metadata.namespace, module):
            yield one.name
