"""TLS with libpq: both ways to begin it, channel binding, client certificates, new certificates at SIGHUP."""

import hashlib
import signal
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tests.certificates import Authority, Certificate
from tests.faults.raw_client import (
    GSSENC_REQUEST,
    SSL_REQUEST,
    RawClient,
    Refused,
    cancel_request,
    error_fields,
    startup,
)
from tests.gateway import RunningGateway, start_gateway


@dataclass(frozen=True)
class TlsGateway:
    """A gateway with TLS, and who may sign what."""

    gateway: RunningGateway
    authority: Authority
    server: Certificate

    def dsn(self, user: str = "analyst", password: str | None = None, **options: str) -> str:
        """A connection string that checks the server's certificate."""
        checked = {"sslmode": "verify-full", "sslrootcert": str(self.authority.file), **options}
        more = " ".join(f"{name}={value}" for name, value in checked.items())
        return f"{self.gateway.dsn(user, password)} {more}"

    def context(self, *, alpn: bool = True) -> ssl.SSLContext:
        """A client's context that checks the server's certificate."""
        context = ssl.create_default_context(cafile=self.authority.file)
        if alpn:
            context.set_alpn_protocols(["postgresql"])
        return context


def start_tls_gateway(folder: Path, digest: hashes.HashAlgorithm | None = None, **settings: str):  # type: ignore[no-untyped-def]  # a generator's context manager
    authority = Authority(folder)
    server = authority.issue("127.0.0.1", "server", digest)
    files = {"TLS_CERT_FILE": str(server.certificate), "TLS_KEY_FILE": str(server.key)}
    return authority, server, start_gateway(folder, **files, **settings)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsGateway]:
    folder = tmp_path_factory.mktemp("tls")
    ca = folder / "authority.crt"
    authority, server, starting = start_tls_gateway(
        folder, TLS_CLIENT_CA_FILE=str(ca), CLIENT_CERT_AUTH="optional", REQUIRE_TLS="true"
    )
    with starting as gateway:
        yield TlsGateway(gateway, authority, server)


def is_encrypted(connection: "psycopg.Connection[tuple[object, ...]]") -> bool:
    return bool(connection.pgconn.ssl_in_use)


@pytest.mark.parametrize("negotiation", ["postgres", "direct"])
def test_both_ways_into_tls_work_with_libpq(tls: TlsGateway, negotiation: str) -> None:
    with psycopg.connect(tls.dsn(sslnegotiation=negotiation)) as connection:
        assert is_encrypted(connection)
        rows = connection.execute("SELECT n, label FROM numbers ORDER BY n").fetchall()
    assert len(rows) == 100_000, "results larger than any buffer pass"
    assert rows[-1] == (99_999, "text 99999")


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_tls_1_2_and_1_3_are_spoken(tls: TlsGateway, version: str) -> None:
    dsn = tls.dsn(ssl_min_protocol_version=version, ssl_max_protocol_version=version)
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_tls_1_1_is_refused(tls: TlsGateway) -> None:
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(tls.dsn(ssl_min_protocol_version="TLSv1.1", ssl_max_protocol_version="TLSv1.1"))


@pytest.mark.parametrize("negotiation", ["postgres", "direct"])
def test_libpq_proves_that_nobody_sits_in_between(tls: TlsGateway, negotiation: str) -> None:
    with psycopg.connect(tls.dsn(channel_binding="require", sslnegotiation=negotiation)) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("analyst",)


