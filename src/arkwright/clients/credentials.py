"""Who to talk to, and as whom. In: KUBECONFIG, the usual file, or the in-cluster account. Out: an Access.

Kubeconfig files, exec plugins and their tokens are kubernetes_asyncio's business; the account is `incluster`'s.
"""

import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arkwright.clients.errors import BadCredentials
from arkwright.clients.incluster import ACCOUNT, Account, is_in_cluster

USUAL_FILE = "~/.kube/config"
CONTEXT = "ARKWRIGHT_CONTEXT"  # environment: which context of the file; its current one without it


@dataclass
class Access:
    """`server` has no slash at its end; `tls` is None for plain http."""

    server: str
    tls: ssl.SSLContext | None
    namespace: str
    _configuration: Any

    async def headers(self) -> dict[str, str]:
        """The authorization of one request; a token that is about to end is renewed."""
        token = await self._configuration.get_api_key_with_prefix("BearerToken")
        return {"Authorization": token} if token else {}

    def of_bearer(self, token: str) -> "Access":
        """The same API server, as whoever has the token: without a certificate of ours, which would say that it is us."""
        tls = _tls(self._configuration, is_ours=False) if self.tls is not None else None
        return _OfBearer(self.server, tls, self.namespace, token)


@dataclass
class _OfBearer(Access):
    """`_configuration` is the token."""

    async def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._configuration}"}


async def find_access() -> Access:
    """The API server that KUBECONFIG names, else the in-cluster account, else the usual file.

    Raises BadCredentials, whose message says what was looked for.
    """
    try:
        configuration, namespace = _of_account() if is_in_cluster() else await _of_file()
    except (OSError, ValueError, TypeError, KeyError) as error:
        looked = ACCOUNT if is_in_cluster() else os.environ.get("KUBECONFIG", USUAL_FILE)
        raise BadCredentials(f"no usable Kubernetes configuration in {looked}: {error}") from error
    server = str(configuration.host).rstrip("/")
    return Access(server, _tls(configuration) if server.startswith("https") else None, namespace, configuration)


def _of_account() -> tuple[Any, str]:
    account = Account()
    return account, account.namespace


async def _of_file() -> tuple[Any, str]:
    # Half a second of imports, which `arkwright base` and `arkwright module` need not pay.
    from kubernetes_asyncio import config
    from kubernetes_asyncio.client import Configuration

    configuration = Configuration()
    # Left to itself it remembers what KUBECONFIG was when it was imported.
    file = os.environ.get("KUBECONFIG") or USUAL_FILE
    _require_file(file)
    try:
        loader: Any = await config.load_kube_config(
            file, context=os.environ.get(CONTEXT), client_configuration=configuration
        )
    except config.ConfigException as error:
        raise ValueError(str(error)) from error
    return configuration, loader.current_context["context"].get("namespace") or "default"


def _require_file(names: str) -> None:
    """KUBECONFIG may name several files. Raises OSError if there is none of them."""
    if not any(Path(one).expanduser().exists() for one in names.split(os.pathsep) if one):
        raise FileNotFoundError("there is no such file")


def _tls(configuration: Any, is_ours: bool = True) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
        if not configuration.verify_ssl:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if is_ours and configuration.cert_file:
            context.load_cert_chain(configuration.cert_file, configuration.key_file)
    except OSError as error:
        files = [configuration.ssl_ca_cert, configuration.cert_file, configuration.key_file]
        named = ", ".join(str(Path(file)) for file in files if file)
        raise BadCredentials(f"certificates cannot be read ({named}): {error}") from error
    return context
