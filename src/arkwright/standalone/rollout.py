"""A Deployment on one machine: one ReplicaSet for each template it has had, and the way from one to the next. Pure.

In: the Deployment, its ReplicaSets. Out: a Plan. The rules are Kubernetes' own: maxSurge rounds up, maxUnavailable down.
What the status says of it: `progress`.
"""

import hashlib
import json
from datetime import datetime

from arkwright.model.cluster import Document, Workload
from arkwright.model.resources import RESOURCES, Kind
from arkwright.plan.intents import Create, Delete, Intent, Patch, Plan, SetStatus, Target, target_of
from arkwright.standalone.belonging import Belonging, is_owned_by
from arkwright.standalone.progress import seconds_to_deadline, status_of
from arkwright.standalone.readers import REVISION, count, counted, inside, revision, seconds, share, wanted
from arkwright.standalone.replicas import has_pods

HASH = "pod-template-hash"
AGAIN_SECONDS = 0.1


def plan_deployment(deployment: Workload, found: tuple[Workload, ...], now: datetime) -> Plan:
    """The next step of a rollout, and the status. `found`: ReplicaSets that are its own, or nobody's and selected."""
    if deployment.is_terminating:
        return Plan()
    settled = Belonging(Kind.DEPLOYMENT, Kind.REPLICASET, deployment).intents(found)
    if settled:
        return Plan(settled, AGAIN_SECONDS)
    return _rolled(deployment, tuple(one for one in found if is_owned_by(one, deployment)), now)


def _rolled(deployment: Workload, replica_sets: tuple[Workload, ...], now: datetime) -> Plan:
    current = next((one for one in replica_sets if is_made_from(one, deployment)), None)
    old = tuple(one for one in replica_sets if one is not current)
    intents: list[Intent] = []
    if current is None:
        if not deployment.spec.get("paused"):
            intents.append(_first(deployment, old))
    else:
        intents += _renumbered(deployment, current, old)
        intents += [_scaled(one, number) for one, number in _counts(deployment, current, old) if wanted(one) != number]
    intents += _forgotten(deployment, current, old)
    least = wanted(deployment) - _unavailable(deployment)
    status = status_of(deployment, current, replica_sets, least, now)
    if status != deployment.status:
        intents.append(SetStatus(target_of(Kind.DEPLOYMENT, deployment), status, "its ReplicaSets have changed"))
    return Plan(tuple(intents), seconds_to_deadline(deployment, status, now))


def is_made_from(replica_set: Workload, deployment: Workload) -> bool:
    """Whether its template is the Deployment's, but for the label that tells ReplicaSets apart."""
    return _without_hash(replica_set.spec["template"]) == _without_hash(deployment.spec["template"])


def _without_hash(template: Document) -> Document:
    metadata = template.get("metadata") or {}
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != HASH}
    return template | {"metadata": metadata | {"labels": labels}}


def template_hash(template: Document, collisions: int = 0) -> str:
    """Ten characters that name a template; others if the name was somebody else's."""
    text = json.dumps(template, sort_keys=True) + (str(collisions) if collisions else "")
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _first(deployment: Workload, old: tuple[Workload, ...]) -> Create:
    """The ReplicaSet of a template that is new; it starts with as many pods as may come at once."""
    template, spec = deployment.spec["template"], deployment.spec
    word = template_hash(template, counted(deployment, "collisionCount"))
    labels = ((template.get("metadata") or {}).get("labels") or {}) | {HASH: word}
    selector = spec["selector"] | {"matchLabels": (spec["selector"].get("matchLabels") or {}) | {HASH: word}}
    room = wanted(deployment) + _surge(deployment) - sum(wanted(one) for one in old)
    number = wanted(deployment) if not old else max(0, min(wanted(deployment), room))
    if _is_recreate(deployment) and any(wanted(one) or has_pods(one) for one in old):
        number = 0
    name = f"{deployment.name}-{word}"
    metadata = {
        "name": name,
        "labels": labels,
        "ownerReferences": [Belonging(Kind.DEPLOYMENT, Kind.REPLICASET, deployment).reference()],
    }
    metadata["annotations"] = {REVISION: str(_revision(old) + 1)}
    made = template | {"metadata": (template.get("metadata") or {}) | {"labels": labels}}
    document = {
        "apiVersion": RESOURCES[Kind.REPLICASET].api_version,
        "kind": "ReplicaSet",
        "metadata": metadata,
        "spec": {
            "replicas": number,
            "selector": selector,
            "template": made,
            "minReadySeconds": seconds(spec.get("minReadySeconds")),
        },
    }
    return Create(Target(Kind.REPLICASET, deployment.metadata.namespace, name), document, "its template is new")


