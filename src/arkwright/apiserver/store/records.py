"""All objects, in one SQLite file: an append-only log of versions, and in memory the latest of each object.

In: bodies, already decided on. Out: records, their history, and futures that are done once the disk has them.
A write is visible to later writes at once, and to readers when it is safe. Not done here: what an object means.
"""

import asyncio
import contextlib
import fcntl
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

# Each brings the file from one layout to the next; the first makes it. What is here has been released: only add to it.
MIGRATIONS = [
    """
create table log (
    version integer primary key, resource text not null, namespace text not null, name text not null,
    previous integer not null, is_deletion integer not null, body blob not null
);
create index log_previous on log (previous) where previous > 0;
create table facts (name text primary key, value integer not null) without rowid;
insert into facts values ('floor', 0);
""",
]
COLUMNS = "version, resource, namespace, name, previous, is_deletion, body"
INSERT = f"insert into log ({COLUMNS}) values (?, ?, ?, ?, ?, ?, ?)"
Row = tuple[int, str, str, str, int, int, bytes]


class StoreFailed(Exception):
    """The file cannot be opened, or a write did not reach the disk: nothing of it happened."""


class Compacted(Exception):
    """History from that version on is no longer kept."""


class Key(NamedTuple):
    """`resource`: plural and group, as in `modules.serverless.alipay.com`; `namespace`: "" for cluster-wide kinds."""

    resource: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Record:
    """One version of one object, or its end. `body`: JSON without apiVersion and kind. `previous`: the version before; 0: none."""

    version: int
    key: Key
    previous: int
    body: bytes
    is_deletion: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What readers learn: the object as it was before, and as it is now."""

    before: Record | None
    after: Record


class Store:
    """`on_change` hears of every change, in order, once it is on disk."""

    def __init__(self, path: Path, on_change: Callable[[Change], None]) -> None:
        """Raises StoreFailed if the file is another program's, in use, or from a later version of arkwright."""
        self._lock = _locked(path)
        try:
            self._connection = _opened(path)
        except StoreFailed:
            self._lock.close()
            raise
        self._thread = ThreadPoolExecutor(1, "store")
        self._on_change = on_change
        self._visible: dict[str, dict[str, dict[str, Record]]] = {}
        self._staged: dict[Key, Record] = {}
        self._batch: list[tuple[Change, asyncio.Future[None]]] = []
        self._is_writing: asyncio.Task[None] | None = None
        self.version = 0
        self._load()
        self._next_version = self.version + 1

    # ── reading ──

    def get(self, key: Key) -> Record | None:
        """The object as it is on disk."""
        return self._visible.get(key.resource, {}).get(key.namespace, {}).get(key.name)

    def latest(self, key: Key) -> Record | None:
        """The object as the next write has to see it, on disk or not yet."""
        staged = self._staged.get(key)
        if staged is not None:
            return None if staged.is_deletion else staged
        return self.get(key)

    def find(self, resource: str, namespace: str = "") -> list[Record]:
        """All of a kind, in one namespace or in all, by namespace and name."""
        spaces = self._visible.get(resource, {})
        chosen = [spaces.get(namespace, {})] if namespace else [spaces[one] for one in sorted(spaces)]
        return [space[name] for space in chosen for name in sorted(space)]

    async def find_at(self, version: int, resource: str, namespace: str = "") -> list[Record]:
        """The same as it was at `version`. Raises Compacted."""
        rows = await self._rows(version, "version <= ? and resource = ?", (version, resource))
        found = {one.key: one for one in rows}
        return [one for _, one in sorted(found.items()) if not one.is_deletion and namespace in ("", one.key.namespace)]

    async def changes(self, after: int, until: int, resource: str) -> list[Change]:
        """What happened to a kind in between. Raises Compacted."""
        rows = await self._rows(after, "version > ? and version <= ? and resource = ?", (after, until, resource))
        of_them = "select previous from log where version > ? and version <= ? and resource = ?"
        before = await self._rows(after, f"version in ({of_them})", (after, until, resource))
        known = {one.version: one for one in before}
        return [Change(known.get(one.previous), one) for one in rows]

    async def _rows(self, since: int, where: str, values: tuple[int | str, ...]) -> list[Record]:
        """Read in the writer's turn, so that nothing is compacted meanwhile."""

        def read() -> list[Record]:
            (floor,) = self._connection.execute("select value from facts where name = 'floor'").fetchone()
            if since < floor:
                raise Compacted(f"history is kept from version {floor} on")
            asked = f"select {COLUMNS} from log where {where} order by version"
            return [_record(row) for row in self._connection.execute(asked, values)]

        return await asyncio.get_running_loop().run_in_executor(self._thread, read)

    # ── writing ──

    def next_version(self) -> int:
        """For the write that follows at once, without an await in between."""
        return self._next_version

    def put(self, key: Key, body: bytes, *, is_deletion: bool = False) -> asyncio.Future[None]:
        """Stage the next version of an object; with `is_deletion` its end, and `body` is what watchers see of it.

        The future is done once the disk has it, together with all that was staged meanwhile. Raises (the future)
        StoreFailed: then nothing of it happened, nor of anything that was staged after it.
        """
        before = self.latest(key)
        record = Record(self._next_version, key, before.version if before else 0, body, is_deletion)
        self._next_version += 1
        self._staged[key] = record
        done = asyncio.get_running_loop().create_future()
        self._batch.append((Change(before, record), done))
        if self._is_writing is None:
            self._is_writing = asyncio.create_task(self._write_all())
        return done

    async def _write_all(self) -> None:
        """Batch after batch; what comes while one is being written forms the next."""
        loop = asyncio.get_running_loop()
        try:
            while self._batch:
                batch, self._batch = self._batch, []
                rows = [_row(change) for change, _ in batch]
                try:
                    await loop.run_in_executor(self._thread, self._commit, rows)
                except sqlite3.Error as error:
                    self._give_up([*batch, *self._batch], error)
                else:
                    self._publish(batch)
        finally:
            self._is_writing = None

    def _commit(self, rows: list[Row]) -> None:
        with self._connection:
            self._connection.executemany(INSERT, rows)

    def _give_up(self, failed: list[tuple[Change, asyncio.Future[None]]], error: sqlite3.Error) -> None:
        """Whatever was staged was built on what did not happen."""
        self._batch = []
        self._staged.clear()
        for _, done in failed:
            if not done.done():
                done.set_exception(StoreFailed(f"the store cannot be written: {error}"))

    def _publish(self, batch: list[tuple[Change, asyncio.Future[None]]]) -> None:
        for change, done in batch:
            self._show(change.after)
            self._on_change(change)
            if not done.done():
                done.set_result(None)

    def _show(self, record: Record) -> None:
        key, self.version = record.key, record.version
        names = self._visible.setdefault(key.resource, {}).setdefault(key.namespace, {})
        if record.is_deletion:
            names.pop(key.name, None)
        else:
            names[key.name] = record
        staged = self._staged.get(key)
        if staged is not None and staged.version == record.version:
            del self._staged[key]

    # ── the file ──

    def _load(self) -> None:
        for row in self._connection.execute(f"select {COLUMNS} from log order by version"):
            self._show(_record(row))
        (floor,) = self._connection.execute("select value from facts where name = 'floor'").fetchone()
        self.version = max(self.version, floor)

    async def compact(self, floor: int) -> None:
        """Forget what was superseded up to version `floor`, and give the room back."""

        def forget() -> None:
            with self._connection as connection:
                connection.execute(
                    "delete from log where version in (select previous from log where version <= ?)", (floor,)
                )
                connection.execute("delete from log where version <= ? and is_deletion", (floor,))
                connection.execute("update facts set value = max(value, ?) where name = 'floor'", (floor,))
            self._connection.execute("pragma incremental_vacuum")
            self._connection.execute("pragma wal_checkpoint(truncate)")

        await asyncio.get_running_loop().run_in_executor(self._thread, forget)

    async def close(self) -> None:
        """Everything staged is written first."""
        if self._is_writing:
            await self._is_writing
        self._thread.shutdown()
        self._connection.close()
        self._lock.close()


