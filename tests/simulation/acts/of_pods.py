"""Base pods come, go, change hands and fall silent; troubles that last for a while."""

from arkwright.model.names import DELETE_POD
from arkwright.model.resources import Kind
from simulation.acts.table import (
    act,
    has_pods,
)
from simulation.wishes import STORE, VERSIONS
from simulation.world import BASE, NAMESPACE

REFUSALS = (
    ("create", "modules"),
    ("create", "modulereplicasets"),
    ("create", "services"),
    ("patch", "pods"),
    ("patch", "modules"),
    ("delete", "modules"),
    ("patch", "modulereplicasets"),
)


# ── base pods ──


@act()
def a_pod_comes(operator):
    operator.world.add_pod(app=operator.pick.choice((BASE, STORE)))


@act(has_pods, is_costly=True)
def a_pod_goes(operator):
    operator.world.remove_pod(_victim(operator))


@act(has_pods, is_costly=True)
def a_pod_labelled_to_go(operator):
    operator.world.relabel(_victim(operator), **{DELETE_POD: "true"})


@act(has_pods, is_costly=True)
def a_pod_quarantined(operator):
    operator.world.relabel(_victim(operator), app="debug")


def _stray(operator):
    pods = operator.world.kube.all(Kind.POD)
    return sorted(one["status"]["podIP"] for one in pods if one["metadata"]["labels"]["app"] == "debug")


@act(_stray)
def a_quarantined_pod_comes_back(operator):
    operator.world.relabel(operator.pick.choice(_stray(operator)), app=operator.pick.choice((BASE, STORE)))


@act(has_pods, is_costly=True)
def a_pod_ends(operator):
    operator.world.end_pod(_victim(operator), operator.pick.choice(("Succeeded", "Failed")))


@act(has_pods, is_costly=True)
def a_pod_is_given_to_a_job(operator):
    operator.world.give_to(_victim(operator), "Job", "migration")


@act(has_pods, is_costly=True)
def a_pod_is_given_to_a_canary(operator):
    kube, owner = (
        operator.world.kube,
        {"apiVersion": "apps/v1", "kind": "Deployment", "name": "canary", "uid": "canary-uid"},
    )
    if kube.one(Kind.REPLICASET, NAMESPACE, "canary-1") is None:
        metadata = {"name": "canary-1", "namespace": NAMESPACE, "ownerReferences": [owner | {"controller": True}]}
        kube.put({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": {}})
    uid = kube.one(Kind.REPLICASET, NAMESPACE, "canary-1")["metadata"]["uid"]
    operator.world.give_to(_victim(operator), "ReplicaSet", "canary-1", uid)


def _victim(operator):
    """Some pod of a base that has others."""
    address = operator.pick.choice([one for one in operator.pods() if one not in operator.mute])
    operator.hurt.add(address)
    return address


@act(is_costly=True)
def a_base_restarts(operator):
    address = operator.some_pod()
    if address not in operator.mute:
        operator.hurt.add(address)
        operator.world.restart_base(address)


@act(lambda operator: len(operator.mute) < 2, is_costly=True)
def an_agent_falls_silent(operator):
    address = operator.some_pod()
    if address not in operator.mute:
        operator.silence_agent(address)


@act(lambda operator: operator.mute, is_costly=True)
def a_silent_agent_speaks_again(operator):
    address = operator.pick.choice(sorted(operator.mute))
    operator.world.arklet.bases[address] = operator.mute.pop(address)


@act()
def the_base_deployment_orphaned_and_made_again(operator):
    name = operator.pick.choice((BASE, STORE))
    operator.world.orphan(Kind.DEPLOYMENT, name)
    operator.world.add_base(name)


# ── troubles for a while ──


@act()
def installs_fail_for_a_while(operator):
    for base in operator.world.arklet.bases.values():
        base.failures["installBiz"] = operator.pick.randint(0, 3)


@act()
def uninstalls_fail_for_a_while(operator):
    for base in operator.world.arklet.bases.values():
        base.failures["uninstallBiz"] = operator.pick.randint(0, 2)


@act()
def a_version_is_broken_for_a_while(operator):
    for base in operator.world.arklet.bases.values():
        base.broken_versions = {operator.pick.choice(VERSIONS)}


@act(lambda operator: operator.is_known())
def a_write_is_refused_for_a_while(operator):
    refusal = operator.pick.choice(REFUSALS)
    operator.world.tell(f"from now on {refusal} is refused")
    operator.world.forbidden.add(refusal)


@act(lambda operator: operator.world.forbidden)
def nothing_is_refused_any_more(operator):
    operator.world.forbidden.clear()
