"""One controller acts at a time. In: a Lease. Out: `lead` returns when it is ours, `hold` when it is lost.

A merge patch that carries the Lease's resourceVersion decides between two that reach for it at once. Beside controllers that share
namespaces out (`partners`) nobody leads: it looks for them before it takes the Lease, and once more before it acts.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from arkwright.clients.errors import ClientError, Conflict, Forbidden, NotFound
from arkwright.clients.kube import KubeClient
from arkwright.controller.leases import LEASES, Sightings, Terms, all_leases, seconds
from arkwright.model.cluster import Document, Lease
from arkwright.model.names import ANSWERS_AT
from arkwright.model.shares import is_partner

log = structlog.get_logger()


class Leadership:
    """`identity` tells controllers apart. `answers_at`: the url where others may ask it; "" if they cannot."""

    def __init__(self, kube: KubeClient, terms: Terms, identity: str, clock: Callable[[], datetime]) -> None:
        self._kube, self._terms, self._identity, self._clock = kube, terms, identity, clock
        self._sightings, self._of_partners = Sightings(terms.duration), Sightings(terms.duration)
        self._renewed, self._leads = float("-inf"), False
        self.answers_at = ""

    @property
    def is_sure(self) -> bool:
        """Whether the Lease cannot be over yet for anybody, even if we stood still for a while."""
        return seconds() - self._renewed <= self._terms.sure

    async def lead(self) -> None:
        """Wait until the lease is ours. Another's lease, or an API server that does not answer, is asked again."""
        while not await self._try():  # noqa: ASYNC110 (nobody here could set an Event: the lease is elsewhere)
            await asyncio.sleep(self._terms.renew)
        log.info("leading", lease=self._terms.name, identity=self._identity)

    async def hold(self) -> None:
        """Renew until that fails for as long as the lease lasts, or another has it."""
        while self.is_sure:
            await asyncio.sleep(self._terms.renew)
            if await self._try() is False:
                break
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
        self._renewed, self._leads = float("-inf"), False
        lease = await self._get()
        if lease and lease.spec.holder_identity == self._identity:
            await self._write(lease, "")

    async def _reach(self) -> bool:
        """Take or renew the lease if nobody else holds it."""
        lease = await self._get()
        if lease and lease.spec.holder_identity not in ("", self._identity) and not self._is_over(lease):
            return False
        if self._leads:
            return await self._take(lease)
        if not await self._is_shared() and await self._take(lease):
            self._leads = not await self._is_shared()  # one that came meanwhile may not have seen us
        if not self._leads:
            await self.let_go()
        return self._leads

    async def _take(self, lease: Lease | None) -> bool:
        """It counts from before it was sent."""
        begun = seconds()
        is_ours = await (self._write(lease, self._identity) if lease else self._create())
        self._renewed = begun if is_ours else float("-inf")
        return is_ours

    async def _is_shared(self) -> bool:
        """Whether controllers may live that share namespaces out. Where nobody may list Leases, nobody does that."""
        try:
            found = await all_leases(self._kube, self._terms.namespace)
        except Forbidden as error:
            log.warning("Leases cannot be listed: controllers with --shards would not be seen", error=str(error))
            return False
        partners = [one for one in found if is_partner(one, self._terms.name)]
        self._of_partners.note(partners)
        return not all(self._of_partners.is_over(one) for one in partners)

    def _is_over(self, lease: Lease) -> bool:
        self._sightings.note([lease])
        return self._sightings.is_over(lease)

    async def _get(self) -> Lease | None:
        try:
            found = await self._kube.get(LEASES, self._terms.namespace, self._terms.name)
        except NotFound:
            return None
        return found if isinstance(found, Lease) else None

    async def _create(self) -> bool:
        place = {"name": self._terms.name, "namespace": self._terms.namespace}
        metadata = place | ({"annotations": self._told(self._identity)} if self.answers_at else {})
        document: Document = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata}
        try:
            await self._kube.create(LEASES, self._terms.namespace, document | {"spec": self._spec(self._identity)})
        except Conflict:
            return False
        return True

    async def _write(self, lease: Lease, holder: str) -> bool:
        path = LEASES.path(self._terms.namespace, self._terms.name)
        told = self._told(holder)
        is_told = lease.metadata.annotations.get(ANSWERS_AT) == told[ANSWERS_AT]
        metadata = {"resourceVersion": lease.metadata.resource_version} | ({} if is_told else {"annotations": told})
        try:
            await self._kube.patch(LEASES, path, {"metadata": metadata, "spec": self._spec(holder)})
        except Conflict:
            return False
        return True

    def _told(self, holder: str) -> Document:
        """Nobody is asked who does not act."""
        return {ANSWERS_AT: self.answers_at if holder and self.answers_at else None}

    def _spec(self, holder: str) -> Document:
        return {
            "holderIdentity": holder,
            "leaseDurationSeconds": max(1, round(self._terms.duration)),
            "renewTime": self._clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
