"""One controller's way to the API. In: a FakeKube, a source of chance. Out: the same, until it is cut, or answers get lost after the deed."""

import asyncio

from arkwright.clients.errors import ApiUnreachable, Gone


class Line:
    """`is_cut`: nothing gets through. `losses`: how likely it is that an answer gets lost."""

    def __init__(self, kube, chance):
        self._kube, self._chance = kube, chance
        self.is_cut, self.losses = False, 0.0

    def of_metadata(self):
        return self

    async def watch(self, *given):
        """Lines of a watch; it breaks off where the way is cut, and what there is is listed anew."""
        await self._go()
        async for one in self._kube.watch(*given):
            if self.is_cut:
                raise Gone("cut off", 410)
            yield one

    def __getattr__(self, name):
        async def call(*given, **named):
            await self._go()
            sent = asyncio.ensure_future(getattr(self._kube, name)(*given, **named))
            answer = await asyncio.shield(sent)  # what is sent arrives, though the sender may be gone by then
            if self._chance.random() < self.losses:
                raise ApiUnreachable("the answer got lost")
            await self._go()
            return answer

        return call

    async def _go(self):
        await asyncio.sleep(self._chance.uniform(0, 0.05))
        if self.is_cut:
            raise ApiUnreachable("cut off")
