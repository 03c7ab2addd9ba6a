"""Several real controllers share namespaces out, with scripted agents: they are killed (-9) and ended at random in the middle of releases.

No base does anything twice. With more kills than a few the Lease's default duration holds:

    pytest tests/scenarios/test_shards.py --api embedded --controller-kills 50 -rP
"""

import asyncio
import contextlib
import itertools
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from arkwright.clients.credentials import find_access
from arkwright.clients.kube import KubeClient
from arkwright.controller.app import Controller, Settings
from arkwright.controller.leases import Terms, all_leases
from arkwright.model.resources import Kind
from arkwright.model.shares import acting_on, claim_of
from fakes import plans_that_ended
from scenarios.conftest import network_of
from scenarios.site import Site

ARKWRIGHT = str(Path(sys.executable).with_name("arkwright"))
FEW_KILLS, CONTROLLERS, NAMESPACES = 3, 4, 6
SHORT = ("--lease-duration=9", "--lease-renew=1.5")  # a busy machine holds a process up for seconds
_numbers = itertools.count(1)
ON_ITS_WAY_SECONDS = 0.1  # what was sent arrives
CHANGING = ("installBiz", "uninstallBiz")


class Team(Site):
    """A namespace with a base pod, and a module that is released again and again. `calls`: when its agent was asked; `done`: what it was
    asked to change, and did."""

    def __init__(self, *given):
        super().__init__(*given)
        self.calls, self.done, self.version, self.on_call = [], [], 0, lambda: None

    def start_controller(self):
        """Those are of all teams."""

    async def stop_controller(self):
        """Nor ended."""

    async def settle(self):
        (agent,) = await self.add_pods(1)
        answer = agent.base.answer

        def noted(command, body):
            self.calls.append(time.monotonic())
            answered = answer(command, body)
            if command in CHANGING and answered["code"] == "SUCCESS":
                self.done.append((command, f"{body['bizName']}:{body['bizVersion']}"))
            self.on_call()
            return answered

        agent.base.answer = noted

    async def release(self):
        self.version += 1
        await self.apply(version=f"{self.version}.0.0", replicas=1)

    async def complete(self):
        await self.until_progress("Completed", 1, 1)
        await self.until(self.is_alone, seconds=40)

    async def is_alone(self):
        return [one["spec"]["module"]["version"] for one in await self.modules()] == [f"{self.version}.0.0"]

    def wanted(self):
        """Each version in once, and each but the last out once."""
        installs = [("installBiz", f"provider:{number}.0.0") for number in range(1, self.version + 1)]
        leaves = [("uninstallBiz", f"provider:{number}.0.0") for number in range(1, self.version)]
        return sorted(installs + leaves)


class Town:
    """Teams, and the controllers that share them."""

    def __init__(self, kube, teams, words):
        self.kube, self.teams, self._words = kube, teams, words
        self.controllers, self.random = [], random.Random(7)

    def start(self):
        command = [ARKWRIGHT, "controller", "--shards", "--health-port=0", "--log-level=error", *self._words]
        self.controllers.append(subprocess.Popen(command, env=dict(os.environ)))

    async def claims(self):
        """Of those that live, as their Leases tell: process id -> claim, in process ids."""
        leases = await all_leases(self.kube, self.teams[0].namespace)
        claims = {one.spec.holder_identity: claim_of(one) for one in leases}
        living = {str(one.pid) for one in self.controllers}
        return {who: claim for who, claim in claims.items() if who.split("-")[-2] in living}

    async def owned_by(self, controller):
        claims, number = await self.claims(), str(controller.pid)
        return [one for one in self.teams if number in acting_on(one.namespace, claims).split("-")[-2:]]

    async def shared(self):
        """Until all that live, and nobody else, act by the same circle."""

        async def is_so():
            claims = await self.claims()
            return len(claims) == len(self.controllers) and set(claims.values()) == {frozenset(claims)}

        await self.teams[0].until(is_so, seconds=40)

    async def victim(self):
        """A controller that acts on some team, and its teams."""
        await self.shared()
        for one in self.random.sample(self.controllers, len(self.controllers)):
            if owned := await self.owned_by(one):
                return one, owned
        raise AssertionError("nobody acts")

    async def moved(self, teams, since):
        """Seconds until somebody else asks the agents of each."""
        after = since + ON_ITS_WAY_SECONDS
        await teams[0].until(lambda: all(one.calls and one.calls[-1] > after for one in teams))
        return max(next(at for at in one.calls if at > after) for one in teams) - since

    async def release(self):
        for team in self.teams:
            await team.release()
        for team in self.teams:
            await team.complete()

    async def close(self):
        for one in self.controllers:
            one.terminate()
        for one in list(self.controllers):
            await self.end(one)
        for team in self.teams:
            await team.end()

    async def end(self, controller):
        self.controllers.remove(controller)
        await asyncio.to_thread(controller.wait, 20)


