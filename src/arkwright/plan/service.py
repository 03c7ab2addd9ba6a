"""The Service of a module (contract 7, [S8]).

In: the ModuleDeployment and the Service of that name, if there is one. Out: intents that make, change or remove it, and a
condition if the name belongs to somebody else.
"""

from dataclasses import dataclass

from arkwright.model.cluster import Document, Service, ServicePort, ServiceSpec
from arkwright.model.codec import encode, merge_patch
from arkwright.model.kinds import ModuleDeployment
from arkwright.model.meta import Condition, ObjectMeta, OwnerReference
from arkwright.model.names import API_VERSION, MODULE_NAME, label_value, serves_label, service_name
from arkwright.model.outcomes import EventReason
from arkwright.model.resources import Kind
from arkwright.plan.intents import Create, Delete, Intent, Patch, Target, Tell, target_of


@dataclass(frozen=True)
class ObservedService:
    """`sharers`: other ModuleDeployments of the namespace that want a Service for this module name.

    `former`: Services of names that its module had before, which nobody else asks for; `modules`: names of modules that are
    still somewhere.
    """

    deployment: ModuleDeployment
    service: Service | None = None
    sharers: tuple[ModuleDeployment, ...] = ()
    former: tuple[Service, ...] = ()
    modules: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ServicePlan:
    intents: tuple[Intent, ...] = ()
    failure: Condition | None = None


def plan_service(observed: ObservedService) -> ServicePlan:
    """Bring the module's Service to what the strategy asks for."""
    plan = _plan_current(observed)
    return ServicePlan((*plan.intents, *_removal_of_former(observed)), plan.failure)


def _removal_of_former(observed: ObservedService) -> tuple[Intent, ...]:
    """The module was renamed: its old Service goes once nothing is left that it could lead to."""
    namesake = {service_name(module) for module in observed.modules}
    because = "the module has another name now, and serves under it"
    ours = (one for one in observed.former if _is_former(observed.deployment, one))
    return tuple(Delete(target_of(Kind.SERVICE, one), because) for one in ours if one.name not in namesake)


def _is_former(deployment: ModuleDeployment, service: Service) -> bool:
    """Owned by it, or an orphan that was made for the module that it names."""
    owners = service.metadata.owner_references
    module = service.name.removesuffix(service_name(""))
    is_as_made = service.metadata.labels.get(MODULE_NAME) == label_value(module)
    is_orphan = not owners and is_as_made and service.spec.selector == {serves_label(module): "true"}
    return is_orphan or any(one.uid == deployment.metadata.uid for one in owners)


def _plan_current(observed: ObservedService) -> ServicePlan:
    deployment, service = observed.deployment, observed.service
    if not wants_service(deployment):
        return ServicePlan(_removal(observed))
    if service is None:
        wanted = _service(deployment)
        return ServicePlan((Create(_target(deployment), encode(wanted), "the strategy asks for a module Service"),))
    if not _is_ours(observed):
        said = f'Service "{service.name}" exists and was not made by arkwright; it is left alone: rename or delete it'
        taken = Condition(type="ReplicaFailure", status="True", reason=EventReason.SERVICE_TAKEN, message=said)
        return ServicePlan(failure=taken)
    return ServicePlan(_changes(deployment, service))


def wants_service(deployment: ModuleDeployment) -> bool:
    is_enabled = deployment.spec.operation_strategy.service_strategy.enable_module_service
    return is_enabled and not deployment.is_terminating


def _removal(observed: ObservedService) -> tuple[Intent, ...]:
    service = observed.service
    if service is None or not _is_ours(observed) or any(wants_service(one) for one in observed.sharers):
        return ()
    return (Delete(_target(observed.deployment, service.metadata.uid), "no ModuleDeployment asks for it any more"),)


def _is_ours(observed: ObservedService) -> bool:
    """Owned by this ModuleDeployment or by one that shares the module's name; or made by arkwright, and an orphan."""
    if observed.service is None:
        return False
    those = (observed.deployment, *observed.sharers)
    owners = observed.service.metadata.owner_references
    is_owned = bool({one.uid for one in owners} & {one.metadata.uid for one in those})
    is_orphan = all(one.kind == "ModuleDeployment" and one.name in {each.name for each in those} for one in owners)
    return is_owned or (is_orphan and _is_as_made(observed.deployment, observed.service))


def _is_as_made(deployment: ModuleDeployment, service: Service) -> bool:
    """By its label and its selector, which nobody else has reason to give it."""
    wanted = _service(deployment)
    has_label = service.metadata.labels.get(MODULE_NAME) == wanted.metadata.labels[MODULE_NAME]
    return has_label and service.spec.selector == wanted.spec.selector


def _changes(deployment: ModuleDeployment, service: Service) -> tuple[Intent, ...]:
    wanted = _service(deployment)
    patch: Document = {}
    if changed := merge_patch(encode(service.spec), encode(wanted.spec)):
        patch["spec"] = changed
    because = (
        "the strategy's port changed" if changed.keys() == {"ports"} else "it was changed by hand, and is put right"
    )
    uid = deployment.metadata.uid
    owners = [one for one in service.metadata.owner_references if one.uid == uid or one.name != deployment.name]
    if all(owner.uid != deployment.metadata.uid for owner in owners):
        patch["metadata"] = {"ownerReferences": [encode(one) for one in (*owners, _owner(deployment))]}
    target = _target(deployment, service.metadata.uid)
    told = (Tell(target, EventReason.PUT_RIGHT, because, is_warning=True),) if changed.keys() - {"ports"} else ()
    return (Patch(target, patch, because if changed else "it gets its owner"), *told) if patch else ()


def _service(deployment: ModuleDeployment) -> Service:
    strategy, module = deployment.spec.operation_strategy.service_strategy, deployment.spec.template.spec.module
    port = ServicePort(
        name="http", protocol="TCP", port=strategy.port, target_port=strategy.target_port or strategy.port
    )
    return Service(
        api_version="v1",
        kind="Service",
        metadata=ObjectMeta(
            name=service_name(module.name),
            namespace=deployment.metadata.namespace,
            labels={MODULE_NAME: label_value(module.name)},
            owner_references=(_owner(deployment),),
        ),
        spec=ServiceSpec(type="NodePort", selector={serves_label(module.name): "true"}, ports=(port,)),
    )


def _owner(deployment: ModuleDeployment) -> OwnerReference:
    metadata = deployment.metadata
    return OwnerReference(api_version=API_VERSION, kind="ModuleDeployment", name=metadata.name, uid=metadata.uid)


def _target(deployment: ModuleDeployment, uid: str = "") -> Target:
    name = service_name(deployment.spec.template.spec.module.name)
    return Target(Kind.SERVICE, deployment.metadata.namespace, name, uid)
