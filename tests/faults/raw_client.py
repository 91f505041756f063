"""A client of bare bytes on a blocking socket: it says exactly what a test wants, right or wrong.

It derives each password's SCRAM key once, so that thousands of logins cost the server's part only.
"""

import functools
import hashlib
import hmac
import secrets
import socket
import ssl
import struct
from base64 import b64decode, b64encode
from types import TracebackType
from typing import Self

from tests.faults.patience import LONGEST_S, Patience
from tests.unit.pgwire.frontend_bytes import cstring, int32, startup_body, tagged, untagged

PROTOCOL_3_0 = 3 << 16
PROTOCOL_3_2 = 3 << 16 | 2
SSL_REQUEST = untagged(struct.pack("!HH", 1234, 5679))
GSSENC_REQUEST = untagged(struct.pack("!HH", 1234, 5680))


def cancel_request(process_id: int, secret_key: bytes) -> bytes:
    """Encode a CancelRequest."""
    return untagged(struct.pack("!HHi", 1234, 5678, process_id) + secret_key)


def startup(user: str, database: str = "test", version: int = PROTOCOL_3_0, **more: str) -> bytes:
    """Encode a StartupMessage."""
    pairs = {"user": user, "database": database, **more}
    return untagged(startup_body(version, *(text for pair in pairs.items() for text in pair)))


class Refused(Exception):
    """The server ended the login with an ErrorResponse; `fields` are its fields by their letter."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(f"{fields.get('S')} {fields.get('C')}: {fields.get('M')}")
        self.fields = fields
        self.sqlstate = fields.get("C", "")


class RawClient:
    """One connection. Every read fails after `timeout_s`: a server that hangs fails the test.

    source: the address to come from. patience: counts only the server's own time; `timeout_s` is then how
    often it is asked. sent: what was sent, as it was.
    """

    def __init__(
        self,
        port: int,
        timeout_s: float = 5.0,
        source: str = "127.0.0.1",
        patience: Patience | None = None,
    ) -> None:
        self._patience = patience
        longest_s = timeout_s if patience is None else LONGEST_S
        self.socket: socket.socket = socket.create_connection(("127.0.0.1", port), longest_s, (source, 0))
        self.socket.settimeout(timeout_s)
        self.sent: list[bytes] = []
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()
        self.process_id = 0
        self.secret_key = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close at once."""
        self.socket.close()

    def start_tls(self, context: ssl.SSLContext) -> ssl.SSLSocket:
        """Go on in TLS."""
        wrapped = context.wrap_socket(self.socket, server_hostname="127.0.0.1")
        self.socket = wrapped
        return wrapped

    def send(self, data: bytes) -> None:
        """Send bytes; a server that has closed already shows when its answer is read."""
        self.sent.append(data)
        timeout_s = self.socket.gettimeout()
        self.socket.settimeout(timeout_s if self._patience is None else LONGEST_S)
        try:
            self.socket.sendall(data)
            self.socket.settimeout(timeout_s)
        except (BrokenPipeError, ConnectionResetError):
            return

    def receive_bytes(self, size: int) -> bytes:
        """Give exactly `size` bytes, or fewer where the server has closed."""
        wait = self._patience.begin() if self._patience is not None else None
        while len(self._buffer) < size:
            try:
                data = self.socket.recv(262_144)
            except TimeoutError:
                if wait is None or wait.is_over():
                    raise
                continue
            except (ConnectionResetError, ssl.SSLEOFError):
                data = b""
            if not data:
                break
            self._buffer += data
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def receive(self) -> tuple[bytes, bytes] | None:
        """Give the next message's tag and body, or None where the server has closed."""
        head = self.receive_bytes(5)
        if len(head) < 5:
            return None
        size = struct.unpack("!i", head[1:])[0] - 4
        body = self.receive_bytes(size)
        return (head[:1], body) if len(body) == size else None

    def receive_until(self, *tags: bytes) -> list[tuple[bytes, bytes]]:
        """Give messages up to the first of `tags`, or up to the end."""
        found = []
        while (message := self.receive()) is not None:
            found.append(message)
            if message[0] in tags:
                break
        return found

    def drain(self) -> None:
        """Read until the server has closed."""
        while self.receive_bytes(262_144):
            pass

    def query(self, sql: str) -> list[tuple[bytes, bytes]]:
        """Run a simple query; give every message up to ReadyForQuery."""
        self.send(tagged(b"Q", cstring(sql)))
        return self.receive_until(b"Z")

    def log_in(
        self,
        user: str,
        password: str | None,
        database: str = "test",
        version: int = PROTOCOL_3_0,
        **more: str,
    ) -> list[tuple[bytes, bytes]]:
        """Start and authenticate, up to ReadyForQuery; give the messages after authentication.

        Raises:
            Refused: the server sent an error. ConnectionResetError: it closed without one.
        """
        self.send(startup(user, database, version, **more))
        bare = f"n=,r={secrets.token_hex(9)}"
        found = []
        while (message := self.receive()) is not None:
            tag, body = message
            if tag == b"E":
                raise Refused(error_fields(body))
            if tag == b"R":
                self._authenticate(body, bare, password)
                continue
            if tag == b"K":
                (self.process_id,), self.secret_key = struct.unpack_from("!i", body), body[4:]
            found.append(message)
            if tag == b"Z":
                return found
        raise ConnectionResetError("the server closed during the login")

    def _authenticate(self, body: bytes, bare: str, password: str | None) -> None:
        (code,) = struct.unpack_from("!i", body)
        if code == 10:
            assert password is not None, "the server asks for a password"
            first = f"n,,{bare}".encode()
            self.send(tagged(b"p", cstring("SCRAM-SHA-256") + int32(len(first)) + first))
        elif code == 3:
            assert password is not None
            self.send(tagged(b"p", cstring(password)))
        elif code == 11:
            assert password is not None
            self.send(tagged(b"p", client_final(password, bare, body[4:].decode()).encode()))


def error_fields(body: bytes) -> dict[str, str]:
    """Read an ErrorResponse's body."""
    return {part[:1].decode(): part[1:].decode() for part in body.split(b"\0") if part}


def client_final(password: str, bare: str, server_first: str) -> str:
    """Answer the server's challenge. RFC 5802, section 3."""
    attributes = dict(part.split("=", 1) for part in server_first.split(","))
    salted = _salted(password, b64decode(attributes["s"]), int(attributes["i"]))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    without_proof = f"c=biws,r={attributes['r']}"
    signed = f"{bare},{server_first},{without_proof}".encode()
    signature = hmac.digest(hashlib.sha256(client_key).digest(), signed, "sha256")
    proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    return f"{without_proof},p={b64encode(proof).decode()}"


@functools.cache
def _salted(password: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
