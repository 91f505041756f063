"""TLS files as settings name them: looked at when they are set, so that a start tells what is wrong."""

import ssl
from pathlib import Path


def no_password() -> str:
    """For OpenSSL, which would ask the terminal for the password of an encrypted key, and wait."""
    return ""


def check_certificates(file: Path) -> Path:
    """Give the file back if there are certificates in it.

    Raises:
        ValueError: it cannot be read, or holds none.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(file)
    except ssl.SSLError:
        raise ValueError("holds no certificate as PEM") from None
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    return file


def check_key(certificate: Path, key: Path) -> None:
    """Refuse a key that is not the certificate's.

    Raises:
        ValueError: it cannot be read, is none or needs a password, or belongs to another certificate.
    """
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key, password=no_password)
    except ssl.SSLError:
        raise ValueError("is not the certificate's key, as PEM and without a password") from None
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