@pytest.mark.parametrize("digest", [hashes.SHA384(), hashes.SHA512()])
def test_channel_binding_uses_the_certificates_own_hash(tmp_path: Path, digest: hashes.HashAlgorithm) -> None:
    authority, server, starting = start_tls_gateway(tmp_path, digest)
    with starting as gateway:
        found = TlsGateway(gateway, authority, server)
        with psycopg.connect(found.dsn(channel_binding="require")) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_psql_of_postgresql_15_binds_the_channel_too(
    tls: TlsGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    monkeypatch.setenv("PGSSLROOTCERT", str(tls.authority.file))
    monkeypatch.setenv("PGCHANNELBINDING", "require")
    done = tls.gateway.psql("-Atc", "SELECT 40 + 2")
    assert (done.returncode, done.stdout) == (0, "42\n"), done.stderr


async def test_asyncpg_speaks_tls(tls: TlsGateway) -> None:
    context = tls.context(alpn=False)
    for direct in (False, True):
        if direct:
            context.set_alpn_protocols(["postgresql"])
        connection = await asyncpg.connect(
            host="127.0.0.1", port=tls.gateway.port, user="analyst", password="analyst-secret",
            database="test", ssl=context, direct_tls=direct,
        )  # fmt: skip
        assert await connection.fetchval("SELECT count(*) FROM numbers") == 100_000
        await connection.close()


def test_without_tls_nobody_comes_in_where_it_is_required(tls: TlsGateway) -> None:
    with RawClient(tls.gateway.port) as client, pytest.raises(Refused) as caught:
        client.log_in("analyst", "analyst-secret")
    assert caught.value.sqlstate == "28000"
    assert caught.value.fields["S"] == "FATAL"


def test_plaintext_behind_sslrequest_closes_the_connection(tls: TlsGateway) -> None:
    with RawClient(tls.gateway.port) as client:
        client.send(SSL_REQUEST + startup("analyst"))  # CVE-2021-23214
        answer = client.receive_bytes(262_144)
    assert not answer.startswith(b"S"), "TLS is not even offered"
    assert b"received unencrypted data after SSLRequest" in answer


def test_plaintext_that_arrives_with_the_tls_hello_is_no_hello(tls: TlsGateway) -> None:
    with RawClient(tls.gateway.port) as client:
        client.send(SSL_REQUEST)
        assert client.receive_bytes(1) == b"S"
        client.send(startup("analyst"))
        assert b"SCRAM" not in client.receive_bytes(262_144), "only an alert and the end"


def test_gssencrequest_is_declined_and_tls_follows(tls: TlsGateway) -> None:
    with RawClient(tls.gateway.port) as client:
        client.send(GSSENC_REQUEST)
        assert client.receive_bytes(1) == b"N"
        client.send(SSL_REQUEST)
        assert client.receive_bytes(1) == b"S"
        client.start_tls(tls.context())
        client.log_in("analyst", "analyst-secret")
        assert client.query("SELECT 1")[-1] == (b"Z", b"I")


def test_plaintext_behind_gssencrequest_closes_the_connection(tls: TlsGateway) -> None:
    with RawClient(tls.gateway.port) as client:
        client.send(GSSENC_REQUEST + SSL_REQUEST)
        assert b"received unencrypted data after GSSENCRequest" in client.receive_bytes(262_144)


@pytest.mark.parametrize("request_bytes", [SSL_REQUEST, GSSENC_REQUEST])
def test_encryption_is_not_negotiated_inside_tls(tls: TlsGateway, request_bytes: bytes) -> None:
    with RawClient(tls.gateway.port) as client:
        client.start_tls(tls.context())
        client.send(request_bytes)
        message = client.receive()
    assert message is not None
    assert error_fields(message[1])["C"] == "08P01"


def test_direct_tls_without_alpn_is_refused_inside_tls(tls: TlsGateway) -> None:
    with RawClient(tls.gateway.port) as client:
        client.start_tls(tls.context(alpn=False))
        message = client.receive()
    assert message is not None
    assert "without ALPN" in error_fields(message[1])["M"]


def test_a_cancelrequest_inside_tls_reaches_its_statement(tls: TlsGateway) -> None:
    with psycopg.connect(tls.dsn(), autocommit=True) as connection:
        connection.pgconn.send_query(b"SELECT count(*) FROM range(1000000) a, range(1000000) b")
        with RawClient(tls.gateway.port) as other:
            other.start_tls(tls.context())
            other.send(cancel_request(connection.pgconn.backend_pid, b"nope"))
            other.drain()
        connection.cancel_safe(timeout=5)  # libpq 17 and newer cancel over TLS like their connection
        result = connection.pgconn.get_result()
        assert result is not None
        assert result.error_field(psycopg.pq.DiagnosticField.SQLSTATE) == b"57014"
        assert connection.pgconn.get_result() is None


def with_certificate(tls: TlsGateway, issued: Certificate) -> dict[str, str]:
    return {"sslcert": str(issued.certificate), "sslkey": str(issued.key)}


def test_a_certificate_for_the_user_takes_the_passwords_place(tls: TlsGateway) -> None:
    issued = tls.authority.issue("analyst", "analyst")
    with psycopg.connect(tls.dsn(password="wrong", **with_certificate(tls, issued))) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("analyst",)


def test_a_certificate_for_somebody_else_leaves_the_password(tls: TlsGateway) -> None:
    options = with_certificate(tls, tls.authority.issue("intern", "intern"))
    with psycopg.connect(tls.dsn(**options)) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("analyst",)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(tls.dsn(password="wrong", **options))


def test_a_certificate_of_another_authority_is_not_even_looked_at(tls: TlsGateway, tmp_path: Path) -> None:
    forged = Authority(tmp_path).issue("analyst", "forged")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(tls.dsn(password="wrong", **with_certificate(tls, forged)))


def test_a_certificate_for_nobody_proves_nobody(tls: TlsGateway) -> None:
    options = with_certificate(tls, tls.authority.issue("ghost", "ghost"))
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(tls.dsn("ghost", **options))
    group = with_certificate(tls, tls.authority.issue("eu_team", "eu_team"))
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(tls.dsn("eu_team", **group))


def test_where_a_certificate_is_required_no_password_helps(tmp_path: Path) -> None:
    ca = tmp_path / "authority.crt"
    authority, server, starting = start_tls_gateway(
        tmp_path, TLS_CLIENT_CA_FILE=str(ca), CLIENT_CERT_AUTH="required"
    )
    with starting as gateway:
        found = TlsGateway(gateway, authority, server)
        own = with_certificate(found, authority.issue("analyst", "analyst"))
        other = with_certificate(found, authority.issue("intern", "intern"))
        with psycopg.connect(found.dsn(**own)) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("analyst",)
        with pytest.raises(psycopg.OperationalError, match="requires a valid client certificate"):
            psycopg.connect(found.dsn())
        with pytest.raises(psycopg.OperationalError, match="requires a valid client certificate"):
            psycopg.connect(gateway.dsn() + " sslmode=disable")
        with pytest.raises(psycopg.OperationalError, match="certificate authentication failed"):
            psycopg.connect(found.dsn(**other))


def served_certificate(gateway: RunningGateway) -> bytes:
    """The SHA-256 fingerprint of what a new connection is shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["postgresql"])
    with RawClient(gateway.port) as client:
        return hashlib.sha256(client.start_tls(context).getpeercert(binary_form=True) or b"").digest()


def fingerprint(file: Path) -> bytes:
    return x509.load_pem_x509_certificate(file.read_bytes()).fingerprint(hashes.SHA256())


def until_served(gateway: RunningGateway, expected: bytes) -> None:
    """A signal is handled some time after it was sent."""
    deadline = time.monotonic() + 5
    while served_certificate(gateway) != expected:
        assert time.monotonic() < deadline, "the new certificate is not served"


def test_sighup_brings_the_new_certificate_to_new_connections_only(tmp_path: Path) -> None:
    authority, server, starting = start_tls_gateway(tmp_path)
    with starting as gateway:
        found = TlsGateway(gateway, authority, server)
        with psycopg.connect(found.dsn(channel_binding="require")) as old:
            authority.issue("127.0.0.1", "server")  # into the same files
            gateway.process.send_signal(signal.SIGHUP)
            until_served(gateway, fingerprint(server.certificate))
            with psycopg.connect(found.dsn(channel_binding="require")) as new:
                assert new.execute("SELECT 1").fetchone() == (1,)
            assert old.execute("SELECT 2").fetchone() == (2,)


def test_a_broken_certificate_at_sighup_leaves_the_old_one(tmp_path: Path) -> None:
    log = tmp_path / "gateway.log"
    authority = Authority(tmp_path)
    server = authority.issue("127.0.0.1", "server")
    before = fingerprint(server.certificate)
    files = {"TLS_CERT_FILE": str(server.certificate), "TLS_KEY_FILE": str(server.key)}
    with start_gateway(tmp_path, log=log, **files) as gateway:
        server.certificate.write_text("no certificate")
        gateway.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 5
        while "tls.reload_failed" not in log.read_text():
            assert time.monotonic() < deadline, "the failure is not in the log"
        assert served_certificate(gateway) == before


def test_sighup_without_tls_ends_nothing(tmp_path: Path) -> None:
    with start_gateway(tmp_path) as gateway, psycopg.connect(gateway.dsn()) as connection:
        gateway.process.send_signal(signal.SIGHUP)
        assert connection.execute("SELECT 1").fetchone() == (1,)
        with RawClient(gateway.port) as client:
            client.send(SSL_REQUEST)
            assert client.receive_bytes(1) == b"N"
            client.log_in("analyst", "analyst-secret")
        assert gateway.process.poll() is None
