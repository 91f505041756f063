"""The server's TLS context, and what SCRAM-SHA-256-PLUS binds to (RFC 5929, tls-server-end-point)."""

import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from pgproxy.net.handshake import TlsOffer

_WEAK_HASHES = (hashes.MD5, hashes.SHA1)


def load_tls(certificate: Path, key: Path, client_ca: Path | None) -> TlsOffer:
    """Read the certificate chain and key.

    Raises:
        OSError: a file cannot be read. ssl.SSLError: key and certificate do not fit.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["postgresql"])
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_OPTIONAL
    return TlsOffer(context, end_point_hash(certificate.read_bytes()))


def end_point_hash(pem: bytes) -> bytes:
    """Hash the first certificate with its own signature's hash, or SHA-256 where that is weak or none."""
    certificate = x509.load_pem_x509_certificates(pem)[0]
    algorithm = certificate.signature_hash_algorithm
    is_weak = algorithm is None or isinstance(algorithm, _WEAK_HASHES)
    return certificate.fingerprint(hashes.SHA256() if is_weak or algorithm is None else algorithm)
