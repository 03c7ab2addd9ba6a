"""Who made an archive. In: its file and a signature. Out: nothing, or a PackageError.

The signature lies beside the archive, at its url with `.sig` behind the path: an Ed25519 signature of the file's SHA-512
digest, in base64. `arkwright module sign` makes it.
"""

import base64
import binascii
import hashlib
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from arkwright.arklet.archives.errors import PackageError

SUFFIX = ".sig"


class BadKey(Exception):
    """A key file that cannot be used; the message names it."""


def read_public_key(path: Path) -> Ed25519PublicKey:
    """Raises BadKey."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise BadKey(f"{path} is no public key: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise BadKey(f"{path} is no Ed25519 key; `openssl genpkey -algorithm ed25519` makes one")
    return key


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """Raises BadKey."""
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadKey(f"{path} is no private key that can be read: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKey(f"{path} is no Ed25519 key; `openssl genpkey -algorithm ed25519` makes one")
    return key


def signature(archive: Path, key: Ed25519PrivateKey) -> bytes:
    """What belongs into the `.sig` file."""
    return base64.b64encode(key.sign(_digest(archive))) + b"\n"


def check_signature(archive: Path, text: bytes, keys: tuple[Ed25519PublicKey, ...]) -> None:
    """Raises PackageError unless one of `keys` has signed the archive."""
    try:
        signed = base64.b64decode(text.strip(), validate=True)
    except binascii.Error as error:
        raise PackageError(f"the archive's signature is not base64: {error}") from error
    digest = _digest(archive)
    for key in keys:
        try:
            key.verify(signed, digest)
        except InvalidSignature:
            continue
        return
    raise PackageError("the archive's signature is by none of the keys that this base trusts: it was not loaded")


def _digest(archive: Path) -> bytes:
    with archive.open("rb") as file:
        return hashlib.file_digest(file, "sha512").digest()
