"""Chaos: one site under load while everything goes wrong at random, and what of it must never be seen.

    python bench/chaos --minutes 120 --seed 1

Needs root, and from Debian `faketime` and `nftables`. The site (API, controller, three bases of real modules) has a network, processes, a disk and a
clock of its own, which end with this program. All along modules are asked through the bases' ports and a Service, released again and again, and small objects
are written. Faults, one or two at a time: kill -9 of each part, of a base, of a module's process, of the site, of everything at once; a full
disk; a clock set by up to a day; requests or answers lost between controller, agents and API; a pod whose agent answers rubbish. What must hold:
no request is lost that the rules promise to keep (`load`), no write that was acknowledged, and a minute after each fault all is whole again (`whole`).

Ends with a table, and with status 1 if something did not hold. The same seed makes the same faults, not the same moments.
"""

import argparse
import asyncio
import contextlib
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from faults import KINDS
from load import Load
from place import Site, lacks
from told import Told
from whole import Looking
from wishes import Wishes
from writes import CLIENTS, Writer

INSIDE = "ARKWRIGHT_CHAOS_INSIDE"
WHOLE_SECONDS, LATE_SECONDS = 60, 240
CALM_SECONDS, FAULT_SECONDS = (1, 6), (1, 20)
TWO_AT_ONCE = 0.3


class Scene:
    """All that faults are done to."""

    def __init__(self, scratch, seed):
        self.told = Told(scratch)
        self.random = random.Random(seed)
        self.site = Site(scratch)
        self.wishes = Wishes(self.site, scratch, seed)
        self.looking = Looking(self.site, self.wishes)
        self.load = Load(self.told.line)
        self.writers = [Writer(self.site, number) for number in range(CLIENTS)]
        self.excused_end = False

    def choose(self, among):
        return self.random.choice(among)

    def excuse(self, *names):
        """Pods by name with all that is on them, "POD/MODULE", a module's Service by the module's."""
        for one in self.load.targets.values():
            if one.name in names or one.name.partition("/")[0] in names:
                one.excuse()

    def excuse_all(self):
        self.excuse(*(one.name.partition("/")[0] for one in self.load.targets.values()))

    async def begin(self):
        self.site.make_place()
        self.site.begin()
        await self.site.until_up()
        await self.wishes.make()
        is_whole, missing = await self.looking.until_whole(WHOLE_SECONDS)
        if not is_whole:
            raise SystemExit(f"it does not come up: {missing}")
        self.load.aim(self.looking.urls)

    async def play(self, seconds):
        end = time.monotonic() + seconds
        going_on = [asyncio.create_task(one.go_on()) for one in (self.wishes, *self.writers)]
        try:
            while time.monotonic() < end:
                await asyncio.sleep(self.random.uniform(*CALM_SECONDS))
                await self._round()
        finally:
            for task in going_on:
                task.cancel()
            await asyncio.gather(*going_on, return_exceptions=True)
            await self.load.end()
            await self.site.say_no_more()
            self.site.end()

    async def _round(self):
        """Faults, and what is left of them."""
        kinds = self.random.sample(KINDS, 2 if self.random.random() < TWO_AT_ONCE else 1)
        faults = [kind(self) for kind in kinds]
        said = []
        for one in faults:
            said.append(await one.begin())
            await self._wait(self.random.uniform(0, 2) if len(faults) > 1 else 0, is_excused=True)
        self.told.line(f"{' and '.join(filter(None, said)) or 'nothing'}")
        if any(one.lasts for one in faults):
            await self._wait(
                self.random.uniform(*FAULT_SECONDS), is_excused=any("Disk" in type(one).__name__ for one in faults)
            )
        self.wishes.is_held = True
        await asyncio.gather(*(one.lift() for one in faults))
        if any(said):
            await self._recover("+".join(sorted(type(one).__name__ for one in faults)))
        self.wishes.is_held = False

    async def _wait(self, seconds, is_excused):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.site.look_after(is_excused)
            await asyncio.sleep(0.2)

    async def _recover(self, kind):
        began = time.monotonic()
        self.site.look_after(is_excused=True)
        is_whole, missing = await self.looking.until_whole(WHOLE_SECONDS)
        if not is_whole:
            self.told.not_whole(kind, missing)
            is_whole, missing = await self.looking.until_whole(LATE_SECONDS)
        self.told.recovered(kind, time.monotonic() - began)
        if not is_whole:
            raise SystemExit(f"it is not whole after {WHOLE_SECONDS + LATE_SECONDS} s: {missing}")
        self.load.aim(self.looking.urls)
        for one in self.load.aimed():
            one.make_whole()
        for one in (self.wishes, *self.writers):
            await one.check()

    def lost(self):
        """Whatever did not hold."""
        return [
            *self.told.violations,
            *self.site.ended_by_itself,
            *self.load.lost,
            *self.wishes.lost,
            *(line for one in self.writers for line in one.lost),
        ]


def run(minutes, seed, scratch):
    scene = Scene(scratch, seed)

    async def all_of_it():
        await scene.begin()
        await scene.play(minutes * 60)

    try:
        asyncio.run(all_of_it())
    except SystemExit as error:
        scene.told.violations.append(str(error))
    finally:
        scene.site.end()
        scene.told.table(scene)
    return 1 if scene.lost() else 0


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--minutes", type=float, default=120)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--keep", type=Path, help="a new directory where logs and objects stay, to be read")
    asked = options.parse_args()
    if os.geteuid() or lacks():
        sys.exit(f"chaos needs root, and apt-get install {' '.join(lacks()) or '(nothing more)'}")
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "1"
        apart = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        os.execvp(apart[0], [*apart, sys.executable, *sys.argv])
    with contextlib.ExitStack() as stack:
        scratch = asked.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        scratch.mkdir(parents=True, exist_ok=True)
        sys.exit(run(asked.minutes, asked.seed, scratch.resolve()))


if __name__ == "__main__":
    main()
