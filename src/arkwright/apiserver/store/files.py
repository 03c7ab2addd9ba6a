"""The store's file on the disk: opened, locked, copied, brought to the layout of today. In: paths. Out: a connection, or StoreFailed."""

import contextlib
import fcntl
import sqlite3
from pathlib import Path
from typing import IO

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


class StoreFailed(Exception):
    """The file cannot be opened, or a write did not reach the disk: nothing of it happened."""


def locked(path: Path) -> IO[bytes]:
    """One server a file: a second one is told so at once. The file itself stays free to be copied by others."""
    try:
        lock = path.with_suffix(".lock").open("wb")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise StoreFailed(f"{path} is in use by another server, or cannot be written: {error}") from error
    return lock


def opened(path: Path) -> sqlite3.Connection:
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
