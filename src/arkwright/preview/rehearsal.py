"""Plays a wish through: the controller's observer, triggers and planners on a copy of what is there. In: objects and a wish. Out: all that was done, in order.

Agents do what they are asked, and whoever is asked for a confirm gives it: both are the premise of a preview. Nothing is decided here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from arkwright.controller import triggers
from arkwright.controller.cache import Cache
from arkwright.controller.objects import Change, Key
from arkwright.controller.observe import Observer
from arkwright.controller.relations import owner_of, replica_set_of
from arkwright.model.cluster import Document
from arkwright.model.codec import decode, encode, merged
from arkwright.model.kinds import Module, ModuleDeployment, ModuleReplicaSet, Progress, ReleaseStatus
from arkwright.model.meta import KubernetesObject
from arkwright.model.names import label_value
from arkwright.model.outcomes import Command
from arkwright.model.resources import PLANNED_FROM, Kind
from arkwright.people.standings import is_seen
from arkwright.plan.intents import Intent, target_of
from arkwright.preview.agenda import Agenda
from arkwright.preview.agents import Answer, WillingAgents
from arkwright.preview.hand import Hand

LOOKS, LOOKS_FOR_EACH = 2_000, 400  # more than any release takes: one that goes on beyond them turns in circles
ANSWER_SECONDS = 30.0  # what is leaving has left by then, and what a wish supersedes asks nobody any more
RESUMED: Document = {"metadata": {"managedFields": None}, "spec": {"pause": False}}  # by a person, whoever else says it
Live = Mapping[Kind, Sequence[KubernetesObject]]


@dataclass(frozen=True)
class Done:
    """For the ModuleDeployment, one of its ReplicaSets or Modules. `batch`: of the release, as its status says at that moment."""

    at: datetime
    batch: int
    intent: Intent


@dataclass(frozen=True)
class Asked:
    """A person was. `is_confirm`: whether the batch is complete; otherwise somebody had paused it."""

    batch: int
    is_confirm: bool


@dataclass(frozen=True)
class Deletion:
    """The wish that this very object be gone, as `kubectl delete` says it."""

    one: ModuleDeployment | Module

    @property
    def kind(self) -> Kind:
        return Kind.MODULE if isinstance(self.one, Module) else Kind.MODULE_DEPLOYMENT


Wish = ModuleDeployment | Deletion


@dataclass(frozen=True)
class Played:
    """`before`, `after`: the ModuleDeployment that it is about, None where there is none; `after` of one that is gone is what it was last. `is_cut`: it went
    on and on."""

    before: ModuleDeployment | None
    after: ModuleDeployment | None
    story: tuple[Done | Asked, ...]
    cache: Cache
    is_cut: bool


def wished(one: ModuleDeployment, patch: Document) -> ModuleDeployment:
    """As it would be after a merge patch. Raises msgspec.ValidationError where it says what cannot be."""
    return decode(merged(encode(one), patch), ModuleDeployment)


def play(live: Live, wish: Wish, now: datetime) -> Played:
    """`live`: one namespace, whole: all kinds that plans are made from."""
    return Rehearsal(live, wish, now).play()


class Rehearsal:
    def __init__(self, live: Live, wish: Wish, now: datetime) -> None:
        self._agenda = Agenda(now)
        self._cache = Cache(lambda: self._agenda.now)
        for kind in PLANNED_FROM:
            for one in live[kind]:
                self._cache.apply(kind, one)
        self._wish, self._about = wish, wish.one if isinstance(wish, Deletion) else wish
        name, self._family = _whose(self._about, self._cache)
        self._key = Key(Kind.MODULE_DEPLOYMENT, self._about.metadata.namespace, name)
        self._before: ModuleDeployment | None = self._cache.get(*self._key)
        self._deployment: ModuleDeployment | None = self._before
        on_pods = ((pod, self._cache.modules_on(pod)) for pod in self._cache.all(Kind.POD))
        self._agents = WillingAgents(self._agenda, on_pods, self._heard)
        self._observer = Observer(self._cache, self._agents, drift_seconds=0)
        self._hand = Hand(self._agenda, self._cache, self._agents, self._note)
        self._story: list[Done | Asked] = []
        self._is_answering = False
        self._cache.on_change = self._changed

    def play(self) -> Played:
        self._agenda.add(self._key)
        for key in self._concerned():
            self._agenda.add_later(key, 0)  # after what the wish concerns: the order is as if nothing else were due
        self._say()
        left = LOOKS + LOOKS_FOR_EACH * len(self._cache.all(Kind.POD))
        while left and (due := self._agenda.next()) is not None:
            left -= 1
            if isinstance(due, Key):
                self._look(due)
            else:
                due()
            self._notice_questions()
        return Played(self._before, self._deployment, tuple(self._story), self._cache, not left)

    def _concerned(self) -> Iterator[Key]:
        """What is of it already: a release that is under way goes on."""
        namespace = self._about.metadata.namespace
        for replica_set in self._cache.find(Kind.MODULE_REPLICASET, "family", namespace, self._family):
            yield Key(Kind.MODULE_REPLICASET, *replica_set.key)
            for module in self._cache.modules_of(replica_set):
                yield Key(Kind.MODULE, *module.key)
                yield Key(Kind.POD, namespace, module.pod_name)
        if isinstance(self._about, Module):
            yield Key(Kind.MODULE, *self._about.key)  # a bare one is of none of them

    def _say(self) -> None:
        """The wish, as a person's write."""
        wish, before = self._wish, self._before
        if isinstance(wish, Deletion):
            self._hand.writes.delete(target_of(wish.kind, wish.one))
        elif before is None or (before.spec, before.metadata) != (wish.spec, wish.metadata):
            generation = (before.metadata.generation if before else 0) + (before is None or before.spec != wish.spec)
            self._hand.writes.replace(wish, generation)

    def _changed(self, change: Change) -> None:
        if (
            change.kind is Kind.MODULE_DEPLOYMENT
            and change.after
            and change.after.key == (self._key.namespace, self._key.name)
        ):
            self._deployment = change.after
        for key in triggers.keys(change, self._cache):
            self._agenda.add(key)
        if change.after is None and change.kind is Kind.MODULE:
            self._agents.forget(Key(Kind.MODULE, *change.before.key))

    def _heard(self, answer: Answer) -> None:
        names = None if answer.call.command is Command.QUERY else frozenset((answer.call.archive.name,))
        for key in triggers.after_call(answer.pod, answer.askers, names, self._cache):
            self._agenda.add(key)

    def _look(self, key: Key) -> None:
        plan = self._observer.plan(key, self._agenda.now)
        if plan is None:
            self._agenda.done(key)
        else:
            self._hand.do(key, plan)

    def _note(self, key: Key, intent: Intent) -> None:
        """What others do meanwhile is no consequence of the wish."""
        if self._is_own(key):
            self._story.append(Done(self._agenda.now, self._batch, intent))

    @property
    def _batch(self) -> int:
        """Of its release; 0 where there is none, and as long as that is of before it was deleted."""
        one = self._deployment
        if one is None or (one.is_terminating and not is_seen(one)):
            return 0
        return one.status.release_status.current_batch

    def _is_own(self, key: Key) -> bool:
        if key.kind is Kind.MODULE_DEPLOYMENT:
            return key == self._key
        one = self._cache.get(*key)
        return isinstance(one, ModuleReplicaSet | Module) and one.family == self._family

    def _notice_questions(self) -> None:
        """People answer once all is quiet."""
        if not self._is_answering and self._is_asking:
            self._is_answering = True
            self._agenda.go_on(self._answer, ANSWER_SECONDS)

    @property
    def _is_asking(self) -> bool:
        """Not what was answered already, and asks all the same."""
        one = self._deployment
        if one is None:
            return False
        release = one.status.release_status
        is_held = release.progress is Progress.PAUSED and one.spec.pause
        return is_held and (one.spec.confirm_batch_num < release.current_batch or not _is_complete(release))

    def _answer(self) -> None:
        """Yes."""
        self._is_answering = False
        one = self._deployment
        if one is not None and self._is_asking:
            release = one.status.release_status
            is_confirm = _is_complete(release)
            self._story.append(Asked(release.current_batch, is_confirm))
            said: Document = {"spec": {"confirmBatchNum": release.current_batch}} if is_confirm else RESUMED
            self._hand.writes.patch(target_of(Kind.MODULE_DEPLOYMENT, one), said)


def _whose(about: ModuleDeployment | Module, cache: Cache) -> tuple[str, str]:
    """The ModuleDeployment that it is, or that a Module is of, "" for none; and what all that is of it has for a family."""
    if isinstance(about, ModuleDeployment):
        return about.name, label_value(about.name)
    replica_set = replica_set_of(about, cache)
    if replica_set is None:
        return "", about.family
    owner = owner_of(replica_set)
    return owner.name if owner else "", replica_set.family


def _is_complete(release: ReleaseStatus) -> bool:
    """A batch of it is, which waits for a confirm; otherwise somebody has paused it."""
    return release.batch_progress is Progress.COMPLETED
