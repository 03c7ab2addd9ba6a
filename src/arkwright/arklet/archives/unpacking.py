"""Opens archives that nobody vouches for. In: a zip file. Out: its files in a directory, or an ArchiveRefused.

What would leave the directory, is a link, is encrypted, stands twice, or is more than the limits allow is refused by name,
before a byte of it is written. Not done here: what the files mean.
"""

import errno
import stat
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from arkwright.arklet.archives.errors import PackageError
from arkwright.arklet.settings import MEGABYTE, ArchiveSettings

BOMB_RATIO = 200  # deflate cannot do more than 1032; code and data of real modules stay below 50
BOMB_BYTES = 10 * MEGABYTE  # below this nobody is hurt, however well it packs

UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
# Not the archive's fault; any other error of the system is: names too long, a file where a directory should be, offsets before the start.
OF_THE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES, errno.EMFILE, errno.ENFILE}


class ArchiveRefused(PackageError):
    """The archive is damaged or unsafe; the message names the file in it."""


def unpack(archive: Path, directory: Path, limits: ArchiveSettings) -> None:
    """Raises ArchiveRefused; `directory` may hold some of the files then. OSError: the disk would not take them."""
    try:
        with zipfile.ZipFile(archive) as opened:
            members = opened.infolist()
            check_whole(members, archive.stat().st_size, limits)
            for member in members:
                for check in CHECKS:
                    check(member)
            for member in members:
                opened.extract(member, directory)
    except (*UNREADABLE, OSError) as error:
        if isinstance(error, OSError) and error.errno in OF_THE_DISK:
            raise
        raise ArchiveRefused(f"the archive is no wheel that can be read: {error}") from error


def check_whole(members: list[zipfile.ZipInfo], archive_bytes: int, limits: ArchiveSettings) -> None:
    if len(members) > limits.files:
        raise ArchiveRefused(f"the archive holds {len(members)} files; the limit is {limits.files}")
    unpacked, limit = sum(member.file_size for member in members), limits.unpacked_mb * MEGABYTE
    if unpacked > limit:
        raise ArchiveRefused(f"the archive unpacks to {unpacked} bytes; the limit is {limit}")
    if sum(member.compress_size for member in members) > archive_bytes:
        raise ArchiveRefused("the archive's files overlap: it is a zip bomb")
    seen: set[str] = set()
    for member in members:
        if member.filename in seen:
            raise ArchiveRefused(f"the archive's file {member.filename!r} is in it twice")
        seen.add(member.filename)


def _check_path(member: zipfile.ZipInfo) -> None:
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if not path.parts or path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise ArchiveRefused(f"the archive's file {member.filename!r} would leave its directory")


def _check_kind(member: zipfile.ZipInfo) -> None:
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind == stat.S_IFLNK:
        raise ArchiveRefused(f"the archive's file {member.filename!r} is a link")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ArchiveRefused(f"the archive's file {member.filename!r} is neither file nor directory")
    if member.flag_bits & 0x1:
        raise ArchiveRefused(f"the archive's file {member.filename!r} is encrypted")


def _check_ratio(member: zipfile.ZipInfo) -> None:
    if member.file_size > BOMB_BYTES and member.file_size > BOMB_RATIO * max(member.compress_size, 1):
        raise ArchiveRefused(
            f"the archive's file {member.filename!r} is a zip bomb: {member.file_size} bytes in {member.compress_size}"
        )


CHECKS: tuple[Callable[[zipfile.ZipInfo], None], ...] = (_check_path, _check_kind, _check_ratio)
