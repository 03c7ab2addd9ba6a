"""A Module that is bound to no pod gets one (semantics 7): a bare one as a bare pod gets a node, one that lost its owner its own pod.

In: the Module, pods that it may go to. Out: one patch that binds it, or a status that says what is missing.
"""

from datetime import datetime

from msgspec.structs import replace

from arkwright.model.cluster import Document, Pod
from arkwright.model.codec import encode
from arkwright.model.kinds import (
    Module,
    ModulePhase,
    ModuleReplicaSet,
    ModuleReplicaSetSpec,
    ModuleStatus,
    ModuleTemplateSpec,
    TemplateSpec,
)
from arkwright.model.meta import OwnerReference
from arkwright.model.names import ALLOCATE_POD, BASE_DEPLOYMENT, BASE_INSTANCE_IP, BASE_INSTANCE_NAME, label_value
from arkwright.model.outcomes import EventReason
from arkwright.plan.intents import Patch, Plan
from arkwright.plan.placement import Seat, Wish, choose_pods
from arkwright.plan.seating import seat, seeker
from arkwright.plan.tries import Choice, ObservedModule, identity, set_status, target

NOWHERE = (
    "; a {kind} without a {owner} goes into the base that its label "
    f"{BASE_DEPLOYMENT} names,"
    " or onto pods that spec.selector means"
)


def plan_binding(observed: ObservedModule, choice: Choice, now: datetime) -> Plan:
    """Bind it, or say why not."""
    module = observed.module
    placement = choose_pods(_seats(module, choice, now), Wish(module.spec.module.name, 1))
    chosen = next((pod for pod in choice.pods if pod.name in placement.pods), None)
    if chosen is None:
        said = placement.explanation + ("" if choice.pods else NOWHERE.format(kind="Module", owner="ReplicaSet"))
        waiting = ModuleStatus(status=ModulePhase.PENDING, reason=EventReason.INSUFFICIENT_BASES, message=said)
        return set_status(observed, waiting, said, now)
    because = f"{identity(module.spec.module)} is bound to {chosen.name}"
    return Plan((Patch(target(module), {"metadata": _bound(module, chosen)}, because),))


def owner_reference(pod: Pod) -> OwnerReference:
    """What binds a Module to this very pod."""
    return OwnerReference(api_version="v1", kind="Pod", name=pod.name, uid=pod.metadata.uid, controller=True)


def _bound(module: Module, pod: Pod) -> Document:
    metadata = module.metadata
    others = (  # an object has one controller at most, and that of a Module is its pod
        replace(one, controller=False) for one in metadata.owner_references if one.kind != "Pod"
    )
    finalizers = metadata.finalizers if ALLOCATE_POD in metadata.finalizers else (*metadata.finalizers, ALLOCATE_POD)
    return {
        "labels": {BASE_INSTANCE_NAME: label_value(pod.name), BASE_INSTANCE_IP: label_value(pod.status.pod_ip)},
        "ownerReferences": [encode(one) for one in (*others, owner_reference(pod))],
        "finalizers": list(finalizers),
        "resourceVersion": metadata.resource_version,
    }


def _seats(module: Module, choice: Choice, now: datetime) -> tuple[Seat, ...]:
    """As a ReplicaSet of this one Module sees the pods."""
    template = ModuleTemplateSpec(spec=TemplateSpec(module=module.spec.module))
    alone = ModuleReplicaSet(metadata=module.metadata, spec=ModuleReplicaSetSpec(template=template))
    seeks, coming = seeker(alone, None), choice.arriving
    return tuple(
        seat(seeks, pod, choice.residents[pod.name], (it[1:] for it in coming if it[0] == pod.name), now)
        for pod in choice.pods
    )
