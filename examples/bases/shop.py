"""What the three bases have in common: a database with a pool of connections, and what modules may do with it."""

import contextlib
import queue
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path


class Pool:
    """A few connections to one database; whoever asks waits until one is free."""

    def __init__(self, database: str, size: int = 4) -> None:
        self._free: queue.Queue[sqlite3.Connection] = queue.Queue()
        for _ in range(size):
            self._free.put(sqlite3.connect(database, check_same_thread=False))

    @contextlib.contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Committed at the end of the block, rolled back if it raises."""
        connection = self._free.get()
        try:
            with connection:
                yield connection
        finally:
            self._free.put(connection)


class Stock:
    """How many there are of each item: published as `stock` 1.2."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        with pool.connection() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS stock (item TEXT PRIMARY KEY, count INTEGER NOT NULL)")

    def put(self, item: str, count: int) -> None:
        with self._pool.connection() as connection:
            added = "INSERT INTO stock VALUES (?, ?) ON CONFLICT (item) DO UPDATE SET count = count + excluded.count"
            connection.execute(added, (item, count))

    def count(self, item: str) -> int:
        with self._pool.connection() as connection:
            found = connection.execute("SELECT count FROM stock WHERE item = ?", (item,)).fetchone()
        return int(found[0]) if found else 0


pool = Pool(str(Path(tempfile.mkdtemp()) / "shop.db"))
stock = Stock(pool)
stock.put("umbrella", 3)
