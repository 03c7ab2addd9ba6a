"""The table of odd hand work: whatever operators, scripts, GitOps tools and misfortune do beside a release.

Each act has a name, says when it can be done, and does one thing. `is_costly`: what serves may be less for it; all others lose no
request. Not done here: in which order, and what has to come of them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from arkwright.model.names import (
    ABORT,
    BASE_DEPLOYMENT,
    DELETE_MODULE,
    DELETE_POD,
)
from arkwright.model.resources import Kind
from simulation import hands
from simulation.hands import change, name_of
from simulation.wishes import ELSEWHERE, FIRST_OUT, IN_PLACE, NAMES, STORE, VERSIONS
from simulation.world import BASE, NAMESPACE

BARE = {"name": "extra", "version": "1.0", "url": "http://archives/extra-1.0.whl"}
REFUSALS = (
    ("create", "modules"),
    ("create", "modulereplicasets"),
    ("create", "services"),
    ("patch", "pods"),
    ("patch", "modules"),
    ("delete", "modules"),
    ("patch", "modulereplicasets"),
)


@dataclass(frozen=True)
class Act:
    """`can`: whether there is anything that it could be done to. `do`: does it, to things that the operator's chance picks."""

    do: Callable
    can: Callable = lambda operator: True
    is_costly: bool = False

    @property
    def name(self):
        return self.do.__name__


ACTS = []


def act(can=lambda operator: True, *, is_costly=False):
    """Into the table."""

    def noted(do):
        ACTS.append(Act(do, can, is_costly))
        return do

    return noted


def is_there(operator):
    return operator.is_there()


def is_away(operator):
    return operator.is_away()


def has_modules(operator):
    return bool(operator.modules())


def has_pods(operator):
    return len(operator.own_pods(BASE)) > 2 and len(operator.own_pods(STORE)) > 1


def has_replica_sets(operator):
    return operator.is_there() and bool(operator.replica_sets())


def is_waiting(operator):
    return operator.waits()


def some_module(operator):
    return operator.pick.choice(operator.modules())


def some_replica_set(operator):
    return operator.pick.choice(sorted(operator.replica_sets()))


# ── the wish changes ──


@act(is_there)
def another_version(operator):
    operator.say(version=operator.pick.choice(VERSIONS))


@act(is_there)
def another_url(operator):
    operator.say(mark=operator.pick.choice(("first", "second", "third")))


@act(is_there)
def another_url_as_pods_come(operator):
    operator.say(mark=operator.pick.choice(("first", "second", "third")))
    operator.world.add_pod(app=operator.wish.base)


@act(is_there)
def another_base(operator):
    operator.say(base=STORE if operator.wish.base == BASE else BASE)


@act(is_there)
def another_name(operator):
    operator.say(module=operator.pick.choice(NAMES))


@act(is_there)
def more_or_fewer_replicas(operator):
    operator.say(replicas=operator.pick.choice((-1, 0, 1, 2, 3)))


@act(is_there)
def other_batches(operator):
    operator.say(batches=operator.pick.choice((0, 1, 2, 3)), needs_confirm=operator.pick.random() < 0.5)


@act(is_there, is_costly=True)
def another_policy(operator):
    operator.say(policy=operator.pick.choice((IN_PLACE, FIRST_OUT, ELSEWHERE)))


@act(is_there)
def another_placement(operator):
    operator.say(scheduling=operator.pick.choice(("scatter", "stacking")))


@act(is_there)
def service_on_or_off(operator):
    operator.say(has_service=not operator.wish.has_service)


@act(is_there, is_costly=True)
def a_restart(operator):
    operator.say(restart=f"2026-01-01T00:00:{operator.pick.randint(10, 59)}Z")


@act(is_there)
def other_labels(operator):
    labels = {"team": operator.pick.choice(("red", "blue")), BASE_DEPLOYMENT: operator.pick.choice((BASE, "elsewhere"))}
    change(operator.world, Kind.MODULE_DEPLOYMENT, "demo", {"metadata": {"labels": labels}})


