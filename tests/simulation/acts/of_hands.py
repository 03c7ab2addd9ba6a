"""People edit objects that are ours: the acts of `hands` on whatever is there, and more."""

from arkwright.model.resources import Kind
from simulation import hands
from simulation.acts.table import ACTS, Act, act, has_modules, has_replica_sets, some_module, some_replica_set
from simulation.hands import change, name_of
from simulation.wishes import VERSIONS
from simulation.world import NAMESPACE

# ── hands in our own objects ──


def _by_hand(do, *, is_costly=False):
    """An act on some pod and some Module, as the tests of hand edits do it alone."""

    def done(operator):
        module = some_module(operator)
        pods = [one for one in operator.world.kube.all(Kind.POD) if one["status"]["podIP"] in operator.pods()]
        if do in BEYOND_HELP and BEYOND_HELP[do](operator):
            return
        do(operator.world, operator.pick.choice(pods), module)

    done.__name__ = do.__name__
    ACTS.append(Act(done, _has_service if "service" in do.__name__ else _has_all_of_them, is_costly))


def _is_any_mute(operator):
    return bool(operator.mute)


def _is_anything_going(operator):
    kinds = (Kind.MODULE_DEPLOYMENT, Kind.MODULE_REPLICASET, Kind.MODULE)
    return any("deletionTimestamp" in one["metadata"] for kind in kinds for one in operator.world.kube.all(kind))


def _has_all_of_them(operator):
    return operator.modules() and operator.is_there() and operator.replica_sets() and operator.pods()


def _has_service(operator):
    return _has_all_of_them(operator) and operator.world.kube.one(Kind.SERVICE, NAMESPACE, "provider-service")


# What cannot be put right in that moment: code of a Module that is just being deleted, whether a silent agent has ever answered.
BEYOND_HELP = {hands.take_finalizer: _is_anything_going, hands.wipe_status: _is_any_mute}
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
