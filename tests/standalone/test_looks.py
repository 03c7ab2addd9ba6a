"""A look that fails is its own object's affair: told there, counted, tried again later; all others go on."""

import asyncio

import pytest

from arkwright.clients.errors import ApiRefused, ApiUnreachable
from arkwright.controller.cache import Key
from arkwright.model.cluster import Workload
from arkwright.model.codec import decode
from arkwright.model.resources import Kind
from arkwright.standalone import looks as module
from arkwright.standalone.followed import Followed
from arkwright.standalone.looks import Looks
from standalone.world import NOW

ODD, FINE = (Key(Kind.DEPLOYMENT, "shop", name) for name in ("odd", "fine"))


class Told:
    """In the place of Events."""

    def __init__(self):
        self.words = []

    def tell(self, one):
        self.words.append((one.target.name, one.reason.value, one.because))


def cached():
    cache = Followed(lambda: NOW)
    for key in (ODD, FINE):
        metadata = {"name": key.name, "namespace": key.namespace, "uid": key.name}
        cache.apply(Kind.DEPLOYMENT, decode({"metadata": metadata}, Workload))
    return cache


async def looked(error, times):
    """What is told, and how often each was looked at, once the odd one was looked at so often."""
    told, seen, enough = Told(), [], asyncio.Event()

    async def look(key):
        seen.append(key.name)
        if seen.count("odd") >= times and "fine" in seen:
            enough.set()
        if key == ODD:
            raise error
        return None

    loop = Looks(cached(), told, look)
    loop.add(ODD)
    loop.add(FINE)
    task = asyncio.create_task(loop.run())
    await asyncio.wait_for(enough.wait(), 5)
    await asyncio.sleep(0)
    task.cancel()
    return told.words, seen, loop


@pytest.mark.parametrize(
    "error, words",
    [
        (ValueError("'test' is no number"), "ValueError: 'test' is no number"),
        (KeyError("replicas"), "KeyError: 'replicas'"),
        (RecursionError("too deep"), "RecursionError: too deep"),
        (ApiRefused("exceeded quota", 403), "exceeded quota"),
        (OSError("nodePort 30000 cannot be listened on"), "nodePort 30000 cannot be listened on"),
    ],
)
async def test_one_that_fails_is_told_and_the_others_go_on(monkeypatch, error, words):
    monkeypatch.setattr(module, "FIRST_PAUSE_SECONDS", 0.001)
    told, seen, loop = await looked(error, 3)
    assert set(told) == {("odd", "CannotAct", words)}
    assert seen.count("fine") == 1
    assert loop.failures[ODD] >= 2


async def test_an_api_that_does_not_answer_says_nothing_of_the_object(monkeypatch):
    monkeypatch.setattr(module, "FIRST_PAUSE_SECONDS", 0.001)
    told, seen, _ = await looked(ApiUnreachable("nobody there"), 3)
    assert not told and seen.count("odd") >= 3


async def test_what_is_odd_is_mentioned_once_for_as_long_as_it_is_so():
    told = Told()
    loop = Looks(cached(), told, None)
    for oddities in (["a"], ["a"], ["a", "b"], [], ["a"]):
        loop.mention(ODD, oddities)
    assert [words for _, _, words in told.words] == ["a", "b", "a"]
