"""How agents are called, and as whom: a signature, a token, TLS, a certificate of ours. In: files. Out: headers, a TLS context.

A signature is about one call and no secret; it goes to every agent. A token goes to agents only that have proven by a certificate of our
authority who they are, unless we are told to send it in clear text. An agent's certificate is checked against the given authority, not
against its address: pods change theirs. So an authority of the bases' own, which signs for nobody else, says who is a base.
"""

import ssl
import time
import uuid
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from arkwright.clients.errors import BadAccess
from arkwright.model.arklet import SIGNATURE_HEADER
from arkwright.model.hosts import host_of, is_loopback
from arkwright.model.signedcalls import BadSigningKey, Call, SigningKey, signing_key
from arkwright.private import ReadAgain


def new_private_key() -> bytes:
    """One that signs calls, in PEM."""
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class InClear(Enum):
    """Where a token may go without TLS."""

    NOWHERE = "nowhere"
    ON_LOOPBACK = "on loopback"
    ANYWHERE = "anywhere"


class KeyFile:
    """A private key in PEM, read again when it changes."""

    def __init__(self, path: Path) -> None:
        self._file = ReadAgain(path, signing_key)

    def current(self) -> SigningKey:
        """Raises BadAccess. A key that cannot be read while it is being replaced leaves the one before."""
        try:
            return self._file.current()
        except (OSError, BadSigningKey) as error:
            if self._file.former is None:
                raise BadAccess(f"{self._file.path} cannot sign calls: {error}") from error
            return self._file.former


@dataclass
class AgentAccess:
    """Paths of files; "" is none. With `ca` every agent is called over TLS, unless its address says http://. `in_clear`: where a token
    is sent without TLS, too."""

    token_file: str = ""
    ca: str = ""
    certificate: str = ""
    key: str = ""
    signing_key: str = ""
    in_clear: InClear = InClear.NOWHERE
    _key_file: KeyFile | None = field(default=None, repr=False)
    _signs_with: SigningKey | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self._key_file = KeyFile(Path(self.signing_key)) if self.signing_key else None

    def sign_with(self, key: SigningKey) -> None:
        """From now on, where no file says with what."""
        self._signs_with = key

    def url(self, address: str) -> str:
        if "://" in address:
            return address
        return f"{'https' if self.ca else 'http'}://{address}"

    def is_proven(self, url: str) -> bool:
        """Whether whoever answers there has a certificate of our authority."""
        return bool(self.ca) and url.startswith("https://")

    def holds_back_token(self, url: str) -> bool:
        """Whether there is a token, and this agent does not get it."""
        return bool(self.token_file) and not self._may_have_token(url)

    def headers(self, url: str, call: Call) -> dict[str, str]:
        """Of one call. Raises BadAccess."""
        token = {"Authorization": f"Bearer {self._token()}"} if self._may_have_token(url) else {}
        key = self._key_file.current() if self._key_file else self._signs_with
        return token | ({SIGNATURE_HEADER: key.sign(call, time.time(), uuid.uuid4().hex)} if key else {})

    def _may_have_token(self, url: str) -> bool:
        if not self.token_file or url.startswith("https://"):
            return bool(self.token_file) and self.is_proven(url)
        is_loopback_too = self.in_clear is InClear.ON_LOOPBACK and is_loopback(host_of(url))
        return is_loopback_too or self.in_clear is InClear.ANYWHERE

    def _token(self) -> str:
        """Read each time: a token is replaced without a restart."""
        try:
            return Path(self.token_file).read_text().strip().splitlines()[-1].strip()
        except (OSError, IndexError, UnicodeDecodeError) as error:
            raise BadAccess(f"{self.token_file} holds no token for agents: {error}") from error

    def tls(self) -> ssl.SSLContext | bool:
        """Raises BadAccess, also if what signs cannot be read."""
        if self._key_file:
            self._key_file.current()
        if not (self.ca or self.certificate):
            return True
        try:
            context = ssl.create_default_context(cafile=self.ca or None)
            context.check_hostname = False
            if self.certificate:
                context.load_cert_chain(self.certificate, self.key or None)
        except OSError as error:
            files = ", ".join(filter(None, (self.ca, self.certificate, self.key)))
            raise BadAccess(f"agents cannot be called with {files}: {error.strerror or error}") from error
        return context
