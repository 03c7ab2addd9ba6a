"""Controllers that share namespaces out, by a Lease each. In: everybody's Leases. Out: which namespaces are ours to act on.

A member renews its Lease and says in it by which view it acts. It takes another for dead once that one's Lease has not changed for
its duration, as seen here on a clock that nobody sets; whoever cannot renew for two thirds of that has stopped before. The order of
each change is what makes it safe: stop what is no longer ours, publish the new view, read everybody's, and only then begin.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import structlog

from arkwright.clients.errors import ClientError, Conflict, NotFound
from arkwright.clients.kube import KubeClient
from arkwright.controller.leader import Terms
from arkwright.controller.shares import View, may_act
from arkwright.model.cluster import Document, Lease
from arkwright.model.codec import read
from arkwright.model.resources import RESOURCES, Kind

log = structlog.get_logger()
LEASES = RESOURCES[Kind.LEASE]
MEMBER_OF, VIEW = "arkwright.dev/member-of", "arkwright.dev/acts-by"
LOOK_SECONDS = 0.4


@dataclass(frozen=True)
class Hands:
    """What a member is told: `keep` stops whatever it is not true for, and returns once that has stopped; `begin` may act on what it is
    true for."""

    keep: Callable[[Callable[[str], bool]], Awaitable[None]]
    begin: Callable[[Callable[[str], bool]], None]


class Member:
    """`identity` tells controllers apart. `terms.name` is the group; each Lease is called by group and identity."""

    def __init__(
        self, kube: KubeClient, terms: Terms, identity: str, clock: Callable[[], datetime], hands: Hands
    ) -> None:
        self._kube, self._terms, self._clock, self._hands = kube, terms, clock, hands
        self.identity = identity
        self.claims: dict[str, View] = {}
        self._view: View = frozenset()
        self._seen: dict[str, tuple[str, float]] = {}
        self._renewed = float("-inf")

    async def run(self) -> None:
        """Until cancelled; then everything stops, and the Lease is taken away."""
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
            async with asyncio.timeout(self._terms.duration / 3):
                await self._take_part()
        except (ClientError, TimeoutError) as error:
            log.warning("the Leases cannot be reached", group=self._terms.name, error=str(error) or "no answer in time")
        if self._view and _seconds() - self._renewed > self._terms.duration * 2 / 3:
            log.error("nothing is acted on: the Lease could not be renewed", group=self._terms.name)
            await self._stop()

    async def _take_part(self) -> None:
        if _seconds() - self._renewed >= self._terms.renew:
            await self._publish()
        alive = await self._look()
        view = frozenset(alive)
        if view != self._view:
            await self._hands.keep(lambda namespace: self._is_ours(namespace, {**alive, self.identity: view}))
            self._view = view
            await self._publish()
            alive = await self._look()
        self.claims = {**alive, self.identity: self._view}
        self._hands.begin(self.acts_on)

    def acts_on(self, namespace: str) -> bool:
        """Whether it is ours, and nobody else's."""
        return self._is_ours(namespace, self.claims)

    def _is_ours(self, namespace: str, claims: dict[str, View]) -> bool:
        return may_act(self.identity, namespace, claims)

    async def _stop(self) -> None:
        self.claims, self._view = {}, frozenset()
        await self._hands.keep(lambda namespace: False)

    async def _look(self) -> dict[str, View]:
        """By which view each one acts that may be alive; ourselves among them."""
        listing = await self._kube.list(LEASES, self._terms.namespace, f"{MEMBER_OF}={self._terms.name}")
        leases = [one for raw in listing.objects if isinstance(one := read(raw, Lease), Lease)]
        ours = [one for one in leases if one.metadata.labels.get(MEMBER_OF) == self._terms.name]
        self._seen = {one.name: self._seen_at(one) for one in ours}
        alive = {one.spec.holder_identity: _view_of(one) for one in ours if self._is_alive(one)}
        return {**alive, self.identity: self._view}

    def _seen_at(self, lease: Lease) -> tuple[str, float]:
        known = self._seen.get(lease.name)
        version = lease.metadata.resource_version
        return known if known and known[0] == version else (version, _seconds())

    def _is_alive(self, lease: Lease) -> bool:
        duration = lease.spec.lease_duration_seconds or self._terms.duration
        return _seconds() - self._seen[lease.name][1] <= duration

    @property
    def _lease(self) -> str:
        return f"{self._terms.name}-{self.identity}"

    async def _publish(self) -> None:
        """Our Lease, renewed, with the view that we act by. It counts from before it was sent."""
        begun, document = _seconds(), self._document()
        try:
            await self._kube.patch(LEASES, LEASES.path(self._terms.namespace, self._lease), document)
        except NotFound:
            with contextlib.suppress(Conflict):  # the next turn patches it
                await self._kube.create(LEASES, self._terms.namespace, document)
        self._renewed = begun

    def _document(self) -> Document:
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": self._lease,
                "namespace": self._terms.namespace,
                "labels": {MEMBER_OF: self._terms.name},
                "annotations": {VIEW: _written(self._view)},
            },
            "spec": {
                "holderIdentity": self.identity,
                "leaseDurationSeconds": max(1, round(self._terms.duration)),
                "renewTime": self._clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            },
        }


def _written(view: Iterable[str]) -> str:
    return ",".join(sorted(view))


def _view_of(lease: Lease) -> View:
    return frozenset(one for one in lease.metadata.annotations.get(VIEW, "").split(",") if one)


def _seconds() -> float:
    """On a clock that nobody sets."""
    return asyncio.get_running_loop().time()
