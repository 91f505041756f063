"""A server's certificate, renewed while it serves: connections that are open keep the one they began with."""

import ssl
from pathlib import Path

import structlog

from execnode.tls_files import check_key, no_password

log = structlog.get_logger(__name__)


def renew_certificate(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Show new connections what the files hold now; files that cannot be used change nothing."""
    try:
        # Tried apart first: of a key that does not fit OpenSSL would keep the certificate alone.
        check_key(certificate, key)
        context.load_cert_chain(certificate, key, password=no_password)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        log.error("tls.reload_failed", cause=type(error).__name__)  # noqa: TRY400  # no path in the log
    else:
        log.info("tls.reloaded")
