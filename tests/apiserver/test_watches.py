"""Watches have limits: how many there are, and how far one may fall behind."""

import asyncio
import contextlib
import ssl
from datetime import UTC, datetime

import aiohttp
import pytest

from arkwright.apiserver.app import ApiServer, Place
from arkwright.apiserver.identity import identity
from arkwright.apiserver.store import watches
from arkwright.apiserver.store.records import Change, Key, Record
from arkwright.apiserver.store.watches import Watches
from arkwright.apiserver.wire import Access, reading

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"


def change(version):
    return Change(None, Record(version, Key("configmaps", "default", f"n{version}"), 0, b"{}"))


def test_a_watcher_that_does_not_keep_up_is_cut_off_and_the_others_are_not(monkeypatch):
    monkeypatch.setattr(watches, "LONGEST_QUEUE", 3)
    all_, slow, quick = Watches(), None, None
    slow, quick = all_.add("configmaps"), all_.add("configmaps")
    for version in range(1, 6):
        all_.publish(change(version))
        assert quick.events.get_nowait().change.after.version == version
    assert (slow.is_cut_off, quick.is_cut_off) == (True, False)
    told = [slow.events.get_nowait() for _ in range(4)]
    assert [one and one.change.after.version for one in told] == [1, 2, 3, None], (
        "what it has is in order, and then its end"
    )


def test_when_a_kind_goes_its_watches_end():
    all_ = Watches()
    gone, stays = all_.add("widgets"), all_.add("configmaps")
    all_.close_all("widgets")
    assert (gone.is_cut_off, stays.is_cut_off, all_.count()) == (True, False, 2)


@pytest.fixture
async def session(tmp_path):
    """Of a server in this very process."""
    found = identity(tmp_path, "127.0.0.1", datetime.now(UTC))
    server = ApiServer(Place(tmp_path / "store.db", found.certificate, found.key), Access("secret"))
    tls = ssl.create_default_context(cafile=str(found.certificate))
    async with server.running() as port:
        connector = aiohttp.TCPConnector(ssl=tls)
        headers = {"Authorization": "Bearer secret"}
        async with aiohttp.ClientSession(f"https://127.0.0.1:{port}", headers=headers, connector=connector) as made:
            yield made


async def test_one_watch_too_many_is_asked_to_come_later(session, monkeypatch):
    monkeypatch.setattr(reading, "MOST_WATCHES", 2)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(2):
            answer = await stack.enter_async_context(session.get(CONFIGMAPS, params={"watch": "true"}))
            assert answer.status == 200
        async with session.get(CONFIGMAPS, params={"watch": "true"}) as refused:
            assert (refused.status, (await refused.json())["reason"]) == (429, "TooManyRequests")
    await asyncio.sleep(0.1)
    async with session.get(CONFIGMAPS, params={"watch": "true", "timeoutSeconds": "1"}) as again:
        assert again.status == 200, "those that have gone do not count"
        await again.read()
