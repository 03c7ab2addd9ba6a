"""What a decision would do to each base pod, before it is made: a preview of what the dashboard sees. In: a decision or a removal, and who asks. Out: lines.

Only for who may see all that it is made of. What is not watched (ReplicaSets, Services) is read as the viewer.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from arkwright.clients.errors import ClientError
from arkwright.clients.kube import KubeClient
from arkwright.model.codec import read
from arkwright.model.kinds import Module, ModuleDeployment
from arkwright.model.resources import PLANNED_FROM, RESOURCES, Kind
from arkwright.model.text import plain
from arkwright.people.decisions import Decision
from arkwright.preview.outlook import foresee
from arkwright.preview.rehearsal import Deletion, Live, Wish, wished
from arkwright.preview.wording import headline, lines
from arkwright.web.fleet import Fleet
from arkwright.web.sight import Right, Sight

READ_AS_VIEWER = (Kind.REPLICASET, Kind.SERVICE)
SEEN = (Right.SEE_RELEASES, Right.SEE_REVISIONS, Right.SEE_MODULES, Right.SEE_PODS, Right.SEE_BASES)
HIDDEN = "Which base pods it comes to is not shown: it depends on more than you may see."


class Foresight:
    """`clock` tells the time of day."""

    def __init__(self, fleet: Fleet, clock: Callable[[], datetime]) -> None:
        self._fleet, self._clock = fleet, clock

    async def of(self, kube: KubeClient, sight: Sight, one: ModuleDeployment, decision: Decision) -> tuple[str, ...]:
        """`kube`: with the viewer's own rights."""
        return await self._lines(kube, sight, one.metadata.namespace, lambda: wished(one, decision.patch))

    async def of_removal(self, kube: KubeClient, sight: Sight, module: Module) -> tuple[str, ...]:
        """`kube`: with the viewer's own rights."""
        return await self._lines(kube, sight, module.metadata.namespace, lambda: Deletion(module))

    async def _lines(self, kube: KubeClient, sight: Sight, namespace: str, wish: Callable[[], Wish]) -> tuple[str, ...]:
        if not all(sight.may(right, namespace) for right in SEEN):
            return (HIDDEN,)
        try:
            live = await self._live(kube, namespace)
            found = await asyncio.to_thread(foresee, live, wish(), self._clock())
        except (ClientError, msgspec.ValidationError) as reason:
            return (HIDDEN, plain(str(reason)))
        return (plain(headline(found)), *map(plain, lines(found)))

    async def _live(self, kube: KubeClient, namespace: str) -> Live:
        unwatched = await asyncio.gather(*(_read(kube, kind, namespace) for kind in READ_AS_VIEWER))
        watched = {kind: self._fleet.all_in(kind, namespace) for kind in PLANNED_FROM if kind not in READ_AS_VIEWER}
        return watched | dict(zip(READ_AS_VIEWER, unwatched, strict=True))


async def _read(kube: KubeClient, kind: Kind, namespace: str) -> list[Any]:
    resource = RESOURCES[kind]
    return [read(raw, resource.type) for raw in (await kube.list(resource, namespace)).objects]
