"""The parts of Kubernetes' own kinds that arkwright reads, and the few it writes."""

import re
from datetime import datetime
from typing import Any

import msgspec

from arkwright.model.arklet import DEFAULT_PORT
from arkwright.model.hosts import joined
from arkwright.model.meta import KubernetesObject, ObjectMeta, Value
from arkwright.model.names import ARKLET_PORT, ARKLET_SCHEME, DELETE_POD, DELETE_POD_DIRECTLY, is_asked_for
from arkwright.model.selectors import LabelSelector

PORT_NUMBER = re.compile("[0-9]{1,5}")
TCP = "TCP"


class ContainerPort(Value, frozen=True, kw_only=True):
    container_port: int = 0


class FieldSelector(Value, frozen=True, kw_only=True):
    field_path: str = ""


class ValueSource(Value, frozen=True, kw_only=True):
    field_ref: FieldSelector = FieldSelector()


class EnvironmentVariable(Value, frozen=True, kw_only=True):
    name: str
    value: str = ""
    value_from: ValueSource = ValueSource()


class Sleep(Value, frozen=True, kw_only=True):
    seconds: int = 0


class PreStop(Value, frozen=True, kw_only=True):
    sleep: Sleep | None = None


class Lifecycle(Value, frozen=True, kw_only=True):
    pre_stop: PreStop = PreStop()


class Container(Value, frozen=True, kw_only=True):
    name: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[EnvironmentVariable, ...] = ()
    working_dir: str = ""
    ports: tuple[ContainerPort, ...] = ()
    lifecycle: Lifecycle = Lifecycle()


class PodSpec(Value, frozen=True, kw_only=True):
    containers: tuple[Container, ...] = ()
    node_name: str = ""
    termination_grace_period_seconds: int = 30


class RunningState(Value, frozen=True, kw_only=True):
    started_at: datetime | None = None


class ContainerState(Value, frozen=True, kw_only=True):
    running: RunningState | None = None


class ContainerStatus(
    Value, frozen=True, kw_only=True, rename={"container_id": "containerID", "restart_count": "restartCount"}
):
    name: str = ""
    container_id: str = ""
    restart_count: int = 0
    ready: bool = False
    state: ContainerState = ContainerState()


class PodCondition(Value, frozen=True, kw_only=True):
    type: str = ""
    status: str = ""


