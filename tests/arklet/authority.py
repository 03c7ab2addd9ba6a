"""Who signs for bases and their callers, for tests with TLS. In: names. Out: PEM files."""

import datetime
import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """authority(name) -> (certificate, key) files signed by it; authority.ca its own certificate."""
    directory = tmp_path_factory.mktemp("authority")
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bases")])
    now = datetime.datetime.now(datetime.UTC)

    def certificate(name, key, is_ca):
        found = x509.CertificateBuilder().subject_name(name).issuer_name(ca_name).public_key(key.public_key())
        found = found.serial_number(x509.random_serial_number())
        found = found.not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(
            now + datetime.timedelta(days=1)
        )
        found = found.add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        found = found.add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("10.0.0.1"))]), False
        )
        found = found.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        found = found.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False)
        return found.sign(ca_key, hashes.SHA256())

    def write(path, *parts):
        path.write_bytes(b"".join(parts))
        return str(path)

    def pem(key):
        kinds = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return key.private_bytes(*kinds)

    def issue(name):
        key = ec.generate_private_key(ec.SECP256R1())
        found = certificate(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key, False)
        encoded = found.public_bytes(serialization.Encoding.PEM)
        return write(directory / f"{name}.pem", encoded), write(directory / f"{name}.key", pem(key))

    ca = certificate(ca_name, ca_key, True).public_bytes(serialization.Encoding.PEM)
    issue.ca = write(directory / "ca.pem", ca)
    return issue
