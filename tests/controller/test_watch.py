"""A watch that ends goes on where it was; one that is too old begins anew; nothing is missed and nothing hides the rest."""

import asyncio
import json

import msgspec
import pytest

from arkwright import turns
from arkwright.clients.errors import ApiUnreachable, Gone
from arkwright.clients.kube import Change, Listing, WatchLine
from arkwright.controller.cache import Cache
from arkwright.controller.watch import Watcher
from arkwright.model.cluster import Pod
from arkwright.model.codec import read
from arkwright.model.resources import Kind
from plan.builders import NOW

pytestmark = pytest.mark.looptime


def pod(name, version, **more):
    metadata = {"name": name, "namespace": "default", "uid": name, "resourceVersion": str(version)}
    return msgspec.Raw(json.dumps({"kind": "Pod", "metadata": metadata, **more}).encode())


class ScriptedKube:
    """Plays back listings and watches; an exception in a script is raised. `asked`: what was asked for, in order."""

    def __init__(self, lists, watches):
        self._lists, self._watches, self.asked = list(lists), list(watches), []

    async def list(self, resource, namespace=""):
        self.asked.append("list")
        return self._lists.pop(0)

    async def watch(self, resource, namespace, version):
        self.asked.append(f"watch from {version}")
        for line in self._watches.pop(0) if self._watches else [None]:
            if line is None:
                await asyncio.Event().wait()
            if isinstance(line, Exception):
                raise line
            yield WatchLine(*line)


async def followed(lists, watches):
    """(cache, what was asked for) after the script has been played."""
    kube, cache = ScriptedKube(lists, watches), Cache(lambda: NOW)
    watching = asyncio.create_task(Watcher(kube, cache, Kind.POD).run())
    await asyncio.sleep(60)
    assert not watching.done()
    watching.cancel()
    return sorted(one.name for one in cache.all(Kind.POD)), kube.asked


async def test_a_stream_that_ends_is_resumed_at_the_last_version_seen():
    names, asked = await followed(
        [Listing((pod("a", 1),), "5")], [[(Change.ADDED, pod("b", 7)), (Change.BOOKMARK, pod("", 9))], [None]]
    )
    assert (names, asked) == (["a", "b"], ["list", "watch from 5", "watch from 9"])


async def test_a_version_that_is_too_old_begins_with_a_new_list_that_forgets_what_went_meanwhile():
    names, asked = await followed(
        [Listing((pod("a", 1),), "5"), Listing((pod("c", 8),), "9")], [[Gone("too old")], [None]]
    )
    assert (names, asked) == (["c"], ["list", "watch from 5", "list", "watch from 9"])


class WritingKube(ScriptedKube):
    """While the second list is under way, a write of ours is answered."""

    async def list(self, resource, namespace=""):
        listing = await super().list(resource, namespace)
        if "watch from 5" in self.asked:
            self.cache.apply(Kind.POD, read(pod("ours", 12), Pod))
        return listing


async def test_what_we_wrote_after_a_list_was_made_is_not_taken_for_gone():
    """Else it would never be seen again: what is gone does not come back."""
    lists = [Listing((pod("a", 1),), "5"), Listing((pod("a", 1),), "9")]
    kube, cache = WritingKube(lists, [[Gone("too old")], [(Change.ADDED, pod("ours", 12)), None]]), Cache(lambda: NOW)
    kube.cache = cache
    watching = asyncio.create_task(Watcher(kube, cache, Kind.POD).run())
    await asyncio.sleep(60)
    watching.cancel()
    assert sorted(one.name for one in cache.all(Kind.POD)) == ["a", "ours"]


async def test_others_have_their_turns_while_thousands_are_taken_in(monkeypatch):
    monkeypatch.setattr(turns, "TURN_SECONDS", -1.0)
    listing = Listing(tuple(pod(f"p{number}", number) for number in range(1, 1001)), "1000")
    kube, cache, seen = ScriptedKube([listing], [[None]]), Cache(lambda: NOW), []

    async def look():
        while True:
            seen.append(len(cache.all(Kind.POD)))
            await asyncio.sleep(0)

    watcher, looking = Watcher(kube, cache, Kind.POD), asyncio.create_task(look())
    watching = asyncio.create_task(watcher.run())
    await watcher.is_filled.wait()
    watching.cancel()
    looking.cancel()
    assert len(set(seen)) > 20 and len(cache.all(Kind.POD)) == 1000


async def test_a_broken_connection_is_taken_up_again():
    names, asked = await followed([Listing((), "5")], [[ApiUnreachable("reset")], [(Change.ADDED, pod("b", 7)), None]])
    assert (names, asked) == (["b"], ["list", "watch from 5", "watch from 5"])


async def test_an_object_that_cannot_be_read_does_not_hide_the_others():
    broken = pod("broken", 6, status={"phase": 7})
    names, _ = await followed(
        [Listing((broken, pod("a", 1)), "5")], [[(Change.ADDED, broken), (Change.ADDED, pod("b", 7)), None]]
    )
    assert names == ["a", "b"]


async def test_deleted_ones_go():
    names, _ = await followed([Listing((pod("a", 1), pod("b", 2)), "5")], [[(Change.DELETED, pod("a", 6)), None]])
    assert names == ["b"]
