"""`arkwright dashboard`: the web page on what is in a cluster, with the rights of whoever looks."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from cryptography.fernet import Fernet

from arkwright.cli.links import link_of
from arkwright.cli.loglines import log_lines
from arkwright.cli.output import fail
from arkwright.cli.siteoptions import DataDir
from arkwright.clients.errors import BadCredentials
from arkwright.model.hosts import is_loopback
from arkwright.model.names import DEFAULT_LEASE
from arkwright.standalone.site import DASHBOARD_PORT, Site, site_in
from arkwright.web.app import Place, Settings, run_dashboard

Certificate = Annotated[Path | None, typer.Option(help="PEM file; the page is served over TLS.")]
CertificateKey = Annotated[Path | None, typer.Option(help="PEM file of its key.")]
PlainHttp = Annotated[
    bool, typer.Option("--plain-http", help="Beyond loopback without TLS: something in front speaks it.")
]
SessionHours = Annotated[float, typer.Option(min=0.1, max=720, help="Hours until one signs in again.")]
SessionKeyFile = Annotated[
    Path | None, typer.Option(help="File with the key of cookies (32 bytes in url-safe base64), for several at once.")
]
LeaseNamespace = Annotated[str, typer.Option(help="Where the controller's Lease lies.", envvar="POD_NAMESPACE")]
TokenOnly = Annotated[bool, typer.Option("--token-only", help="No link for its owner: all show a token.")]
Link = Annotated[bool, typer.Option("--link", help="Print another link to the site's dashboard, and end.")]


def dashboard(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: any free one.")] = DASHBOARD_PORT,
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Only this namespace; all if left out.")] = "",
    read_only: Annotated[bool, typer.Option("--read-only", help="Nobody changes anything through it.")] = False,
    tls_certificate: Certificate = None,
    tls_key: CertificateKey = None,
    plain_http: PlainHttp = False,
    session_hours: SessionHours = 8.0,
    session_key_file: SessionKeyFile = None,
    lease_namespace: LeaseNamespace = DEFAULT_LEASE[0],
    token_only: TokenOnly = False,
    link: Link = False,
    data_dir: DataDir = None,
) -> None:
    """A web page of releases and bases, on the cluster that KUBECONFIG names; says its address once it serves."""
    site = site_in(data_dir)
    if link:
        _say_link(site)
        return
    _require_safe(host, (tls_certificate, tls_key), plain_http)
    is_own = not token_only and is_loopback(host)
    settings = Settings(
        place=Place(host, port, tls_certificate, tls_key),
        namespace=namespace,
        lease_namespace=lease_namespace,
        is_read_only=read_only,
        session=timedelta(hours=session_hours),
        session_key=_key_in(session_key_file),
        entrance_key=_entrance_key(site, data_dir) if is_own else None,
        says_link=data_dir is None,
    )
    _serve(settings)


def _serve(settings: Settings) -> None:
    place = settings.place
    log_lines()
    try:
        uvloop.run(run_dashboard(settings, typer.echo))
    except BadCredentials as error:
        fail(str(error), "set KUBECONFIG to the file of a cluster, or run this in a pod with a service account")
    except OSError as error:
        fail(
            f"cannot listen on {place.host}:{place.port}: {error.strerror or error}",
            "choose another with --port (0: any free one)",
        )


def _say_link(site: Site) -> None:
    found = link_of(site)
    if not found:
        fail(f"no dashboard of the site in {site.directory} is up", f"`arkwright up{site.option}` starts it")
    typer.echo(found)


def _require_safe(host: str, pem: tuple[Path | None, Path | None], plain_http: bool) -> None:
    certificate, key = pem
    if bool(certificate) != bool(key):
        fail("a certificate and its key go together", "--tls-certificate FILE --tls-key FILE")
    for one in (certificate, key):
        if one and not one.is_file():
            fail(f"there is no file {one}", "--tls-certificate and --tls-key name PEM files")
    if not certificate and not plain_http and not is_loopback(host):
        fail(
            f"--host {host}: tokens of viewers would cross the network in clear",
            "--tls-certificate and --tls-key, or --plain-http if something in front speaks TLS",
        )


def _key_in(file: Path | None) -> bytes | None:
    if file is None:
        return None
    try:
        key = file.read_bytes().strip()
        Fernet(key)
    except (OSError, ValueError) as error:
        fail(f"--session-key-file {file}: {error}", "32 bytes, written in url-safe base64")
    return key


def _entrance_key(site: Site, data_dir: Path | None) -> bytes:
    """That of the site, where it is the site's; else one that nobody but this process knows."""
    if data_dir is None:
        return Fernet.generate_key()
    try:
        return site.dashboard_key.read_bytes()
    except OSError as error:
        fail(f"{site.dashboard_key}: {error.strerror}", f"`arkwright up{site.option}` makes it")
