"""Where a base unpacks its modules. In: what a directory is for. Out: the directory.

All of a base's lie in one that goes when the base ends. A base that is killed cannot see to that: the next one on this machine
that begins to unpack does, for a directory whose lock nobody holds is nobody's any more.
"""

import contextlib
import fcntl
import shutil
import tempfile
import threading
from pathlib import Path
from typing import IO

PREFIX = "arkwright-base-"
LOCK = "lock"


class Scratch:
    """Directories of one base, below the system's directory for temporary files (TMPDIR). Made when they are first wanted; gone
    when it is closed or forgotten."""

    def __init__(self) -> None:
        self._root: tempfile.TemporaryDirectory[str] | None = None
        self._lock: IO[bytes] | None = None
        self._making = threading.Lock()

    def directory(self, purpose: str) -> Path:
        """A new, empty one. Raises OSError."""
        with self._making:
            if self._root is None:
                sweep(Path(tempfile.gettempdir()))
                self._begin()
            assert self._root
        return Path(tempfile.mkdtemp(prefix=f"{purpose}-", dir=self._root.name))

    def close(self) -> None:
        """All of them go."""
        with self._making:
            if self._root and self._lock:
                self._root.cleanup()
                self._lock.close()
            self._root = self._lock = None

    def _begin(self) -> None:
        self._root = tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
        new = Path(self._root.name) / f"{LOCK}.new"
        self._lock = new.open("wb")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        new.replace(new.with_name(LOCK))  # whoever sees the lock sees that it is held


def sweep(directory: Path) -> None:
    """Remove what bases that were killed have left there."""
    for one in directory.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), (one / LOCK).open("rb") as lock:  # held, another user's, or gone meanwhile
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(one)
