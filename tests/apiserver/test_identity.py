"""The server's certificate: whatever the clock is set to, clients that know it believe it."""

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest

from arkwright.apiserver.identity import identity

NOW = datetime(2026, 6, 1, tzinfo=UTC)
YEAR = timedelta(days=365)


def is_believed(found, at):
    """Whether a client whose clock says `at` makes TLS with a server that has it."""
    context = ssl.create_default_context(cafile=str(found.certificate))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(found.certificate, found.key)
    certificate = found.certificate.read_bytes()
    here, there = socket.socketpair()
    with here, there:
        answering = threading.Thread(target=_answer, args=(server, there))
        answering.start()
        with context.wrap_socket(here, server_hostname="127.0.0.1") as made:
            times = made.getpeercert()
        answering.join()
    begins, ends = (ssl.cert_time_to_seconds(times[name]) for name in ("notBefore", "notAfter"))
    return begins < at.timestamp() < ends and found.certificate.read_bytes() == certificate


def _answer(context, connection):
    context.wrap_socket(connection, server_side=True).close()


@pytest.mark.parametrize("by", [-9 * YEAR, -timedelta(days=1), timedelta(), timedelta(days=1), 9 * YEAR], ids=str)
def test_a_clock_that_is_set_while_the_server_runs_makes_its_certificate_no_worse(tmp_path, by):
    assert is_believed(identity(tmp_path, "127.0.0.1", datetime.now(UTC)), datetime.now(UTC) + by)


@pytest.mark.parametrize(
    ("by", "is_same"), [(-12 * YEAR, False), (timedelta(days=-1), True), (12 * YEAR, False)], ids=str
)
def test_one_that_is_not_valid_by_the_clock_is_made_anew_at_the_next_start(tmp_path, by, is_same):
    first = identity(tmp_path, "127.0.0.1", NOW).certificate.read_bytes()
    second = identity(tmp_path, "127.0.0.1", NOW + by).certificate.read_bytes()
    assert (first == second) == is_same
