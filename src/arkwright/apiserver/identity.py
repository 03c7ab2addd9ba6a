"""Who may talk to the server: its certificate, two tokens, and the kubeconfigs that have them. All files are 0600.

In: a directory. Out: what is in it, made once. Not done here: checking a token (`routes`).
"""

import base64
import ipaddress
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from arkwright.private import write_private

VALID, MARGIN = timedelta(days=3650), timedelta(days=1)
NAMES = ("localhost", "kubernetes", "kubernetes.default.svc")


@dataclass(frozen=True)
class Identity:
    """`certificate`, `key`: PEM files; `admin` may do all, `reader` may read."""

    certificate: Path
    key: Path
    admin: str
    reader: str


def identity(directory: Path, host: str, now: datetime) -> Identity:
    """What the directory has; made if it has none, or none for that host."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    certificate, key = directory / "server.crt", directory / "server.key"
    if not key.exists() or not certificate.exists() or not _is_for(certificate, host, now):
        _write_certificate(certificate, key, host, now)
    return Identity(certificate, key, _token(directory / "admin.token"), _token(directory / "reader.token"))


def kubeconfig(server: str, certificate: Path, token: str) -> bytes:
    """A kubeconfig (JSON is YAML) with one cluster and one user."""
    name = "arkwright"
    authority = certificate.read_bytes()
    cluster = {"server": server, "certificate-authority-data": _base64(authority)}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": {"token": token}}],
    }
    return json.dumps(config, indent=1).encode()


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _token(path: Path) -> str:
    if not path.exists():
        write_private(path, secrets.token_urlsafe(32).encode())
    return path.read_text().strip()


def _is_for(certificate: Path, host: str, now: datetime) -> bool:
    found = x509.load_pem_x509_certificate(certificate.read_bytes())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    known = {*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))}
    return host in known and found.not_valid_before_utc < now - MARGIN and now + MARGIN < found.not_valid_after_utc


def _write_certificate(certificate: Path, key: Path, host: str, now: datetime) -> None:
    """Self-signed, its own authority: the kubeconfig carries it."""
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "arkwright")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.astimezone(UTC) - VALID)  # a clock that is set back makes it no worse
        .not_valid_after(now.astimezone(UTC) + VALID)
        .add_extension(x509.SubjectAlternativeName(_names(host)), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    )
    signed = builder.sign(private, hashes.SHA256())
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_private(key, private.private_bytes(*form))
    write_private(certificate, signed.public_bytes(serialization.Encoding.PEM))


def _names(host: str) -> list[x509.GeneralName]:
    addresses = {"127.0.0.1", "::1"}
    names = set(NAMES)
    try:
        addresses.add(str(ipaddress.ip_address(host)))
    except ValueError:
        names.add(host)
    return [
        *map(x509.DNSName, sorted(names)),
        *(x509.IPAddress(ipaddress.ip_address(one)) for one in sorted(addresses)),
    ]
