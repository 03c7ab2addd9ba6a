"""What belongs to what, as far as the cache knows. In: one object. Out: the object it belongs to, or None. Decides nothing."""

from arkwright.controller.cache import Cache
from arkwright.model.cluster import Deployment
from arkwright.model.kinds import Module, ModuleDeployment, ModuleReplicaSet
from arkwright.model.membership import Standing
from arkwright.model.meta import OwnerReference
from arkwright.model.names import BASE_DEPLOYMENT, DETACHED, MODULE_REPLICASET
from arkwright.model.resources import Kind


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
    return _named(module, MODULE_REPLICASET, cache)


def former_replica_set_of(module: Module, cache: Cache) -> ModuleReplicaSet | None:
    """The one that a detached Module was of."""
    return _named(module, DETACHED, cache)


def _named(module: Module, key: str, cache: Cache) -> ModuleReplicaSet | None:
    """By a label, which may hold the name cut."""
    label = module.metadata.labels.get(key, "")
    found: tuple[ModuleReplicaSet, ...] = cache.find(Kind.MODULE_REPLICASET, "label", module.metadata.namespace, label)
    return next(iter(found), None) if label else None


def base_of(one: Module | ModuleReplicaSet, cache: Cache) -> Deployment | None:
    """The base that it was made for, by its label, which may hold the name cut."""
    label = one.metadata.labels.get(BASE_DEPLOYMENT, "")
    found: tuple[Deployment, ...] = cache.find(Kind.DEPLOYMENT, "label", one.metadata.namespace, label)
    return next(iter(found), None) if label else None


def standing_of(module: Module, cache: Cache) -> Standing:
    """How its pod stands to the base it was made for. Where there is no such base, or no such pod, nothing speaks against it."""
    base, pod = base_of(module, cache), cache.get_pod_of(module)
    return Standing.OWN if base is None or pod is None else cache.standing(base, pod)
