"""What one ReplicaSet sees of its base: pods, its seats on them, what its ModuleDeployment lacks. In: the cache. Out: a `Room`.

Only looked at where something is to move (`plan/replicaset.needs_room`).
"""

from datetime import datetime

from arkwright.controller.cache import Cache
from arkwright.controller.relations import candidates_of, deployment_of, family_of
from arkwright.controller.rosters import Roster
from arkwright.model.cluster import Deployment
from arkwright.model.kinds import ModuleDeployment, ModuleReplicaSet
from arkwright.model.names import RECYCLE_BASE_POD, is_asked_for
from arkwright.model.resources import Kind
from arkwright.plan.replicas import Replicas
from arkwright.plan.seating import Room, seeker


def room_of(
    replica_set: ModuleReplicaSet, modules: Replicas, base: Deployment | None, cache: Cache, now: datetime
) -> Room:
    """Pods that are about to be live are in it, too: they take nothing yet, and explain why nothing fits."""
    namespace, deployment = replica_set.metadata.namespace, deployment_of(replica_set, cache)
    roster = cache.roster(base) if base else Roster()
    if base is None and deployment is None:
        roster = Roster.of(candidates_of(replica_set, cache))
    outside = sorted(modules.pods - roster.staying.keys())
    elsewhere = (cache.get(Kind.POD, namespace, name) for name in outside)
    pods = {**roster.staying, **{pod.name: pod for pod in elsewhere if pod is not None}} if outside else roster.staying
    coming, ours = cache.arrivals.of(namespace), (replica_set.family, replica_set.module.name)
    return Room(
        pods=pods,
        seats=cache.seats.on(pods, seeker(replica_set, base), coming, now),
        base=base,
        arriving=sum(place[1:] == ours for place in coming),
        is_newest=all(one.revision <= replica_set.revision for one in family_of(replica_set, cache)),
        vacancies=_vacancies(replica_set, deployment, roster, cache),
        recycles_pods=deployment is not None and is_asked_for(deployment.metadata.annotations, RECYCLE_BASE_POD),
    )


def _vacancies(replica_set: ModuleReplicaSet, deployment: ModuleDeployment | None, roster: Roster, cache: Cache) -> int:
    """Replicas that are wanted and that no base pod holds in any revision."""
    if deployment is None:
        return 0
    wanted = deployment.spec.replicas if deployment.spec.replicas >= 0 else roster.live
    held = (cache.modules_of(one).live_pods for one in family_of(replica_set, cache))
    return max(0, wanted - len(frozenset[str]().union(*held)))
