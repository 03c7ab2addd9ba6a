"""A controller that acts on one namespace, or on all, while it holds the Lease. In: a realm. Out: it is followed always, acted on while leading.

Others that wait for the Lease follow, too: whoever takes over knows everything already.
"""

import asyncio
import contextlib

from arkwright.clients.errors import ClientError
from arkwright.controller.leader import Leadership
from arkwright.controller.realm import Realm, Shared
from arkwright.controller.signingkeys import SigningKeys


class Sole:
    """Without `leadership` it acts at once, beside whoever else does."""

    def __init__(self, shared: Shared, namespace: str, leadership: Leadership | None) -> None:
        self._shared, self._leadership = shared, leadership
        self._realm = Realm(shared, namespace)
        self.neighbours = None

    @property
    def realms(self) -> list[Realm]:
        return [self._realm]

    @property
    def is_sure(self) -> bool:
        return self._leadership is None or self._leadership.is_sure

    @property
    def is_ready(self) -> bool:
        return self._realm.is_filled

    async def run(self, keys: SigningKeys | None) -> None:
        """Ends when the Lease is lost; a cancellation lets go of it."""
        async with asyncio.TaskGroup() as group:
            following = group.create_task(self._realm.follow())
            try:
                await self._realm.filled()
                await self._act(keys)
            finally:
                following.cancel()
                await self._stop()

    async def _act(self, keys: SigningKeys | None) -> None:
        if self._leadership:
            await self._leadership.lead()
        self._shared.metrics.leading.set(1)
        async with asyncio.TaskGroup() as group:
            working = group.create_task(self._work(keys))
            if self._leadership:
                await self._leadership.hold()
                working.cancel()

    async def _work(self, keys: SigningKeys | None) -> None:
        async with asyncio.TaskGroup() as group:
            if keys:
                group.create_task(self._shared.supervisor.keep("signing keys", keys.run))
                await keys.is_ready.wait()
            group.create_task(self._realm.act(self._shared.looks.workers))

    async def _stop(self) -> None:
        self._shared.metrics.leading.set(0)
        await self._realm.agents.stop()
        await self._shared.events.flush()
        if self._leadership:
            with contextlib.suppress(ClientError):
                await self._leadership.let_go()
