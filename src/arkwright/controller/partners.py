"""Controllers that share namespaces out, by a Lease each. In: everybody's Leases. Out: which namespaces are ours to act on.

A partner renews its Lease and says in it by which circle it acts. It takes another for dead once that one's Lease is over; whoever cannot
renew for two thirds of that time has stopped before. The order of each change is what makes it safe: stop what is no longer ours,
publish the new circle, read everybody's, and only then begin. A controller that acts on everything (`leader`) claims all: nobody begins
beside it, and it does not lead beside partners.
"""

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog

from arkwright.clients.errors import ClientError, Conflict, NotFound
from arkwright.clients.kube import KubeClient
from arkwright.controller.leases import LEASES, Sightings, Terms, all_leases, seconds
from arkwright.model.cluster import Document, Lease
from arkwright.model.names import ACTS_BY, ANSWERS_AT, SHARES_WITH
from arkwright.model.shares import Circle, claim_of, is_partner, may_act, written

log = structlog.get_logger()
LOOK_SECONDS = 0.4
DEAD_AFTER = 0.8  # durations of silence; with the looks that it takes to see it, a share has moved within one


@dataclass(frozen=True)
class Hands:
    """What a partner is told: `keep` stops whatever it is not true for, and returns once that has stopped; `begin` may act on what it is
    true for."""

    keep: Callable[[Callable[[str], bool]], Awaitable[None]]
    begin: Callable[[Callable[[str], bool]], None]


class Partner:
    """`identity` tells controllers apart. `terms.name` is the group; each Lease is called by group and identity. `answers_at`: the url where
    bases may ask us; `addresses`: those of all that live, by identity."""

    def __init__(
        self, kube: KubeClient, terms: Terms, identity: str, clock: Callable[[], datetime], hands: Hands
    ) -> None:
        self._kube, self._terms, self._clock, self._hands = kube, terms, clock, hands
        self.identity = identity
        self.claims: dict[str, Circle] = {}
        self._circle: Circle = frozenset()
        self._published: Circle | None = None
        self._has_begun = False
        self._sightings = Sightings(terms.duration)
        self._renewed, self._began = float("-inf"), 0.0
        self.answers_at = ""
        self.addresses: dict[str, str] = {}

    @property
    def is_sure(self) -> bool:
        """Whether our Lease cannot be over yet for anybody, even if we stood still for a while."""
        return seconds() - self._renewed <= self._terms.sure

    @property
    def takes_part(self) -> bool:
        """Whether it acts on all that is its own."""
        return self._has_begun and self.is_sure

    async def run(self) -> None:
        """Until cancelled; then everything stops, and the Lease is taken away."""
        self._began = seconds()
        try:
            while True:
                await self._turn()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            await self._stop()
            with contextlib.suppress(ClientError, TimeoutError):
                async with asyncio.timeout(self._terms.duration / 3):
                    await self._kube.delete(LEASES, self._terms.namespace, self._lease)

    async def _turn(self) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await self._take_part()
        except (ClientError, TimeoutError) as error:
            log.warning("the Leases cannot be reached", group=self._terms.name, error=str(error) or "no answer in time")
        if self._circle and not self.is_sure:
            log.error("nothing is acted on: the Lease could not be renewed", group=self._terms.name)
            await self._stop()

    @property
    def _patience(self) -> float:
        """Seconds for a turn: whoever acts has to notice in time that it may not any more."""
        third, left = self._terms.duration / 3, self._renewed + self._terms.sure - seconds()
        return max(LOOK_SECONDS / 4, min(third, left)) if self._circle else third

    async def _take_part(self) -> None:
        if self._published != self._circle or seconds() - self._renewed >= self._terms.renew:
            await self._publish()
        alive = await self._look()
        if alive.partners != self._circle:
            await self._hands.keep(
                partial(may_act, self.identity, claims=alive.claims | {self.identity: alive.partners})
            )
            log.info("namespaces are shared out anew", among=written(alive.partners))
            self._circle = alive.partners
            await self._publish()
            alive = await self._look()
        self.claims, self.addresses = alive.claims | {self.identity: self._circle}, alive.addresses
        if self.is_sure and not self._expects_others:
            self._hands.begin(self.acts_on)
            self._has_begun = True

    @property
    def _expects_others(self) -> bool:
        """Several that start together need not all read everything: who finds nobody waits a little."""
        return len(self._circle) == 1 and seconds() - self._began < self._terms.renew

    def acts_on(self, namespace: str) -> bool:
        """Whether it is ours, and nobody else's."""
        return may_act(self.identity, namespace, self.claims)

    async def _stop(self) -> None:
        self.claims, self._circle, self._has_begun = {}, frozenset(), False
        await self._hands.keep(lambda namespace: False)

    async def _look(self) -> "Alive":
        leases = [one for one in await all_leases(self._kube, self._terms.namespace) if concerns(one, self._terms.name)]
        self._sightings.note(leases)
        over = [one for one in leases if self._sightings.is_over(one, DEAD_AFTER)]
        await self._sweep(over)
        return Alive(self.identity, tuple(one for one in leases if one not in over))

    async def _sweep(self, over: list[Lease]) -> None:
        """Who comes later need not find out anew that they are dead. One that was renewed meanwhile stays."""
        for one in over:
            if SHARES_WITH in one.metadata.labels and one.name != self._lease:
                version = one.metadata.resource_version
                with contextlib.suppress(NotFound, Conflict):
                    await self._kube.delete(LEASES, self._terms.namespace, one.name, version=version)

    @property
    def _lease(self) -> str:
        return f"{self._terms.name}-{self.identity}"

    async def _publish(self) -> None:
        """Our Lease, renewed, with the circle that we act by. It counts from before it was sent. Who stood still is not renewed as it acts: others may
        act on the same by now, so that it stops first. Raises TimeoutError."""
        begun, document = seconds(), self._document()
        if self._circle and begun - self._renewed > self._terms.sure:
            raise TimeoutError("our own may be over")
        self._published = None  # until it is certain
        try:
            await self._kube.patch(LEASES, LEASES.path(self._terms.namespace, self._lease), document)
        except NotFound:
            await self._kube.create(LEASES, self._terms.namespace, document)
        self._renewed, self._published = begun, self._circle

    def _document(self) -> Document:
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": self._lease,
                "namespace": self._terms.namespace,
                "labels": {SHARES_WITH: self._terms.name},
                "annotations": {ACTS_BY: written(self._circle), ANSWERS_AT: self.answers_at},
            },
            "spec": {
                "holderIdentity": self.identity,
                "leaseDurationSeconds": math.ceil(self._terms.duration),
                "renewTime": self._clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            },
        }


@dataclass(frozen=True)
class Alive:
    """Who may be alive, `identity` in any case."""

    identity: str
    leases: tuple[Lease, ...]

    @property
    def claims(self) -> dict[str, Circle]:
        """A leader's, too."""
        return {one.spec.holder_identity: claim_of(one) for one in self.leases if one.spec.holder_identity}

    @property
    def addresses(self) -> dict[str, str]:
        told = {one.spec.holder_identity: one.metadata.annotations.get(ANSWERS_AT, "") for one in self.leases}
        return {who: url for who, url in told.items() if url}

    @property
    def partners(self) -> Circle:
        who = (one.spec.holder_identity for one in self.leases if SHARES_WITH in one.metadata.labels)
        return frozenset((self.identity, *filter(None, who)))


def concerns(lease: Lease, group: str) -> bool:
    """Whether it is a partner's of the group, or the one of who acts on everything."""
    return lease.name == group or is_partner(lease, group)