def _locked(path: Path) -> IO[bytes]:
    """One server a file: a second one is told so at once. The file itself stays free to be copied by others."""
    try:
        lock = path.with_suffix(".lock").open("wb")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise StoreFailed(f"{path} is in use by another server, or cannot be written: {error}") from error
    return lock


def _opened(path: Path) -> sqlite3.Connection:
    try:
        with contextlib.ExitStack() as failing:
            connection = sqlite3.connect(path, check_same_thread=False, timeout=0.5)
            failing.callback(connection.close)
            connection.execute("pragma auto_vacuum = incremental")
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = full")
            _migrate(connection, path)
            failing.pop_all()
            return connection
    except sqlite3.Error as error:
        raise StoreFailed(f"{path} cannot be opened: {error}") from error


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Step by step to the layout of today; a step happens as a whole or not at all."""
    (found,) = connection.execute("pragma user_version").fetchone()
    if found > len(MIGRATIONS):
        raise StoreFailed(
            f"{path} was written by a later version of arkwright (layout {found}, known up to {len(MIGRATIONS)})"
        )
    if found == 0 and connection.execute("select 1 from sqlite_master").fetchone():
        raise StoreFailed(f"{path} is another program's database")
    for number, script in enumerate(MIGRATIONS[found:], found + 1):
        connection.executescript(f"begin; {script} pragma user_version = {number}; commit;")


def copy(path: Path, target: Path) -> int:
    """A copy of the store as it is at this moment, whether a server uses it or not; how many versions it has.

    Raises StoreFailed.
    """
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as source:
            with contextlib.closing(sqlite3.connect(target)) as copied:
                source.backup(copied)
                copied.execute("pragma journal_mode = delete")  # one file, that is all
                count: int = copied.execute("select count(*) from log").fetchone()[0]
                return count
    except sqlite3.Error as error:
        raise StoreFailed(f"{path} cannot be copied to {target}: {error}") from error


def _record(row: Row) -> Record:
    version, resource, namespace, name, previous, is_deletion, body = row
    return Record(version, Key(resource, namespace, name), previous, body, bool(is_deletion))


def _row(change: Change) -> Row:
    one = change.after
    return (one.version, *one.key, one.previous, one.is_deletion, one.body)
