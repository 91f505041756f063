"""The server's TLS context, and what SCRAM-SHA-256-PLUS binds to (RFC 5929, tls-server-end-point)."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from execnode.tls_files import no_password

log = structlog.get_logger(__name__)

ALPN_PROTOCOL = "postgresql"
_WEAK_HASHES = (hashes.MD5, hashes.SHA1)


@dataclass(frozen=True, slots=True)
class TlsOffer:
    """How TLS is offered. certificate_hash: the tls-server-end-point channel binding of our certificate."""

    context: ssl.SSLContext
    certificate_hash: bytes


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where certificate chain, key and the authority of client certificates are, as PEM."""

    certificate: Path
    key: Path
    client_ca: Path | None = None


class TlsCertificates:
    """What is offered now. A connection keeps the offer that it began with."""

    def __init__(self, files: TlsFiles) -> None:
        """Read the files.

        Raises:
            OSError: a file cannot be read. ssl.SSLError: key and certificate do not fit. ValueError: no PEM.
        """
        self._files = files
        self._offer = load_tls(files)

    def current(self) -> TlsOffer:
        """Give the offer for a new connection."""
        return self._offer

    def reload(self) -> None:
        """Read the files again. Files that cannot be used leave what is offered as it is."""
        try:
            self._offer = load_tls(self._files)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            log.error("tls.reload_failed", cause=type(error).__name__)  # noqa: TRY400  # no path in the log
        else:
            log.info("tls.reloaded")


def load_tls(files: TlsFiles) -> TlsOffer:
    """Build a context: TLS 1.2 or newer, no session tickets and no renegotiation, as PostgreSQL has it.

    Raises:
        OSError: a file cannot be read. ssl.SSLError: key and certificate do not fit. ValueError: no PEM.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.num_tickets = 0
    context.load_cert_chain(files.certificate, files.key, password=no_password)
    context.set_alpn_protocols([ALPN_PROTOCOL])
    if files.client_ca is not None:
        context.load_verify_locations(files.client_ca)
        context.verify_mode = ssl.CERT_OPTIONAL
    return TlsOffer(context, end_point_hash(files.certificate.read_bytes()))


def end_point_hash(pem: bytes) -> bytes:
    """Hash the first certificate with its own signature's hash, or SHA-256 where that is weak or none."""
    certificate = x509.load_pem_x509_certificates(pem)[0]
    algorithm = certificate.signature_hash_algorithm
    is_weak = algorithm is None or isinstance(algorithm, _WEAK_HASHES)
    return certificate.fingerprint(hashes.SHA256() if is_weak or algorithm is None else algorithm)