def _revision(replica_sets: tuple[Workload, ...]) -> int:
    return max((revision(one) for one in replica_sets), default=0)


def _renumbered(deployment: Workload, current: Workload, old: tuple[Workload, ...]) -> list[Intent]:
    """An old template that is wanted again becomes the newest revision."""
    number = max(revision(current), _revision(old) + 1 if old else 1)
    intents: list[Intent] = []
    for kind, one in ((Kind.REPLICASET, current), (Kind.DEPLOYMENT, deployment)):
        if one.metadata.annotations.get(REVISION) != str(number):
            patch = {"metadata": {"annotations": {REVISION: str(number)}}}
            intents.append(Patch(target_of(kind, one), patch, f"revision {number} is current"))
    return intents


def _scaled(replica_set: Workload, number: int) -> Patch:
    target = target_of(Kind.REPLICASET, replica_set)
    return Patch(target, {"spec": {"replicas": number}}, f"from {wanted(replica_set)} to {number} replicas")


def _counts(deployment: Workload, current: Workload, old: tuple[Workload, ...]) -> list[tuple[Workload, int]]:
    """Replicas of each: first the new one up as far as surge allows, then old ones down as far as enough are available."""
    desired = wanted(deployment)
    if deployment.spec.get("paused"):
        return [(current, desired)] if not any(wanted(one) for one in old) else []
    if _is_recreate(deployment):
        is_clear = not any(map(has_pods, old))
        return [*((one, 0) for one in old), (current, desired if is_clear else wanted(current))]
    total = sum(wanted(one) for one in (*old, current))
    room = desired + _surge(deployment) - total
    new = desired if wanted(current) >= desired else min(desired, wanted(current) + max(0, room))
    return [(current, new), *_old_counts(deployment, current, old)]


def _old_counts(deployment: Workload, current: Workload, old: tuple[Workload, ...]) -> list[tuple[Workload, int]]:
    """What is not available goes first: nobody misses it."""
    least = wanted(deployment) - _unavailable(deployment)
    total = sum(wanted(one) for one in (*old, current))
    missing_new = wanted(current) - counted(current, "availableReplicas")
    budget = max(0, total - least - max(0, missing_new))
    counts = {one.name: wanted(one) for one in old}
    order = sorted(old, key=revision)
    for one in order:
        idle = min(budget, max(0, counts[one.name] - counted(one, "availableReplicas")))
        counts[one.name] -= idle
        budget -= idle
    available = sum(counted(one, "availableReplicas") for one in (*old, current))
    budget = min(budget, max(0, available - least))
    for one in order:
        given = min(budget, counts[one.name])
        counts[one.name] -= given
        budget -= given
    return [(one, counts[one.name]) for one in old]


def _is_recreate(deployment: Workload) -> bool:
    return bool(inside(deployment.spec, "strategy").get("type") == "Recreate")


def _surge(deployment: Workload) -> int:
    return _share(deployment, "maxSurge", round_up=True)


def _unavailable(deployment: Workload) -> int:
    """At least one where nothing may come in addition: else nothing would move."""
    found = _share(deployment, "maxUnavailable", round_up=False)
    return max(found, 0 if _surge(deployment) else 1)


def _share(deployment: Workload, name: str, *, round_up: bool) -> int:
    return share(inside(deployment.spec, "strategy", "rollingUpdate").get(name), wanted(deployment), round_up=round_up)


def _forgotten(deployment: Workload, current: Workload | None, old: tuple[Workload, ...]) -> list[Intent]:
    """More empty old ones than revisionHistoryLimit go, the oldest first."""
    empty = [one for one in old if not wanted(one) and not counted(one, "replicas") and not one.is_terminating]
    empty.sort(key=revision)
    surplus = len(empty) - count(deployment.spec.get("revisionHistoryLimit"), 10)
    because = "more revisions than revisionHistoryLimit"
    return [Delete(target_of(Kind.REPLICASET, one), because) for one in empty[: max(0, surplus)]] if current else []
