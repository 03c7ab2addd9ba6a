"""The four kinds of group serverless.alipay.com/v1alpha1 (contract 1, 2, 3), in canonical spelling only.

In: what `codec` decoded. Out: frozen values for planners. Old spellings and aliases die in `codec`.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from arkwright.model.meta import Condition, KubernetesObject, OwnedMeta, OwnerReference, Value
from arkwright.model.names import MODULE_DEPLOYMENT, MODULE_REPLICASET, MODULE_REPLICASET_REVISION, label_value
from arkwright.model.selectors import LabelSelector

MOST_DIGITS = 9
"""Of a revision: one that somebody made longer by hand would make the next one longer than a label may be."""


class UpgradePolicy(StrEnum):
    INSTALL_THEN_UNINSTALL = "install_then_uninstall"
    UNINSTALL_THEN_INSTALL = "uninstall_then_install"
    SCALEUP_THEN_SCALEDOWN = "scaleup_then_scaledown"


class SchedulingPolicy(StrEnum):
    SCATTER = "scatter"
    STACKING = "stacking"


class Progress(StrEnum):
    """Where a release is (contract 3)."""

    INIT = "Init"
    EXECUTING = "Executing"
    WAITING_FOR_CONFIRMATION = "WaitingForConfirmation"
    PAUSED = "Paused"
    COMPLETED = "Completed"
    ABORTED = "Aborted"
    TERMINATING = "Terminating"
    TERMINATED = "Terminated"


HELD = frozenset({Progress.WAITING_FOR_CONFIRMATION, Progress.PAUSED})
UNDER_WAY = HELD | {Progress.EXECUTING}


class ModulePhase(StrEnum):
    """`status.status` of a Module (contract 3)."""

    PENDING = "Pending"
    PREPARE = "Prepare"
    UPGRADING = "Upgrading"
    COMPLETING = "Completing"
    AVAILABLE = "Available"
    FAILED = "Failed"
    TERMINATING = "Terminating"


class ModuleArchive(Value, frozen=True, kw_only=True):
    """What to install: identity and where its archive lies. On the wire: name -> bizName, version -> bizVersion, url -> bizUrl."""

    name: str
    version: str
    url: str = ""
    type: str = ""
    md5: str = ""


class TemplateSpec(Value, frozen=True, kw_only=True):
    module: ModuleArchive


class TemplateMeta(Value, frozen=True, kw_only=True):
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class ModuleTemplateSpec(Value, frozen=True, kw_only=True):
    metadata: TemplateMeta = TemplateMeta()
    spec: TemplateSpec


class ServiceStrategy(Value, frozen=True, kw_only=True):
    """Ports are 1..65535; `target_port` may be a port name; `drain_seconds` >= 0."""

    enable_module_service: bool = False
    port: int = 0
    target_port: int | str = 0
    drain_seconds: int = 5


class OperationStrategy(Value, frozen=True, kw_only=True):
    """How a release moves [S5]. `max_unavailable` is a number or a percentage such as "50%"."""

    batch_count: int = 1
    use_beta: bool = False
    need_confirm: bool = False
    gray_time_between_batch_seconds: int = 0
    upgrade_policy: UpgradePolicy = UpgradePolicy.INSTALL_THEN_UNINSTALL
    max_unavailable: int | str | None = None
    service_strategy: ServiceStrategy = ServiceStrategy()


class SchedulingStrategy(Value, frozen=True, kw_only=True):
    scheduling_policy: SchedulingPolicy = SchedulingPolicy.SCATTER


class ModuleDeploymentSpec(Value, frozen=True, kw_only=True):
    base_deployment_name: str
    template: ModuleTemplateSpec
    replicas: int = 0
    operation_strategy: OperationStrategy = OperationStrategy()
    scheduling_strategy: SchedulingStrategy = SchedulingStrategy()
    pause: bool = False
    confirm_batch_num: int = 0
    revision_history_limit: int = 10
    progress_deadline_seconds: int = 600
    min_ready_seconds: int = 0


class ReleaseStatus(Value, frozen=True, kw_only=True):
    """All that a release must remember; everything else is derived from what is observed.

    `original_delta_replicas` is the number of moves, negative when scaling in.
    """

    update_revision: str = ""
    current_batch: int = 0
    real_batch_count: int = 0
    original_delta_replicas: int = 0
    progress: Progress = Progress.INIT
    batch_progress: Progress = Progress.INIT
    last_transition_time: datetime | None = None
    next_reconcile_time: datetime | None = None


class ModuleDeploymentStatus(Value, frozen=True, kw_only=True):
    replicas: int = 0
    available_replicas: int = 0
    ready_replicas: int = 0
    unavailable_replicas: int = 0
    updated_replicas: int = 0
    updated_available_replicas: int = 0
    updated_ready_replicas: int = 0
    upgrading_replicas: int = 0
    collision_count: int = 0
    observed_generation: int = 0
    selector: str = ""
    conditions: tuple[Condition, ...] = ()
    release_status: ReleaseStatus = ReleaseStatus()


class ModuleDeployment(KubernetesObject, frozen=True, kw_only=True):
    metadata: OwnedMeta
    spec: ModuleDeploymentSpec
    status: ModuleDeploymentStatus = ModuleDeploymentStatus()


class ModuleReplicaSetSpec(Value, frozen=True, kw_only=True):
    selector: LabelSelector = LabelSelector()
    replicas: int = 0
    template: ModuleTemplateSpec
    operation_strategy: OperationStrategy = OperationStrategy()
    scheduling_strategy: SchedulingStrategy = SchedulingStrategy()
    min_ready_seconds: int = 0


class ModuleReplicaSetStatus(Value, frozen=True, kw_only=True):
    replicas: int = 0
    current_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    observed_generation: int = 0
    conditions: tuple[Condition, ...] = ()


class ModuleReplicaSet(KubernetesObject, frozen=True, kw_only=True):
    spec: ModuleReplicaSetSpec
    status: ModuleReplicaSetStatus = ModuleReplicaSetStatus()

    @property
    def module(self) -> ModuleArchive:
        return self.spec.template.spec.module

    @property
    def family(self) -> str:
        """Revisions of one ModuleDeployment are one; a bare ReplicaSet is one of its own."""
        return self.metadata.labels.get(MODULE_DEPLOYMENT) or label_value(self.name)

    @property
    def replaces_first(self) -> bool:
        """scaleup_then_scaledown: first a new one elsewhere, then the old one goes."""
        return self.spec.operation_strategy.upgrade_policy is UpgradePolicy.SCALEUP_THEN_SCALEDOWN

    @property
    def revision(self) -> int:
        """Counts up within its ModuleDeployment; the highest is the newest. Where the label was taken away, its name tells the first."""
        text = self.metadata.labels.get(MODULE_REPLICASET_REVISION, "") or self.name.rpartition("-replicas-")[2]
        return int(text) if text.isdigit() and len(text) <= MOST_DIGITS else 0


class ModuleSpec(Value, frozen=True, kw_only=True):
    selector: LabelSelector = LabelSelector()
    module: ModuleArchive
    upgrade_policy: UpgradePolicy = UpgradePolicy.INSTALL_THEN_UNINSTALL


class ModuleStatus(Value, frozen=True, kw_only=True):
    """`last_transition_time` keeps its snake_case name on the wire (contract 3)."""

    status: ModulePhase | None = None
    last_transition_time: datetime | None = msgspec.field(name="last_transition_time", default=None)
    reason: str = ""
    message: str = ""
    attempts: int = 0
    next_attempt_time: datetime | None = None
    observed_generation: int = 0
    conditions: tuple[Condition, ...] = ()


NOBODY = OwnerReference(api_version="", kind="", name="", uid="")


class Module(KubernetesObject, frozen=True, kw_only=True):
    spec: ModuleSpec
    status: ModuleStatus = ModuleStatus()

    @property
    def _pod(self) -> OwnerReference:
        for owner in self.metadata.owner_references:
            if owner.kind == "Pod":
                return owner
        return NOBODY

    @property
    def family(self) -> str:
        """As that of its ReplicaSet; a bare Module is one of its own."""
        labels = self.metadata.labels
        return labels.get(MODULE_DEPLOYMENT) or labels.get(MODULE_REPLICASET) or label_value(self.name)

    @property
    def pod_name(self) -> str:
        """The base pod that it is bound to; "" if to none. (The label may hold it cut.)"""
        return self._pod.name

    @property
    def pod_uid(self) -> str:
        return self._pod.uid
