"""A store that is damaged, cut off, another program's or gone is never taken for one that is empty, or for whole: it says so, and a backup brings it back."""

import asyncio
import contextlib
import os
import random
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time

import pytest

from apiserver.asking import Api
from arkwright.apiserver.store import Key, Store, StoreDamaged, StoreFailed, copy, restore

PIECES = 60
NAMES = {f"c{number}" for number in range(PIECES)}
MAPS = "/api/v1/namespaces/default/configmaps"


def heard(change):
    pass


async def written(directory, *, is_killed):
    """A store with many objects, as a process leaves it that ends, or that is killed: then most is in the WAL."""
    live = directory / "live"
    live.mkdir()
    store = Store(live / "store.db", heard)
    for name in sorted(NAMES):
        await store.put(
            Key("configmaps", "default", name), b'{"metadata":{"name":"%s"},"data":"%s"}' % (name.encode(), b"x" * 900)
        )
    if not is_killed:
        await store.close()
    found = directory / "found"
    shutil.copytree(live, found)
    if is_killed:
        await store.close()
    return found / "store.db"


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Directories: of one that has ended, of one that was killed."""
    made = {one: tmp_path_factory.mktemp("store") for one in (False, True)}
    return {one: asyncio.run(written(directory, is_killed=one)).parent for one, directory in made.items()}


def flipped(file, chance):
    content = bytearray(file.read_bytes())
    at = chance.randrange(max(1, len(content) - 64))
    content[at : at + 64] = bytes(one ^ 0xFF for one in content[at : at + 64])
    file.write_bytes(content)


def cut(file, chance):
    os.truncate(file, chance.randrange(file.stat().st_size))


def without_head(file, chance):
    file.write_bytes(bytes(chance.randbytes(100)) + file.read_bytes()[100:])


def emptied(file, chance):
    os.truncate(file, 0)


def removed(file, chance):
    file.unlink()


def foreign(file, chance):
    file.write_bytes(b"#!/bin/sh\n" * 1000)


DAMAGES = [(one, seed) for one in (flipped, cut) for seed in range(12)]
DAMAGES += [(one, 0) for one in (without_head, emptied, removed, foreign)]


@pytest.mark.parametrize("part, is_killed", [("store.db", False), ("store.db", True), ("store.db-wal", True)])
@pytest.mark.parametrize("damage, chance", DAMAGES, ids=lambda one: getattr(one, "__name__", str(one)))
async def test_it_is_whole_or_it_says_that_it_is_not(stores, tmp_path, part, is_killed, damage, chance):
    shutil.copytree(stores[is_killed], tmp_path / "found")
    file = tmp_path / "found" / "store.db"
    assert file.with_name(part).stat().st_size > 0
    damage(file.with_name(part), random.Random(chance))
    try:
        store = Store(file, heard)
    except StoreFailed as error:
        assert "arkwright restore" in str(error) or "another program's" in str(error)
        return
    assert {one.key.name for one in store.find("configmaps")} == NAMES
    await store.close()


async def test_what_is_lost_is_named_and_what_is_left_can_be_gone_on_with(tmp_path):
    file = await written(tmp_path, is_killed=True)
    file.with_name("store.db-wal").unlink()
    file.with_name("store.db-shm").unlink(missing_ok=True)
    shutil.copy(await half_of(tmp_path), file)
    with pytest.raises(
        StoreDamaged, match=f"after version 30 is lost, up to version {PIECES}.*goes on with what is left"
    ):
        Store(file, heard)
    count, former = restore(file, file)
    assert count == 30 and former == file.with_name("store.db.replaced-1")
    store = Store(file, heard)
    assert len(store.find("configmaps")) == 30
    assert store.next_version() == PIECES + 1, "no version comes twice"
    await store.close()


async def half_of(directory):
    store = Store(directory / "half.db", heard)
    for name in sorted(NAMES)[:30]:
        await store.put(Key("configmaps", "default", name), b'{"metadata":{}}')
    await store.close()
    return directory / "half.db"


async def test_a_backup_goes_back_and_what_was_there_is_kept(tmp_path):
    file = await written(tmp_path, is_killed=False)
    copy(file, tmp_path / "backup.db")
    foreign(file, None)
    with pytest.raises(StoreFailed):
        Store(file, heard)
    count, former = restore(tmp_path / "backup.db", file)
    assert count == PIECES and former.read_bytes().startswith(b"#!/bin/sh")
    store = Store(file, heard)
    assert {one.key.name for one in store.find("configmaps")} == NAMES
    await store.close()


async def test_a_backup_is_of_one_moment_and_ends_however_much_is_written_meanwhile(tmp_path):
    store, steps = Store(tmp_path / "store.db", heard), []
    for number in range(40):
        await store.put(Key("configmaps", "default", f"c{number}"), b'{"metadata":{"x":"' + b"y" * 500_000 + b'"}}')
    with sqlite3.connect(tmp_path / "store.db") as other:  # a writer between any two steps

        def write(done, total):
            steps.append((done, total))
            other.execute("insert or replace into facts values ('beside', ?)", (len(steps),))
            other.commit()

        count = copy(tmp_path / "store.db", tmp_path / "backup.db", write)
    assert count == 40 and len(steps) > 3 and [done for done, _ in steps] == sorted(done for done, _ in steps)
    with contextlib.closing(sqlite3.connect(tmp_path / "backup.db")) as copied:
        assert copied.execute("select count(*) from facts where name = 'beside'").fetchone() == (0,)
    await store.close()


@pytest.mark.parametrize("what", ["nothing", "text", "a damaged one"])
async def test_what_is_no_backup_changes_nothing(tmp_path, what):
    file = await written(tmp_path, is_killed=False)
    before, source = file.read_bytes(), tmp_path / "source.db"
    source.write_bytes({"nothing": b"", "text": b"hello " * 1000, "a damaged one": before[: len(before) // 2]}[what])
    with pytest.raises(StoreFailed):
        restore(source, file)
    assert file.read_bytes() == before


async def test_nothing_is_restored_under_a_server(tmp_path):
    file = await written(tmp_path, is_killed=False)
    copy(file, tmp_path / "backup.db")
    store = Store(file, heard)
    with pytest.raises(StoreFailed, match="in use"):
        restore(tmp_path / "backup.db", file)
    await store.close()


# ── processes ──


def arkwright(*words, code=0):
    done = subprocess.run(
        [sys.executable, "-m", "arkwright", *map(str, words)], capture_output=True, text=True, timeout=60, umask=0
    )
    assert done.returncode == code, done.stdout + done.stderr
    return " ".join((done.stdout + done.stderr).split())


class Server:
    """`arkwright api` with the umask of somebody careless."""

    def __init__(self, directory):
        words = ["api", "--data-dir", str(directory), "--port", "0"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "arkwright", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, umask=0
        )
        assert self.process.stdout.readline(), self.process.stderr.read().decode()[-2000:]
        self.api = Api(directory / "kubeconfig")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=20)


def open_to_others(directory):
    return [str(one) for one in (directory, *directory.rglob("*")) if stat.S_IMODE(one.stat().st_mode) & 0o077]


def test_nothing_of_a_site_is_readable_by_others_whatever_was_there(tmp_path):
    directory = tmp_path / "site"
    (directory / "logs" / "pods").mkdir(parents=True)
    (directory / "logs" / "pods" / "base.log").write_text("secret")
    for one in (directory, directory / "logs", directory / "logs" / "pods", directory / "logs" / "pods" / "base.log"):
        one.chmod(0o777 if one.is_dir() else 0o666)
    with Server(directory) as server:
        server.api.raw("POST", MAPS, {"metadata": {"name": "c"}}, **{"Content-Type": "application/json"})
        arkwright("backup", directory / "b.db", "--data-dir", directory)
        assert (directory / "store.db-wal").exists()
        assert open_to_others(directory) == []
    os.chmod(directory / "store.db", 0o644)
    with Server(directory):
        assert open_to_others(directory) == []


def test_a_site_goes_back_to_its_backup(tmp_path):
    directory, backup = tmp_path / "site", tmp_path / "backup.db"
    with Server(directory) as server:
        server.api.raw("POST", MAPS, {"metadata": {"name": "kept"}}, **{"Content-Type": "application/json"})
        arkwright("backup", backup, "--data-dir", directory)
        assert "in use" in arkwright("restore", backup, "--data-dir", directory, code=1)
    for name in ("store.db", "store.mark", "store.db-wal", "store.db-shm"):
        (directory / name).unlink(missing_ok=True)
    for _ in range(2):
        assert "all objects of the site that was here" in arkwright("api", "--data-dir", directory, code=1)
    assert not (directory / "store.db").exists()
    assert "next: arkwright up" in arkwright("restore", backup, "--data-dir", directory)
    with Server(directory) as server:
        assert server.api.raw("GET", f"{MAPS}/kept")[0] == 200
        deadline = time.monotonic() + 10
        while server.api.raw("GET", MAPS)[0] != 200:
            assert time.monotonic() < deadline
    assert open_to_others(directory) == []
