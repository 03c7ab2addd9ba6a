"""The store's file on the disk: opened, locked, copied, restored. In: paths. Out: a connection, or StoreFailed.

Beside it lies a mark: the last version that somebody was told to be written. Where the file has less, or is not there, something
was lost that SQLite cannot know of, and nobody goes on as if nothing had been.
"""

import contextlib
import fcntl
import itertools
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import IO

PAGES = 1024  # 4 MiB at a time

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


class StoreDamaged(StoreFailed):
    """What is in the file cannot be read, or is less than there was; the message says what can be done."""


class Mark:
    """The last acknowledged version, beside the file: written after each commit, and not waited for."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_suffix(".mark")
        self._file: int | None = None

    def read(self) -> int:
        """0 for none."""
        try:
            return int(self._path.read_text())
        except (OSError, ValueError):
            return 0

    def write(self, version: int) -> None:
        """A mark that cannot be written keeps nobody from writing."""
        with contextlib.suppress(OSError):
            if self._file is None:
                self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
            os.pwrite(self._file, b"%020d" % version, 0)

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def locked(path: Path) -> IO[bytes]:
    """One server a file: a second one is told so at once. The file itself stays free to be copied by others."""
    try:
        lock = path.with_suffix(".lock").open("wb")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise StoreFailed(f"{path} is in use by another server, or cannot be written: {error}") from error
    return lock


def opened(path: Path) -> sqlite3.Connection:
    """Sound, and with all that there was. Raises StoreFailed."""
    if (known := Mark(path).read()) and not path.exists():
        raise StoreDamaged(f"{path} is gone: it had all objects, up to version {known}; {_way_back(path)}")
    try:
        with contextlib.ExitStack() as failing:
            connection = sqlite3.connect(path, check_same_thread=False, timeout=0.5)
            failing.callback(connection.close)
            connection.execute("pragma auto_vacuum = incremental")
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = full")
            _migrate(connection, path)
            _require_sound(connection, path)
            failing.pop_all()
            return connection
    except sqlite3.OperationalError as error:
        raise StoreFailed(f"{path} cannot be opened: {error}") from error
    except sqlite3.Error as error:
        raise StoreDamaged(f"{path} is damaged: {error}; {_way_back(path)}") from error


def _require_sound(connection: sqlite3.Connection, path: Path) -> None:
    """Raises StoreDamaged."""
    (said,) = connection.execute("pragma quick_check(1)").fetchone()
    if said != "ok":
        raise StoreDamaged(f"{path} is damaged: {said}; {_way_back(path)}")
    found, known = version_of(connection), Mark(path).read()
    if found < known:
        lost = f"what was written after version {found} is lost, up to version {known}"
        left = f"`arkwright restore {path}` goes on with what is left"
        raise StoreDamaged(f"{path} is not whole: {lost}; {_way_back(path)}; {left}")


def version_of(connection: sqlite3.Connection) -> int:
    """The last one that the file knows of."""
    asked = "select max(coalesce((select max(version) from log), 0), (select value from facts where name = 'floor'))"
    found: int = connection.execute(asked).fetchone()[0]
    return found


def _way_back(path: Path) -> str:
    return f"`arkwright restore FILE` goes back to a backup; to begin without any objects, move {path.parent} away"


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


def copy(path: Path, target: Path, told: Callable[[int, int], None] = lambda done, total: None) -> int:
    """A copy of the store as it is at this moment, whether a server uses it or not; how many versions it has. `told`: how far it is, in pages.

    Raises StoreFailed, also for what is damaged: then there is no copy.
    """
    is_new = not target.exists()
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as source:
            with contextlib.closing(sqlite3.connect(target)) as copied:
                source.execute("begin")
                source.execute(
                    "select count(*) from facts"
                ).fetchone()  # from here on it sees what is there now, whoever writes
                source.backup(copied, pages=PAGES, progress=lambda _, left, total: told(total - left, total))
                copied.execute("pragma journal_mode = delete")  # one file, that is all
                (said,) = copied.execute("pragma quick_check(1)").fetchone()
                if said != "ok":
                    raise sqlite3.DatabaseError(said)
                count: int = copied.execute("select count(*) from log").fetchone()[0]
                return count
    except sqlite3.Error as error:
        if is_new:
            target.unlink(missing_ok=True)
        raise StoreFailed(f"{path} cannot be copied to {target}: {error}") from error


def restore(
    source: Path, path: Path, told: Callable[[int, int], None] = lambda done, total: None
) -> tuple[int, Path | None]:
    """Puts the objects of `source` in the place of those of a store that nobody uses; how many versions, and where the former file is now.

    Versions go on from the highest that anybody may have seen: who watched before lists anew. Raises StoreFailed; then nothing has changed.
    """
    with contextlib.closing(locked(path)):
        half, mark = path.with_suffix(".restored"), Mark(path)
        half.unlink(missing_ok=True)
        count = copy(source, half, told)
        try:
            with contextlib.closing(sqlite3.connect(half)) as connection, connection:
                _migrate(connection, half)
                floor = max(version_of(connection), mark.read())
                connection.execute("update facts set value = ? where name = 'floor'", (floor,))
        except (sqlite3.Error, StoreFailed) as error:
            half.unlink(missing_ok=True)
            raise StoreFailed(f"{source} is no backup of a site: {error}") from error
        former = _put_aside(path)
        half.replace(path)
        mark.remove()
        return count, former


def _put_aside(path: Path) -> Path | None:
    """The file and what SQLite has beside it, under a name that is free; None where there is none."""
    names = (path.with_name(f"{path.name}.replaced-{number}") for number in itertools.count(1))
    aside = next(one for one in names if not one.exists())
    for end in ("-wal", "-shm", ""):
        if (one := path.with_name(path.name + end)).exists():
            one.replace(aside.with_name(aside.name + end))
    return aside if aside.exists() else None
