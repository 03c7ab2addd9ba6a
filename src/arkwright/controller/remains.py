"""What there is of a ModuleDeployment's earlier days, as far as the cache knows: Services, Modules, names. Decides nothing.

In: a ModuleDeployment and its ReplicaSets. Out: what is its, or in its way, and not found by its owner alone.
"""

from arkwright.controller.cache import Cache
from arkwright.model.cluster import Service
from arkwright.model.kinds import Module, ModuleDeployment, ModuleReplicaSet
from arkwright.model.names import label_value, replicaset_name, service_name
from arkwright.model.resources import Kind


def former_services(
    deployment: ModuleDeployment, revisions: tuple[ModuleReplicaSet, ...], cache: Cache
) -> tuple[Service, ...]:
    """Of names that its module had before, which no other ModuleDeployment has now; those without an owner, too."""
    namespace, current = deployment.metadata.namespace, deployment.spec.template.spec.module.name
    owned: tuple[Service, ...] = cache.find(Kind.SERVICE, "owner", deployment.metadata.uid)
    names = {one.name.removesuffix(service_name("")) for one in owned} | {one.module.name for one in revisions}
    others = (
        name for name in sorted(names - {current}) if not cache.find(Kind.MODULE_DEPLOYMENT, "module", namespace, name)
    )
    found = (cache.get(Kind.SERVICE, namespace, service_name(name)) for name in others)
    return tuple(one for one in found if one is not None)


def lost_modules(deployment: ModuleDeployment, cache: Cache) -> tuple[Module, ...]:
    """Modules of its ReplicaSets that are there no more: somebody has orphaned them."""
    namespace = deployment.metadata.namespace
    labels = cache.replica_sets_named(namespace, label_value(deployment.name))
    orphaned = (one for one in labels if not cache.find(Kind.MODULE_REPLICASET, "label", namespace, one))
    found = (module for label in orphaned for module in cache.find(Kind.MODULE, "replica set", namespace, label))
    ours = (one for one in found if one.family == label_value(deployment.name))
    return tuple(one for one in ours if not one.is_terminating)


def taken_names(deployment: ModuleDeployment, owned: tuple[ModuleReplicaSet, ...], cache: Cache) -> frozenset[str]:
    """Names that its next revision would have, and that are somebody else's: one after another until one is free."""
    namespace, number = deployment.metadata.namespace, max((one.revision for one in owned), default=0) + 1
    taken, ours = set(), {one.name for one in owned}
    while cache.get(Kind.MODULE_REPLICASET, namespace, name := replicaset_name(deployment.name, number)):
        taken.add(name)
        number += 1
    return frozenset(taken - ours)
