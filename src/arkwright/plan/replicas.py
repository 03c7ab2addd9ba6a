"""The Modules of one ReplicaSet by how far they are. In: Modules. Out: groups, counts and pods.

Whoever counts a fleet asks here: a `Replicas` is sorted as its Modules change, and kept until one does, so that no look walks over
thousands. Not done here: deciding anything.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from arkwright.model.kinds import Module, ModulePhase
from arkwright.model.moments import LONGEST_DOUBT_SECONDS, seconds_left


def is_ready(module: Module) -> bool:
    """Serves, and is to stay."""
    return module.status.status is ModulePhase.AVAILABLE and not module.is_terminating


def seconds_to_available(module: Module, min_ready_seconds: int, now: datetime) -> float | None:
    """0: available; more: seconds left of `min_ready_seconds`; None: not ready at all."""
    if not is_ready(module):
        return None
    since = module.status.last_transition_time
    if not min_ready_seconds or since is None:
        return 0.0
    return seconds_left(min_ready_seconds, since, now)


def is_available(module: Module, min_ready_seconds: int, now: datetime) -> bool:
    """Ready, for at least `min_ready_seconds`."""
    return seconds_to_available(module, min_ready_seconds, now) == 0


@dataclass(frozen=True)
class Replicas:
    """`ready`: serve, and are to stay. `coming`: not ready, or not any more. `going`: being deleted.

    `ready_pods`, `coming_pods`, `going_pods`: the names of the pods that these are on. `dated`: (since when, pod) of each ready one
    that says since when, oldest first.
    """

    ready: tuple[Module, ...] = ()
    coming: tuple[Module, ...] = ()
    going: tuple[Module, ...] = ()
    ready_pods: frozenset[str] = frozenset()
    coming_pods: frozenset[str] = frozenset()
    going_pods: frozenset[str] = frozenset()
    dated: tuple[tuple[datetime, str], ...] = ()

    @classmethod
    def of(cls, modules: Iterable[Module]) -> "Replicas":
        """Sorted anew."""
        everyone = tuple(modules)
        going = tuple(one for one in everyone if one.is_terminating)
        ready = tuple(one for one in everyone if is_ready(one))
        coming = tuple(one for one in everyone if not one.is_terminating and not is_ready(one))
        times = ((one.status.last_transition_time, one.pod_name) for one in ready)
        dated = sorted((since, pod) for since, pod in times if since is not None)
        return cls(ready, coming, going, _pods(ready), _pods(coming), _pods(going), tuple(dated))

    def __len__(self) -> int:
        return len(self.ready) + len(self.coming) + len(self.going)

    def __iter__(self) -> Iterator[Module]:
        yield from self.ready
        yield from self.coming
        yield from self.going

    @cached_property
    def live(self) -> tuple[Module, ...]:
        return self.ready + self.coming

    @cached_property
    def live_pods(self) -> frozenset[str]:
        return self.ready_pods | self.coming_pods

    @cached_property
    def pods(self) -> frozenset[str]:
        return self.live_pods | self.going_pods

    def live_outside(self, pods: frozenset[str] | set[str]) -> int:
        """How many live ones are on other pods than these."""
        if len(self.live_pods) == len(self.live):
            return len(self.live_pods - pods)
        return sum(one.pod_name not in pods for one in self.live)

    def _fresh(self, min_ready_seconds: int, now: datetime) -> tuple[int, int]:
        """Where in `dated` those are that have not been ready for long enough: from, to. What lies ahead of any clock is long past."""
        if not min_ready_seconds:
            return len(self.dated), len(self.dated)
        return (
            _after(self.dated, now - timedelta(seconds=min_ready_seconds)),
            _after(self.dated, now + timedelta(seconds=LONGEST_DOUBT_SECONDS)),
        )

    def available(self, min_ready_seconds: int, now: datetime) -> int:
        """How many have been ready for at least `min_ready_seconds`."""
        first, last = self._fresh(min_ready_seconds, now)
        return len(self.ready) - (last - first)

    def available_pods(self, min_ready_seconds: int, now: datetime) -> frozenset[str]:
        first, last = self._fresh(min_ready_seconds, now)
        return self.ready_pods - {pod for _, pod in self.dated[first:last]} if first < last else self.ready_pods

    def next_available_in(self, min_ready_seconds: int, now: datetime) -> float | None:
        """Seconds until the next one has been ready for long enough; None: none is on the way."""
        first, last = self._fresh(min_ready_seconds, now)
        return seconds_left(min_ready_seconds, self.dated[first][0], now) if first < last else None

    def last_arrival(self, min_ready_seconds: int, now: datetime) -> datetime | None:
        """When the last of the available ones became ready; `now` where one does not say it, None where there is none."""
        if len(self.dated) < len(self.ready):
            return now
        first, last = self._fresh(min_ready_seconds, now)
        lasting = self.dated[last:] or self.dated[:first]
        return lasting[-1][0] if lasting else None


def _pods(modules: tuple[Module, ...]) -> frozenset[str]:
    return frozenset(one.pod_name for one in modules)


def _after(dated: tuple[tuple[datetime, str], ...], moment: datetime) -> int:
    """How many are not later than that."""
    return bisect_right(dated, moment, key=lambda one: one[0])
