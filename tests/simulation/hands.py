"""What people change by hand in objects that are ours, one act each. In: a world, a base pod, a Module. Out: the change.

Not done here: when, and what has to come of it.
"""

from arkwright.model.names import (
    BASE_INSTANCE_IP,
    BASE_INSTANCE_NAME,
    DETACHED,
    MODULE_DEPLOYMENT,
    MODULE_REPLICASET,
    SERVES_PREFIX,
)
from arkwright.model.resources import RESOURCES, Kind
from simulation.world import NAMESPACE


def change(world, kind, name, patch, subresource=""):
    world.tell(f"user changes {kind} {name}: {patch}")
    world.kube.change(RESOURCES[kind].path(NAMESPACE, name, subresource), patch)


def name_of(one):
    return one["metadata"]["name"]


def take_label_off(world, pod, module):
    change(world, Kind.POD, name_of(pod), {"metadata": {"labels": {SERVES_PREFIX + "provider": None}}})


def falsify_label(world, pod, module):
    change(world, Kind.POD, name_of(pod), {"metadata": {"labels": {SERVES_PREFIX + "provider": "false"}}})


def take_finalizer(world, pod, module):
    change(world, Kind.MODULE, name_of(module), {"metadata": {"finalizers": None}})


def take_finalizers_of_the_rest(world, pod, module):
    (first, *_) = world.kube.all(Kind.MODULE_REPLICASET)
    change(world, Kind.MODULE_REPLICASET, name_of(first), {"metadata": {"finalizers": None}})
    change(world, Kind.MODULE_DEPLOYMENT, "demo", {"metadata": {"finalizers": None}})


def turn_service(world, pod, module):
    change(world, Kind.SERVICE, "provider-service", {"spec": {"selector": {"app": "mine"}, "type": "ClusterIP"}})


def delete_service(world, pod, module):
    world.delete(Kind.SERVICE, "provider-service")


def take_owner(world, pod, module):
    change(world, Kind.MODULE, name_of(module), {"metadata": {"ownerReferences": None}})


def wipe_status(world, pod, module):
    change(world, Kind.MODULE, name_of(module), {"status": {"status": None, "conditions": None}}, "status")


def claim_failure_for_years(world, pod, module):
    generation = module["metadata"]["generation"]
    lie = {
        "status": "Failed",
        "attempts": 7,
        "nextAttemptTime": "2099-01-01T00:00:00Z",
        "observedGeneration": generation,
    }
    change(world, Kind.MODULE, name_of(module), {"status": lie}, "status")


def wipe_status_of_deployment(world, pod, module):
    change(world, Kind.MODULE_DEPLOYMENT, "demo", {"status": None}, "status")


def claim_detachment(world, pod, module):
    change(world, Kind.MODULE, name_of(module), {"metadata": {"labels": {DETACHED: "true"}}})


def count_wrongly(world, pod, module):
    count = {"serverless.alipay.com/module-instance-count": "77"}
    change(world, Kind.POD, name_of(pod), {"metadata": {"labels": count}})


def change_version(world, pod, module):
    change(world, Kind.MODULE, name_of(module), {"spec": {"module": {"version": "9.9"}}})


def revise_beyond_limits(world, pod, module):
    (first, *_) = world.kube.all(Kind.MODULE_REPLICASET)
    label = {"serverless.alipay.com/module-replicaset-revision": "9" * 63}
    change(world, Kind.MODULE_REPLICASET, name_of(first), {"metadata": {"labels": label}})


def take_labels(world, pod, module):
    """By which its ReplicaSet and its ModuleDeployment find it."""
    change(
        world,
        Kind.MODULE,
        name_of(module),
        {"metadata": {"labels": {MODULE_REPLICASET: None, MODULE_DEPLOYMENT: None}}},
    )


def take_labels_of_its_pod(world, pod, module):
    change(
        world,
        Kind.MODULE,
        name_of(module),
        {"metadata": {"labels": {BASE_INSTANCE_IP: None, BASE_INSTANCE_NAME: None}}},
    )


def take_labels_of_replica_sets(world, pod, module):
    for one in world.kube.all(Kind.MODULE_REPLICASET):
        if one["metadata"].get("ownerReferences"):
            change(world, Kind.MODULE_REPLICASET, name_of(one), {"metadata": {"labels": None}})


def give_to_another_pod(world, pod, module):
    owner = {"apiVersion": "v1", "kind": "Pod", "name": name_of(pod), "uid": pod["metadata"]["uid"], "controller": True}
    change(world, Kind.MODULE, name_of(module), {"metadata": {"ownerReferences": [owner]}})


TOLD = [
    take_label_off,
    falsify_label,
    take_finalizer,
    turn_service,
    claim_detachment,
    change_version,
    take_labels,
    take_labels_of_its_pod,
]
ACTS = [
    *TOLD,
    take_labels_of_replica_sets,
    take_finalizers_of_the_rest,
    delete_service,
    take_owner,
    wipe_status,
    claim_failure_for_years,
    wipe_status_of_deployment,
    count_wrongly,
    revise_beyond_limits,
]
