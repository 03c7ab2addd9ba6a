"""How many writes are under way at once follows what the API server bears; what it says of too many is obeyed."""

import asyncio

import pytest

from arkwright.clients.errors import ApiUnreachable, TooManyRequests
from arkwright.controller.slots import FIRST, LEAST, TRIES, Slots

pytestmark = pytest.mark.looptime


class Server:
    """Takes as long as `seconds` says of how many it has at once; answers 429 while it has more than `bears`."""

    def __init__(self, seconds=lambda at_once: 0.01, bears=10_000, retry_after=2.0):
        self.seconds, self.bears, self.retry_after = seconds, bears, retry_after
        self.at_once = self.most = self.served = self.refused = 0

    async def take(self):
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            if self.at_once > self.bears:
                self.refused += 1
                error = TooManyRequests("too many requests", 429)
                error.retry_after = self.retry_after
                raise error
            await asyncio.sleep(self.seconds(self.at_once))
            self.served += 1
            return self.served
        finally:
            self.at_once -= 1


async def written(slots, server, number):
    return await asyncio.gather(*(slots.write(server.take) for _ in range(number)))


async def test_a_server_that_stays_fast_gets_as_many_as_are_allowed():
    slots, server = Slots(64), Server()
    assert len(await written(slots, server, 5000)) == 5000
    assert slots.limit == 64 and server.most <= 64


async def test_one_whose_answers_only_wait_gets_fewer():
    slots, server = Slots(256), Server(lambda at_once: 0.001 * max(1, at_once - 4))
    await written(slots, server, 5000)
    assert LEAST <= slots.limit < 32


async def test_a_few_writes_teach_nothing():
    slots, server = Slots(64), Server()
    for _ in range(100):
        await slots.write(server.take)
    assert slots.limit == FIRST


async def test_too_many_are_halved_once_and_all_wait_as_long_as_the_server_asks():
    slots, server = Slots(64), Server(bears=4)
    await written(slots, server, 200)
    assert server.served == 200 and slots.limit <= 4 + 1
    assert asyncio.get_running_loop().time() < 60


async def test_one_that_never_has_time_is_told_to_the_plan():
    slots, server = Slots(64), Server(bears=0)
    with pytest.raises(TooManyRequests):
        await slots.write(server.take)
    assert server.refused == TRIES


async def test_a_failed_write_gives_its_place_back():
    slots = Slots(1)

    async def fails():
        raise ApiUnreachable("no")

    for _ in range(3):
        with pytest.raises(ApiUnreachable):
            await slots.write(fails)
    assert await slots.write(Server().take) == 1


async def test_one_that_is_given_up_while_it_waits_takes_no_place():
    slots, server = Slots(1), Server(lambda at_once: 1.0)
    first, second, third = (asyncio.create_task(slots.write(server.take)) for _ in range(3))
    await asyncio.sleep(0.5)
    second.cancel()
    assert await first == 1 and await third == 2