@pytest.fixture
async def town(cluster, worker_number, request):
    kills = request.config.getoption("--controller-kills")
    async with KubeClient(await find_access()) as kube, contextlib.AsyncExitStack() as stack:
        teams = []
        for _ in range(NAMESPACES):
            number = next(_numbers)  # addresses too: what a test before had lingers in the cluster, and is looked after
            name = f"team-{worker_number}-{number}-{os.getpid()}"
            teams.append(Team(kube, stack, name, network_of(80 + worker_number, number)))
        for team in teams:
            await team.begin()
            await team.settle()
        made = Town(kube, teams, (f"--lease-namespace={teams[0].namespace}", *(SHORT if kills <= FEW_KILLS else ())))
        try:
            for _ in range(CONTROLLERS):
                made.start()
            await made.shared()
            yield made
        finally:
            await made.close()


@pytest.mark.timeout(3600)
async def test_killed_in_the_middle_of_releases_no_base_does_anything_twice(town, request):
    seconds = []
    for _ in range(request.config.getoption("--controller-kills")):
        victim, owned = await town.victim()
        since = await _killed_by_a_call(town, victim)
        seconds.append(await town.moved(owned, since))
        await town.end(victim)
        town.start()
        for team in town.teams:
            await team.complete()
    print("seconds until the share of one that was killed has moved:", *(f"{one:.1f}" for one in seconds))
    for team in town.teams:
        assert sorted(team.done) == team.wanted()
    assert max(seconds) < 15


async def _killed_by_a_call(town, victim):
    """All teams release; at a call to an agent that chance has chosen (or when they are done) it is killed. When that was."""
    fuse, since = town.random.randint(1, 30), []

    def spark():
        nonlocal fuse
        fuse -= 1
        if fuse == 0:
            victim.kill()
            since.append(time.monotonic())

    for team in town.teams:
        team.on_call = spark
    await asyncio.gather(*(team.release() for team in town.teams))
    await asyncio.gather(*(_complete_or(team, since) for team in town.teams))
    for team in town.teams:
        team.on_call = lambda: None
    if not since:
        victim.kill()
        since.append(time.monotonic())
    return since[0]


async def _complete_or(team, since):
    """Until its release is complete, or somebody was killed."""

    async def is_so():
        return since or (await team.progress())[0] == "Completed" and await team.is_alone()

    await team.until(is_so)


async def test_the_share_of_one_that_is_told_to_end_moves_on_within_a_second(town):
    await town.release()
    victim, owned = await town.victim()
    victim.terminate()
    since = time.monotonic()
    seconds = await town.moved(owned, since)
    print(f"seconds until the share of one that was told to end has moved: {seconds:.2f}")
    assert seconds < 3, "one, on a quiet machine"
    await town.end(victim)
    await town.release()
    for team in town.teams:
        assert sorted(team.done) == team.wanted()


class SharingSite(Site):
    """Two controllers in this process, with the rights that deploy/ gives, on all namespaces of the cluster."""

    def start_controller(self):
        settings = Settings(terms=Terms(namespace=self.namespace), shares=True)
        self.controllers = [Controller(self._acting, self._arklet, settings) for _ in range(2)]
        self._tasks = [asyncio.create_task(one.run()) for one in self.controllers]

    async def stop_controller(self):
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        assert not sum(plans_that_ended(one, "bug", "error") for one in self.controllers), "see the log"

    def owners(self):
        return [one for one in self.controllers if self.namespace in {realm.namespace for realm in one.realms}]


@pytest.fixture
def site_class():
    return SharingSite


async def test_with_the_rights_of_deploy_controllers_share_and_one_that_ends_takes_its_lease_away(site):
    await site.add_pods(1)
    await site.apply(version="1.0.0", replicas=1)
    await site.until_progress("Completed", 1, 1)
    (owner,) = site.owners()
    site._tasks[site.controllers.index(owner)].cancel()
    await site.until(lambda: site.owners() not in ([], [owner]), seconds=40)
    await site.apply(version="2.0.0")
    await site.until_progress("Completed", 1, 1)
    assert len(await site.all(Kind.LEASE)) == 1
    assert (site.calls("installBiz"), site.calls("uninstallBiz")) == (2, 1)
