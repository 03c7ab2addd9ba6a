"""Objects are deleted, lost, restored and made again, and others of the same kinds come beside them."""

from arkwright.model.names import BASE_DEPLOYMENT, DELETE_MODULE
from arkwright.model.resources import Kind
from simulation.acts.table import (
    act,
    has_modules,
    has_replica_sets,
    is_away,
    is_there,
    some_module,
    some_replica_set,
)
from simulation.hands import change, name_of
from simulation.wishes import STORE
from simulation.world import BASE, NAMESPACE

BARE = {"name": "extra", "version": "1.0", "url": "http://archives/extra-1.0.whl"}

# ── objects are deleted, and come again ──


def is_known(operator):
    return operator.is_known()


def is_orphanable(operator):
    return has_replica_sets(operator) and operator.is_known()


@act(is_there, is_costly=True)
def the_wish_deleted(operator):
    operator.world.delete()


@act(is_there, is_costly=True)
def the_wish_deleted_in_the_foreground(operator):
    operator.world.delete_foreground()


@act(is_known)
def the_wish_orphaned(operator):
    operator.world.orphan()


@act(is_away)
def the_wish_created_again(operator):
    operator.say()


@act(has_replica_sets, is_costly=True)
def a_replica_set_deleted(operator):
    operator.world.delete(Kind.MODULE_REPLICASET, some_replica_set(operator))


@act(has_replica_sets, is_costly=True)
def a_replica_set_deleted_in_the_foreground(operator):
    operator.world.delete_foreground(Kind.MODULE_REPLICASET, some_replica_set(operator))


@act(has_replica_sets)
def a_replica_set_orphaned(operator):
    name = some_replica_set(operator)
    operator.let_go.add(operator.replica_sets()[name]["metadata"]["uid"])
    operator.world.orphan(Kind.MODULE_REPLICASET, name)


@act(has_modules, is_costly=True)
def a_module_deleted(operator):
    operator.world.delete(Kind.MODULE, name_of(some_module(operator)))


@act(has_modules, is_costly=True)
def a_module_labelled_to_go(operator):
    change(
        operator.world, Kind.MODULE, name_of(some_module(operator)), {"metadata": {"labels": {DELETE_MODULE: "true"}}}
    )


@act(has_modules)
def a_module_labelled_not_to_go(operator):
    label = {DELETE_MODULE: "false", f"{DELETE_MODULE}-directly": "false"}
    change(operator.world, Kind.MODULE, name_of(some_module(operator)), {"metadata": {"labels": label}})


@act(lambda operator: operator.world.deployment() is None and len(operator.replica_sets()) == 0)
def a_replica_sets_name_taken(operator):
    name = "demo-replicas-1"
    if operator.world.kube.one(Kind.MODULE_REPLICASET, NAMESPACE, name) is None:
        operator.world.put(Kind.MODULE_REPLICASET, name, {"replicas": 0, "template": {"spec": {"module": BARE}}})


def has_snapshot(operator):
    """What is restored has no status: of a silent agent nobody knows then that it has ever answered."""
    return is_orphanable(operator) and not operator.mute


@act(has_snapshot, is_costly=True)
def all_lost_and_restored_with_stale_owners(operator):
    _restore(operator, lambda owners: owners)


@act(has_snapshot, is_costly=True)
def all_lost_and_restored_without_owners(operator):
    _restore(operator, lambda owners: [])


def _restore(operator, owners_of):
    """As a backup tool does it: new uids, no status, finalizers and labels as they were."""
    kube, kinds = operator.world.kube, (Kind.MODULE_DEPLOYMENT, Kind.MODULE_REPLICASET, Kind.MODULE)
    kept = [one for kind in kinds for one in kube.all(kind) if "deletionTimestamp" not in one["metadata"]]
    operator.leave_behind(one for one in kube.all(Kind.MODULE) if "deletionTimestamp" in one["metadata"])
    operator.world.tell("a backup tool loses and restores all objects")
    for kind in kinds:
        for one in kube.all(kind):
            kube.erase(kube.path(one))
    for one in kept:
        metadata = {
            key: one["metadata"][key]
            for key in ("name", "namespace", "labels", "annotations", "finalizers")
            if key in one["metadata"]
        }
        if owners := owners_of(one["metadata"].get("ownerReferences", [])):
            metadata["ownerReferences"] = owners
        kube.put({**{key: value for key, value in one.items() if key != "status"}, "metadata": metadata})


# ── others of the same kinds ──


@act()
def a_bare_replica_set(operator):
    if operator.world.kube.one(Kind.MODULE_REPLICASET, NAMESPACE, "alone") is None:
        spec = {"replicas": 1, "selector": {"matchLabels": {"app": STORE}}, "template": {"spec": {"module": BARE}}}
        operator.world.put(Kind.MODULE_REPLICASET, "alone", spec)


@act()
def a_bare_module(operator):
    if operator.world.kube.one(Kind.MODULE, NAMESPACE, "lone") is None:
        operator.world.put(Kind.MODULE, "lone", {"module": BARE}, labels={BASE_DEPLOYMENT: BASE})


@act()
def a_rival_for_the_same_module(operator):
    if operator.world.deployment("rival") is None:
        operator.world.put(Kind.MODULE_DEPLOYMENT, "rival", operator.wish.spec | {"replicas": 1, "pause": False})
