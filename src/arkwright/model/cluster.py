"""The parts of Kubernetes' own kinds that arkwright reads, and the few it writes."""

from datetime import datetime
from typing import Any

from arkwright.model.kinds import LabelSelector
from arkwright.model.meta import KubernetesObject, ObjectMeta, Value


class ContainerPort(Value, frozen=True, kw_only=True):
    container_port: int = 0


class Container(Value, frozen=True, kw_only=True):
    name: str = ""
    ports: tuple[ContainerPort, ...] = ()


class PodSpec(Value, frozen=True, kw_only=True):
    containers: tuple[Container, ...] = ()
    node_name: str = ""


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
    state: ContainerState = ContainerState()


class PodStatus(
    Value, frozen=True, kw_only=True, rename={"pod_ip": "podIP", "container_statuses": "containerStatuses"}
):
    phase: str = ""
    pod_ip: str = ""
    container_statuses: tuple[ContainerStatus, ...] = ()


class Pod(KubernetesObject, frozen=True, kw_only=True):
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class PodTemplate(Value, frozen=True, kw_only=True):
    metadata: ObjectMeta = ObjectMeta()


class DeploymentSpec(Value, frozen=True, kw_only=True):
    selector: LabelSelector = LabelSelector()
    template: PodTemplate = PodTemplate()


class Deployment(KubernetesObject, frozen=True, kw_only=True):
    spec: DeploymentSpec = DeploymentSpec()


class ServicePort(Value, frozen=True, kw_only=True):
    name: str = ""
    port: int = 0
    target_port: int | str = 0
    protocol: str = "TCP"


class ServiceSpec(Value, frozen=True, kw_only=True):
    type: str = ""
    selector: dict[str, str] = {}
    ports: tuple[ServicePort, ...] = ()


class Service(KubernetesObject, frozen=True, kw_only=True):
    spec: ServiceSpec = ServiceSpec()


Document = dict[str, Any]
"""A JSON object on its way to the API server: a body to create or a merge patch."""
