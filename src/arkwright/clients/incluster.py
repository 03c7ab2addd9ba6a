"""The account that a pod has in its cluster: two variables and three files, as Kubernetes promises them to every container.

In: the environment, the directory of the account. Out: what it is called with. The library that reads kubeconfig files could do it, too, at 37 MB
and half a second for each controller.
"""

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from arkwright.model.hosts import joined

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
READ_AGAIN_SECONDS = 60.0  # a token lasts an hour and more, and is replaced long before its end


def is_in_cluster() -> bool:
    """KUBECONFIG wins where it is set."""
    return "KUBERNETES_SERVICE_HOST" in os.environ and "KUBECONFIG" not in os.environ


@dataclass
class Account:
    """As kubernetes_asyncio's Configuration, as far as it is asked. Raises OSError, ValueError where something of it is missing."""

    directory: Path = ACCOUNT
    verify_ssl: bool = True
    cert_file: str | None = None
    key_file: str | None = None
    _token: str = field(default="", repr=False)
    _read_at: float = float("-inf")

    def __post_init__(self) -> None:
        self.host = "https://" + joined(
            os.environ["KUBERNETES_SERVICE_HOST"], int(os.environ["KUBERNETES_SERVICE_PORT"])
        )
        self.ssl_ca_cert = str(self.directory / "ca.crt")
        if not self._current():
            raise ValueError(f"{self.directory / 'token'} is empty")

    @property
    def namespace(self) -> str:
        try:
            return (self.directory / "namespace").read_text().strip() or "default"
        except OSError:
            return "default"

    async def get_api_key_with_prefix(self, _: str) -> str:
        return f"Bearer {self._current()}"

    def _current(self) -> str:
        """One that cannot be read while it is being replaced leaves the one before."""
        if time.monotonic() - self._read_at > READ_AGAIN_SECONDS:
            try:
                self._token, self._read_at = (self.directory / "token").read_text().strip(), time.monotonic()
            except OSError:
                if not self._token:
                    raise
        return self._token
