"""Does what a plan says, on the copy, as `controller/execute` does it: intents of one type at once, one run after the other; what is decided counts before it is there.

In: plans. Out: writes, calls. A write takes a moment, in which others are looked at.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import assert_never

from arkwright.controller.announcements import announced
from arkwright.controller.cache import Cache
from arkwright.controller.objects import Key
from arkwright.model.codec import decode
from arkwright.model.kinds import Module
from arkwright.model.resources import Kind
from arkwright.plan.intents import Call, Create, Delete, Intent, MakeSure, Patch, Plan, SetStatus, Tell
from arkwright.preview.agenda import Agenda
from arkwright.preview.agents import WillingAgents
from arkwright.preview.writes import Writes

WRITE_SECONDS = 0.001
SAID_AT_ONCE = (Call, Tell)


@dataclass(frozen=True)
class Work:
    """What is left of the plan for `key`. `announcement`: ends with it."""

    key: Key
    runs: tuple[tuple[Intent, ...], ...]
    look_again_in: float | None
    announcement: contextlib.ExitStack


class Hand:
    """`note` hears of each intent as it is begun, and whose plan it is of."""

    def __init__(
        self, agenda: Agenda, cache: Cache, agents: WillingAgents, note: Callable[[Key, Intent], None]
    ) -> None:
        self._agenda, self._cache, self._agents, self._note = agenda, cache, agents, note
        self.writes = Writes(cache, self._now)

    def _now(self) -> datetime:
        return self._agenda.now

    def do(self, key: Key, plan: Plan) -> None:
        """From its first run; the key is done when the last one is."""
        stack = contextlib.ExitStack()
        stack.enter_context(announced(plan.intents, self._cache))
        runs = tuple(tuple(run) for _, run in groupby(plan.intents, type))
        self._begin(Work(key, runs, plan.look_again_in, stack))

    def _begin(self, work: Work) -> None:
        for number, run in enumerate(work.runs):
            for intent in run:
                self._note(work.key, intent)
            if not isinstance(run[0], SAID_AT_ONCE):
                rest = Work(work.key, work.runs[number + 1 :], work.look_again_in, work.announcement)
                self._agenda.go_on(lambda run=run, rest=rest: self._arrive(run, rest), WRITE_SECONDS)  # type: ignore[misc]
                return
            for intent in run:
                self._say(intent)
        self._end(work)

    def _arrive(self, run: tuple[Intent, ...], rest: Work) -> None:
        """At the API server, each of them; where one was planned on an older version of its object, the rest is dropped."""
        if all([self._is_taken(one) for one in run]):
            self._begin(rest)
        else:
            self._agenda.add(rest.key)
            self._end(Work(rest.key, (), None, rest.announcement))

    def _end(self, work: Work) -> None:
        work.announcement.close()
        if work.look_again_in is not None:
            self._agenda.add_later(work.key, work.look_again_in)
        self._agenda.done(work.key)

    def _is_taken(self, intent: Intent) -> bool:
        match intent:
            case Create(target, document):
                self.writes.put(target.kind, document)
                if target.kind is Kind.MODULE:
                    self._cache.arrivals.end(decode(document, Module))
            case Patch(target, patch):
                return self.writes.patch(target, patch)
            case SetStatus(target, status):
                self._cache.status_written[target.kind, target.namespace, target.name] = self._agenda.now
                return self.writes.patch(target, {"status": status})
            case Delete(target):
                self.writes.delete(target)
            case MakeSure() | Call() | Tell():
                pass
            case _:
                assert_never(intent)
        return True

    def _say(self, intent: Intent) -> None:
        if not isinstance(intent, Call):
            return
        target = intent.target
        module = self._cache.get(target.kind, target.namespace, target.name)
        pod = self._cache.get_pod_of(module) if module else None
        if pod is not None:
            self._agents.start(pod, intent, module.metadata.generation)
