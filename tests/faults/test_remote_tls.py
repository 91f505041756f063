"""A node behind TLS: reached by who trusts its authority, and by nobody else."""

import asyncio
import datetime
import hashlib
import ipaddress
import signal
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pgproxy.engines.errors import EngineUnavailable, FallbackReason
from pgproxy.engines.node_tls import NodeTls
from pgproxy.engines.remote import RemoteEngine, RemoteOptions
from tests.certificates import Authority
from tests.faults.exec_nodes import TOKEN, exec_node


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "node")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "node.crt", folder / "node.key"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate_file, key_file


async def test_a_tls_node_is_reached_only_by_who_trusts_it(tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path)
    async with exec_node(tmp_path, TLS_CERT_FILE=str(certificate), TLS_KEY_FILE=str(key)) as node:
        address = f"127.0.0.1:{node.port}"
        trusting = RemoteEngine("a", f"grpcs://{address}", TOKEN, RemoteOptions(tls=NodeTls(certificate)))
        assert (await trusting.probe()).load == 0
        await trusting.close()
        for url, options in (
            (f"grpcs://{address}", RemoteOptions()),
            (f"grpc://{address}", RemoteOptions(probe_s=1.0)),
        ):
            stranger = RemoteEngine("a", url, TOKEN, options)
            with pytest.raises(EngineUnavailable) as caught:
                await stranger.probe()
            assert caught.value.reason in {
                FallbackReason.CONNECT,
                FallbackReason.NODE_LOST,
                FallbackReason.DEADLINE,
            }
            await stranger.close()


async def test_a_node_that_asks_for_certificates_takes_gateways_of_its_authority_only(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, "other")
    server, known = authority.issue("127.0.0.1", "server"), authority.issue("gateway", "known")
    unknown = other.issue("gateway", "unknown")
    async with exec_node(
        tmp_path,
        TLS_CERT_FILE=str(server.certificate),
        TLS_KEY_FILE=str(server.key),
        TLS_CLIENT_CA_FILE=str(authority.file),
    ) as node:
        for shown, is_let_in in ((known, True), (unknown, False), (None, False)):
            files = (shown.certificate, shown.key) if shown is not None else ()
            tls = NodeTls(authority.file, *files)
            gateway = RemoteEngine("a", f"grpcs://127.0.0.1:{node.port}", TOKEN, RemoteOptions(tls=tls))
            if is_let_in:
                assert (await gateway.probe()).load == 0
            else:
                with pytest.raises(EngineUnavailable):
                    await gateway.probe()
            await gateway.close()
        tls = NodeTls(authority.file, unknown.certificate, unknown.key)
        gateway = RemoteEngine("a", f"grpcs://127.0.0.1:{node.port}", TOKEN, RemoteOptions(tls=tls))
        authority.issue("gateway", "unknown")  # into the same files
        with pytest.raises(EngineUnavailable):
            await gateway.probe()
        tls.reload()
        assert (await gateway.probe()).load == 0, "the renewed certificate is shown"
        unknown.key.write_bytes(known.key.read_bytes())
        tls.reload()
        await gateway.close()
        gateway = RemoteEngine("a", f"grpcs://127.0.0.1:{node.port}", TOKEN, RemoteOptions(tls=tls))
        assert (await gateway.probe()).load == 0, "a key that does not fit changes nothing"
        await gateway.close()


async def test_sighup_brings_a_nodes_new_certificate_to_new_connections_and_ends_none(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    server = authority.issue("127.0.0.1", "server")
    options = RemoteOptions(tls=NodeTls(authority.file))
    files = {"TLS_CERT_FILE": str(server.certificate), "TLS_KEY_FILE": str(server.key)}
    async with exec_node(tmp_path, **files) as node:
        gateway = RemoteEngine("a", f"grpcs://127.0.0.1:{node.port}", TOKEN, options)
        assert (await gateway.probe()).load == 0
        old = await shown_certificate(node.port)
        authority.issue("127.0.0.1", "server")  # into the same files
        node.process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(20):
            while (new := await shown_certificate(node.port)) == old:  # noqa: ASYNC110  # signals tell nobody
                await asyncio.sleep(0.02)
        server.key.write_bytes(authority.issue("127.0.0.1", "other").key.read_bytes())
        node.process.send_signal(signal.SIGHUP)
        assert (await gateway.probe()).load == 0, "the connection of before goes on"
        assert await shown_certificate(node.port) == new, "a key that does not fit changes nothing"
        await gateway.close()


async def test_sighup_ends_no_node_that_has_no_certificate(tmp_path: Path) -> None:
    async with exec_node(tmp_path) as node:
        node.process.send_signal(signal.SIGHUP)
        gateway = RemoteEngine("a", f"grpc://127.0.0.1:{node.port}", TOKEN)
        assert (await gateway.probe()).load == 0
        await gateway.close()
        node.process.send_signal(signal.SIGTERM)
        assert await node.process.wait() == 0


async def shown_certificate(port: int) -> bytes:
    """The SHA-256 fingerprint of what a new connection is shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return hashlib.sha256(shown).digest()
