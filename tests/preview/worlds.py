"""A small world to make previews in: two base pods that serve, and what is there as a preview is made of it."""

import contextlib
import functools
import inspect

from arkwright.model.codec import decode
from arkwright.model.resources import PLANNED_FROM, RESOURCES
from simulation.world import World

SERVICE = {"enableModuleService": True, "port": 80, "targetPort": 8080, "drainSeconds": 3}


def live(world):
    return {kind: [decode(one, RESOURCES[kind].type) for one in world.kube.all(kind)] for kind in PLANNED_FROM}


@contextlib.asynccontextmanager
async def served():
    """Two base pods that serve version 1.0; 2.0 was there before."""
    there = World()
    there.add_pods(2)
    async with there.running():
        for one in ("2.0", "1.0"):
            there.apply(version=one, replicas=2, operationStrategy={"serviceStrategy": SERVICE})
            await there.settle(6)
        yield there


def in_a_world_that_serves(test):
    """Its clock is that of the test."""

    @functools.wraps(test)
    async def tested(**more):
        async with served() as world:
            await test(world, **more)

    signature = inspect.signature(test)
    tested.__signature__ = signature.replace(
        parameters=[one for name, one in signature.parameters.items() if name != "world"]
    )
    return tested
