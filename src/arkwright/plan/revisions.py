"""Revisions: one ReplicaSet per wanted name, version and restart (semantics 1).

In: a ModuleDeployment and its ReplicaSets. Out: the ReplicaSet that a revision should be, and the patch that makes it so.
"""

from dataclasses import dataclass
from itertools import chain

from msgspec.structs import replace

from arkwright.model.cluster import Document
from arkwright.model.codec import encode, merge_patch
from arkwright.model.kinds import (
    Module,
    ModuleArchive,
    ModuleDeployment,
    ModuleReplicaSet,
    ModuleReplicaSetSpec,
    ModuleTemplateSpec,
)
from arkwright.model.meta import KubernetesObject, ObjectMeta, OwnerReference
from arkwright.model.names import (
    API_VERSION,
    BASE_DEPLOYMENT,
    CHANGE_CAUSE,
    MODULE_DEPLOYMENT,
    MODULE_EXISTS,
    MODULE_NAME,
    MODULE_REPLICASET,
    MODULE_REPLICASET_REVISION,
    MODULE_SCHEDULING_STRATEGY,
    MODULE_VERSION,
    RESTARTED_AT,
    label_value,
    replicaset_name,
    without_ours,
)
from arkwright.model.resources import Kind
from arkwright.model.selectors import LabelSelector
from arkwright.plan.intents import Create, Delete, Intent, MakeSure, Patch, Target, target_of
from arkwright.plan.replicas import Replicas

MOST_TRIED = 1000


@dataclass(frozen=True)
class Revision:
    """A ReplicaSet and all its Modules, those that are going included."""

    replica_set: ModuleReplicaSet
    modules: Replicas = Replicas()

    @property
    def name(self) -> str:
        return self.replica_set.name

    @property
    def number(self) -> int:
        return self.replica_set.revision

    @property
    def target(self) -> Target:
        return replica_set_target(self.replica_set)

    @property
    def base(self) -> str:
        """The label of the base that it was made for; its Modules tell where somebody has taken it away. "" for none."""
        everyone: chain[KubernetesObject] = chain((self.replica_set,), self.modules)
        labels = (one.metadata.labels.get(BASE_DEPLOYMENT) for one in everyone)
        return next((one for one in labels if one), "")


def identity(template: ModuleTemplateSpec) -> tuple[str, str, str]:
    """What makes a revision: name, version, restart. Another url makes none."""
    module = template.spec.module
    return (module.name, module.version, template.metadata.annotations.get(RESTARTED_AT, ""))


def is_wanted(revision: Revision, deployment: ModuleDeployment) -> bool:
    """Whether this is the revision that the ModuleDeployment asks for: that module, in that base."""
    is_same = identity(revision.replica_set.spec.template) == identity(deployment.spec.template)
    return is_same and is_in(revision, deployment.spec.base_deployment_name)


def is_in(revision: Revision, base: str) -> bool:
    """Whether it was made for the base of that name. One that names none goes where its ModuleDeployment says."""
    return revision.base in ("", label_value(base))


def replica_set_target(replica_set: ModuleReplicaSet) -> Target:
    return target_of(Kind.MODULE_REPLICASET, replica_set)


def creation(wanted: ModuleReplicaSet) -> Create:
    module = wanted.module
    because = f"{module.name}:{module.version} is a new revision; {wanted.spec.replicas} replicas to begin with"
    document = encode(wanted)
    document["spec"]["replicas"] = wanted.spec.replicas  # 0 too: `kubectl get` shows it
    return Create(replica_set_target(wanted), document, because)


def changes(revision: Revision, wanted: ModuleReplicaSet, *, as_seen: bool = False) -> tuple[Intent, ...]:
    """One patch with what differs; nothing if nothing does. `as_seen`: only if it is as it was seen."""
    had = revision.replica_set
    patch: Document = {}
    if changed := merge_patch(encode(had.spec), encode(wanted.spec)):
        patch["spec"] = changed
        if "replicas" in changed:
            changed["replicas"] = wanted.spec.replicas
    labels = {key: value for key, value in wanted.metadata.labels.items() if had.metadata.labels.get(key) != value}
    told = {
        key: value for key, value in wanted.metadata.annotations.items() if had.metadata.annotations.get(key) != value
    }
    if labels or told:
        patch["metadata"] = {"labels": labels} if labels else {}
        patch["metadata"] |= {"annotations": told} if told else {}
    if as_seen and patch:
        patch["metadata"] = patch.get("metadata", {}) | {"resourceVersion": had.metadata.resource_version}
    if not patch:
        return ()
    because = f"replicas {had.spec.replicas} -> {wanted.spec.replicas}"
    if had.spec.replicas == wanted.spec.replicas:
        because = f"{', '.join(patch.get('spec', {})) or 'labels or annotations'} changed"
    return (Patch(revision.target, patch, because),)


def adoption(revision: Revision, deployment: ModuleDeployment) -> tuple[Intent, ...]:
    """An orphan, and what a ModuleDeployment of this name had before it, gets its owner. One that is going does not."""
    had = revision.replica_set.metadata
    is_owned = any(one.uid == deployment.metadata.uid for one in had.owner_references)
    if is_owned or had.deletion_timestamp is not None:
        return ()
    others = (one for one in had.owner_references if one.kind != "ModuleDeployment")
    owners = [encode(one) for one in (*others, _owner(deployment))]
    patch = {"metadata": {"ownerReferences": owners, "resourceVersion": had.resource_version}}
    because = f"{deployment.name} adopts it"
    alive = MakeSure(
        target_of(Kind.MODULE_DEPLOYMENT, deployment), f"{revision.name} may have been let go of: {because}"
    )
    return (alive, Patch(revision.target, patch, because))


