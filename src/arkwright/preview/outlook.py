"""What a rehearsal comes to, in batches. In: what was played. Out: a Preview: which revision, which pods in which order, what is done on each, who is
asked, what does not fit and why. Words of reasons are those of the planners. Nothing is decided here.
"""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from arkwright.model.codec import decode, encode
from arkwright.model.kinds import Module, ModuleDeployment, ModuleReplicaSet, Progress, ReleaseStatus
from arkwright.model.outcomes import Command, EventReason
from arkwright.model.resources import Kind
from arkwright.people.changes import Changed, changed_fields, flat
from arkwright.plan.intents import Call, Create, Delete, Intent, Patch, SetStatus, Tell
from arkwright.plan.stages import failure_of
from arkwright.preview.rehearsal import Asked, Done, Live, Played, play

DOINGS = {Command.INSTALL: "install", Command.UNINSTALL: "uninstall", Command.SWITCH: "switch to"}
OVER = frozenset({Progress.COMPLETED, Progress.ABORTED})
TURNS_IN_CIRCLES = "it turns in circles: this is as far as it was followed"


class Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A frozen part of a Preview; camelCase where it is written out."""


class OnPod(Part, frozen=True, kw_only=True):
    """What is done on one base pod, in order, such as "install provider:2.0.0"."""

    pod: str
    steps: tuple[str, ...]


class Batch(Part, frozen=True, kw_only=True):
    """`pods`: in the order in which they are taken. `asks_before`: somebody has paused it, so that it has to be resumed first. `asks_after`: a person
    has to confirm it. `gray_time_seconds`: that pass after it."""

    number: int
    pods: tuple[OnPod, ...] = ()
    asks_before: bool = False
    asks_after: bool = False
    gray_time_seconds: int = 0


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


def preview(live: Live, wish: ModuleDeployment, now: datetime) -> Preview:
    """`live`: one namespace, whole, as `rehearsal` needs it."""
    played = play(live, wish, now)
    done = [one for one in played.story if isinstance(one, Done)]
    changed, spec, after = _changed(played), wish.spec, played.after
    return Preview(
        namespace=wish.metadata.namespace,
        name=wish.name,
        base=spec.base_deployment_name,
        replicas=after.status.replicas,
        policy=spec.operation_strategy.upgrade_policy.value,
        would_change=bool(changed) or any(_is_effect(one.intent) for one in done),
        changed=changed,
        release=_release(live, played),
        besides=tuple(dict.fromkeys(_besides(done))),
        warnings=tuple(dict.fromkeys(_warnings(done))),
        ends=after.status.release_status.progress.value,
        waits_for=_waits_for(played),
    )


def _changed(played: Played) -> tuple[Changed, ...]:
    before = flat("spec", encode(played.before.spec)) if played.before else {}
    return changed_fields(before, flat("spec", encode(played.wish.spec)))


def _is_effect(intent: Intent) -> bool:
    """More than a word, a question or a status."""
    is_call = isinstance(intent, Call) and intent.command in DOINGS
    return is_call or isinstance(intent, Create | Patch | Delete)


def _waits_for(played: Played) -> str:
    after = played.after
    failure = failure_of(after)
    if played.is_cut:
        return TURNS_IN_CIRCLES
    if failure:
        return f"{failure.reason}: {failure.message}"
    progress = after.status.release_status.progress
    return "" if progress in OVER else f"it stays {progress}"


def _besides(done: list[Done]) -> Iterator[str]:
    for one in done:
        intent, target = one.intent, one.intent.target
        if target.kind is Kind.SERVICE and isinstance(intent, Create | Patch | Delete):
            yield f"Service {target.name}: {intent.because}"
        elif target.kind is Kind.MODULE_REPLICASET and isinstance(intent, Delete):
            yield f"revision {target.name} is deleted: {intent.because}"
        elif isinstance(intent, Tell) and intent.reason in (
            EventReason.RELEASE_SUPERSEDED,
            EventReason.BASE_POD_RECYCLED,
        ):
            yield intent.because


def _warnings(done: list[Done]) -> Iterator[str]:
    """Not what hands have done before, and is put right whatever is wished."""
    for one in done:
        if isinstance(one.intent, Tell) and one.intent.is_warning and one.intent.reason is not EventReason.PUT_RIGHT:
            yield f"{one.intent.reason}: {one.intent.because}"


def _release(live: Live, played: Played) -> Release | None:
    batches, release = tuple(_Batches(live, played.wish.name).of(played)), played.after.status.release_status
    if not batches:
        return None
    known = {one.name: one.revision for one in live[Kind.MODULE_REPLICASET] if isinstance(one, ModuleReplicaSet)}
    name = release.update_revision
    made: ModuleReplicaSet | None = played.cache.get(Kind.MODULE_REPLICASET, played.wish.metadata.namespace, name)
    had = known.get(name)
    module = made.module if made else played.wish.spec.template.spec.module
    return Release(
        revision=name,
        number=made.revision if made else 0,
        kind="new" if had is None else "again" if made and made.revision != had else "same",
        module=module.name,
        version=module.version,
        batch_count=release.real_batch_count,
        batches=batches,
    )


class _Batches:
    """Sorts what was done by batch and base pod. `name`: of the ModuleDeployment."""

    def __init__(self, live: Live, name: str) -> None:
        self._name = name
        self._pods = {one.name: one.pod_name for one in live[Kind.MODULE] if isinstance(one, Module)}
        self._steps: dict[int, dict[str, list[str]]] = {}
        self._batch_of: dict[str, int] = {}
        self._before: set[int] = set()
        self._after: set[int] = set()
        self._gray: dict[int, int] = {}

    def of(self, played: Played) -> Iterator[Batch]:
        for one in played.story:
            if isinstance(one, Asked):
                self._ask(one)
            else:
                self._take(one)
        for number in sorted(self._steps.keys() | self._before | self._after):
            pods = self._steps.get(number, {})
            yield Batch(
                number=number,
                pods=tuple(OnPod(pod=pod, steps=tuple(steps)) for pod, steps in pods.items()),
                asks_before=number in self._before,
                asks_after=number in self._after,
                gray_time_seconds=self._gray.get(number, 0),
            )

    def _ask(self, asked: Asked) -> None:
        (self._after if asked.is_confirm else self._before).add(asked.batch)

    def _take(self, done: Done) -> None:
        match done.intent:
            case Create(target, document) if target.kind is Kind.MODULE:
                self._pods[target.name] = decode(document, Module).pod_name
                self._on(done.batch, target.name)
            case Delete(target) if target.kind is Kind.MODULE:
                self._on(done.batch, target.name)
            case Call(target, command, archive) if command in DOINGS:
                self._on(done.batch, target.name).append(f"{DOINGS[command]} {archive.name}:{archive.version}")
            case SetStatus(target, status) if target.kind is Kind.MODULE_DEPLOYMENT and target.name == self._name:
                self._note_gray_time(done, msgspec.convert(status["releaseStatus"], ReleaseStatus))

    def _on(self, batch: int, module: str) -> list[str]:
        """All that is done on a base pod is told with the batch that has taken it."""
        pod = self._pods.get(module, "")
        return self._steps.setdefault(self._batch_of.setdefault(pod, batch), {}).setdefault(pod, [])

    def _note_gray_time(self, done: Done, release: ReleaseStatus) -> None:
        if release.next_reconcile_time and release.current_batch not in self._gray:
            self._gray[release.current_batch] = round((release.next_reconcile_time - done.at).total_seconds())
