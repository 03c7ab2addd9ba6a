"""The file under the embedded API: it is opened again, compacted, copied, brought to a new layout, and fails loudly."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from arkwright.apiserver.store import Compacted, Key, Store, StoreFailed, copy
from arkwright.apiserver.store import files as module

ONE, TWO = Key("configmaps", "default", "one"), Key("configmaps", "default", "two")
LAYOUT_1 = Path(__file__).with_name("layout-1.sql")


def heard(_):
    pass


def opened(directory, listener=heard):
    return Store(directory / "store.db", listener)


def state(store):
    return {record.key.name: record.body for record in store.find("configmaps")}


async def filled(directory):
    """one: changed twice; two: gone."""
    store = opened(directory)
    for body in (b"{1}", b"{2}", b"{3}"):
        await store.put(ONE, body)
    await store.put(TWO, b"{4}")
    await store.put(TWO, b"{5}", is_deletion=True)
    return store


async def test_what_was_written_is_there_when_it_is_opened_again(tmp_path):
    store = await filled(tmp_path)
    await store.close()
    again = opened(tmp_path)
    assert (again.version, state(again)) == (5, {"one": b"{3}"})
    assert [change.after.body for change in await again.changes(2, 5, "configmaps")] == [b"{3}", b"{4}", b"{5}"]
    assert [record.body for record in await again.find_at(4, "configmaps")] == [b"{3}", b"{4}"]
    await again.put(ONE, b"{6}")
    assert again.version == 6
    await again.close()


async def test_a_write_is_seen_by_the_next_write_at_once_and_by_readers_when_it_is_safe(tmp_path):
    told = []
    store = opened(tmp_path, lambda change: told.append(change.after.version))
    writes = [store.put(ONE, body) for body in (b"{1}", b"{2}")]
    assert (store.latest(ONE).body, store.get(ONE), told) == (b"{2}", None, [])
    await asyncio.gather(*writes)
    assert (store.get(ONE).body, told) == (b"{2}", [1, 2])
    await store.close()


async def test_compaction_keeps_what_is_there_and_says_what_it_forgot(tmp_path):
    store = await filled(tmp_path)
    await store.compact(5)
    with pytest.raises(Compacted, match="from version 5 on"):
        await store.changes(4, 5, "configmaps")
    await store.close()
    again = opened(tmp_path)
    assert (again.version, state(again)) == (5, {"one": b"{3}"})
    with sqlite3.connect(tmp_path / "store.db") as connection:
        assert connection.execute("select count(*) from log").fetchone() == (1,)
    await again.close()


async def test_a_second_server_is_told_that_the_file_is_in_use(tmp_path):
    store = opened(tmp_path)
    with pytest.raises(StoreFailed, match="in use by another server"):
        opened(tmp_path)
    await store.close()
    await opened(tmp_path).close()


async def test_a_full_disk_refuses_a_write_and_loses_nothing(tmp_path):
    told = []
    store = opened(tmp_path, lambda change: told.append(change.after.version))
    await store.put(ONE, b"{1}")
    (pages,) = store._connection.execute("pragma page_count").fetchone()
    store._connection.execute(f"pragma max_page_count = {pages + 1}")
    large, after = store.put(TWO, b"{" + b"x" * 100_000), store.put(ONE, b"{2}")
    for write in (large, after):
        with pytest.raises(StoreFailed, match="cannot be written: database or disk is full"):
            await write
    assert (state(store), store.latest(TWO), told) == ({"one": b"{1}"}, None, [1])
    store._connection.execute("pragma max_page_count = 100000")
    await store.put(ONE, b"{3}")
    assert state(store) == {"one": b"{3}"}
    await store.close()
    again = opened(tmp_path)
    assert state(again) == {"one": b"{3}"}
    await again.close()


async def test_it_is_copied_while_it_is_written(tmp_path):
    store = opened(tmp_path)
    acknowledged = 0

    async def write():
        nonlocal acknowledged
        for number in range(2000):
            await store.put(Key("configmaps", "default", f"n{number}"), b"{}")
            acknowledged = number + 1

    writing = asyncio.create_task(write())
    while acknowledged < 200:
        await asyncio.sleep(0.001)
    known = acknowledged
    (tmp_path / "elsewhere").mkdir()
    count = await asyncio.to_thread(copy, tmp_path / "store.db", tmp_path / "elsewhere" / "store.db")
    assert not writing.done()
    await writing
    await store.close()
    copied = opened(tmp_path / "elsewhere")
    assert len(state(copied)) == count >= known
    await copied.close()


@pytest.mark.parametrize("target", ["nowhere/store.db", ""])
def test_a_copy_that_cannot_be_made_says_so(tmp_path, target):
    asyncio.run(opened(tmp_path).close())
    with pytest.raises(StoreFailed, match="cannot be copied"):
        copy(tmp_path / "store.db", tmp_path / target)


# ── layouts ──


async def test_the_first_layout_is_opened_by_every_later_version(tmp_path):
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.executescript(LAYOUT_1.read_text())
    store = opened(tmp_path)
    assert (store.version, state(store)) == (5, {"one": b"{3}"})
    await store.put(ONE, b"{6}")
    await store.close()


async def test_a_file_is_brought_to_a_new_layout(tmp_path, monkeypatch):
    await (await filled(tmp_path)).close()
    added = [*module.MIGRATIONS, "create table more (x); insert into more values (7);"]
    monkeypatch.setattr(module, "MIGRATIONS", added)
    store = opened(tmp_path)
    assert state(store) == {"one": b"{3}"}
    assert store._connection.execute("select x from more").fetchone() == (7,)
    await store.close()
    await opened(tmp_path).close()  # not twice


async def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    await (await filled(tmp_path)).close()
    known = module.MIGRATIONS
    monkeypatch.setattr(module, "MIGRATIONS", [*known, "create table more (x); insert into nowhere values (7);"])
    with pytest.raises(StoreFailed, match="cannot be opened: no such table: nowhere"):
        opened(tmp_path)
    monkeypatch.setattr(module, "MIGRATIONS", known)
    store = opened(tmp_path)
    assert state(store) == {"one": b"{3}"}
    await store.close()


def test_a_file_of_a_later_version_is_left_alone(tmp_path):
    asyncio.run(opened(tmp_path).close())
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute("pragma user_version = 99")
    with pytest.raises(StoreFailed, match="later version of arkwright"):
        opened(tmp_path)


def test_a_database_of_another_program_is_left_alone(tmp_path):
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute("create table theirs (x)")
    with pytest.raises(StoreFailed, match="another program"):
        opened(tmp_path)


def test_a_file_that_is_no_database_is_left_alone(tmp_path):
    (tmp_path / "store.db").write_bytes(b"no database" * 100)
    with pytest.raises(StoreFailed, match="is damaged"):
        opened(tmp_path)
    assert (tmp_path / "store.db").read_bytes().startswith(b"no database")
