"""How agents are called where they do not take everyone: a token, TLS, a certificate of ours. In: files. Out: headers, a TLS context.

An agent's certificate is checked against the given authority, not against its address: pods change theirs. So an authority
of the bases' own, which signs for nobody else, says who is a base.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path

from arkwright.clients.errors import BadAccess


@dataclass(frozen=True)
class AgentAccess:
    """Paths of files; "" is none. With `ca` every agent is called over TLS, unless its address says http://."""

    token_file: str = ""
    ca: str = ""
    certificate: str = ""
    key: str = ""

    def url(self, address: str) -> str:
        if "://" in address:
            return address
        return f"{'https' if self.ca else 'http'}://{address}"

    def headers(self) -> dict[str, str]:
        """Read each time: a token is replaced without a restart. Raises BadAccess."""
        if not self.token_file:
            return {}
        try:
            token = Path(self.token_file).read_text().strip().splitlines()[-1].strip()
        except (OSError, IndexError, UnicodeDecodeError) as error:
            raise BadAccess(f"{self.token_file} holds no token for agents: {error}") from error
        return {"Authorization": f"Bearer {token}"}

    def tls(self) -> ssl.SSLContext | bool:
        """Raises BadAccess."""
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
