"""A watch that ends goes on where it was; one that is too old begins anew; nothing is missed and nothing hides the rest."""

import asyncio
import json

import msgspec
import pytest

from arkwright.clients.errors import ApiUnreachable, Gone
from arkwright.clients.kube import Change, Listing, WatchLine
from arkwright.controller.cache import Cache
from arkwright.controller.watch import Watcher
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
