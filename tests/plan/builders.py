"""Short ways to say what is observed. Everything has a default; a test names only what it is about."""

from datetime import UTC, datetime, timedelta

from arkwright.model.arklet import BizInfo
from arkwright.model.cluster import Container, ContainerPort, ContainerStatus, Pod, PodSpec, PodStatus
from arkwright.model.kinds import (
    Module,
    ModuleArchive,
    ModuleDeployment,
    ModuleDeploymentSpec,
    ModulePhase,
    ModuleReplicaSet,
    ModuleReplicaSetSpec,
    ModuleSpec,
    ModuleStatus,
    ModuleTemplateSpec,
    OperationStrategy,
    TemplateSpec,
    UpgradePolicy,
)
from arkwright.model.meta import Condition, ObjectMeta, OwnedMeta, OwnerReference
from arkwright.model.names import (
    ALLOCATE_POD,
    MODULE_DEPLOYMENT,
    MODULE_EXISTS,
    MODULE_REPLICASET,
    MODULE_REPLICASET_REVISION,
    serves_label,
)
from arkwright.model.outcomes import BaseReport
from arkwright.plan.replicas import Replicas
from arkwright.plan.revisions import Revision

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
POD = PodSpec(containers=(Container(name="base", ports=(ContainerPort(container_port=1238),)),))


def later(seconds):
    return NOW + timedelta(seconds=seconds)


def archive(version="1.0", name="provider"):
    return ModuleArchive(name=name, version=version, url=f"http://archives/{name}-{version}.whl")


def template(version="1.0"):
    return ModuleTemplateSpec(spec=TemplateSpec(module=archive(version)))


def spec(replicas=2, version="1.0", *, pause=False, confirm=0, **strategy):
    if "upgrade_policy" in strategy:
        strategy["upgrade_policy"] = UpgradePolicy(strategy["upgrade_policy"])
    return ModuleDeploymentSpec(
        base_deployment_name="stock",
        template=template(version),
        replicas=replicas,
        pause=pause,
        confirm_batch_num=confirm,
        operation_strategy=OperationStrategy(**strategy),
    )


def deployment(the_spec=None, **metadata):
    meta = OwnedMeta(name="demo", namespace="default", uid="md-uid", generation=1, **metadata)
    return ModuleDeployment(metadata=meta, spec=the_spec or spec())


def pod(number=1, *, serves=(), phase="Running", **labels):
    name = f"stock-{number}"
    said = {serves_label(one): "true" for one in serves} | labels
    container = ContainerStatus(name="base", container_id=f"fake://{name}/0")
    status = PodStatus(phase=phase, pod_ip=f"127.1.0.{number}", container_statuses=(container,))
    return Pod(
        metadata=ObjectMeta(name=name, namespace="default", uid=f"{name}-uid", labels=said), spec=POD, status=status
    )


def replica_set(version="1.0", number=1, replicas=2):
    name = f"demo-replicas-{number}"
    labels = {MODULE_DEPLOYMENT: "demo", MODULE_REPLICASET_REVISION: str(number)}
    meta = ObjectMeta(name=name, namespace="default", uid=f"{name}-uid", labels=labels, finalizers=(MODULE_EXISTS,))
    return ModuleReplicaSet(metadata=meta, spec=ModuleReplicaSetSpec(replicas=replicas, template=template(version)))


def module(version="1.0", on=1, *, status=None, going=False, revision=1, policy=None, labels=None, **more):
    name = f"demo-replicas-{revision}-provider-{on}"
    owner = OwnerReference(api_version="v1", kind="Pod", name=f"stock-{on}", uid=f"stock-{on}-uid")
    said = {MODULE_DEPLOYMENT: "demo", MODULE_REPLICASET: f"demo-replicas-{revision}"} | (labels or {})
    meta = ObjectMeta(
        name=name,
        namespace="default",
        uid=f"{name}-uid",
        generation=1,
        labels=said,
        finalizers=(ALLOCATE_POD,),
        owner_references=(owner,),
        deletion_timestamp=NOW if going else None,
    )
    chosen = {"upgrade_policy": policy} if policy else {}
    stood = ModuleStatus(status=status, observed_generation=1, **more)
    return Module(metadata=meta, spec=ModuleSpec(module=archive(version), **chosen), status=stood)


def available(version="1.0", on=1, **more):
    ready = Condition(type="Ready", status="True", reason="Available")
    return module(version, on, status=ModulePhase.AVAILABLE, last_transition_time=NOW, conditions=(ready,), **more)


def report(is_certain=True, at=NOW, **states):
    """`report(v1_0="activated")`: what is in a base."""
    infos = (
        BizInfo(biz_name="provider", biz_version=version.removeprefix("v").replace("_", "."), biz_state=state)
        for version, state in states.items()
    )
    return BaseReport(modules=tuple(infos), at=at, is_certain=is_certain)


def revision(of, modules=()):
    """A ReplicaSet with its Modules."""
    return Revision(of, Replicas.of(modules))
