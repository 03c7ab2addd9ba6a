"""Which keys a change concerns: what is missing here waits for ever."""

import pytest
from msgspec.structs import replace

from arkwright.controller.cache import Cache
from arkwright.controller.objects import Change
from arkwright.controller.triggers import keys
from arkwright.model.cluster import Deployment, DeploymentSpec, Service
from arkwright.model.kinds import OperationStrategy, UpgradePolicy
from arkwright.model.meta import ObjectMeta, OwnerReference
from arkwright.model.names import MAX_MODULE_COUNT, MODULE_REPLICASET, label_value
from arkwright.model.resources import Kind
from arkwright.model.selectors import LabelSelector
from plan.builders import NOW, available, deployment, module, pod, replica_set, template

APP = {"app": "stock"}


def owned(one, by="demo"):
    owner = OwnerReference(api_version="", kind="ModuleDeployment", name=by, uid="md-uid")
    return replace(one, metadata=replace(one.metadata, owner_references=(owner,)))


def base():
    selector = LabelSelector(match_labels=APP)
    return Deployment(
        metadata=ObjectMeta(name="stock", namespace="default", uid="base"), spec=DeploymentSpec(selector=selector)
    )


def known(*more):
    """A cache with a base, a ModuleDeployment, its ReplicaSet, and a pod; and the keys of a change in it."""
    cache = Cache(lambda: NOW)
    for kind, one in (
        (Kind.DEPLOYMENT, base()),
        (Kind.MODULE_DEPLOYMENT, deployment()),
        (Kind.MODULE_REPLICASET, owned(replica_set())),
        (Kind.POD, pod(1, **APP)),
        *more,
    ):
        cache.apply(kind, one)
    return lambda kind, before, after: {str(key) for key in keys(Change(kind, before, after), cache)}


def told(*parts):
    return {part.replace("/", "/default/") for part in parts}


def test_a_module_concerns_itself_its_pod_its_replica_set_and_their_module_deployment():
    found = known()(Kind.MODULE, None, module())
    assert found == told(
        "Module/demo-replicas-1-provider-1", "Pod/stock-1", "ModuleReplicaSet/demo-replicas-1", "ModuleDeployment/demo"
    )


@pytest.mark.parametrize("name", ["demo-replicas-1", "d" * 250 + "-1"])
def test_a_module_that_is_gone_concerns_them_too_however_long_their_names_are(name):
    long = owned(replace(replica_set(), metadata=replace(replica_set().metadata, name=name, uid="long")))
    gone = module(labels={MODULE_REPLICASET: label_value(name)})
    found = known((Kind.MODULE_REPLICASET, long))(Kind.MODULE, gone, None)
    assert told(f"ModuleReplicaSet/{name}", "ModuleDeployment/demo") <= found


def test_a_module_concerns_others_of_its_name_on_its_pod():
    found = known((Kind.MODULE, module("2.0", revision=2)))(Kind.MODULE, None, module())
    assert told("Module/demo-replicas-2-provider-1") <= found


def test_a_replacement_concerns_the_deleted_one_that_waits_for_it_and_its_pod():
    wanted = owned(replica_set())
    strategy = OperationStrategy(upgrade_policy=UpgradePolicy.SCALEUP_THEN_SCALEDOWN)
    wanted = replace(wanted, spec=replace(wanted.spec, operation_strategy=strategy))
    waiting = module(on=2, going=True)
    found = known((Kind.MODULE_REPLICASET, wanted), (Kind.MODULE, waiting))(Kind.MODULE, None, module())
    assert told("Module/demo-replicas-1-provider-2", "Pod/stock-2") <= found


def test_a_pod_concerns_its_modules_and_every_module_deployment_of_its_base():
    found = known((Kind.MODULE, module()))(Kind.POD, None, pod(1, **APP))
    assert found == told(
        "Pod/stock-1", "Module/demo-replicas-1-provider-1", "ModuleDeployment/demo", "ModuleReplicaSet/demo-replicas-1"
    )


def test_a_pod_of_another_deployment_concerns_only_itself():
    assert known()(Kind.POD, None, pod(3, app="other")) == told("Pod/stock-3")


def test_a_service_concerns_those_who_own_it_and_those_who_would_want_its_name():
    theirs = Service(metadata=ObjectMeta(name="provider-service", namespace="default"))
    assert known()(Kind.SERVICE, None, theirs) == told("ModuleDeployment/demo")
    assert known()(Kind.SERVICE, owned(theirs, by="former"), None) == told(
        "ModuleDeployment/demo", "ModuleDeployment/former"
    )


def test_a_changed_template_concerns_the_modules_that_are_to_be_installed_from_it():
    before = owned(replica_set("1.0"))
    after = replace(before, spec=replace(before.spec, template=template("1.1")))
    found = known((Kind.MODULE, module()))(Kind.MODULE_REPLICASET, before, after)
    assert told("Module/demo-replicas-1-provider-1") <= found


def test_how_many_there_are_to_be_concerns_none_of_those_that_are_there():
    before = owned(replica_set())
    after = replace(before, spec=replace(before.spec, replicas=5))
    found = known((Kind.MODULE, module()))(Kind.MODULE_REPLICASET, before, after)
    assert not any(key.startswith("Module/") for key in found)


def test_it_concerns_those_that_serve_on_until_they_are_replaced():
    strategy = OperationStrategy(upgrade_policy=UpgradePolicy.SCALEUP_THEN_SCALEDOWN)
    one = owned(replica_set())
    before = replace(one, spec=replace(one.spec, operation_strategy=strategy))
    after = replace(before, spec=replace(before.spec, replicas=5))
    found = known((Kind.MODULE, available(going=True)))(Kind.MODULE_REPLICASET, before, after)
    assert told("Module/demo-replicas-1-provider-1", "Pod/stock-1") <= found


def test_labels_for_traffic_concern_the_pod_and_the_modules_that_they_name():
    other = module(on=1, revision=2)
    other = replace(other, spec=replace(other.spec, module=replace(other.spec.module, name="other")))
    found = known((Kind.MODULE, module(on=1)), (Kind.MODULE, other))(
        Kind.POD, pod(1, **APP), pod(1, serves=["provider"], **APP)
    )
    assert {one for one in found if not one.startswith("Pod/")} == told("Module/demo-replicas-1-provider-1")


OTHER_THAN_TRAFFIC = [
    pytest.param(lambda one: replace(one, status=replace(one.status, phase="Failed")), id="its phase"),
    pytest.param(lambda one: replace(one, metadata=replace(one.metadata, deletion_timestamp=NOW)), id="it is going"),
    pytest.param(lambda one: pod(1, **APP, **{MAX_MODULE_COUNT: "3"}), id="how many it may hold"),
    pytest.param(lambda one: replace(one, metadata=replace(one.metadata, owner_references=())), id="whose it is"),
]


@pytest.mark.parametrize("changed", OTHER_THAN_TRAFFIC)
def test_anything_else_of_a_pod_concerns_its_base(changed):
    owner = OwnerReference(api_version="", kind="ReplicaSet", name="x", uid="x", controller=True)
    before = pod(1, **APP)
    before = replace(before, metadata=replace(before.metadata, owner_references=(owner,)))
    assert told("ModuleDeployment/demo") <= known()(Kind.POD, before, changed(before))
