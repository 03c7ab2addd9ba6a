"""The real controller is killed (-9) in the middle of a release, started again, and nothing is done twice or left behind."""

import asyncio
import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from arkwright.model.resources import RESOURCES, Kind
from scenarios.site import Site

ARKWRIGHT = str(Path(sys.executable).with_name("arkwright"))
WATCHED = (Kind.MODULE_DEPLOYMENT, Kind.MODULE_REPLICASET, Kind.MODULE, Kind.POD)
CALLS = {"installBiz": 4, "switchBiz": 2, "uninstallBiz": 4}


class CrashingSite(Site):
    """Its controller is a process, killed once `fuse` sparks have been counted, and started again."""

    fuse = 0

    def start_controller(self):
        command = [ARKWRIGHT, "controller", "--namespace", self.namespace, "--no-leader-election", "--health-port=0"]
        self.process = subprocess.Popen([*command, "--log-level=error"], env=dict(os.environ))

    async def stop_controller(self):
        self.process.terminate()
        await asyncio.to_thread(self.process.wait, 20)

    def spark(self):
        self.fuse -= 1
        if self.fuse == 0:
            self.process.kill()
            self.process.wait()
            self.start_controller()

    def count_calls(self):
        for agent in self.agents.values():
            agent.base.answer = self._sparking(agent.base.answer)

    def _sparking(self, answer):
        def answered(command, body):
            done = answer(command, body)
            self.spark()
            return done

        return answered

    def forget_calls(self):
        for agent in self.agents.values():
            agent.base.log.clear()

    async def count_writes(self):
        async def follow(kind):
            resource = RESOURCES[kind]
            version = (await self._kube.list(resource, self.namespace)).version
            async for _ in self._kube.watch(resource, self.namespace, version):
                self.spark()

        return [asyncio.create_task(follow(kind)) for kind in WATCHED]


@pytest.fixture
def site_class():
    return CrashingSite


async def _whole_life(site):
    await site.apply(version="1.0.2", replicas=2, operationStrategy={"batchCount": 2})
    await site.until_progress("Completed", 2, 2)
    await site.apply(version="2.0.0")
    await site.until_progress("Completed", 2, 2)
    await site.until(lambda: len(site.serving("2.0.0")) == 2 and not site.serving("1.0.2"))
    await site.delete()
    await site.until(lambda: _is_gone(site))
    assert not any(agent.base.modules for agent in site.agents.values())
    assert {command: site.calls(command) for command in CALLS} == CALLS


async def _is_gone(site):
    return await site.deployment() is None and not await site.modules() and not await site.all(Kind.MODULE_REPLICASET)


async def _lives(site, first, stride):
    """A life for every `stride`th spark from `first` on, the controller killed at it; returns the first that is not reached."""
    for spark in itertools.count(first, stride):
        site.fuse = spark
        await _whole_life(site)
        if site.fuse > 0:
            return spark
        site.forget_calls()


@pytest.mark.parametrize("first", range(1, 4))
async def test_killed_during_any_call_to_an_agent_it_ends_in_the_same_state(site, first):
    await site.add_pods(2)
    site.count_calls()
    assert await _lives(site, first, stride=3) > 10, "the story has become shorter"


async def test_killed_after_any_write_it_ends_in_the_same_state(site, first, stride):
    """Every eighth write; all of them: --every-crash"""
    await site.add_pods(2)
    followers = await site.count_writes()
    reached = await _lives(site, first, stride)
    for follower in followers:
        follower.cancel()
    assert reached > 40, "the story has become shorter"
