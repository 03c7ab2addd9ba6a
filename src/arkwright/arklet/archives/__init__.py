"""Archives, and what lies beside them. In: urls. Out: packages on disk, that nobody has run a line of."""

from arkwright.arklet.archives.beside import install_beside, install_locked, resolved
from arkwright.arklet.archives.errors import PackageError
from arkwright.arklet.archives.locks import LOCK_FILE, Locked, refuse_unlocked
from arkwright.arklet.archives.naming import OF_THE_BASE, wrong_name, wrong_version
from arkwright.arklet.archives.packages import ModulePackage, Packages, is_same_identity
from arkwright.arklet.archives.requirements import packages_of, refuse_unmet, unmet
from arkwright.arklet.archives.signatures import SUFFIX, BadKey, read_private_key, signature

__all__ = [
    "BadKey",
    "OF_THE_BASE",
    "wrong_name",
    "wrong_version",
    "LOCK_FILE",
    "Locked",
    "install_locked",
    "refuse_unlocked",
    "ModulePackage",
    "PackageError",
    "Packages",
    "SUFFIX",
    "install_beside",
    "packages_of",
    "is_same_identity",
    "read_private_key",
    "refuse_unmet",
    "resolved",
    "signature",
    "unmet",
]
