"""When Leases last changed, as seen here. In: Leases as they are read. Out: which of them are over.

Another's clock is not trusted: a Lease is over when it did not change here for its duration, on a clock that nobody sets. One that was
never seen before may be alive.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from arkwright.clients.kube import KubeClient
from arkwright.model.cluster import Lease
from arkwright.model.codec import read
from arkwright.model.names import DEFAULT_LEASE
from arkwright.model.resources import RESOURCES, Kind

LEASES = RESOURCES[Kind.LEASE]


@dataclass(frozen=True)
class Terms:
    """Seconds. A holder renews every `renew`; after `duration` without a renewal another may take over."""

    namespace: str = DEFAULT_LEASE[0]
    name: str = DEFAULT_LEASE[1]
    duration: float = 15.0
    renew: float = 3.0

    @property
    def sure(self) -> float:
        """For so long after its last renewal a holder may act: another begins later, and what is under way needs time to stop."""
        return self.duration * 2 / 3


class Sightings:
    """`duration`: of a Lease that says none."""

    def __init__(self, duration: float) -> None:
        self._duration = duration
        self._seen: dict[str, tuple[str, float]] = {}

    def note(self, leases: Iterable[Lease]) -> None:
        """All that there are."""
        now = seconds()
        self._seen = {one.name: self._last_change(one, now) for one in leases}

    def _last_change(self, lease: Lease, now: float) -> tuple[str, float]:
        known, version = self._seen.get(lease.name), lease.metadata.resource_version
        return known if known and known[0] == version else (version, now)

    def is_over(self, lease: Lease, durations: float = 1) -> bool:
        """Of one that was noted. `durations`: for how many of them it has to have been silent."""
        silent = seconds() - self._seen[lease.name][1]
        return silent > (lease.spec.lease_duration_seconds or self._duration) * durations


async def all_leases(kube: KubeClient, namespace: str) -> list[Lease]:
    """Raises ClientError."""
    listing = await kube.list(LEASES, namespace)
    return [read(raw, Lease) for raw in listing.objects]


def seconds() -> float:
    """On a clock that nobody sets."""
    return asyncio.get_running_loop().time()
