"""Keys wait once, go to one worker at a time, and come when they are due."""

import asyncio

import pytest

from arkwright.controller.objects import Key
from arkwright.controller.workqueue import WorkQueue
from arkwright.model.resources import Kind

pytestmark = pytest.mark.looptime
A, B = Key(Kind.MODULE, "default", "a"), Key(Kind.MODULE, "default", "b")


def now():
    return asyncio.get_running_loop().time()


async def test_a_key_waits_once_however_often_it_is_added():
    queue = WorkQueue()
    for key in (A, B, A):
        queue.add(key)
    assert [await queue.get(), await queue.get()] == [A, B] and len(queue) == 0


async def test_a_key_that_is_added_while_a_worker_has_it_comes_again_after_that():
    queue = WorkQueue()
    queue.add(A)
    await queue.get()
    queue.add(A)
    assert len(queue) == 0
    queue.done(A)
    assert await queue.get() == A


async def test_the_sooner_of_two_looks_counts():
    queue = WorkQueue()
    queue.add_later(A, 60)
    queue.add_later(A, 5)
    queue.add_later(A, 30)
    await queue.get()
    assert now() == 5
    queue.done(A)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.get(), 600)


async def test_a_key_is_not_looked_at_more_often_than_its_pace():
    queue = WorkQueue(lambda key: 2.0)
    queue.add(A)
    queue.done(await queue.get())
    queue.add(A)
    await queue.get()
    assert now() == 2.0


async def test_a_forgotten_key_does_not_come_when_it_was_due():
    queue = WorkQueue()
    queue.add_later(A, 5)
    queue.forget(A)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.get(), 60)
