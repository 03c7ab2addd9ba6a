"""What a rehearsal comes to, in batches. In: a wish. Out: a Preview: which revision, which pods in which order, what is done on each, who is asked, what
does not fit and why. Words of reasons are those of the planners. Nothing is decided here.
"""

from datetime import datetime

from arkwright.model.codec import encode
from arkwright.model.kinds import ModuleDeployment, ModuleReplicaSet
from arkwright.model.resources import Kind
from arkwright.people.changes import Changed, changed_fields, flat
from arkwright.plan.stages import failure_of
from arkwright.preview.batches import OVER, Batch, Part, batches
from arkwright.preview.deletions import DeletionPreview, deletion_preview
from arkwright.preview.effects import TURNS_IN_CIRCLES, besides, done_in, has_effect, warnings
from arkwright.preview.rehearsal import Deletion, Live, Played, Wish, play


class Release(Part, frozen=True, kw_only=True):
    """`revision`: the name of its ReplicaSet. `kind`: "new" revision, an old one "again", or the "same" as before."""

    revision: str
    number: int
    kind: str
    module: str
    version: str
    batch_count: int
    batches: tuple[Batch, ...]


class Preview(Part, frozen=True, kw_only=True):
    """`changed`: fields of the wish. `release`: None where nothing is released. `besides`: what else is done. `warnings`: what would be told. `ends`: its
    progress in the end; `waits_for`: why it does not come to an end, "" where it does."""

    namespace: str
    name: str
    base: str
    replicas: int
    policy: str
    would_change: bool
    changed: tuple[Changed, ...]
    release: Release | None
    besides: tuple[str, ...]
    warnings: tuple[str, ...]
    ends: str
    waits_for: str


Foreseen = Preview | DeletionPreview


def foresee(live: Live, wish: Wish, now: datetime) -> Foreseen:
    """Whatever is said of one that is deleted already, it goes. `live`: as `preview` needs it."""
    if isinstance(wish, ModuleDeployment) and wish.is_terminating:
        wish = Deletion(wish)
    return deletion_preview(live, wish, now) if isinstance(wish, Deletion) else preview(live, wish, now)


def preview(live: Live, wish: ModuleDeployment, now: datetime) -> Preview:
    """`live`: one namespace, whole, as `rehearsal` needs it."""
    played = play(live, wish, now)
    done, changed, spec, after = done_in(played), _changed(played, wish), wish.spec, played.after or wish
    return Preview(
        namespace=wish.metadata.namespace,
        name=wish.name,
        base=spec.base_deployment_name,
        replicas=after.status.replicas,
        policy=spec.operation_strategy.upgrade_policy.value,
        would_change=bool(changed) or has_effect(done),
        changed=changed,
        release=_release(live, played, wish),
        besides=besides(done),
        warnings=warnings(done),
        ends=after.status.release_status.progress.value,
        waits_for=_waits_for(played, after),
    )


def _changed(played: Played, wish: ModuleDeployment) -> tuple[Changed, ...]:
    before = flat("spec", encode(played.before.spec)) if played.before else {}
    return changed_fields(before, flat("spec", encode(wish.spec)))


def _waits_for(played: Played, after: ModuleDeployment) -> str:
    failure = failure_of(after)
    if played.is_cut:
        return TURNS_IN_CIRCLES
    if failure:
        return f"{failure.reason}: {failure.message}"
    progress = after.status.release_status.progress
    return "" if progress in OVER else f"it stays {progress}"


def _release(live: Live, played: Played, wish: ModuleDeployment) -> Release | None:
    found, release = batches(live, played), (played.after or wish).status.release_status
    if not found:
        return None
    known = {one.name: one.revision for one in live[Kind.MODULE_REPLICASET] if isinstance(one, ModuleReplicaSet)}
    name = release.update_revision
    made: ModuleReplicaSet | None = played.cache.get(Kind.MODULE_REPLICASET, wish.metadata.namespace, name)
    had = known.get(name)
    module = made.module if made else wish.spec.template.spec.module
    return Release(
        revision=name,
        number=made.revision if made else 0,
        kind="new" if had is None else "again" if made and made.revision != had else "same",
        module=module.name,
        version=module.version,
        batch_count=release.real_batch_count,
        batches=found,
    )
