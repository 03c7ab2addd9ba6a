"""Signed calls, as an agent takes them. In: the public keys of who may call, a call as it came. Out: it is theirs, or a BadSignature.

The file of keys is read again when it changes, so that a key is replaced without a restart: the new one is there before it is used.
"""

import logging
import time
from pathlib import Path

import jwt

from arkwright.model.signedcalls import BadSignature, BadSigningKey, Call, check, keys_of
from arkwright.private import ReadAgain

log = logging.getLogger(__name__)


class Signatures:
    """Of callers whose keys are in `path`, a JSON Web Key Set. Raises BadSigningKey if it holds none."""

    def __init__(self, path: Path) -> None:
        self._file, self._told = ReadAgain(path, keys_of), ""
        self._keys: dict[str, jwt.PyJWK] = {}
        self._used: dict[str, float] = {}
        self._read()
        if not self._keys:
            raise BadSigningKey(f"{path} holds no key")

    def take(self, token: str, call: Call) -> None:
        """Raises BadSignature if nobody known has signed this very call, and if it has come before."""
        self._read()
        now = time.time()
        proven = check(token, call, self._keys, now)
        self._used = {number: until for number, until in self._used.items() if until > now}
        if proven.number in self._used:
            raise BadSignature("this very call has come before")
        self._used[proven.number] = proven.until

    def _read(self) -> None:
        """What cannot be read while it is being replaced leaves the keys as they are; a file that has gone allows nobody."""
        try:
            self._keys, self._told = self._file.current(), ""
        except FileNotFoundError:
            self._keys = {}
        except BadSigningKey as error:
            if not self._keys:
                raise BadSigningKey(f"{self._file.path}: {error}") from error
            if str(error) != self._told:
                log.warning("%s cannot be read, the keys before are known: %s", self._file.path, error)
                self._told = str(error)
