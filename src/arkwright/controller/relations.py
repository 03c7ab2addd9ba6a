"""What belongs to what, as far as the cache knows. In: one object. Out: the object it belongs to, or None. Decides nothing."""

from arkwright.controller.cache import Cache
from arkwright.model.cluster import Deployment, Pod
from arkwright.model.kinds import Module, ModuleDeployment, ModulePhase, ModuleReplicaSet
from arkwright.model.membership import Standing
from arkwright.model.meta import OwnerReference
from arkwright.model.names import (
    BASE_DEPLOYMENT,
    BASE_INSTANCE_IP,
    BASE_INSTANCE_NAME,
    DETACHED,
    MAX_NAME,
    MODULE_DEPLOYMENT,
    MODULE_REPLICASET,
    label_value,
    module_object_name,
)
from arkwright.model.resources import Kind
from arkwright.plan.revisions import Revision
from arkwright.plan.tries import identity


def owner_of(replica_set: ModuleReplicaSet) -> OwnerReference | None:
    """The ModuleDeployment that it belongs to."""
    owners = replica_set.metadata.owner_references
    return next((one for one in owners if one.kind == "ModuleDeployment"), None)


def deployment_of(replica_set: ModuleReplicaSet, cache: Cache) -> ModuleDeployment | None:
    owner = owner_of(replica_set)
    if owner is None:
        return None
    found: ModuleDeployment | None = cache.get(Kind.MODULE_DEPLOYMENT, replica_set.metadata.namespace, owner.name)
    return found


def replica_set_of(module: Module, cache: Cache) -> ModuleReplicaSet | None:
    """By its label, or by its name where somebody took the label away."""
    return _named(module, MODULE_REPLICASET, cache) or cache.maker_of(module)


def former_replica_set_of(module: Module, cache: Cache) -> ModuleReplicaSet | None:
    """The one that a detached Module was of."""
    return _named(module, DETACHED, cache)


def _named(module: Module, key: str, cache: Cache) -> ModuleReplicaSet | None:
    """By a label, which may hold the name cut."""
    label = module.metadata.labels.get(key, "")
    found: tuple[ModuleReplicaSet, ...] = cache.find(Kind.MODULE_REPLICASET, "label", module.metadata.namespace, label)
    return next(iter(found), None) if label else None


