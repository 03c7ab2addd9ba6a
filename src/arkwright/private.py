"""Files that are their owner's alone, whatever the umask, and files of keys that somebody replaces. In: paths. Out: modes; what a file says
now. Not done here: what is written into them.

Who starts programs of others gives them the umask that it had itself (`usual_umask`): their files are their affair.
"""

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

OURS_ALONE = 0o077
_usual = [0o022]
T = TypeVar("T")


def keep_private() -> None:
    """From now on, all that this process makes is readable by its owner alone."""
    found = os.umask(OURS_ALONE)
    if found != OURS_ALONE:
        _usual[:] = [found]


def usual_umask() -> int:
    """The one from before `keep_private`."""
    return _usual[0]


def make_private(directory: Path, patterns: tuple[str, ...]) -> None:
    """A directory that is there, and what lies in it under these names, with all that is below. What is not ours stays as it is, and so does a directory
    that everybody may write to: it is no site's."""
    with contextlib.suppress(OSError):
        found = directory.stat()
        if found.st_uid == os.geteuid() and not found.st_mode & stat.S_ISVTX:
            directory.chmod(0o700)
    for one in _all_of(directory, patterns):
        with contextlib.suppress(OSError):
            if not one.is_symlink():
                one.chmod(0o700 if one.is_dir() else 0o600)


def _all_of(directory: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        for one in directory.glob(pattern):
            yield one
            if one.is_dir() and not one.is_symlink():
                yield from one.rglob("*")


def write_private(path: Path, content: bytes) -> None:
    """Readable by its owner alone, from its first byte on; whole or not at all."""
    half = path.with_suffix(".new")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    half.replace(path)


class ReadAgain(Generic[T]):
    """What a file says, read again when it has changed. `read`: what its bytes mean; `former`: what they meant when they were last understood."""

    def __init__(self, path: Path, read: Callable[[bytes], T]) -> None:
        self.path, self._read = path, read
        self.former: T | None = None
        self._seen = (0, 0)

    def current(self) -> T:
        """Raises OSError, and what `read` raises, as long as there is cause for it."""
        stat = self.path.stat()
        if self.former is None or (stat.st_mtime_ns, stat.st_ino) != self._seen:
            self.former = self._read(self.path.read_bytes())
            self._seen = (stat.st_mtime_ns, stat.st_ino)
        return self.former
