"""All objects, in one SQLite file: an append-only log of versions, and in memory the latest of each object.

In: bodies, already decided on. Out: records, their history, and futures that are done once the disk has them.
A write is visible to later writes at once, and to readers when it is safe. Not done here: what an object means.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import structlog

from arkwright.apiserver.store.files import Mark, StoreFailed, locked, opened, version_of

log = structlog.get_logger()
COLUMNS = "version, resource, namespace, name, previous, is_deletion, body"
INSERT = f"insert into log ({COLUMNS}) values (?, ?, ?, ?, ?, ?, ?)"
Row = tuple[int, str, str, str, int, int, bytes]


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
        self._lock = locked(path)
        try:
            self._connection = opened(path)
        except StoreFailed:
            self._lock.close()
            raise
        self._thread = ThreadPoolExecutor(1, "store")
        self._on_change = on_change
        self._visible: dict[str, dict[str, dict[str, Record]]] = {}
        self._staged: dict[Key, Record] = {}
        self._batch: list[tuple[Change, asyncio.Future[None]]] = []
        self._is_writing: asyncio.Task[None] | None = None
        self._mark = Mark(path)
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

    def has(self, resource: str, namespace: str = "") -> bool:
        """Whether there is any of a kind, in one namespace or in all."""
        spaces = self._visible.get(resource, {})
        return bool(spaces.get(namespace)) if namespace else any(spaces.values())

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
                except Exception as error:  # whatever it is: those who wait get an answer
                    self._give_up([*batch, *self._batch], error)
                else:
                    self._publish(batch)
        finally:
            self._is_writing = None

    def _commit(self, rows: list[Row]) -> None:
        with self._connection:
            self._connection.executemany(INSERT, rows)
        self._mark.write(rows[-1][0])

    def _give_up(self, failed: list[tuple[Change, asyncio.Future[None]]], error: Exception) -> None:
        """Whatever was staged was built on what did not happen."""
        self._batch = []
        self._staged.clear()
        for _, done in failed:
            if not done.done():
                done.set_exception(StoreFailed(f"the store cannot be written: {error}"))

    def _publish(self, batch: list[tuple[Change, asyncio.Future[None]]]) -> None:
        for change, done in batch:
            self._show(change.after)
            try:
                self._on_change(change)
            except Exception:  # it is on disk all the same, and its writer waits for nothing else
                log.exception("a change was not told", version=change.after.version)
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
        self.version = version_of(self._connection)

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
        self._mark.close()
        self._lock.close()


def _record(row: Row) -> Record:
    version, resource, namespace, name, previous, is_deletion, body = row
    return Record(version, Key(resource, namespace, name), previous, body, bool(is_deletion))


def _row(change: Change) -> Row:
    one = change.after
    return (one.version, *one.key, one.previous, one.is_deletion, one.body)