def made_for(module: Module, cache: Cache) -> tuple[ModuleReplicaSet, Pod] | None:
    """The ReplicaSet and the pod that it was made for, whatever somebody has written into it: its name is computed from both.

    None for one whose name is not, for it was made by hand or by an earlier controller, and where one of the two is gone.
    """
    replica_set, pod = replica_set_of(module, cache), cache.get_pod_of(module)
    if replica_set and pod and _is_named_for(module, replica_set, pod):
        return replica_set, pod
    pods: tuple[Pod, ...] = cache.find(Kind.POD, "namespace", module.metadata.namespace)
    likely = (one for one in cache.all(Kind.MODULE_REPLICASET) if one.metadata.namespace == module.metadata.namespace)
    named = (one for one in likely if module.name.startswith(one.name[: MAX_NAME // 2]))
    found = ((one, pod) for one in named for pod in pods if _is_named_for(module, one, pod))
    return next(found, None)


def _is_named_for(module: Module, replica_set: ModuleReplicaSet, pod: Pod) -> bool:
    return module.name == module_object_name(replica_set.name, replica_set.module.name, pod.metadata.uid)


def base_of(one: Module | ModuleReplicaSet, cache: Cache) -> Deployment | None:
    """The base that it was made for, by its label, which may hold the name cut; of a ReplicaSet also by those of its Modules."""
    label = one.metadata.labels.get(BASE_DEPLOYMENT, "")
    if not label and isinstance(one, ModuleReplicaSet):
        label = Revision(one, cache.modules_of(one)).base
    found: tuple[Deployment, ...] = cache.find(Kind.DEPLOYMENT, "label", one.metadata.namespace, label)
    return next(iter(found), None) if label else None


def standing_of(module: Module, cache: Cache) -> Standing:
    """How its pod stands to the base it was made for. Where there is no such base, or no such pod, nothing speaks against it."""
    base, pod = base_of(module, cache), cache.get_pod_of(module)
    return Standing.OWN if base is None or pod is None else cache.standing(base, pod)


def used_by(pod: Pod, cache: Cache) -> str:
    """The name of the base that has the pod, "" for none."""
    bases: tuple[Deployment, ...] = cache.find(Kind.DEPLOYMENT, "namespace", pod.metadata.namespace)
    return next((one.name for one in bases if cache.standing(one, pod) is Standing.OWN), "")


def family_of(replica_set: ModuleReplicaSet, cache: Cache) -> tuple[ModuleReplicaSet, ...]:
    """All ReplicaSets of its ModuleDeployment; a bare one is alone."""
    found: tuple[ModuleReplicaSet, ...] = cache.find(
        Kind.MODULE_REPLICASET, "family", replica_set.metadata.namespace, replica_set.family
    )
    return found


def revisions_of(deployment: ModuleDeployment, cache: Cache) -> tuple[ModuleReplicaSet, ...]:
    """ReplicaSets that are the ModuleDeployment's: owned by it, or by one of its name before it; and its orphans.

    One that is being deleted takes along only what is its own: what was let go of stays.
    """
    namespace, uid = deployment.metadata.namespace, deployment.metadata.uid
    found = cache.find(Kind.MODULE_REPLICASET, "owner", namespace, deployment.name)
    owned = ((owner.uid, one) for one in found if (owner := owner_of(one)) and owner.name == deployment.name)
    if deployment.is_terminating:
        return tuple(one for owner_uid, one in owned if owner_uid == uid)
    family = cache.find(Kind.MODULE_REPLICASET, "family", namespace, label_value(deployment.name))
    orphans = (one for one in family if one.metadata.controller is None and owner_of(one) is None)
    return tuple({one.name: one for one in (*(one for _, one in owned), *orphans)}.values())


def deployment_by_label(replica_set: ModuleReplicaSet, cache: Cache) -> ModuleDeployment | None:
    """The one that an orphan would be adopted by."""
    label = replica_set.metadata.labels.get(MODULE_DEPLOYMENT, "")
    found: tuple[ModuleDeployment, ...] = cache.find(
        Kind.MODULE_DEPLOYMENT, "label", replica_set.metadata.namespace, label
    )
    return next(iter(found), None) if label else None


def goes_first(neighbour: Module, module: Module) -> bool:
    """One that is on its way out, of somebody else's; or of the same version, which would take away what comes. A base holds one instance of a version."""
    is_there = module.status.status is ModulePhase.AVAILABLE
    is_same = identity(neighbour.spec.module) == identity(module.spec.module) and not is_there
    return neighbour.is_terminating and (is_same or neighbour.family != module.family)


def candidates_of(one: Module | ModuleReplicaSet, cache: Cache) -> tuple[Pod, ...]:
    """Where a bare one may go: into the base that its label names, else onto pods that its selector means."""
    base = base_of(one, cache)
    if base is not None:
        return cache.roster(base).pods
    pods: tuple[Pod, ...] = cache.find(Kind.POD, "namespace", one.metadata.namespace)
    chosen = (pod for pod in pods if one.spec.selector.matches(pod.metadata.labels))
    return tuple(sorted(chosen, key=lambda pod: pod.name))


def pod_by_label(module: Module, cache: Cache) -> Pod | None:
    """The pod that its labels name: where it was bound before somebody took its owner away."""
    labels = module.metadata.labels
    name, ip = labels.get(BASE_INSTANCE_NAME, ""), labels.get(BASE_INSTANCE_IP, "")
    pod: Pod | None = cache.get(Kind.POD, module.metadata.namespace, name) if name else None
    return pod if pod is not None and ip in ("", label_value(pod.status.pod_ip)) else None
