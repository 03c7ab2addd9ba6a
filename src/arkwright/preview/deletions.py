"""What a deletion comes to: what leaves which base pods, in which order, what goes besides, what stays. In: what there is, and what is to go. Out: a
DeletionPreview. Nothing is decided here.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from arkwright.model.kinds import Module, ModuleDeployment, ReleaseStatus
from arkwright.model.meta import KubernetesObject
from arkwright.model.names import MODULE_NAME, label_value, service_name
from arkwright.model.outcomes import Command
from arkwright.model.resources import Kind
from arkwright.plan.intents import Call
from arkwright.plan.stages import failure_of
from arkwright.preview.batches import OVER, UNINSTALL, Batch, Part, batches
from arkwright.preview.effects import TURNS_IN_CIRCLES, besides, done_in, has_effect, warnings
from arkwright.preview.rehearsal import Deletion, Done, Live, Played, play


class DeletionPreview(Part, frozen=True, kw_only=True):
    """`deletes`: the kind of what goes; `deployment`: which ModuleDeployment that is, or is of, "" for none. `leaves`: base pods, in the order in which it
    is uninstalled from them. `batch_count`: 0 where nothing goes in batches. `besides`: what else is done. `stays`: what is of it and is there in
    the end. `waits_for`: why it does not come to an end, "" where it does."""

    namespace: str
    name: str
    deletes: str
    deployment: str
    would_change: bool
    leaves: tuple[str, ...]
    batch_count: int
    batches: tuple[Batch, ...]
    besides: tuple[str, ...]
    warnings: tuple[str, ...]
    stays: tuple[str, ...]
    waits_for: str


def deletion_preview(live: Live, wish: Deletion, now: datetime) -> DeletionPreview:
    """`live`: one namespace, whole, as `rehearsal` needs it."""
    played = play(live, wish, now)
    done, found = done_in(played), batches(live, played)
    return DeletionPreview(
        namespace=wish.one.metadata.namespace,
        name=wish.one.name,
        deletes=wish.kind.value,
        deployment=played.after.name if played.after else "",
        would_change=not wish.one.is_terminating or has_effect(done),
        leaves=tuple(dict.fromkeys(_leaves(wish, found, done))),
        batch_count=_batch_count(played),
        batches=found,
        besides=besides(done),
        warnings=warnings(done),
        stays=tuple(_stays(live, wish, played)),
        waits_for=_waits_for(wish, played),
    )


def _leaves(wish: Deletion, found: Sequence[Batch], done: Sequence[Done]) -> Iterator[str]:
    """By what is asked of agents: a Module that its base does not hold is nowhere to be uninstalled from."""
    if isinstance(wish.one, Module):
        calls = (one.intent for one in done if isinstance(one.intent, Call) and one.intent.target.name == wish.one.name)
        yield from (wish.one.pod_name for one in calls if one.command is Command.UNINSTALL)
        return
    for pod in (pod for batch in found for pod in batch.pods):
        if any(step.startswith(UNINSTALL) for step in pod.steps):
            yield pod.pod


def _batch_count(played: Played) -> int:
    """Of the deletion; of a Module's, that of the release which goes on meanwhile."""
    release = played.after.status.release_status if played.after else ReleaseStatus()
    return 0 if release.progress in OVER else release.real_batch_count


def _stays(live: Live, wish: Deletion, played: Played) -> Iterator[str]:
    """What is of it and outlives it, as it is in the end."""
    if _is_there(wish.kind, wish.one, played):
        yield f"{wish.kind} {wish.one.name}{_held(played.cache.get(wish.kind, *wish.one.key))}"
    if not isinstance(wish.one, ModuleDeployment):
        return
    family = label_value(wish.one.name)
    for module in live[Kind.MODULE]:
        if isinstance(module, Module) and module.family == family and _is_there(Kind.MODULE, module, played):
            yield f"Module {module.name} on {module.pod_name or 'no base pod'}"
    module_name = wish.one.spec.template.spec.module.name
    service = played.cache.get(Kind.SERVICE, wish.one.metadata.namespace, service_name(module_name))
    if service and service.metadata.labels.get(MODULE_NAME) == label_value(module_name):
        yield f"Service {service.name}"


def _is_there(kind: Kind, one: KubernetesObject, played: Played) -> bool:
    found = played.cache.get(kind, *one.key)
    return found is not None and found.metadata.uid == one.metadata.uid


def _held(one: KubernetesObject) -> str:
    return f", held by its finalizers: {', '.join(one.metadata.finalizers)}" if one.metadata.finalizers else ""


def _waits_for(wish: Deletion, played: Played) -> str:
    if played.is_cut:
        return TURNS_IN_CIRCLES
    failure = failure_of(played.after) if played.after else None
    if failure and (isinstance(wish.one, Module) or _is_there(wish.kind, wish.one, played)):
        return f"{failure.reason}: {failure.message}"
    return "somebody else's finalizers hold it" if _is_there(wish.kind, wish.one, played) else ""
