"""What was played, by batch and base pod. In: a story. Out: Batches, in order, with the base pods in the order in which they are taken. Nothing is decided here."""

from collections.abc import Iterator

import msgspec

from arkwright.model.codec import decode
from arkwright.model.kinds import Module, Progress, ReleaseStatus
from arkwright.model.outcomes import Command
from arkwright.model.resources import Kind
from arkwright.plan.intents import Call, Create, Delete, SetStatus
from arkwright.preview.rehearsal import Asked, Done, Live, Played

UNINSTALL = "uninstall"
OVER = frozenset({Progress.COMPLETED, Progress.ABORTED})
DOINGS = {Command.INSTALL: "install", Command.UNINSTALL: UNINSTALL, Command.SWITCH: "switch to"}


class Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A frozen part of a preview; camelCase where it is written out."""


class OnPod(Part, frozen=True, kw_only=True):
    """What is done on one base pod, in order, such as "install provider:2.0.0"."""

    pod: str
    steps: tuple[str, ...]


class Batch(Part, frozen=True, kw_only=True):
    """`number` 0: before the controller has seen the wish, and where nothing goes in batches. `pods`: in the order in which they are taken. `asks_before`:
    somebody has paused it, so that it has to be resumed first. `asks_after`: a person has to confirm it. `gray_time_seconds`: that pass after it."""

    number: int
    pods: tuple[OnPod, ...] = ()
    asks_before: bool = False
    asks_after: bool = False
    gray_time_seconds: int = 0


def batches(live: Live, played: Played) -> tuple[Batch, ...]:
    """`live`: what it was played on."""
    return tuple(_Batches(live).of(played))


class _Batches:
    """Sorts what was done by batch and base pod."""

    def __init__(self, live: Live) -> None:
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
            case SetStatus(target, status) if target.kind is Kind.MODULE_DEPLOYMENT:
                self._note_gray_time(done, msgspec.convert(status["releaseStatus"], ReleaseStatus))

    def _on(self, batch: int, module: str) -> list[str]:
        """All that is done on a base pod is told with the batch that has taken it."""
        pod = self._pods.get(module, "")
        number = self._batch_of[pod] = self._batch_of.get(pod) or batch
        return self._steps.setdefault(number, {}).setdefault(pod, [])

    def _note_gray_time(self, done: Done, release: ReleaseStatus) -> None:
        if release.next_reconcile_time and release.current_batch not in self._gray:
            self._gray[release.current_batch] = round((release.next_reconcile_time - done.at).total_seconds())
