"""Who is signed in, kept in a cookie that only this process can read. In: a token that the API server knows. Out: text for a cookie, and back.

Nothing is stored here but who has signed out. The cookie is encrypted and has an end; no script sees it.
"""

import hmac
import secrets
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec
from cryptography.fernet import Fernet, InvalidToken

LONGEST_COOKIE = 3900  # browsers drop what is longer than 4096 with its attributes
LONGEST_TOKEN = 1 << 16
KEY_SECONDS = 600


class TokenTooLong(Exception):
    """It does not fit into a cookie."""


@dataclass(frozen=True)
class Session:
    """`is_own`: of whoever has started the dashboard, whose rights are the dashboard's own; without `token`."""

    token: str = field(repr=False)
    is_own: bool
    nonce: str


class _Sealed(msgspec.Struct, array_like=True):
    token: str
    is_own: bool
    nonce: str


class Sessions:
    """`key`: of Fernet. `clock` tells the time of day."""

    def __init__(self, key: bytes, lasting: timedelta, clock: Callable[[], datetime]) -> None:
        self._fernet, self._mac_key = Fernet(key), sha256(b"forms" + key).digest()
        self._seconds, self._clock = int(lasting.total_seconds()), clock
        self._ended: dict[str, float] = {}

    @property
    def seconds(self) -> int:
        return self._seconds

    def begin(self, token: str, is_own: bool = False) -> tuple[Session, str]:
        """The session, and its cookie. Raises TokenTooLong."""
        session = Session(token, is_own, secrets.token_urlsafe(16))
        packed = zlib.compress(msgspec.msgpack.encode(_Sealed(token, is_own, session.nonce)))
        cookie = self._fernet.encrypt_at_time(packed, self._now()).decode()
        if len(cookie) > LONGEST_COOKIE:
            raise TokenTooLong(f"a token of {len(token)} characters does not fit into a cookie")
        return session, cookie

    def of(self, cookie: str) -> Session | None:
        """None for one that is not ours, has ended, or was signed out."""
        try:
            packed = self._fernet.decrypt_at_time(cookie.encode(), self._seconds, self._now())
            found = msgspec.msgpack.decode(_unpacked(packed), type=_Sealed)
        except (InvalidToken, msgspec.MsgspecError, zlib.error, ValueError):
            return None
        return None if found.nonce in self._ended else Session(found.token, found.is_own, found.nonce)

    def end(self, session: Session) -> None:
        """Also for whoever has a copy of its cookie."""
        now = self._now()
        self._ended = {nonce: until for nonce, until in self._ended.items() if until > now}
        self._ended[session.nonce] = now + self._seconds

    def form_key(self, session: Session) -> str:
        """What a form of this session carries, and no other site can know."""
        return hmac.new(self._mac_key, session.nonce.encode(), sha256).hexdigest()

    def is_form_key(self, session: Session, given: str) -> bool:
        return hmac.compare_digest(self.form_key(session).encode(), given.encode())

    def _now(self) -> int:
        return int(self._clock().timestamp())


def _unpacked(packed: bytes) -> bytes:
    return zlib.decompressobj().decompress(packed, LONGEST_TOKEN)


class Entrance:
    """Keys that open the dashboard once, for whoever can read the file that they are made with. `key`: of Fernet."""

    def __init__(self, key: bytes, clock: Callable[[], datetime]) -> None:
        self._fernet, self._clock = Fernet(key), clock
        self._used: dict[bytes, float] = {}

    def issue(self) -> str:
        return self._fernet.encrypt_at_time(secrets.token_bytes(16), self._now()).decode()

    def take(self, given: str) -> bool:
        """Whether it is one that nobody has used, of the last minutes."""
        now = self._now()
        try:
            nonce = self._fernet.decrypt_at_time(given.encode(), KEY_SECONDS, now)
        except (InvalidToken, ValueError):
            return False
        self._used = {each: until for each, until in self._used.items() if until > now}
        if nonce in self._used:
            return False
        self._used[nonce] = now + 2 * KEY_SECONDS
        return True

    def _now(self) -> int:
        return int(self._clock().timestamp())
