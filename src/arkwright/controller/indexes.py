"""By what objects are found in the cache. In: one object. Out: the values that it is filed under. Pure."""

from collections.abc import Callable, Hashable, Iterable
from typing import Any

from arkwright.model.cluster import Deployment, Pod, Service
from arkwright.model.kinds import Module, ModuleDeployment, ModuleReplicaSet
from arkwright.model.meta import KubernetesObject
from arkwright.model.names import BASE_DEPLOYMENT, DETACHED, MODULE_REPLICASET, label_value, module_name_stem
from arkwright.model.resources import Kind


def _of_pod(module: Module) -> Iterable[Hashable]:
    return [("pod", module.pod_uid)]


def _of_replica_set(module: Module) -> Iterable[Hashable]:
    return [("replica set", module.metadata.namespace, module.metadata.labels.get(MODULE_REPLICASET, ""))]


def _of_nameless_stem(module: Module) -> Iterable[Hashable]:
    """Of one whose labels do not say what it is of: its name may."""
    return [] if is_told(module) else [("nameless", module.metadata.namespace, module.name.rpartition("-")[0])]


def _of_its_modules_stem(replica_set: ModuleReplicaSet) -> Iterable[Hashable]:
    return [("stem", replica_set.metadata.namespace, module_name_stem(replica_set.name, replica_set.module.name))]


def _of_owner(replica_set: ModuleReplicaSet) -> Iterable[Hashable]:
    owners = replica_set.metadata.owner_references
    return [("owner", replica_set.metadata.namespace, owner.name) for owner in owners]


def _of_label(replica_set: ModuleReplicaSet) -> Iterable[Hashable]:
    """As Modules name it."""
    return [("label", replica_set.metadata.namespace, label_value(replica_set.name))]


def _of_family(replica_set: ModuleReplicaSet) -> Iterable[Hashable]:
    return [("family", replica_set.metadata.namespace, replica_set.family)]


def _of_base(replica_set: ModuleReplicaSet) -> Iterable[Hashable]:
    return [("base", replica_set.metadata.namespace, replica_set.metadata.labels.get(BASE_DEPLOYMENT, ""))]


def _of_base_and_module(deployment: ModuleDeployment) -> Iterable[Hashable]:
    namespace, spec = deployment.metadata.namespace, deployment.spec
    module, label = spec.template.spec.module.name, label_value(deployment.name)
    return [
        ("base", namespace, spec.base_deployment_name),
        ("module", namespace, module),
        ("label", namespace, label),
    ]


def _of_labels(pod: Pod) -> Iterable[Hashable]:
    return [("label", pod.metadata.namespace, *item) for item in pod.metadata.labels.items()]


def _of_controller(pod: Pod) -> Iterable[Hashable]:
    controller = pod.metadata.controller
    return [("controller", controller.uid)] if controller else []


def _of_namespace(one: KubernetesObject) -> Iterable[Hashable]:
    return [("namespace", one.metadata.namespace)]


def _of_owners(service: Service) -> Iterable[Hashable]:
    return [("owner", owner.uid) for owner in service.metadata.owner_references]


def _of_name(base: Deployment) -> Iterable[Hashable]:
    """As labels of Modules name it."""
    return [("label", base.metadata.namespace, label_value(base.name))]


def _of_selector(base: Deployment) -> Iterable[Hashable]:
    """By the first label that it wants of its pods; without one where it wants none."""
    return [("selects", base.metadata.namespace, *(base.spec.selector.first_label or ()))]


INDEXES: dict[Kind, tuple[Callable[[Any], Iterable[Hashable]], ...]] = {
    Kind.MODULE: (_of_pod, _of_replica_set, _of_nameless_stem),
    Kind.MODULE_REPLICASET: (_of_owner, _of_label, _of_base, _of_family, _of_its_modules_stem),
    Kind.MODULE_DEPLOYMENT: (_of_base_and_module,),
    Kind.POD: (_of_labels, _of_controller, _of_namespace),
    Kind.DEPLOYMENT: (_of_namespace, _of_name, _of_selector),
    Kind.SERVICE: (_of_owners,),
}


def whose(replica_set: KubernetesObject | None) -> object:
    """What decides whose the pods of a ReplicaSet are: most of its changes are about its status."""
    return (replica_set.metadata.owner_references, replica_set.metadata.labels) if replica_set else None


def meant(base: Deployment | None) -> object:
    """What decides which pods are a base's: most of its changes are about its replicas."""
    return (base.metadata.uid, base.spec.selector) if base else None


def is_told(module: Module) -> bool:
    """Whether its labels say what it is of, or that it is of nothing any more."""
    return not module.metadata.labels.keys().isdisjoint((MODULE_REPLICASET, DETACHED))


def place_of(module: Module) -> tuple[str, tuple[str, str, str]]:
    """The place that it takes, or is about to: namespace, and (pod, family, module)."""
    return module.metadata.namespace, (module.pod_name, module.family, module.spec.module.name)
