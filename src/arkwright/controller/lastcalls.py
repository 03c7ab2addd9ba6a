"""The last calls to each pod's agent. In: calls that ended. Out: a few of them a pod, for people to see.

Of those that change something the last ten are kept, of questions the last one alone: each pod is asked every minute, and that would be all there is.
What a call that was done said is not kept: its end says enough, and a fleet has many.
"""

from datetime import datetime

from arkwright.model.agentview import IDENTITY, CallView, cleaned
from arkwright.model.kinds import ModuleArchive
from arkwright.model.outcomes import Command, Outcome, Verdict
from arkwright.model.text import plain

KEPT = 10


class LastCalls:
    """By the pod's uid."""

    def __init__(self) -> None:
        self._changes: dict[str, tuple[CallView, ...]] = {}
        self._questions: dict[str, CallView] = {}

    def note(self, pod_uid: str, call: CallView) -> None:
        if call.command is Command.QUERY:
            self._questions[pod_uid] = call
        else:
            self._changes[pod_uid] = (*self._changes.get(pod_uid, ())[1 - KEPT :], call)

    def of(self, pod_uid: str) -> tuple[CallView, ...]:
        """The latest first."""
        question = self._questions.get(pod_uid)
        found = (*self._changes.get(pod_uid, ()), *((question,) if question else ()))
        return tuple(sorted(found, key=lambda one: one.at, reverse=True))

    def has_changed(self, pod_uid: str) -> bool:
        """Whether anything was asked of it but what it has."""
        return pod_uid in self._changes

    def forget(self, pod_uid: str) -> None:
        self._changes.pop(pod_uid, None)
        self._questions.pop(pod_uid, None)


def call_view(outcome: Outcome, archive: ModuleArchive, begun: datetime, at: datetime) -> CallView:
    is_question = outcome.command is Command.QUERY
    return CallView(
        command=outcome.command,
        identity="" if is_question else plain(f"{archive.name}:{archive.version}", IDENTITY),
        at=at,
        seconds=min(1e6, max(0.0, (at - begun).total_seconds())),
        verdict=outcome.verdict,
        words="" if outcome.verdict is Verdict.DONE else cleaned(outcome.message),
    )
