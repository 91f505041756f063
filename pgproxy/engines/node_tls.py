"""What a `grpcs://` endpoint is checked against, and what the gateway shows it."""

import ssl
from pathlib import Path

import structlog

from execnode.tls_files import no_password

log = structlog.get_logger(__name__)


class NodeTls:
    """TLS to all nodes. A connection keeps what it began with; `reload` is for later ones."""

    def __init__(
        self, ca_file: Path | None = None, certificate_file: Path | None = None, key_file: Path | None = None
    ) -> None:
        """ca_file: None: the system's authorities.

        certificate_file, key_file: the gateway's own, for nodes that ask for one (mTLS).

        Raises:
            OSError: a file cannot be read. ssl.SSLError: it is no certificate or key.
        """
        self._ca_file = ca_file
        self._certificate_file = certificate_file
        self._key_file = key_file
        self._context = self._read() if ca_file is not None or certificate_file is not None else None

    def context(self) -> ssl.SSLContext:
        """Give the context for a new connection; the system's authorities are read when one is needed."""
        if self._context is None:
            self._context = self._read()
        return self._context

    def reload(self) -> None:
        """Read the files again. Files that cannot be used leave what is used as it is."""
        if self._context is None:
            return
        try:
            self._context = self._read()
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            log.error("node_tls.reload_failed", cause=type(error).__name__)  # noqa: TRY400  # no path in the log
        else:
            log.info("node_tls.reloaded")

    def _read(self) -> ssl.SSLContext:
        """Build the client context; names are always checked."""
        context = ssl.create_default_context(cafile=self._ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["h2"])
        if self._certificate_file is not None:
            context.load_cert_chain(self._certificate_file, self._key_file, password=no_password)
        return context
