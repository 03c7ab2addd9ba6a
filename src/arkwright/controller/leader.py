"""One controller acts at a time. In: a Lease. Out: `lead` returns when it is ours, `hold` when it is lost.

A merge patch that carries the Lease's resourceVersion decides between two that reach for it at once.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from arkwright.clients.errors import ClientError, Conflict, NotFound
from arkwright.clients.kube import KubeClient
from arkwright.model.cluster import Document, Lease
from arkwright.model.names import DEFAULT_LEASE
from arkwright.model.resources import RESOURCES, Kind

log = structlog.get_logger()
LEASES = RESOURCES[Kind.LEASE]


@dataclass(frozen=True)
class Terms:
    """Seconds. A holder renews every `renew`; after `duration` without a renewal another may take over."""

    namespace: str = DEFAULT_LEASE[0]
    name: str = DEFAULT_LEASE[1]
    duration: float = 15.0
    renew: float = 3.0


class Leadership:
    """`identity` tells controllers apart. Another's clock is not trusted: a lease is over when it did not change here for its duration."""

    def __init__(self, kube: KubeClient, terms: Terms, identity: str, clock: Callable[[], datetime]) -> None:
        self._kube, self._terms, self._identity, self._clock = kube, terms, identity, clock
        self._seen: tuple[str, float] | None = None

    async def lead(self) -> None:
        """Wait until the lease is ours. Another's lease, or an API server that does not answer, is asked again."""
        while not await self._try():  # noqa: ASYNC110 (nobody here could set an Event: the lease is elsewhere)
            await asyncio.sleep(self._terms.renew)
        log.info("leading", lease=self._terms.name, identity=self._identity)

    async def hold(self) -> None:
        """Renew until that fails for as long as the lease lasts, or another has it."""
        renewed = _seconds()
        while _seconds() - renewed < self._terms.duration * 2 / 3:
            await asyncio.sleep(self._terms.renew)
            is_ours = await self._try()
            if is_ours is False:
                break
            if is_ours:
                renewed = _seconds()
        log.error("the lease is lost", lease=self._terms.name)

    async def _try(self) -> bool | None:
        """Whether the lease is ours; None if that could not be found out in time."""
        try:
            async with asyncio.timeout(self._terms.duration / 3):
                return await self._reach()
        except (ClientError, TimeoutError) as error:
            log.warning("the lease cannot be reached", lease=self._terms.name, error=str(error) or "no answer in time")
            return None
        except Exception:  # a mistake of ours is no answer either: without one for too long, the lease is lost
            log.exception("the lease cannot be reached", lease=self._terms.name)
            return None

    async def let_go(self) -> None:
        """Let another take over at once."""
        lease = await self._get()
        if lease and lease.spec.holder_identity == self._identity:
            await self._write(lease, "")

    async def _reach(self) -> bool:
        """Take or renew the lease if nobody else holds it."""
        lease = await self._get()
        if lease is None:
            return await self._create()
        if lease.spec.holder_identity not in ("", self._identity) and not self._is_over(lease):
            return False
        return await self._write(lease, self._identity)

    def _is_over(self, lease: Lease) -> bool:
        version, now = lease.metadata.resource_version, _seconds()
        if self._seen is None or self._seen[0] != version:
            self._seen = (version, now)
        return now - self._seen[1] > (lease.spec.lease_duration_seconds or self._terms.duration)

    async def _get(self) -> Lease | None:
        try:
            found = await self._kube.get(LEASES, self._terms.namespace, self._terms.name)
        except NotFound:
            return None
        return found if isinstance(found, Lease) else None

    async def _create(self) -> bool:
        metadata = {"name": self._terms.name, "namespace": self._terms.namespace}
        document = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata}
        try:
            await self._kube.create(LEASES, self._terms.namespace, document | {"spec": self._spec(self._identity)})
        except Conflict:
            return False
        return True

    async def _write(self, lease: Lease, holder: str) -> bool:
        path = LEASES.path(self._terms.namespace, self._terms.name)
        metadata = {"resourceVersion": lease.metadata.resource_version}
        try:
            await self._kube.patch(LEASES, path, {"metadata": metadata, "spec": self._spec(holder)})
        except Conflict:
            return False
        return True

    def _spec(self, holder: str) -> Document:
        return {
            "holderIdentity": holder,
            "leaseDurationSeconds": max(1, round(self._terms.duration)),
            "renewTime": self._clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }


def _seconds() -> float:
    """On a clock that nobody sets."""
    return asyncio.get_running_loop().time()
