"""What is said of a run, line by line, and the table at its end. In: what happened. Out: standard output."""

import contextlib
import shutil
import time
from collections import defaultdict


class Told:
    """`violations`: what did not hold, besides lost requests and writes."""

    def __init__(self, scratch):
        self._began, self._scratch = time.monotonic(), scratch
        self.violations, self._recoveries = [], defaultdict(list)

    def line(self, text):
        print(f"{time.monotonic() - self._began:7.1f} {text}", flush=True)

    def recovered(self, kind, seconds):
        self._recoveries[kind].append(seconds)
        self.line(f"    whole again after {seconds:.1f} s")

    def keep_files(self, name):
        """A copy of the site's, whose disk nobody else can see."""
        with contextlib.suppress(shutil.Error, OSError):
            shutil.copytree(self._scratch / "disk" / "site", self._scratch / name, dirs_exist_ok=True)
        return self._scratch / name

    def not_whole(self, kind, missing):
        """With the logs as they are now, where a person finds them."""
        where = self.keep_files(f"late-{len(self.violations)}")
        self.violations.append(f"{kind}: not whole after a minute: {missing}")
        self.line(f"NOT WHOLE after a minute ({where}):")
        for one in missing:
            self.line(f"    {one}")

    def table(self, scene):
        """All of it."""
        self.keep_files("end")
        print(f"\n{'fault':40} {'times':>6} {'p50 s':>7} {'max s':>7}")
        for kind, seconds in sorted(self._recoveries.items(), key=lambda one: ("+" in one[0], one[0])):
            print(f"{kind:40} {len(seconds):6} {sorted(seconds)[len(seconds) // 2]:7.1f} {max(seconds):7.1f}")
        every = [one for seconds in self._recoveries.values() for one in seconds] or [0.0]
        print(f"{'all':40} {len(every):6} {sorted(every)[len(every) // 2]:7.1f} {max(every):7.1f}")
        counts = {
            word: sum(one.outcomes[word] for one in scene.load.targets.values()) for word in ("kept", "excused", "lost")
        }
        lost = sum(len(one.lost) for one in scene.writers) + len(scene.wishes.lost)
        print(
            f"requests: {counts['kept']} answered, {counts['lost']} lost; {counts['excused']} failed of those that a kill had met"
        )
        print(
            f"writes: {sum(one.acknowledged for one in scene.writers)} acknowledged, {scene.wishes.releases} releases, {lost} lost"
        )
        print(f"what did not hold: {len(scene.lost())}")
        for one in scene.lost()[:40]:
            print(f"    {one}")
