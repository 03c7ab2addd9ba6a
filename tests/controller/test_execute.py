"""What a plan says counts for all other plans from the moment that it is decided, not from when it is sent."""

import asyncio
import contextlib
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from arkwright.clients.errors import Conflict, NotFound
from arkwright.controller.cache import Cache
from arkwright.controller.execute import Executor
from arkwright.controller.slots import Slots
from arkwright.model.codec import encode
from arkwright.model.names import serves_label
from arkwright.model.resources import Kind
from arkwright.plan.intents import Create, Delete, Patch, SetStatus, target_of
from plan.builders import NOW, module, pod


class SlowKube:
    """Answers when it is told to; `sent`: names of what has been asked for."""

    def __init__(self, *answers):
        self.sent, self.may_answer = [], asyncio.Event()
        self._answers = {one.name: one for one in answers}

    async def create(self, resource, namespace, document):
        return await self._answer(document["metadata"]["name"])

    async def patch(self, resource, path, patch):
        return await self._answer(path.removesuffix("/status").rpartition("/")[2])

    async def _answer(self, name):
        self.sent.append(name)
        await self.may_answer.wait()
        return self._answers[name]


class Counter:
    def labels(self, *_):
        return self

    def inc(self):
        pass


def executing(*answers):
    cache, kube = Cache(lambda: NOW), SlowKube(*answers)
    agents = SimpleNamespace(metrics=SimpleNamespace(writes=Counter()))
    return cache, kube, Executor(kube, cache, agents, None, Slots(1))


def creation(one):
    return Create(target_of(Kind.MODULE, one), encode(one), "it is missing")


async def test_places_are_taken_before_the_first_write_is_sent():
    one, two = module(on=1), module(on=2)
    cache, kube, executor = executing(one, two)
    first = SetStatus(target_of(Kind.MODULE, one), {}, "something that takes its time")
    running = asyncio.create_task(executor.execute([first, creation(one), creation(two)], lambda: NOW))
    await asyncio.sleep(0)
    assert kube.sent == [one.name], "no creation has been sent"
    assert {place[0] for place in cache.arrivals.of(one.metadata.namespace)} == {one.pod_name, two.pod_name}
    kube.may_answer.set()
    await running
    assert cache.arrivals.of(one.metadata.namespace) == frozenset()
    assert cache.get(Kind.MODULE, *two.key) is not None


async def test_creations_side_by_side_take_their_places_at_once():
    """They are sent in turns of the loop to come, and other plans may be made before that."""
    one, two = module(on=1), module(on=2)
    cache, kube, executor = executing(one, two)
    running = asyncio.create_task(executor.execute([creation(one), creation(two)], lambda: NOW))
    await asyncio.sleep(0)
    assert len(cache.arrivals.of(one.metadata.namespace)) == 2
    kube.may_answer.set()
    await running


async def test_a_place_is_given_back_where_nothing_came_of_it():
    one = module(on=1)
    cache, kube, executor = executing()
    kube.may_answer.set()
    first = SetStatus(target_of(Kind.MODULE, one), {}, "fails: there is no answer for it")
    try:
        await executor.execute([first, creation(one)], lambda: NOW)
    except KeyError:
        pass
    assert cache.arrivals.of(one.metadata.namespace) == frozenset()


async def test_a_label_counts_before_it_is_sent():
    one = pod()
    cache, kube, executor = executing(one)
    patch = Patch(target_of(Kind.POD, one), {"metadata": {"labels": {serves_label("provider"): "true"}}}, "it serves")
    other = replace(one, metadata=replace(one.metadata, name="other"))
    first = SetStatus(target_of(Kind.POD, other), {}, "something that takes its time")
    running = asyncio.create_task(executor.execute([first, patch], lambda: NOW))
    await asyncio.sleep(0)
    assert cache.labels.is_coming(one, "provider")
    running.cancel()
    await asyncio.wait([running])
    assert not cache.labels.is_coming(one, "provider")


@pytest.mark.parametrize(
    ("refusal", "known_uid", "is_raised"),
    [
        (Conflict("somebody wrote first", 409), "mine", True),
        (Conflict("another one by that name", 409), "another", False),
        (Conflict("another one by that name", 409), None, False),
        (NotFound("gone", 404), "mine", False),
    ],
)
async def test_a_deletion_that_is_refused_is_asked_for_again_unless_it_is_another_one_by_now(
    refusal, known_uid, is_raised
):
    cache, kube, executor = executing()
    mine = replace(module(on=1), metadata=replace(module(on=1).metadata, uid="mine"))
    if known_uid:
        cache.apply(Kind.MODULE, replace(mine, metadata=replace(mine.metadata, uid=known_uid)))

    async def delete(*_):
        raise refusal

    kube.delete = delete
    said = contextlib.nullcontext() if not is_raised else pytest.raises(Conflict)
    with said:
        await executor.execute([Delete(target_of(Kind.MODULE, mine), "it is too many")], lambda: NOW)
