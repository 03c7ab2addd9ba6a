"""What an archive has to be. In: a url's fragment, a file. Out: the digests that are asked for, and which of them the file has not."""

import hashlib
import hmac
from pathlib import Path
from urllib.parse import urlsplit

from arkwright.arklet.archives.errors import PullError
from arkwright.model.text import plain
from arkwright.model.urls import without_secrets

DIGESTS = {"sha256": 64, "sha512": 128, "md5": 32}


def digests_of(url: str, md5: str = "") -> dict[str, str]:
    """What the archive has to be. Raises PullError for a fragment that is no digest: to overlook one would be to load anything.

    >>> digests_of("https://h/a.whl#sha256=" + "0" * 64, "")["sha256"][:4]
    '0000'
    """
    try:
        fragment = urlsplit(url).fragment
    except ValueError as error:
        raise PullError("no protocol: this is no url") from error
    told = [part.partition("=")[::2] for part in fragment.split("&")] if fragment else []
    wanted = {name.lower(): digest.lower() for name, digest in (*told, *([("md5", md5)] if md5 else []))}
    if len(wanted) != len(told) + bool(md5) or any(name == "md5" for name, _ in told):
        raise PullError(f"{without_secrets(url)}: its fragment is to be #sha256=<hex> or #sha512=<hex>")
    for name, digest in wanted.items():
        if len(digest) != DIGESTS.get(name) or set(digest) - set("0123456789abcdef"):
            known = " and ".join(f"{one} ({length} hex digits)" for one, length in DIGESTS.items())
            raise PullError(f"{without_secrets(url)}: {plain(name, 20)!r} is no digest in hex; known are {known}")
    return wanted


def mismatch(path: Path, wanted: dict[str, str]) -> str:
    """Which of the digests that are asked for the file has not, in words; "" if it has them all. What it has is not told."""
    wrong = (name for name, digest in wanted.items() if not hmac.compare_digest(digest, _digest(path, name)))
    name = next(wrong, "")
    return f"has another {name} than the one that is asked for" if name else ""


def _digest(path: Path, name: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(name, usedforsecurity=name != "md5")).hexdigest()
