"""A base pod's labels, the module's Service, names at their limits (contract 4, 7)."""

import doctest
import json

import msgspec
import pytest

from arkwright.model import arklet, codec, names, resources
from arkwright.model.cluster import Service, ServicePort, ServiceSpec
from arkwright.model.kinds import ModulePhase, ServiceStrategy
from arkwright.model.meta import ObjectMeta, OwnerReference, Value
from arkwright.model.names import (
    MODULE_INSTANCE_COUNT,
    MODULE_NAME,
    label_value,
    module_object_name,
    replicaset_name,
    serves_label,
)
from arkwright.plan.basepod import ObservedBasePod, plan_base_pod
from arkwright.plan.intents import Call, Create, Delete, Patch, Tell
from arkwright.plan.service import ObservedService, plan_service
from plan.builders import NOW, available, deployment, later, module, pod, report, spec

SERVES = serves_label("provider")


def labels(plan):
    return plan.intents[0].patch["metadata"]["labels"] if plan.intents else {}


LABELS = [
    pytest.param((available(),), {"v1_0": "activated"}, {SERVES: "true", MODULE_INSTANCE_COUNT: "1"}, id="it serves"),
    pytest.param((module(),), {}, {MODULE_INSTANCE_COUNT: "1"}, id="placed: it counts, and does not serve yet"),
    pytest.param((module(),), {"v1_0": "deactivated"}, {MODULE_INSTANCE_COUNT: "1"}, id="loaded is not serving"),
    pytest.param((available(going=True),), {"v1_0": "activated"}, {}, id="one that goes serves no more"),
    pytest.param(
        (available(going=True), module(revision=2)),
        {"v1_0": "activated"},
        {MODULE_INSTANCE_COUNT: "1"},
        id="a restart: the instance that goes does not serve for the one that comes",
    ),
    pytest.param(
        (available(), module(revision=2, going=True)),
        {"v1_0": "activated"},
        {SERVES: "true", MODULE_INSTANCE_COUNT: "1"},
        id="a restart that is given up before its turn: what serves goes on",
    ),
    pytest.param((), {"v9": "activated"}, {}, id="a foreign one is not ours to tell"),
    pytest.param(
        (available(), module("2.0", revision=2)),
        {"v1_0": "activated"},
        {SERVES: "true", MODULE_INSTANCE_COUNT: "1"},
        id="two versions of one ModuleDeployment take one place",
    ),
]


@pytest.mark.parametrize("modules, states, expected", LABELS)
def test_labels_say_what_is_true(modules, states, expected):
    assert labels(plan_base_pod(ObservedBasePod(pod(), modules, report(**states)), later(9))) == expected


SETTLED = pod(serves=["provider"], **{MODULE_INSTANCE_COUNT: "1"})
DRIFT = [
    pytest.param({}, 73, True, id="its time has come"),
    pytest.param({}, 40, False, id="not yet"),
    pytest.param({"drift_seconds": 0.0}, 999, False, id="never"),
    pytest.param({"is_being_asked": True}, 73, False, id="it is being asked"),
    pytest.param({"modules": (module(),)}, 73, False, id="nothing serves: what is coming asks itself"),
    pytest.param({"report": report(is_certain=False)}, 73, False, id="in doubt: its Modules ask themselves"),
    pytest.param({"report": None}, 73, False, id="nothing is known: its Modules ask themselves"),
    pytest.param({"strays": frozenset({available().name})}, 73, False, id="given up"),
]


@pytest.mark.parametrize("more, seconds, is_asked", DRIFT)
def test_what_a_base_holds_is_asked_now_and_then(more, seconds, is_asked):
    seen = {"modules": (available(),), "report": report(v1_0="activated"), "drift_seconds": 60.0} | more
    plan = plan_base_pod(ObservedBasePod(SETTLED, **seen), later(seconds))
    assert any(isinstance(one, Call) and one.is_routine for one in plan.intents) == is_asked


def test_the_questions_of_a_fleet_are_spread_by_a_fifth():
    seen = ObservedBasePod(SETTLED, (available(),), report(v1_0="activated"), drift_seconds=60)
    assert 48 <= plan_base_pod(seen, NOW).look_again_in <= 72


def test_labels_that_are_no_longer_true_are_taken_off():
    before = pod(serves=["provider"], **{MODULE_INSTANCE_COUNT: "3"})
    assert labels(plan_base_pod(ObservedBasePod(before, (), report()), NOW)) == {
        SERVES: None,
        MODULE_INSTANCE_COUNT: None,
    }


def test_a_deleted_module_that_is_kept_serves_on_whatever_a_new_controller_knows():
    one = module(status=ModulePhase.TERMINATING, going=True)
    assert SERVES in labels(plan_base_pod(ObservedBasePod(pod(), (one,), None, frozenset({one.name})), later(9)))