def released(target: Target, one: KubernetesObject, owner_uid: str) -> Patch:
    """It is let go of by its owner."""
    left = [encode(each) for each in one.metadata.owner_references if each.uid != owner_uid]
    version = one.metadata.resource_version
    return Patch(target, {"metadata": {"ownerReferences": left or None, "resourceVersion": version}}, "it is let go of")


def granted(revision: Revision, replicas: int, deployment: ModuleDeployment) -> ModuleReplicaSet:
    """An older revision with another count; how it is uninstalled follows the ModuleDeployment's strategy of today.

    Labels that somebody has taken away are put back as far as they can be known.
    """
    had = revision.replica_set
    labels = _labels_of(had.module, deployment.name) | {MODULE_REPLICASET_REVISION: str(revision.number)}
    if revision.base:
        labels[BASE_DEPLOYMENT] = revision.base
    return replace(
        had,
        metadata=replace(had.metadata, labels=labels | had.metadata.labels),
        spec=replace(had.spec, replicas=replicas, operation_strategy=deployment.spec.operation_strategy),
    )


def outdated(others: tuple[Revision, ...], limit: int) -> tuple[Intent, ...]:
    """Empty revisions beyond revisionHistoryLimit, oldest first."""
    empty = [one for one in others if not one.modules and not one.replica_set.spec.replicas]
    surplus = sorted(empty, key=lambda one: one.number)[: max(0, len(empty) - limit)]
    return tuple(Delete(one.target, f"revisionHistoryLimit is {limit}") for one in surplus)


def revivals(deployment: ModuleDeployment, lost: tuple[Module, ...]) -> tuple[Intent, ...]:
    """ReplicaSets made anew for Modules whose own was taken away from them (orphaned): they are counted again, and leave when it
    is their turn. Of names only that the ModuleDeployment would give."""
    labels = sorted({one.metadata.labels[MODULE_REPLICASET] for one in lost})
    named = ((label, _number_of(label, deployment.name)) for label in labels)
    groups = (
        (number, [one for one in lost if one.metadata.labels[MODULE_REPLICASET] == label])
        for label, number in named
        if number
    )
    return tuple(creation(_revived(deployment, number, modules)) for number, modules in groups)


def _number_of(label: str, deployment: str) -> int:
    """0: no revision is called so. Labels may hold names cut, so that they have to be tried."""
    return next((n for n in range(1, MOST_TRIED) if label_value(replicaset_name(deployment, n)) == label), 0)


def _revived(deployment: ModuleDeployment, number: int, modules: list[Module]) -> ModuleReplicaSet:
    """As it was, as far as its Modules tell; how it is left follows the ModuleDeployment's strategy of today."""
    first = modules[0].metadata
    restarted = {key: value for key, value in first.annotations.items() if key == RESTARTED_AT}
    template = replace(
        deployment.spec.template,
        metadata=replace(deployment.spec.template.metadata, annotations=restarted),
        spec=replace(deployment.spec.template.spec, module=_made_for(modules[0])),
    )
    base = first.labels.get(BASE_DEPLOYMENT, deployment.spec.base_deployment_name)
    wish = replace(deployment, spec=replace(deployment.spec, template=template, base_deployment_name=base))
    return wanted_replica_set(wish, replicaset_name(deployment.name, number), number, len(modules))


def _made_for(module: Module) -> ModuleArchive:
    """What its labels say that it was made for, where somebody has written another version into it."""
    archive, label = module.spec.module, module.metadata.labels.get(MODULE_VERSION, "")
    return replace(archive, version=label) if label not in ("", label_value(archive.version)) else archive


def wanted_replica_set(deployment: ModuleDeployment, name: str, number: int, replicas: int) -> ModuleReplicaSet:
    """The ReplicaSet of what the ModuleDeployment asks for today."""
    spec = deployment.spec
    return ModuleReplicaSet(
        api_version=API_VERSION,
        kind="ModuleReplicaSet",
        metadata=ObjectMeta(
            name=name,
            namespace=deployment.metadata.namespace,
            labels={
                **without_ours(deployment.metadata.labels),
                **_labels(deployment),
                MODULE_REPLICASET_REVISION: str(number),
            },
            annotations={key: value for key, value in deployment.metadata.annotations.items() if key == CHANGE_CAUSE},
            finalizers=(MODULE_EXISTS,),
            owner_references=(_owner(deployment),),
        ),
        spec=ModuleReplicaSetSpec(
            selector=LabelSelector(match_labels={MODULE_DEPLOYMENT: label_value(deployment.name)}),
            replicas=replicas,
            template=spec.template,
            operation_strategy=spec.operation_strategy,
            scheduling_strategy=spec.scheduling_strategy,
            min_ready_seconds=spec.min_ready_seconds,
        ),
    )


def _labels(deployment: ModuleDeployment) -> dict[str, str]:
    return _labels_of(deployment.spec.template.spec.module, deployment.name) | {
        BASE_DEPLOYMENT: label_value(deployment.spec.base_deployment_name),
        MODULE_SCHEDULING_STRATEGY: deployment.spec.scheduling_strategy.scheduling_policy.value,
    }


def _labels_of(module: ModuleArchive, deployment: str) -> dict[str, str]:
    return {
        MODULE_NAME: label_value(module.name),
        MODULE_VERSION: label_value(module.version),
        MODULE_DEPLOYMENT: label_value(deployment),
    }


def _owner(deployment: ModuleDeployment) -> OwnerReference:
    metadata = deployment.metadata
    return OwnerReference(
        api_version=API_VERSION, kind="ModuleDeployment", name=metadata.name, uid=metadata.uid, controller=True
    )
