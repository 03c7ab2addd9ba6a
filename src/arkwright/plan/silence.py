"""Base pods whose agent has never answered: whom they hold up, and for how long (semantics 8).

In: Modules, and which pods say that they are not ready. Out: pods that nobody waits for. Nothing was ever changed in such a
pod, for an agent is asked what is there before anything is done. One that has answered once is waited for as ever.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from arkwright.model.kinds import Module, ModuleDeploymentSpec
from arkwright.model.meta import Condition
from arkwright.model.moments import seconds_left
from arkwright.model.outcomes import Reason

NEVER_ANSWERED = Condition(type="NeverAnswered", status="True", reason=Reason.AGENT_UNREACHABLE)


def has_never_answered(module: Module) -> bool:
    """Whether the agent of its pod has been asked for it, and has never answered."""
    return any(one.type == NEVER_ANSWERED.type and one.status == "True" for one in module.status.conditions)


@dataclass(frozen=True)
class Silence:
    """`modules`: those of the wanted revision that are coming. `unready`: pods of the base that say they are not ready."""

    spec: ModuleDeploymentSpec
    modules: tuple[Module, ...] = ()
    unready: frozenset[str] = frozenset()

    @cached_property
    def _silent(self) -> tuple[Module, ...]:
        return tuple(one for one in self.modules if has_never_answered(one))

    @property
    def uncounted(self) -> frozenset[str]:
        """Pods that say themselves that they are not ready: in symmetric mode they are not missed."""
        is_symmetric = self.spec.replicas < 0
        return frozenset(one.pod_name for one in self._silent if is_symmetric and one.pod_name in self.unready)

    def excused(self, now: datetime) -> frozenset[str]:
        """Pods that no batch waits for (any more): those, and whoever has had progressDeadlineSeconds to answer."""
        return self.uncounted | {one.pod_name for one in self._silent if self._seconds_left(one, now) <= 0}

    def next_excuse_in(self, now: datetime) -> float | None:
        waits = (self._seconds_left(one, now) for one in self._silent)
        return min((wait for wait in waits if wait > 0), default=None)

    def _seconds_left(self, module: Module, now: datetime) -> float:
        made = module.metadata.creation_timestamp or now
        return seconds_left(self.spec.progress_deadline_seconds, made, now)


def told_of(pods: Iterable[str]) -> str:
    """Who is not waited for, in words; "" for nobody.

    >>> told_of(["stock-9"])
    '; not waited for: stock-9, whose agent has never answered'
    """
    names = sorted(pods)
    whose = "whose agent has" if len(names) == 1 else "whose agents have"
    return f"; not waited for: {', '.join(names)}, {whose} never answered" if names else ""
