"""What a `grpcs://` endpoint is checked against, and what the gateway shows it."""

import ssl
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class NodeTls:
    """What a `grpcs://` endpoint is checked against. ca_file None: the system's authorities.

    certificate_file, key_file: the gateway's own, for nodes that ask for one (mTLS).
    """

    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Build the client context; names are always checked."""
        context = ssl.create_default_context(cafile=self.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["h2"])
        if self.certificate_file is not None:
            context.load_cert_chain(self.certificate_file, self.key_file)
        return context
