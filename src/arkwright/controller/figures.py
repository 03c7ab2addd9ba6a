"""Figures about releases: how they end, what their time goes into, how they stand, why modules are not available.

In: each change of a ModuleDeployment or Module. Out: what Prometheus reads. Labels are bounded: stages, results, phases and reasons, never names;
figures of one release are its status, for kube-state-metrics to tell. Who does not act counts nothing, so that sums over controllers are true.
"""

from collections import Counter as Count
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Histogram, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from arkwright.controller.objects import Change
from arkwright.model.kinds import Module, ModuleDeployment, ModulePhase, Progress
from arkwright.model.outcomes import EventReason, Reason
from arkwright.model.resources import Kind
from arkwright.plan.stages import Stage, failure_of, stage_of

SECONDS = (1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600)
OTHER, MOVING = "Other", "InProgress"
KNOWN = frozenset(map(str, (*Reason, *EventReason)))


class Result(StrEnum):
    COMPLETE = "complete"
    ABORTED = "aborted"
    SUPERSEDED = "superseded"
    DELETED = "deleted"


RESULTS = {Stage.COMPLETE: Result.COMPLETE, Stage.ABORTED: Result.ABORTED, Stage.DELETED: Result.DELETED}


@dataclass
class Account:
    """Of a release under way: what its time went into. `began`: None if that was before this controller looked."""

    revision: str
    stage: Stage
    since: datetime
    began: datetime | None


class Book:
    """Of one cache: kept as it changes, whether or not somebody reads it. `releases`: the ModuleDeployments there, which are few, as they are."""

    def __init__(
        self, figures: "Figures", clock: Callable[[], datetime], releases: Callable[[], list[ModuleDeployment]]
    ) -> None:
        self._figures, self._clock, self._is_open = figures, clock, False
        self.releases = releases
        self._accounts: dict[tuple[str, str], Account] = {}
        self.phases: Count[str] = Count()
        self.causes: Count[str] = Count()

    @contextmanager
    def opened(self) -> Iterator[None]:
        """While this controller acts on what it counts."""
        self._is_open = True
        self._figures.books.append(self)
        try:
            yield
        finally:
            self._is_open = False
            self._figures.books.remove(self)

    def note(self, change: Change) -> None:
        if change.kind is Kind.MODULE:
            self._count(change.before, -1)
            self._count(change.after, 1)
        if change.kind is Kind.MODULE_DEPLOYMENT:
            self._note_release(change.before, change.after)

    def _count(self, module: Module | None, by: int) -> None:
        if module is None:
            return
        phase = ModulePhase.TERMINATING if module.is_terminating else module.status.status or ModulePhase.PENDING
        self.phases[phase] += by
        if phase is not ModulePhase.AVAILABLE:
            self.causes[_cause(module)] += by

    def _note_release(self, before: ModuleDeployment | None, after: ModuleDeployment | None) -> None:
        now = self._clock()
        if after is None:
            if before:
                self._close(before.key, Result.DELETED, now)
            return
        key = after.key
        stage, revision = stage_of(after), after.status.release_status.update_revision
        account = self._accounts.get(key)
        if account and account.revision and account.revision != revision:
            self._close(key, Result.SUPERSEDED, now)
            account = None
        if not stage.is_under_way:
            self._close(key, RESULTS[stage], now)
        elif account is None:
            since = now if before else after.status.release_status.last_transition_time or now
            self._accounts[key] = Account(revision, stage, since, now if before or not revision else None)
        else:
            account.revision = revision
            self._turn(account, stage, now)
        if before:
            self._tell(lambda: self._figures.batches.inc(_batches_ended(before, after)))

    def _turn(self, account: Account, stage: Stage, now: datetime) -> None:
        if stage is not account.stage:
            spent = max(0.0, (now - account.since).total_seconds())
            self._tell(lambda: self._figures.spent.labels(account.stage).inc(spent))
            account.stage, account.since = stage, now

    def _close(self, key: tuple[str, str], result: Result, now: datetime) -> None:
        account = self._accounts.pop(key, None)
        if account is None:
            return
        self._turn(account, Stage.COMPLETE, now)
        self._tell(self._figures.ended.labels(result).inc)
        if account.began is not None:
            lasted = (now - account.began).total_seconds()
            self._tell(lambda: self._figures.lasted.labels(result).observe(lasted))

    def _tell(self, what: Callable[[], None]) -> None:
        if self._is_open:
            what()