# ── it is said again, held, let go on, given up ──


@act(is_there)
def applied_again_in_the_client(operator):
    operator.say_again("kubectl-client-side-apply", "Update")


@act(is_there)
def applied_again_by_the_server(operator):
    operator.say_again("flux", "Apply")


@act(is_there)
def replaced_by_the_same_manifest(operator):
    operator.say_again("kubectl-replace", "Update", keeps_notes=False)


@act(is_waiting)
def confirmed_by_a_person(operator):
    operator.confirm(by_number=operator.pick.random() < 0.5)


@act(is_there)
def paused(operator):
    operator.world.patch(pause=True)


@act(is_waiting)
def resumed(operator):
    operator.confirm(by_number=False)


@act(is_there)
def aborted(operator):
    name = operator.world.status().get("releaseStatus", {}).get("updateRevision", "demo-replicas-1")
    operator.world.annotate(**{ABORT: name})


@act(is_there)
def abort_taken_back(operator):
    operator.world.annotate(**{ABORT: None})


# ── objects are deleted, and come again ──


@act(is_there, is_costly=True)
def the_wish_deleted(operator):
    operator.world.delete()


@act(is_there, is_costly=True)
def the_wish_deleted_in_the_foreground(operator):
    operator.world.delete_foreground()


@act(is_there)
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
    operator.world.orphan(Kind.MODULE_REPLICASET, some_replica_set(operator))


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
    return operator.is_there() and bool(operator.replica_sets())


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


@act()
def a_write_is_refused_for_a_while(operator):
    refusal = operator.pick.choice(REFUSALS)
    operator.world.tell(f"from now on {refusal} is refused")
    operator.world.forbidden.add(refusal)


@act(lambda operator: operator.world.forbidden)
def nothing_is_refused_any_more(operator):
    operator.world.forbidden.clear()


# ── hands in our own objects ──


def _by_hand(do, *, is_costly=False):
    """An act on some pod and some Module, as the tests of hand edits do it alone."""

    def done(operator):
        module = some_module(operator)
        pods = [one for one in operator.world.kube.all(Kind.POD) if one["status"]["podIP"] in operator.pods()]
        if do is hands.take_finalizer and "deletionTimestamp" in module["metadata"]:
            return
        do(operator.world, operator.pick.choice(pods), module)

    done.__name__ = do.__name__
    ACTS.append(Act(done, _has_service if "service" in do.__name__ else _has_all_of_them, is_costly))


def _has_all_of_them(operator):
    return operator.modules() and operator.is_there() and operator.replica_sets() and operator.pods()


def _has_service(operator):
    return _has_all_of_them(operator) and operator.world.kube.one(Kind.SERVICE, NAMESPACE, "provider-service")


for _one in hands.ACTS:
    _by_hand(_one, is_costly=_one is hands.claim_detachment)


@act(has_replica_sets, is_costly=True)
def a_replica_set_scaled_by_hand(operator):
    spec = {"replicas": operator.pick.choice((0, 1, 5))}
    change(operator.world, Kind.MODULE_REPLICASET, some_replica_set(operator), {"spec": spec})


@act(has_replica_sets, is_costly=True)
def a_replica_set_of_another_version(operator):
    module = {"version": operator.pick.choice((*VERSIONS, "9.9"))}
    spec = {"template": {"spec": {"module": module}}}
    change(operator.world, Kind.MODULE_REPLICASET, some_replica_set(operator), {"spec": spec})


@act(has_modules)
def a_module_with_another_url(operator):
    module = {"module": {"url": "http://archives/by/hand.whl"}}
    change(operator.world, Kind.MODULE, name_of(some_module(operator)), {"spec": module})


_by_hand(hands.give_to_another_pod, is_costly=True)


assert len({one.name for one in ACTS}) == len(ACTS), "each act has a name of its own"
