"""What is wanted changes, is said again, is held, let go on or given up."""

from arkwright.model.names import ABORT, BASE_DEPLOYMENT
from arkwright.model.resources import Kind
from simulation.acts.table import (
    act,
    is_there,
    is_waiting,
)
from simulation.hands import change
from simulation.wishes import ELSEWHERE, FIRST_OUT, IN_PLACE, NAMES, STORE, VERSIONS
from simulation.world import BASE

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