class Figures(Collector):
    """Of one process; `books` are those of what it acts on."""

    def __init__(self, registry: CollectorRegistry, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.books: list[Book] = []
        self.ended = Counter("arkwright_releases_ended", "Releases that ended", ["result"], registry=registry)
        self.lasted = Histogram(
            "arkwright_release_seconds",
            "From the beginning of a release to its end, where this controller saw both",
            ["result"],
            buckets=SECONDS,
            registry=registry,
        )
        self.spent = Counter(
            "arkwright_release_stage_seconds",
            "Seconds that releases spent, by what they did or waited for; counted when that ends",
            ["stage"],
            registry=registry,
        )
        self.batches = Counter(
            "arkwright_release_batches", "Batches of releases that were completed", registry=registry
        )
        for result in Result:
            self.ended.labels(result)
        registry.register(self)

    def describe(self) -> Iterable[Metric]:
        return self._told(Count(), [], Count(), Count())

    def collect(self) -> Iterable[Metric]:
        deployments = [one for book in self.books for one in book.releases()]
        phases = sum((book.phases for book in self.books), Count[str]())
        causes = sum((book.causes for book in self.books), Count[str]())
        return self._told(Count[str](map(stage_of, deployments)), deployments, phases, causes)

    def _told(
        self, stages: Count[str], deployments: list[ModuleDeployment], phases: Count[str], causes: Count[str]
    ) -> Iterable[Metric]:
        failures = Count(_bounded(failure.reason) for one in deployments if (failure := failure_of(one)))
        yield _gauge("arkwright_releases", "ModuleDeployments by how they stand", "stage", Stage, stages)
        yield _gauge("arkwright_failing_releases", "ModuleDeployments that fail, by reason", "reason", (), failures)
        yield _gauge("arkwright_modules", "Modules by phase", "phase", ModulePhase, phases)
        yield _gauge("arkwright_unavailable_modules", "Modules not available, by cause", "cause", (), causes)
        oldest = GaugeMetricFamily(
            "arkwright_oldest_confirm_seconds",
            "How long the release has waited that waits longest for a person; 0: none",
        )
        oldest.add_metric((), max((self._waited(one) for one in deployments), default=0.0))
        yield oldest

    def _waited(self, one: ModuleDeployment) -> float:
        release = one.status.release_status
        is_asking = stage_of(one) is Stage.WAITING_FOR_PERSON and release.batch_progress is Progress.COMPLETED
        since = release.last_transition_time
        return max(0.0, (self._clock() - since).total_seconds()) if is_asking and since else 0.0


def _cause(module: Module) -> str:
    return MOVING if module.is_terminating or not module.status.reason else _bounded(module.status.reason)


def _bounded(reason: str) -> str:
    """One of ours, or one word for all others: whoever writes a status must not make series without end."""
    return reason if reason in KNOWN else OTHER


def _batches_ended(before: ModuleDeployment, after: ModuleDeployment) -> int:
    """Where the next begins, and where the release is complete."""
    old, new = before.status.release_status, after.status.release_status
    if old.update_revision != new.update_revision:
        return 0
    is_last = stage_of(before).is_under_way and stage_of(after) is Stage.COMPLETE
    return max(0, new.current_batch - old.current_batch) + is_last


def _gauge(name: str, words: str, label: str, always: Iterable[str], found: Count[str]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words, labels=(label,))
    for one in dict.fromkeys((*always, *found)):
        family.add_metric((str(one),), found[one])
    return family
