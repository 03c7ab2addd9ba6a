"""What must hold at every moment of every rollout, whoever acts and whatever fails. Each raises AssertionError with the story."""

from collections import Counter

from arkwright.model.names import BASE_INSTANCE_IP, MODULE_REPLICASET
from arkwright.plan.batches import batch_sizes


def one_live_module_per_replica_set_and_pod(world):
    places = Counter(
        (one["metadata"]["labels"][MODULE_REPLICASET], one["metadata"]["labels"][BASE_INSTANCE_IP])
        for one in world.modules()
        if MODULE_REPLICASET in one["metadata"]["labels"]  # one that is detached has none
    )
    assert not [place for place, count in places.items() if count > 1], world.told()


def labels_only_where_a_version_serves(world):
    """A pod in the Service without a version that answers loses requests."""
    assert set(world.serves_labels()) <= set(world.serving()), world.told()


def no_pod_above_its_cap(world):
    """Two versions of one ModuleDeployment take one place."""
    if world.cap is None:
        return
    places = {(one["metadata"]["labels"][BASE_INSTANCE_IP], one["spec"]["module"]["name"]) for one in world.modules()}
    full = Counter(address for address, _ in places)
    assert max(full.values(), default=0) <= world.cap, world.told()


def no_batch_before_its_turn(world):
    """Never more new Modules than the current batch allows."""
    deployment = world.deployment()
    release = world.status().get("releaseStatus", {})
    name = release.get("updateRevision", "")
    moves, batch = release.get("originalDeltaReplicas", 0), release.get("currentBatch", 0)
    if deployment is None or moves <= 0 or release["progress"] not in ("Executing", "Paused"):
        return
    strategy = deployment["spec"].get("operationStrategy", {})
    plan = batch_sizes(moves, strategy.get("batchCount", 1), strategy.get("useBeta", False))
    origin = world.status()["replicas"] - moves
    new = [one for one in world.modules() if one["metadata"]["labels"].get(MODULE_REPLICASET) == name]
    assert len(new) <= origin + plan.moved(batch), world.told()


def no_finished_batch_is_repeated(world):
    """Within one release, as long as its plan is the same, the batch only counts up."""
    status = world.status()
    release = status.get("releaseStatus", {})
    plan = (release.get("updateRevision"), release.get("originalDeltaReplicas"), status.get("replicas"))
    batch, is_under_way = release.get("currentBatch", 0), release.get("progress") in ("Executing", "Paused")
    before, world.last_batch = world.last_batch, (plan, batch) if is_under_way else None
    if before and is_under_way and before[0] == plan:
        assert batch >= before[1], world.told()


def no_call_to_a_pod_nobody_planned(world):
    """Every version in a base has, or had until it was told to leave, a Module on that pod."""
    planned = {(world.address_of(one), one["spec"]["module"]["version"]) for one in world.modules(live=False)}
    world.ever_planned |= planned
    held = {
        (address, identity.partition(":")[2])
        for address, base in world.arklet.bases.items()
        for identity in base.modules
    }
    assert held <= world.ever_planned, world.told()


def service_is_never_thinner_than_promised(world):
    """`world.promised`: as many base pods serve at every moment as the release must keep."""
    assert len(world.serving()) >= world.promised, world.told()


ALL = (
    one_live_module_per_replica_set_and_pod,
    labels_only_where_a_version_serves,
    no_pod_above_its_cap,
    no_batch_before_its_turn,
    no_finished_batch_is_repeated,
    no_call_to_a_pod_nobody_planned,
    service_is_never_thinner_than_promised,
)
