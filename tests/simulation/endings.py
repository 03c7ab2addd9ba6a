"""What has to come of odd hand work: the state that the last wish names, and a word wherever something is not as it is wished.

In: an operator's world. Out: what is wrong, in words; nothing where all is well.
"""

from arkwright.model.names import DETACHED, MODULE_DEPLOYMENT, MODULE_REPLICASET, SERVES_PREFIX
from arkwright.model.resources import Kind
from simulation.wishes import NAMES


def differences(operator):
    """From the state that the last wish names."""
    world, wish = operator.world, operator.wish
    pods, count, holders = operator.own_pods(), operator.count(), _holders(operator)
    checks = {
        "its release is complete": world.progress() == "Completed",
        "it says that it is ready": world.condition("Ready").get("status") == "True",
        "it reports no failure": world.condition("ReplicaFailure").get("status") == "False",
        "as many Modules as wished are on pods of the base": len(holders) == count and holders <= pods,
        "each Module is the wished one, and available": all(_is_wished(one, wish) for one in _own(operator)),
        "each base holds what its Module says": _held(operator) == dict.fromkeys(holders, {_identity(wish)}),
        "they serve": holders <= set(world.serving(wish.version, wish.module)),
        "exactly they get requests": _labelled(operator) == {(wish.module, one) for one in holders},
        "its status counts what is there": _counts(operator) == _true_counts(operator),
        "the Service is there if it is wished": _services(operator) == ({f"{wish.module}-service"} if wish.has_service else set()),
        "old revisions want nothing": all(name == _current(world) or not one["spec"].get("replicas") for name, one in operator.replica_sets().items() if one["metadata"].get("ownerReferences")),
        "everything has its owner and its finalizer": all(map(_is_held, _own(operator))),
    }  # fmt: skip
    failed = [said for said, holds in checks.items() if not holds]
    return [*failed, f"bases hold {_held(operator)}, Modules are on {holders}"] if failed else []


def silences(operator):
    """What is not as it is wished, and says nothing of it. Where no status can be written, an Event says it."""
    world = operator.world
    told = {one["involvedObject"]["name"] for one in world.kube.all(Kind.EVENT) if one["reason"] == "WriteRefused"}
    mute = [one for one in world.kube.all(Kind.MODULE_DEPLOYMENT) if _is_mute_deployment(one)]
    mute += [one for one in world.kube.all(Kind.MODULE_REPLICASET) if _is_mute_replica_set(one, world)]
    mute += [one for one in world.kube.all(Kind.MODULE) if _is_mute_module(one)]
    return [name for one in mute if (name := one["metadata"]["name"]) not in told]


def leftovers(operator):
    """Of a wish that was deleted."""
    world = operator.world
    sets = [one for one in world.kube.all(Kind.MODULE_REPLICASET) if one["metadata"].get("ownerReferences")]
    services, wishes = world.kube.all(Kind.SERVICE), world.kube.all(Kind.MODULE_DEPLOYMENT)
    objects = [*sets, *services, *wishes, *_own(operator)]
    return [*(one["metadata"]["name"] for one in objects), *_held(operator), *_labelled(operator)]


def _identity(wish):
    return f"{wish.module}:{wish.version}"


def _is_attached(module):
    labels = module["metadata"]["labels"]
    return DETACHED not in labels and MODULE_REPLICASET in labels


def _own(operator):
    found = operator.world.modules(live=False)
    return [
        one for one in found if one["metadata"].get("labels", {}).get(MODULE_DEPLOYMENT) == "demo" and _is_attached(one)
    ]


def _holders(operator):
    """Addresses of the pods that the wish's Modules are bound to."""
    pods = {one["metadata"]["uid"]: one["status"]["podIP"] for one in operator.world.kube.all(Kind.POD)}
    return {
        pods.get(owner["uid"], "nowhere")
        for one in _own(operator)
        for owner in one["metadata"].get("ownerReferences", [])
    }


def _is_wished(module, wish):
    archive = module["spec"]["module"]
    is_same = (archive["name"], archive["version"]) == (wish.module, wish.version)
    return (
        is_same
        and module.get("status", {}).get("status") == "Available"
        and "deletionTimestamp" not in module["metadata"]
    )


def _is_held(module):
    return module["metadata"].get("finalizers") and module["metadata"].get("ownerReferences")


def _is_used(pod):
    return pod["metadata"]["labels"]["app"] != "debug" and pod["status"]["phase"] == "Running"


def _held(operator):
    """What the bases of pods that anybody still uses hold of the names that were ever wished; those without such modules left out."""
    pods = {one["status"]["podIP"]: one for one in operator.world.kube.all(Kind.POD)}
    used = {address for address, one in pods.items() if _is_used(one)}
    stray = operator.left_behind - {(address, _identity(operator.wish)) for address in _holders(operator)}
    found = {
        address: {one for one in base.modules if one.partition(":")[0] in NAMES and (address, one) not in stray}
        for address, base in operator.world.arklet.bases.items()
        if address in used
    }
    return {address: what for address, what in found.items() if what}


def _labelled(operator):
    pods = operator.world.kube.all(Kind.POD)
    return {
        (name, one["status"]["podIP"])
        for one in pods
        for name in NAMES
        if one["metadata"]["labels"].get(SERVES_PREFIX + name) == "true"
    }


def _current(world):
    return world.status().get("releaseStatus", {}).get("updateRevision")


COUNTED = ("availableReplicas", "readyReplicas", "updatedReplicas", "updatedAvailableReplicas", "updatedReadyReplicas")


def _counts(operator):
    status = operator.world.status()
    return [status.get(one, 0) for one in COUNTED], status.get("replicas", 0), status.get("unavailableReplicas", 0)


def _true_counts(operator):
    count, wanted = operator.count(), operator.wish.replicas
    desired = len(operator.own_pods()) if wanted < 0 else wanted
    return [count] * len(COUNTED), desired, desired - count


def _services(operator):
    return {one["metadata"]["name"] for one in operator.world.kube.all(Kind.SERVICE)}


# ── silence ──


def _conditions(one):
    return {each["type"]: each for each in one.get("status", {}).get("conditions", [])}


def _is_mute_deployment(one):
    said = _conditions(one)
    if said.get("Ready", {}).get("status") == "True":
        return False
    failure, progress = said.get("ReplicaFailure", {}), said.get("Progressing", {})
    is_explained = failure.get("status") == "True" and failure.get("message")
    is_held = progress.get("status", "True") != "True" and progress.get("message")
    is_kept_by_others = one.get("status", {}).get("releaseStatus", {}).get("progress") == "Terminated"
    return not (is_explained or is_held or is_kept_by_others)


def _is_mute_module(one):
    status = one.get("status", {})
    return status.get("status") != "Available" and not (status.get("message") or status.get("reason"))


def _is_mute_replica_set(one, world):
    labels = {MODULE_REPLICASET: one["metadata"]["name"]}.items()
    live = [each for each in world.modules() if labels <= each["metadata"].get("labels", {}).items()]
    has_word = any(each.get("message") for each in one.get("status", {}).get("conditions", []))
    return len(live) < one["spec"].get("replicas", 0) and not has_word and "deletionTimestamp" not in one["metadata"]