def test_a_controller_that_has_just_started_takes_a_modules_word_for_it():
    waiting = module(status=ModulePhase.FAILED)
    assert SERVES in labels(plan_base_pod(ObservedBasePod(pod(), (available(),)), later(9)))
    assert SERVES not in labels(plan_base_pod(ObservedBasePod(pod(), (waiting,)), later(9)))


STRATEGY = ServiceStrategy(enable_module_service=True, port=8080, target_port=8080)


def service(owner="md-uid", port=8080, *, of="demo", label="provider", selector=SERVES, name="provider-service"):
    owners = (OwnerReference(api_version="v1", kind="ModuleDeployment", name=of, uid=owner),) if of else ()
    wanted = (ServicePort(name="http", port=port, target_port=8080),)
    metadata = ObjectMeta(name=name, uid="s", owner_references=owners, labels={MODULE_NAME: label})
    return Service(metadata=metadata, spec=ServiceSpec(type="NodePort", selector={selector: "true"}, ports=wanted))


def as_read(one):
    """As it comes from the API, in JSON, with what that adds to a port."""
    document = codec.encode(one)
    ports = [{**port, "protocol": "TCP", "nodePort": 30080} for port in document["spec"]["ports"]]
    return codec.read(json.dumps(document | {"spec": document["spec"] | {"ports": ports}}, default=str), Service)


WITH, WITHOUT = deployment(spec(service_strategy=STRATEGY)), deployment()
SERVICES = [
    pytest.param(WITH, None, (), [Create], id="made"),
    pytest.param(WITH, service(), (), [], id="as it should be"),
    pytest.param(WITH, as_read(service()), (), [], id="as it should be, read from the API"),
    pytest.param(WITH, service(port=1), (), [Patch], id="its port follows"),
    pytest.param(WITH, service(selector="mine"), (), [Patch, Tell], id="turned away by hand: put right and told"),
    pytest.param(WITH, service("foreign", of="other"), (), [], id="somebody else's is left alone"),
    pytest.param(WITH, service(of=""), (), [Patch], id="an orphan of ours is adopted"),
    pytest.param(WITH, service("before"), (), [Patch], id="so is one whose owner of this name is no more"),
    pytest.param(WITH, service(of="", label="x"), (), [], id="one without our label is nobody's orphan"),
    pytest.param(WITH, service(of="", selector="mine"), (), [], id="nor is one that leads elsewhere"),
    pytest.param(WITHOUT, service(), (), [Delete], id="switched off"),
    pytest.param(WITHOUT, service("foreign", of="other"), (), [], id="switched off, somebody else's"),
    pytest.param(WITHOUT, service(), (WITH,), [], id="another ModuleDeployment wants it"),
    pytest.param(WITHOUT, None, (), [], id="nothing to do"),
]


@pytest.mark.parametrize("one, known, sharers, expected", SERVICES)
def test_the_service_follows_the_strategy(one, known, sharers, expected):
    assert [type(intent) for intent in plan_service(ObservedService(one, known, sharers)).intents] == expected


FORMER = service(name="supplier-service")


@pytest.mark.parametrize(
    "modules, expected",
    [
        pytest.param({"supplier", "provider"}, [], id="the old name still serves somewhere"),
        pytest.param({"provider"}, [Delete], id="nothing is left of it"),
    ],
)
def test_the_service_of_a_former_name_goes_once_nothing_of_that_name_is_left(modules, expected):
    seen = ObservedService(WITH, service(), (), (FORMER,), frozenset(modules))
    assert [type(intent) for intent in plan_service(seen).intents] == expected


def test_names_at_their_limits_stay_names():
    long = "m" * 253
    assert len(replicaset_name(long, 12)) == 253 and replicaset_name(long, 12).endswith("-replicas-12")
    assert len(module_object_name(replicaset_name(long, 12), "P_x", "uid")) == 253
    assert len(label_value("v" * 128)) == 63 and label_value("1.0+b") == "1.0-b"


@pytest.mark.parametrize("documented", [names, arklet, codec, resources])
def test_the_worked_examples_of_the_docstrings_hold(documented):
    assert doctest.testmod(documented).failed == 0


def kinds_of_values(kind=Value):
    return {kind}.union(*(kinds_of_values(one) for one in kind.__subclasses__()))


def fields_with_defaults():
    """Of kinds that need no field: (kind, field)."""
    fields = {kind: msgspec.structs.fields(kind) for kind in kinds_of_values()}
    free = {kind: those for kind, those in fields.items() if not any(one.required for one in those)}
    return [(kind, one) for kind, those in free.items() for one in those if isinstance(one.default, str | int | float)]


def test_a_default_that_was_said_is_left_out_as_one_that_was_not():
    """Else what is written looks different from what is there, and is written for ever."""
    for kind, field in fields_with_defaults():
        text = json.dumps({field.encode_name: field.default}).encode()
        assert codec.encode(msgspec.json.decode(text, type=kind)) == {}, (kind, field.name)
    assert (ServicePort, "protocol") in {(kind, field.name) for kind, field in fields_with_defaults()}