class PodStatus(
    Value, frozen=True, kw_only=True, rename={"pod_ip": "podIP", "container_statuses": "containerStatuses"}
):
    phase: str = ""
    pod_ip: str = ""
    conditions: tuple[PodCondition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()


class Pod(KubernetesObject, frozen=True, kw_only=True):
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def is_live(self) -> bool:
        """Running, reachable and to stay; ready or not, for a base may be unready while a module is installed."""
        return self.is_reachable and not self.is_asked_to_leave

    @property
    def is_reachable(self) -> bool:
        """Running, with an address, and not being deleted: its agent can be asked."""
        return self.status.phase == "Running" and bool(self.status.pod_ip) and not self.is_terminating

    @property
    def may_ask(self) -> bool:
        """Something may run in it. The address of one that has ended, and is still there to be read, may be another's by now."""
        return self.status.phase not in {"Succeeded", "Failed"} and not self.is_terminating

    @property
    def is_starting(self) -> bool:
        """Not live yet; nothing says that it will not be."""
        has_not_ended = self.status.phase in {"Pending", "Running"}
        return has_not_ended and not (self.is_live or self.is_terminating or self.is_asked_to_leave)

    @property
    def is_asked_to_leave(self) -> bool:
        """A person labelled it: its Modules go, then the controller deletes it."""
        return is_asked_for(self.metadata.labels, DELETE_POD, DELETE_POD_DIRECTLY)

    @property
    def is_unready(self) -> bool:
        """It says so itself; a pod that says nothing of it is not."""
        return any(one.type == "Ready" and one.status == "False" for one in self.status.conditions)

    @property
    def agent_port(self) -> int:
        text = self.metadata.annotations.get(ARKLET_PORT, "")
        return int(text) if PORT_NUMBER.fullmatch(text) and 0 < int(text) < 65536 else DEFAULT_PORT

    @property
    def agent_address(self) -> str:
        """With the scheme in front where the pod's annotation names one."""
        scheme, address = self.metadata.annotations.get(ARKLET_SCHEME, ""), joined(self.status.pod_ip, self.agent_port)
        return f"{scheme}://{address}" if scheme in ("http", "https") else address

    @property
    def base_instance(self) -> str:
        """Changes when the base's container, the one with the agent's port or else the first, is started anew."""
        port, containers = self.agent_port, self.spec.containers
        with_agent = (one.name for one in containers if any(each.container_port == port for each in one.ports))
        name = next(with_agent, containers[0].name if containers else "")
        status = next((one for one in self.status.container_statuses if one.name == name), ContainerStatus())
        started = status.state.running.started_at if status.state.running else None
        return f"{status.container_id}/{status.restart_count}/{started}"


class ConfigMapSource(Value, frozen=True, kw_only=True):
    name: str = ""


class ProjectedSource(Value, frozen=True, kw_only=True):
    config_map: ConfigMapSource = ConfigMapSource()


class Projection(Value, frozen=True, kw_only=True):
    sources: tuple[ProjectedSource, ...] = ()


class Volume(Value, frozen=True, kw_only=True):
    config_map: ConfigMapSource = ConfigMapSource()
    projected: Projection = Projection()


class TemplateSpec(Value, frozen=True, kw_only=True):
    volumes: tuple[Volume, ...] = ()


class PodTemplate(Value, frozen=True, kw_only=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: TemplateSpec = TemplateSpec()

    @property
    def config_maps(self) -> frozenset[str]:
        """Those that its pods mount."""
        whole = (one.config_map.name for one in self.spec.volumes)
        parts = (each.config_map.name for one in self.spec.volumes for each in one.projected.sources)
        return frozenset((*whole, *parts))


class DeploymentSpec(Value, frozen=True, kw_only=True):
    selector: LabelSelector = LabelSelector()
    template: PodTemplate = PodTemplate()


class Deployment(KubernetesObject, frozen=True, kw_only=True):
    spec: DeploymentSpec = DeploymentSpec()

    def selects(self, pod: Pod) -> bool:
        return self.spec.selector.matches(pod.metadata.labels)


class ReplicaSet(KubernetesObject, frozen=True, kw_only=True):
    """What a Deployment makes its pods with: only whose it is matters here."""


class Workload(KubernetesObject, frozen=True, kw_only=True):
    """A Deployment, a ReplicaSet, a pod or a node with all that it says, for those who make one from another."""

    spec: dict[str, Any] = {}
    status: dict[str, Any] = {}


class ServicePort(Value, frozen=True, kw_only=True):
    name: str = ""
    port: int = 0
    target_port: int | str = 0
    protocol: str = TCP

    def __post_init__(self) -> None:
        """Of defaults only that very object is left out when it is encoded, and one that was read is another: as if it had been changed."""
        if self.protocol == TCP:
            msgspec.structs.force_setattr(self, "protocol", TCP)


class ServiceSpec(Value, frozen=True, kw_only=True):
    type: str = ""
    selector: dict[str, str] = {}
    ports: tuple[ServicePort, ...] = ()


class Service(KubernetesObject, frozen=True, kw_only=True):
    spec: ServiceSpec = ServiceSpec()


class Endpoints(KubernetesObject, frozen=True, kw_only=True):
    """Where a Service leads, as the older kind says it."""

    subsets: list[dict[str, Any]] = []


class EndpointSlice(KubernetesObject, frozen=True, kw_only=True):
    """Where a Service leads, or a part of it: pods that have the same ports."""

    address_type: str = ""
    endpoints: list[dict[str, Any]] = []
    ports: list[dict[str, Any]] = []


class LeaseSpec(Value, frozen=True, kw_only=True):
    holder_identity: str = ""
    lease_duration_seconds: int = 0
    renew_time: datetime | None = None


class Lease(KubernetesObject, frozen=True, kw_only=True):
    spec: LeaseSpec = LeaseSpec()


class Event(KubernetesObject, frozen=True, kw_only=True):
    """What `kubectl describe` shows. `count` says how often since `first_timestamp`."""

    reason: str = ""
    message: str = ""
    type: str = ""
    count: int = 0


Document = dict[str, Any]
"""A JSON object on its way to the API server: a body to create or a merge patch."""
